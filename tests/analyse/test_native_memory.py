"""Programs of which it is known what their Python objects take, and what C code holds beside them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from textwrap import dedent

import polars as pl
import pytest

from diagtools.analyse.ledger import OUTSIDE
from diagtools.analyse.native_memory import ledger_of_graph, native_finding
from diagtools.frames import ObjectGraph
from diagtools.read.object_graph import read_object_graphs
from diagtools.values import Finding
from tests.support.ledgers import MIB, Taken, taken

#: What takes the snapshot of objects, right after the ledger's.
BOTH = """
_holders = _probe("holders").instrument(sys.argv[1], _probe)

def both():
    snapshot()
    _holders.take(0, 1_000_000_000, "phase", "end", b"")
"""

CTYPES = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
for _ in range(800):
    ctypes.memset(libc.malloc(100_000), 1, 100_000)
both()
"""
SQLITE = """
import sqlite3
base = sqlite3.connect(":memory:")
base.execute("create table t (a, b)")
base.executemany("insert into t values (?, ?)", ((n, "x" * 80) for n in range(400_000)))
base.commit()
both()
base.close()
"""
STRINGS = """
kept = {f"key-{n}": f"v{n}" * 6 for n in range(300_000)}
both()
"""
ARRAYS = """
import numpy
kept = [numpy.ones(50_000) for _ in range(150)]
both()
"""
POLARS = """
import polars
kept = polars.select(polars.int_range(5_000_000))
both()
"""
ARROW = """
import pyarrow
kept = pyarrow.array(range(4_000_000), memory_pool=pyarrow.system_memory_pool())
both()
"""


@cache
def looked_at(program: str) -> tuple[Taken, ObjectGraph]:
    """The ledger of a program, and its objects."""
    found = taken(BOTH + dedent(program))
    (graph,) = read_object_graphs(found.folder, 0)
    return found, graph


def said(program: str) -> Finding | None:
    found, graph = looked_at(program)
    one = ledger_of_graph(found.ledger, graph)
    assert one is not None
    return native_finding(one, found.files.snapshots, graph.total_bytes)


@pytest.mark.parametrize(("program", "mib"), [(CTYPES, 800 * 100_016 / MIB), (SQLITE, 400_000 * 94 / MIB)])
def test_what_c_code_holds_belongs_to_no_object(program: str, mib: float) -> None:
    finding = said(program)
    assert finding is not None
    assert finding.value is not None
    assert finding.value / MIB == pytest.approx(mib, rel=0.1)
    assert "belongs to no Python object. C code holds it" in finding.sentence


@pytest.mark.parametrize("program", [STRINGS, ARRAYS])
def test_what_objects_hold_is_theirs(program: str) -> None:
    _, graph = looked_at(program)
    assert graph.total_bytes > 30 * MIB
    assert said(program) is None


def test_the_buffers_of_arrow_are_no_object_as_far_as_they_lie_in_c() -> None:
    pytest.importorskip("pyarrow")
    finding = said(ARROW)
    assert finding is not None
    assert finding.value is not None
    own = finding.value / MIB - 4_000_000 * 8 / MIB
    assert 0 <= own < 15  # 10 MiB are what its libraries set up as they are loaded


def test_the_tables_of_polars_lie_in_an_allocator_of_their_own() -> None:
    found, _ = looked_at(POLARS)
    assert found.mib("", "polars' allocator") > 5_000_000 * 8 / MIB
    assert said(POLARS) is None


def test_where_c_does_not_say_what_is_in_use_nothing_is_said() -> None:
    found, _ = looked_at(CTYPES)
    plain = found.files.snapshots
    silent = plain.with_columns(c_system_bytes=pl.lit(None, dtype=pl.Int64))
    outside = plain.with_columns(origin=pl.lit(OUTSIDE))
    assert native_finding(found.ledger, plain, 0) is not None
    assert native_finding(found.ledger, silent, 0) is None
    assert native_finding(found.ledger, outside, 0) is None


def test_a_process_of_several_is_named() -> None:
    found, _ = looked_at(CTYPES)
    finding = native_finding(found.ledger, found.files.snapshots, 2 * MIB, process="process 7 ('python')")
    assert finding is not None
    assert finding.sentence.startswith("Python's objects of process 7 ('python') take 2.00 MiB of the ")


def test_only_a_ledger_of_the_same_moment_stands_beside_the_objects() -> None:
    found, graph = looked_at(CTYPES)
    ledger = found.ledger
    assert ledger_of_graph(ledger, graph) is not None
    assert ledger_of_graph(ledger, replace(graph, t_s=graph.t_s + 5.0)) is None  # type: ignore[operator]
    assert ledger_of_graph(ledger, replace(graph, t_s=None)) is None
    assert ledger_of_graph(ledger, replace(graph, kind="exit", edge="")) is None
    assert ledger_of_graph(ledger, replace(graph, pid=graph.pid + 1)) is None


def test_of_several_the_nearest_is_taken() -> None:
    found, graph = looked_at(CTYPES)
    near = found.ledger
    other = near.with_columns(pl.col("index") + 1, pl.col("t_s") - 1.0)
    chosen = ledger_of_graph(pl.concat([other, near]), graph)
    assert chosen is not None
    assert chosen.equals(near)
