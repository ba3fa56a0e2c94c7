"""The timeline: its true peak, its words computed from the run, and that it draws whatever the run was."""

from __future__ import annotations

import random

import polars as pl
import pytest

from diagtools.errors import NoDataError
from diagtools.frames import PHASES, TREE
from diagtools.present.charts.timeline import timeline_chart
from diagtools.values import Cause, Death, Grade

MIB = 2**20


def death_by(cause: Cause, grade: Grade = Grade.PROVEN) -> Death:
    return Death(cause=cause, grade=grade, evidence=("seen",), t_s=3.0)


def test_the_incident_is_told_in_its_title_and_labels(killed, words, title_of) -> None:
    chart = timeline_chart(killed.tree, **killed.arguments)
    said = words(chart)
    assert title_of(chart) == "Killed by the watchdog at 2.01 GiB in extension.js, 21.3 s after the start"
    assert (
        "extension.js asked for at least 1.35 GiB on its own; before it, memory had peaked at 680 MiB"
        in " ".join(said)
    )
    for label in ("limit 2.00 GiB", "killed by the watchdog at 2.01 GiB", "in extension.js", "index"):
        assert label in said
    assert "680 MiB when extension.js began" in said


def test_another_run_has_another_title(tree_of) -> None:
    tree = tree_of(10, 300, 20)
    assert "Memory peaked at 300 MiB after 1.0 s" in str(timeline_chart(tree).to_dict()["title"])
    limited = timeline_chart(tree, limit_bytes=600 * MIB).to_dict()["title"]
    assert "300 MiB (50 % of the limit)" in str(limited)
    ended = timeline_chart(
        tree_of(10, 20, 40), death=death_by(Cause.KERNEL_OOM, Grade.LIKELY), item_in_flight="a/b.py"
    )
    title = "Probably killed by the kernel's OOM killer at 40.0 MiB in b.py, 3.0 s after the start"
    assert title in " ".join(ended.to_dict()["title"]["text"])


def test_a_watchdog_is_never_called_the_kernel(tree_of) -> None:
    chart = timeline_chart(tree_of(1, 2), death=death_by(Cause.WATCHDOG))
    assert "kernel" not in chart.to_json().lower()


def test_a_title_of_ones_own_is_kept(tree_of) -> None:
    assert timeline_chart(tree_of(1, 2), title="Mine").to_dict()["title"]["text"] == ["Mine"]


@pytest.mark.parametrize("at", [0, 1, 31_337, 99_998, 99_999])
def test_the_true_peak_survives_the_reduction(at: int, rows_of) -> None:
    dice = random.Random(at)
    rss = [dice.randrange(50 * MIB, 60 * MIB) for _ in range(100_000)]
    rss[at] = 777 * MIB
    tree = TREE.from_columns(
        {
            "t_s": [n / 100 for n in range(100_000)],
            "rss_bytes": rss,
            "used_bytes": rss,
            "n_processes": [1] * 100_000,
        }
    )
    chart = timeline_chart(tree)
    rows = [row for row in rows_of(chart) if "mib" in row]
    assert max(rows, key=lambda row: row["mib"]) == {"t_s": at / 100, "mib": 777.0}
    assert len(rows) <= 2 * 900
    assert len(chart.to_json()) < 120_000


def test_level_stretches_are_kept_by_their_ends(tree_of, rows_of) -> None:
    rows = [row for row in rows_of(timeline_chart(tree_of(5, 5, 5, 5, 9, 9, 9))) if "mib" in row]
    assert [(row["t_s"], row["mib"]) for row in rows] == [(0, 5), (3, 5), (4, 9), (6, 9)]


def test_runs_of_any_kind_are_drawn(killed, shrunk, finished, drawn) -> None:
    for run in (killed, shrunk, finished):
        assert "memory (RSS), MiB" in drawn(timeline_chart(run.tree, **run.arguments))


def test_a_single_sample_is_drawn(tree_of, words, drawn) -> None:
    chart = timeline_chart(tree_of(13))
    drawn(chart)
    assert "peak 13.0 MiB" in words(chart)


def test_a_tree_without_samples_is_an_error_with_a_hint() -> None:
    with pytest.raises(NoDataError, match="No rss_bytes samples") as caught:
        timeline_chart(TREE.empty())
    assert caught.value.hint


def test_samples_without_a_value_are_left_out(tree_of) -> None:
    tree = tree_of(5, 6, 7).with_columns(rss_bytes=pl.Series([None, 6 * MIB, None], dtype=pl.Int64))
    assert "Memory peaked at 6.00 MiB after 1.0 s" in str(timeline_chart(tree).to_dict()["title"])


def test_two_thousand_items_stay_small_and_keep_the_heaviest(tree_of, items_of, rows_of) -> None:
    rows = [(f"src/file_{n}.py", n / 100, n / 100 + 0.009, "ok", n % 50) for n in range(2000)]
    rows[1234] = ("src/heavy.py", 12.34, 12.349, "ok", 700)
    chart = timeline_chart(tree_of(*range(1, 22)), items=items_of(*rows))
    named = {row["name"] for row in rows_of(chart) if "demand" in row}
    assert "src/heavy.py" in named
    assert len(chart.to_json()) < 200_000


def test_a_limit_far_above_the_peak_is_named_and_not_drawn_to_scale(tree_of, words) -> None:
    said = words(timeline_chart(tree_of(10, 300), limit_bytes=24 * 1024 * MIB))
    assert "↑ limit 24.0 GiB, off this scale" in said
    assert "256" in said


def test_where_the_limit_counts_less_than_the_rss_both_are_drawn_and_not_compared(tree_of, words) -> None:
    chart = timeline_chart(tree_of(100, 2000, 1500, used=[90, 600, 800]), limit_bytes=1024 * MIB)
    said = words(chart)
    assert "what the limit compares" in said
    assert "Memory peaked at 1.95 GiB, shared memory counted n times after 1.0 s" in said
    assert not any("of the limit" in text for text in said)


def test_the_size_at_a_death_is_what_the_limit_compares(tree_of) -> None:
    tree = tree_of(100, 2000, used=[90, 1030])
    chart = timeline_chart(tree, limit_bytes=1024 * MIB, death=death_by(Cause.WATCHDOG))
    assert "at 1.01 GiB" in str(chart.to_dict()["title"])


def test_hostile_names_stay_text(hostile, tree_of, items_of, drawn) -> None:
    chart = timeline_chart(
        tree_of(1, 2, 3, 2000),
        items=items_of((hostile, 1.0, 3.0, "in_flight", 1500)),
        phases=PHASES.from_columns(
            {
                "phase": [hostile],
                "pid": [1],
                "begin_s": [0.0],
                "end_s": [3.0],
                "status": ["ok"],
                "peak_bytes": [None],
            }
        ),
        death=death_by(Cause.WATCHDOG),
        item_in_flight=hostile,
    )
    picture = drawn(chart)
    assert "<script" not in picture
    assert "<img" not in picture
    assert not {"\x1b", "\u202e"} & set(chart.to_json(ensure_ascii=False))


def test_it_is_the_same_every_time(killed) -> None:
    charts = [timeline_chart(killed.tree, **killed.arguments).to_json() for _ in range(2)]
    assert charts[0] == charts[1]


@pytest.mark.parametrize("width", [500, 900, 1400])
def test_the_width_is_that_of_the_picture(killed, width: int) -> None:
    chart = timeline_chart(killed.tree, **killed.arguments, width=width).to_dict()
    assert {panel["width"] for panel in chart["vconcat"]} == {width - 86}
