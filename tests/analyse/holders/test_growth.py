"""What grew between two snapshots, who holds it, and what is over-referenced: rows that sum, sentences that hold."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from diagtools.analyse.holders.by_type import objects
from diagtools.analyse.holders.growth import holder_growth, object_growth
from diagtools.analyse.holders.holding import holders
from diagtools.analyse.holders.over_referenced import MOST_HELD, over_referenced
from diagtools.analyse.holders.story import growth_findings, holder_findings
from diagtools.errors import NoDataError
from tests.analyse.holders.made import graph
from tests.support.objects import looked_at

MIB = 1 << 20


def test_the_change_of_each_holder_sums_to_the_change_of_all() -> None:
    before = graph("da db ax", sizes={"x": MIB, "b": 9_000})
    after = graph("da dc ax ay", sizes={"x": MIB, "y": 2 * MIB, "c": 5_000})
    rows = holder_growth(before, after)

    assert rows["delta_bytes"].sum() == after.total_bytes - before.total_bytes == 2 * MIB + 5_000 - 9_000
    assert rows.row(0, named=True)["root"] == "app.a"
    assert rows.row(0, named=True)["delta_bytes"] == 2 * MIB
    assert dict(rows.select("root", "delta_bytes").iter_rows())["app.b"] == -9_000
    assert holder_growth(after, after)["delta_bytes"].sum() == 0
    assert object_growth(before, after)["delta_bytes"].sum() == 2 * MIB + 5_000 - 9_000


def test_growth_in_words() -> None:
    before, after = graph("da db"), graph("da db ax bx ay", sizes={"x": MIB, "y": 3 * MIB})
    said = [finding.sentence for finding in growth_findings(before, after)]
    assert said == [
        "The program's objects grew by 4.00 MiB (4 B → 4.00 MiB).",
        "app.a holds more by 3.00 MiB (0 B → 3.00 MiB; +2 objects), 75 % of the change.",
        "app.a and app.b hold more by 1.00 MiB (0 B → 1.00 MiB; +1 objects), 25 % of the change.",
    ]


def test_two_holders_are_named_together() -> None:
    rows = holders(graph("da db ax bx xy", sizes={"x": MIB, "y": MIB}))
    first = rows.row(0, named=True)
    assert (first["root"], first["shared_with"], first["retained_bytes"], first["n_objects"]) == (
        "app.a",
        ["app.b"],
        2 * MIB,
        2,
    )


def test_holders_in_words() -> None:
    found = holder_findings(graph("da db ax bx ay dg ge", sizes={"x": MIB, "y": 3 * MIB}))
    assert [each.sentence for each in found] == [
        "app.a (global) holds 3.00 MiB in 2 objects, 75 % of all objects: app.a → T.",
        (
            "app.a and app.b hold the same 1 object, 1.00 MiB (25 % of all objects): both must go, dropping one frees "
            "nothing."
        ),
    ]
    assert [each.value for each in found] == [3 * MIB + 1, MIB]


def test_garbage_and_unseen_holders_in_words() -> None:
    found = holder_findings(graph("da gh hg", sizes={"g": MIB}))
    assert [each.sentence for each in found] == [
        "1.00 MiB in 2 objects (100 % of all objects) lie in cycles that nobody holds: gc.collect() would free them."
    ]
    found = holder_findings(graph("da uv", sizes={"v": MIB}, types={"u": "app.Rate"}, references={"u": 1}))
    assert [each.sentence for each in found] == [
        (
            "1.00 MiB in 2 objects (100 % of all objects), app.Rate above all, have no visible holder: "
            "C code holds them, or an expression that was being executed."
        )
    ]


def test_a_cycle_with_a_reference_too_many_is_held() -> None:
    rows = holders(graph("da gh hg", sizes={"g": MIB}, references={"g": 2}))
    assert rows["root"][0] == "no visible holder: T"


def test_objects_by_type_count_what_hangs_together_once() -> None:
    rows = objects(graph("da ab bc", sizes={"a": 10, "b": 20, "c": 30}, types={"b": "app.Rate"}))
    found = {row["type"]: row for row in rows.to_dicts()}
    assert found["T"] == {"type": "T", "n_objects": 2, "shallow_bytes": 40, "retained_bytes": 60}
    assert found["app.Rate"]["retained_bytes"] == 50
    assert rows["shallow_bytes"].sum() == 62


def test_one_reference_too_many_is_counted() -> None:
    rows = over_referenced(graph("da db", types={"a": "list"}, references={"a": 4_003, "b": None}))
    found = rows.row(0, named=True)
    assert (found["type"], found["n_excess"], found["most_excess"], found["n_held"]) == (
        "list",
        4_002,
        4_002,
        0,
    )
    assert found["is_suspect"]
    assert rows.filter(pl.col("type") == "T").is_empty()


def test_without_counts_nothing_is_claimed() -> None:
    free = graph("da", counts=False)
    with pytest.raises(NoDataError, match="no single count"):
        over_referenced(free)
    assert holder_findings(dataclasses.replace(free, counts_references=False)) is not None
    assert MOST_HELD >= 100


def test_garbage_of_a_program_is_told_from_what_it_holds(tmp_path: Path) -> None:
    (found,) = looked_at(
        tmp_path,
        """
        import gc
        gc.disable()
        class Node: pass
        for i in range(2_000):
            one = Node()
            one.me, one.rows = one, ["%0100d" % i]
        del one
        probing.snapshot()
        """,
    )
    first = holders(found).row(0, named=True)
    assert (first["kind"], first["type"]) == ("garbage", "str")
    assert first["n_objects"] >= 6_000
