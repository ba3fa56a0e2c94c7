"""Who holds 20,000 texts: the right root first, and every object in one row."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.analyse.holders.holding import holders
from diagtools.analyse.holders.icicle import holder_icicle
from diagtools.analyse.holders.story import holder_findings
from diagtools.analyse.holders.tree import tree_of
from tests.analyse.holders import planted
from tests.analyse.holders.planted import APP, BULK_BYTES, DOUBLE, SINGLE, Planted
from tests.support.interpreters import every_python
from tests.support.objects import looked_at


@pytest.mark.parametrize("case", [*SINGLE, *DOUBLE], ids=lambda case: case.name)
def test_the_right_root_is_first(tmp_path: Path, case: Planted) -> None:
    (graph,) = looked_at(tmp_path, case.program, app=APP)
    rows = holders(graph)
    first = rows.row(0, named=True)
    found = [first["root"], *first["shared_with"]]

    assert sorted(found) == sorted([case.root, *case.shared_with])
    assert first["kind"] == case.kind or case.shared_with
    assert first["path"].endswith(case.path) or case.path in first["path"] or case.shared_with
    assert first["retained_bytes"] >= BULK_BYTES
    assert first["retained_bytes"] < 2.2 * BULK_BYTES or case.kind in (
        "lru_cache",
        "executor queue",
        "logging handler",
    )


@pytest.mark.parametrize("case", [SINGLE[0], SINGLE[8], DOUBLE[0]], ids=lambda case: case.name)
def test_the_rows_sum_to_the_whole_without_ours(tmp_path: Path, case: Planted) -> None:
    (graph,) = looked_at(tmp_path, case.program, app=APP)
    rows, icicle, tree = holders(graph), holder_icicle(graph), tree_of(graph)
    ours = graph.nodes["size_bytes"].filter(tree.source_of.head(tree.n_objects) == 2).sum()

    assert rows["retained_bytes"].sum() == graph.total_bytes - ours == icicle["total_size"][0]
    assert icicle["self_size"].sum() == icicle["total_size"][0]
    said = " ".join([*rows["root"], *rows["path"], *rows["type"], *icicle["name"]])
    assert "diagtools" not in said


@every_python
def test_all_kinds_under_every_python(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(tmp_path, EVERY_KIND, python=python, app=APP)
    rows = holders(graph)
    large = rows.filter((rows["retained_bytes"] >= BULK_BYTES) & (rows["kind"] != "code and modules"))

    assert dict(zip(large["root"], large["kind"], strict=True)) == {
        "app.service": "global",
        "app.Service.items": "class attribute",
        "app.convert: lru_cache, 512 of 512 entries": "lru_cache",
        "__main__.main: local rows": "local",
        "generator __main__.produce (__main__.running)": "generator",
        "exception ValueError (app.last)": "exception traceback",
        "__main__.collect: default argument seen": "default argument",
        "app.A": "global",
    }
    assert large.filter(large["root"] == "app.A")["shared_with"].to_list() == [["app.B"]]
    (path,) = large.filter(large["root"] == "app.service")["path"]
    assert path == "app.service._cache → str × 20,000"


EVERY_KIND = """
import app
def bulk(n):
    return ["%d%030d" % (n, i) for i in range(20_000)]

app.service = app.Service()
app.service.fill(bulk(1))
app.Service.items = bulk(2)
for i in range(512):
    app.convert(i)

def produce():
    rows = bulk(3)
    yield 1
    yield rows
running = produce()
next(running)

def run():
    rows = bulk(4)
    raise ValueError("no")
try:
    run()
except ValueError as error:
    app.last = error

def collect(x, seen=bulk(5)):
    return seen

objects = bulk(6)
app.A, app.B = tuple(objects), list(objects)
del objects

def main():
    rows = bulk(7)
    probing.snapshot()
main()
"""


def test_the_cases_are_different() -> None:
    names = [case.name for case in [*SINGLE, *DOUBLE]]
    assert len(set(names)) == len(names) >= 19
    assert planted.BULK_BYTES > 1_000_000


def test_a_holder_that_hangs_on_another_says_so(tmp_path: Path) -> None:
    """An exception that a cache keeps: both are names that people know."""
    program = """
    import app
    @app.functools.lru_cache(None)
    def failed(n):
        try:
            rows = ['%0100d' % i for i in range(2_000)]
            raise ValueError(n)
        except ValueError as error:
            return error
    for n in range(20):
        failed(n)
    probing.snapshot()
    """
    (found,) = looked_at(tmp_path, program, app="import functools\n")
    first = holders(found).row(0, named=True)
    assert first["kind"] == "exception traceback"
    assert first["path"].startswith(
        "__main__.failed: lru_cache, 20 entries, no maximum → exception ValueError"
    )


def test_what_functions_keep_in_a_list_of_them_belongs_to_that_list(tmp_path: Path) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        callbacks = []
        def make(i):
            big = "z" * 10_000 + str(i)
            def call(prefix="y" * 5_000 + str(i)): return prefix + big
            return call
        for i in range(300): callbacks.append(make(i))
        probing.snapshot()
        """,
    )
    first = holders(graph).row(0, named=True)
    assert first["root"] == "__main__.callbacks"
    assert first["path"].startswith("__main__.callbacks → function × 300 → str × ")
    assert first["retained_bytes"] > 300 * 15_000


def test_much_that_only_code_refers_to_is_said(tmp_path: Path) -> None:
    """The name of this variable is no plain text: nobody may ask it what it is."""
    (graph,) = looked_at(
        tmp_path,
        """
        class Name(str): pass
        globals()[Name("big")] = ["y" * 100_000 + str(i) for i in range(300)]
        probing.snapshot()
        """,
    )
    (said,) = [str(one) for one in holder_findings(graph)]
    assert said.startswith("Functions, classes and modules take 3")
    assert "diagtools imports" in said


@every_python
def test_what_the_collector_has_looked_for_in_vain_is_no_garbage(tmp_path: Path, python: str) -> None:
    """Classes that lie in a library are there for ever, though nothing may refer to them."""
    program = (
        "import asyncio, decimal, gc\nkept = [decimal.Decimal(1)] * 1_000\ngc.collect()\nprobing.snapshot()\n"
    )
    (graph,) = looked_at(tmp_path, program, python=python)
    rows = holders(graph)
    assert rows.filter(rows["kind"] == "garbage")["n_objects"].sum() == 0
