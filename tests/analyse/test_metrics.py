"""Figures by which runs are compared, worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools import frames
from diagtools.analyse.metrics import Metric, cpu_s, kept_bytes, per_item_bytes, printed_names, printed_number
from diagtools.errors import UsageError

MB = 10**6


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("peak", "peak_rss_bytes"),
        ("peak_rss_bytes", "peak_rss_bytes"),
        ("final", "final_rss_bytes"),
        ("time", "duration_s"),
        ("cpu", "cpu_s"),
        ("per-item", "per_item_bytes"),
        ("kept:load", "kept:load_bytes"),
        ("printed:rows", "printed:rows"),
    ],
)
def test_words_of_a_command_line(text: str, name: str) -> None:
    assert Metric.parse(text).name == name


@pytest.mark.parametrize("text", ["", "rss", "kept", "kept:", "printed:", "peak:x"])
def test_other_words_are_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="no metric"):
        Metric.parse(text)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["rows = 3"], ("", 3.0)),
        (["rows: 3", "rows: 4"], ("", 4.0)),
        (["rows 1,200 done"], ("", 1200.0)),
        (["the rows=1.5e3"], ("", 1500.0)),
        (["rows = -2"], ("", -2.0)),
        (["rows = 12.5 MB"], ("_bytes", 12.5 * MB)),
        (["rows = 2 KiB"], ("_bytes", 2048.0)),
        (["rows = 7 bytes"], ("_bytes", 7.0)),
        (["rows = 250 ms"], ("_s", 0.25)),
        (["rows = 3 sheep"], ("", 3.0)),
        (["brows = 3", "rows_a = 4", "x.rows = 5", "rows"], None),
        ([], None),
    ],
)
def test_the_last_number_under_a_name(lines: list[str], found: tuple[str, float] | None) -> None:
    assert printed_number(lines, "rows") == found


def test_which_names_were_printed() -> None:
    assert printed_names(["rows = 3, cost: 12 MB", "done 5", "rows = 4"]) == ["rows", "cost"]


def timeline(rows: list[tuple[float, int, int, float | None]]) -> pl.DataFrame:
    n = len(rows)
    return frames.TIMELINE.from_columns(
        {
            "t_s": [row[0] for row in rows],
            "pid": [row[1] for row in rows],
            "rss_bytes": [row[2] for row in rows],
            "shared_bytes": [0] * n,
            "anon_bytes": [row[2] for row in rows],
            "hwm_bytes": [row[2] for row in rows],
            "pss_bytes": [None] * n,
            "cpu_s": [row[3] for row in rows],
        }
    )


def test_processor_time_is_that_of_all_processes() -> None:
    samples = timeline([(0, 1, 1, 0.5), (1, 1, 1, 2.0), (1, 2, 1, 0.25), (2, 2, 1, None)])
    assert cpu_s(samples, frames.EVENTS.empty()) == 2.25
    assert cpu_s(timeline([(0, 1, 1, None)]), frames.EVENTS.empty()) is None
    ended = {"t_s": [3.0], "kind": ["ended"], "pid": [1], "value": [0], "second": [2_500_000]}
    assert cpu_s(samples, frames.EVENTS.from_columns(ended)) == 2.5


def phases(rows: list[tuple[str, int, float, float | None]]) -> pl.DataFrame:
    n = len(rows)
    return frames.PHASES.from_columns(
        {
            "phase": [row[0] for row in rows],
            "pid": [row[1] for row in rows],
            "begin_s": [row[2] for row in rows],
            "end_s": [row[3] for row in rows],
            "status": ["ok"] * n,
            "peak_bytes": [None] * n,
        }
    )


def test_what_a_phase_keeps_is_from_its_first_begin_to_its_last_end() -> None:
    samples = timeline([(t, 1, rss * MB, None) for t, rss in enumerate([10, 40, 25, 60, 30])])
    markers = frames.MARKERS.empty()
    twice = phases([("load", 1, 0.0, 1.0), ("load", 1, 2.0, 4.0), ("other", 1, 0.0, 1.0)])
    assert kept_bytes(samples, markers, twice, "load") == 20 * MB
    assert kept_bytes(samples, markers, twice, "other") == 30 * MB
    assert kept_bytes(samples, markers, twice, "none") is None
    assert kept_bytes(samples, markers, phases([("load", 1, 0.0, None)]), "load") is None
    assert kept_bytes(samples, markers, phases([("load", 9, 0.0, 1.0)]), "load") is None


def items(levels: list[int | None]) -> pl.DataFrame:
    n = len(levels)
    columns: dict[str, list[object]] = {name: [None] * n for name in frames.ITEMS.columns}
    columns |= {
        "item": [f"i{at}" for at in range(n)],
        "index": list(range(n)),
        "pid": [1] * n,
        "tid": [1] * n,
        "begin_s": [float(at) for at in range(n)],
        "end_s": [at + 0.5 for at in range(n)],
        "status": ["ok"] * n,
        "end_rss_bytes": levels,
        "features": [[]] * n,
    }
    return frames.ITEMS.from_columns(columns)


def test_an_item_costs_what_memory_grows_by_once_it_is_warm() -> None:
    """The first quarter, in which a program loads what it needs, does not count; a single odd item neither."""
    levels = [100, 200, 300, 301, 302, 303, 999, 305, 306, 307, 308, 309]
    assert per_item_bytes(items([level * MB for level in levels])) == MB
    assert per_item_bytes(items([1, 2, 3, 4])) is None
    assert per_item_bytes(items([None] * 12)) is None
