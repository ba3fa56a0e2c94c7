"""The strip of phases."""

from __future__ import annotations

import polars as pl

from diagtools.frames import PHASES
from diagtools.present.charts.memory import Panel
from diagtools.present.charts.phases import MOST_ROWS, bands, phase_strip

PANEL = Panel(width=1000, height=300, end_s=100.0, peak_bytes=2**20, limit_bytes=None)


def phases(*rows: tuple[str, float | None, float | None]) -> pl.DataFrame:
    names, begin, end = (list(column) for column in zip(*rows, strict=True))
    nulls = [None] * len(names)
    return PHASES.from_columns(
        {"phase": names, "pid": nulls, "begin_s": begin, "end_s": end, "status": nulls, "peak_bytes": nulls}
    )


def placed(*rows: tuple[str, float | None, float | None]) -> list[tuple[str, float, float, int]]:
    return [(band.name, band.begin_s, band.end_s, band.row) for band in bands(phases(*rows), PANEL)]


def test_phases_in_turn_share_a_row() -> None:
    assert placed(("load", 0, 10), ("index", 10, 100)) == [("load", 0, 10, 0), ("index", 10, 100, 0)]


def test_inner_phases_go_below_the_outer_one() -> None:
    assert placed(("embed", 20, 40), ("index", 10, 100)) == [("index", 10, 100, 0), ("embed", 20, 40, 1)]


def test_a_phase_without_an_end_runs_to_the_end() -> None:
    assert placed(("load", 5, None)) == [("load", 5, 100, 0)]


def test_repeated_phases_less_than_a_pixel_apart_are_one() -> None:
    rows = [("embed", n * 0.1, n * 0.1 + 0.09) for n in range(500)]
    assert placed(*rows) == [("embed", 0, rows[-1][2], 0)]


def test_no_more_rows_than_there_is_room_for() -> None:
    rows = placed(*((f"worker {n}", 0, 100) for n in range(9)))
    assert [row for *_, row in rows] == list(range(MOST_ROWS))


def test_without_phases_there_is_no_strip() -> None:
    assert phase_strip(PHASES.empty(), PANEL) is None
    assert phase_strip(phases(("x", None, None)), PANEL) is None


def test_a_name_is_written_only_where_it_fits(rows_of) -> None:
    strip = phase_strip(phases(("a very long name of a phase", 0, 5), ("index", 5, 100)), PANEL)
    assert strip is not None
    written = {row["name"]: row["text"] for row in rows_of(strip)}
    assert written["index"] == "index"
    assert len(written["a very long name of a phase"]) < 10
