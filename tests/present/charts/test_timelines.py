"""Several runs over each other."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.errors import NoDataError
from diagtools.present.charts.timelines import timelines_chart

MIB = 2**20


def test_the_title_counts_kills_and_names_the_lowest(
    killed, shrunk, finished, words, title_of, drawn
) -> None:
    trees = {"as it is": killed.tree, "arena": shrunk.tree, "exclude generated": finished.tree}
    chart = timelines_chart(trees, limit_bytes=2048 * MIB, killed={"as it is", "arena"})
    drawn(chart)
    said = words(chart)
    assert (
        title_of(chart) == "2 of 3 runs killed; lowest peak: exclude generated, 396 MiB (19 % of the limit)"
    )
    assert {
        "as it is: killed at 2.01 GiB",
        "arena: killed at 2.01 GiB",
        "exclude generated: peak 396 MiB",
    } <= set(said)


def test_other_runs_have_other_titles(tree_of, title_of) -> None:
    trees = {"a": tree_of(1, 9), "b": tree_of(1, 4)}
    assert title_of(timelines_chart(trees)) == "Lowest peak: b, 4.00 MiB"
    assert title_of(timelines_chart(trees, killed={"a", "b"})) == "Both runs were killed"
    assert title_of(timelines_chart({"a": trees["a"]}, killed={"a"})) == "The run was killed"


def test_each_curve_keeps_its_true_peak(killed, shrunk, rows_of) -> None:
    chart = timelines_chart({"a": killed.tree, "b": shrunk.tree})
    peaks = [max(tree["rss_bytes"]) / MIB for tree in (killed.tree, shrunk.tree)]
    seen = [row["mib"] for row in rows_of(chart) if "mib" in row]
    assert all(any(abs(value - peak) < 0.001 for value in seen) for peak in peaks)


def test_a_curve_ends_where_the_run_held_its_final_rss_last(tree_of, rows_of) -> None:
    """What falls while the interpreter is torn down is no end of the work; a kill is where it is."""
    tree = tree_of(1, 9, *[7] * 48, 8, 8, 3, 2, 1).with_columns(pl.col("t_s") / 100)
    for killed, last_s in ((set(), 0.51), ({"a"}, 0.54)):
        curve = [row for row in rows_of(timelines_chart({"a": tree}, killed=killed)) if "mib" in row]
        assert max(row["t_s"] for row in curve) == last_s


def test_many_runs_and_hostile_names_are_drawn(hostile, tree_of, drawn) -> None:
    trees = {f"{hostile}{n}": tree_of(*range(1, 5 + n)) for n in range(9)}
    assert "<script" not in drawn(timelines_chart(trees, killed=set(list(trees)[:3])))


def test_without_runs_there_is_nothing_to_draw() -> None:
    with pytest.raises(NoDataError):
        timelines_chart({})
