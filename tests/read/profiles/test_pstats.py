"""Dumps of cProfile are read without `marshal`, sum to its total, and one that was changed says so."""

from __future__ import annotations

import marshal
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import DamagedError, NoDataError
from diagtools.profile import Source, Unit, View
from diagtools.read.profiles.pstats import read_pstats
from diagtools.read.profiles.pstats_marshal import MarshalReader
from tests.support.damage import CAPTURES, cuts, flips, outcome

MAIN, LOAD, LEN = ("/app/run.py", 3, "main"), ("/app/io.py", 7, "load"), ("~", 0, "<built-in method len>")
#: main takes 0.5 s itself and calls load twice (0.25 s each), which calls len ten times (0.1 s in all).
STATS: dict[Any, Any] = {
    MAIN: (1, 1, 0.5, 1.1, {}),
    LOAD: (2, 2, 0.5, 0.6, {MAIN: (2, 2, 0.5, 0.6)}),
    LEN: (10, 10, 0.1, 0.1, {LOAD: (10, 10, 0.1, 0.1)}),
}


def written(folder: Path, stats: object, version: int = 4) -> Path:
    path = folder / "program.pstats"
    path.write_bytes(marshal.dumps(stats, version))
    return path


@pytest.mark.parametrize("version", [2, 3, 4])
def test_a_dump(version: int, tmp_path: Path) -> None:
    found = read_pstats(written(tmp_path, STATS, version))
    assert (found.total, found.unit, found.view, found.source) == (
        1_100_000_000,
        Unit.NS,
        View.CPU,
        Source.PSTATS,
    )
    assert found.allocations.select("stack_id", "size", "n_allocations").rows() == [
        (0, 500_000_000, 1),
        (1, 500_000_000, 2),
        (3, 100_000_000, 10),
    ]
    assert found.stacks.rows() == [(0, None, 0, 0), (1, 0, 1, 1), (2, None, 0, 1), (3, 2, 1, 2)]
    assert found.locations.row(2)[1:4] == ("<built-in method len>", "", 0)
    assert [doubt.what for doubt in found.validity] == ["stacks"]


def test_calls_from_outside_what_was_watched_have_no_caller(tmp_path: Path) -> None:
    stats = {MAIN: (1, 1, 0.5, 0.7, {}), LOAD: (3, 3, 0.3, 0.3, {MAIN: (2, 2, 0.2, 0.2)})}
    rows = read_pstats(written(tmp_path, stats)).allocations.select("size", "n_allocations").rows()
    assert rows == [(500_000_000, 1), (200_000_000, 2), (100_000_000, 1)]


@pytest.mark.parametrize(
    "times",
    [
        {LOAD: (2, 2, 0.4, 0.6, {MAIN: (2, 2, 0.5, 0.6)})},
        {LOAD: (2, 2, 0.5, 0.6, {MAIN: (3, 3, 0.5, 0.6)})},
        {LOAD: (2, 2, 0.5, 0.7, {MAIN: (2, 2, 0.5, 0.7)})},
        {MAIN: (1, 1, 0.6, 1.1, {})},
        {LEN: (10, 10, 0.1, 0.1, {("x.py", 1, "gone"): (10, 10, 0.1, 0.1)})},
    ],
)
def test_times_that_contradict_the_others_are_said(times: dict[Any, Any], tmp_path: Path) -> None:
    found = read_pstats(written(tmp_path, {**STATS, **times}))
    assert "contradict" in found.validity[-1].note


@pytest.mark.parametrize(
    "stats",
    [
        [],
        (),
        3,
        None,
        {1: 2},
        {MAIN: 3},
        {MAIN: (1, 1, 0.5, 1.1)},
        {MAIN: (1, 1, 0.5, 1.1, [])},
        {MAIN: (2, 1, 0.5, 1.1, {})},
        {MAIN: (1, 1, -0.5, 1.1, {})},
        {MAIN: (1, 1, float("nan"), 1.1, {})},
        {MAIN: (1, 1, float("inf"), 1.1, {})},
        {MAIN: (1, 1, 1e300, 1.1, {})},
        {MAIN: (1, 1, "0.5", 1.1, {})},
        {MAIN: (1, 10**40, 0.5, 1.1, {})},
        {MAIN: (1, 1, 0.5, 1.1, {LOAD: (1, 1, 0.5)})},
        {("a", "b", "c"): (1, 1, 0.5, 1.1, {})},
        {MAIN: (1, 1, 0.5, 1.1, {}), LOAD: b"bytes"},
        {MAIN: (1, 1, 5e9, 1e9, {}), LOAD: (1, 1, 5e9, 1e9, {})},
        compile("1", "x", "eval"),
        {(((1,), 2), 3, 4): 5},
    ],
)
def test_what_is_no_statistics_is_refused(stats: object, tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_pstats(written(tmp_path, stats))


def test_a_dump_of_nothing_has_no_data(tmp_path: Path) -> None:
    with pytest.raises(NoDataError):
        read_pstats(written(tmp_path, {}))


@pytest.mark.parametrize(
    "data",
    [
        b"(" * 100_000,
        b"(\xff\xff\xff\x7f",
        b"z\xff",
        b"a\xff\xff\xff\xff",
        b"r\x00\x00\x00\x00",
        b"r\xff\xff\xff\xff",
        b"\xa8\x01\x00\x00\x00r\x00\x00\x00\x00",
        b"l\xff\xff\xff\x7f" + bytes(100),
        b"[\x00\x00\x00\x00",
        b"g1234",
        b"{",
    ],
)
def test_marshal_that_asks_for_more_than_there_is_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedError):
        MarshalReader(data).value()


def test_tuples_of_tuples_by_reference_cost_nothing() -> None:
    """Each is a thousand of the one before: hashing or showing the last would never end."""

    def small(inner: bytes) -> bytes:
        return b"\xa8" + struct.pack("<I", 1000) + inner * 1000

    nested = small(b"N")
    for index in range(4):
        nested = b"\xa8" + struct.pack("<I", 1000) + nested + (b"r" + struct.pack("<I", 4 - index)) * 999
    with pytest.raises(DamagedError, match="not a function"):
        MarshalReader(b"{" + nested + b"N0").value()


values = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.tuples(st.text(), st.integers(), st.text()), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(values, st.sampled_from([2, 3, 4]))
def test_it_reads_what_marshal_writes(value: object, version: int) -> None:
    reader = MarshalReader(marshal.dumps(value, version))
    with suppress(DamagedError):  # deeper than statistics are
        assert (reader.value(), reader.n_left) == (value, 0)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(DamagedError):
        MarshalReader(data).value()


def test_a_real_dump_and_what_becomes_of_it_cut_or_changed(tmp_path: Path) -> None:
    data, path = (CAPTURES / "program.pstats").read_bytes(), tmp_path / "program.pstats"
    whole = read_pstats(CAPTURES / "program.pstats")
    stats = marshal.loads(data)
    assert whole.total == round(sum(times[2] for times in stats.values()) * 1e9)
    assert whole.allocations["n_allocations"].sum() == sum(times[1] for times in stats.values())
    assert [doubt.what for doubt in whole.validity] == ["stacks"]
    assert {outcome(read_pstats, path, cut, whole) for cut in cuts(data)} == {"refused"}
    for bit, flipped in flips(data, n=200):
        assert not outcome(read_pstats, path, flipped, whole).startswith("WRONG"), bit
