"""The pictures of ways to load a model: each part where its figure says."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.analyse.model_figures import Figure
from diagtools.errors import NoDataError
from diagtools.frames.models import MODEL_BATCHES, MODEL_SPREADS
from diagtools.present.charts.model_loading import batches_chart, loading_chart, sharing_chart

MIB = 2**20
HOSTILE = "</script><img src=x onerror=alert(1)>"
HELD = {Figure.PEAK_BYTES: 300, Figure.ANON_BYTES: 220, Figure.FILE_BYTES: 40, Figure.COPIES: 3}
LEAN = {Figure.PEAK_BYTES: 100, Figure.ANON_BYTES: 30, Figure.FILE_BYTES: 65}
TWO = {
    Figure.APART_TOGETHER_BYTES: 300,
    Figure.APART_PRIVATE_BYTES: 280,
    Figure.FORK_TOGETHER_BYTES: 150,
    Figure.FORK_PRIVATE_BYTES: 10,
}


def spreads(ways: dict[str, dict[Figure, int]]) -> pl.DataFrame:
    rows = []
    for way, figures in ways.items():
        for figure, value in figures.items():
            scaled = float(value * (MIB if figure.endswith("_bytes") else 1))
            rows.append((way, str(figure), 2, scaled, scaled * 0.95, scaled * 1.1))
    return MODEL_SPREADS.check(pl.DataFrame(rows, schema=MODEL_SPREADS.columns, orient="row"))


def batches(*rows: tuple[str, int, int, int]) -> pl.DataFrame:
    made = [(way, n, 1, size * MIB, size * MIB, size * MIB, kept * MIB, 0.1) for way, n, size, kept in rows]
    return MODEL_BATCHES.check(pl.DataFrame(made, schema=MODEL_BATCHES.columns, orient="row"))


def parts(chart, rows_of):
    found = {(row["name"], row["part"]): row for row in rows_of(chart) if "part" in row}
    return {key: (round(row["begin"], 6), round(row["end"], 6)) for key, row in found.items()}


def test_own_files_and_what_is_gone_follow_each_other_up_to_the_peak(rows_of, drawn) -> None:
    chart = loading_chart(spreads({"bytes": HELD, "mapped": LEAN}), title="Loading 'bytes' takes most")
    drawn(chart)
    found = parts(chart, rows_of)
    assert found["bytes", "its own"] == (0, 220)
    assert found["bytes", "pages of files"] == (220, 260)
    assert found["bytes", "gone after the first answer"] == (260, 300)
    assert found["mapped", "gone after the first answer"] == (95, 100)
    places = {row["name"]: row["place"] for row in rows_of(chart) if "part" in row}
    assert places == {"mapped": 0, "bytes": 1}


def test_the_range_of_the_peak_is_drawn(rows_of) -> None:
    chart = loading_chart(spreads({"bytes": HELD}), title="t")
    (line,) = [row for row in rows_of(chart) if "low" in row and "part" not in row]
    assert (line["low"], line["high"]) == pytest.approx((285, 330))


def test_two_bars_a_way_private_and_shared(rows_of, drawn) -> None:
    chart = sharing_chart(spreads({"file": TWO}), title="t")
    drawn(chart)
    found = parts(chart, rows_of)
    assert found["file, each loaded for itself", "of one process alone"] == (0, 280)
    assert found["file, each loaded for itself", "shared by both"] == (280, 300)
    assert found["file, forked after the load", "of one process alone"] == (0, 10)
    assert found["file, forked after the load", "shared by both"] == (10, 150)


def test_a_point_and_a_ring_for_each_batch(rows_of, drawn) -> None:
    chart = batches_chart(batches(("file", 2, 4, 4), ("file", 8, 20, 20), ("numpy", 2, 13, -1)), title="t")
    drawn(chart)
    found = {(row["way"], row["inputs"], row["what"]): row["mib"] for row in rows_of(chart) if "what" in row}
    assert found["file", 8, "during the batch"] == 20
    assert found["file", 8, "kept after it"] == 20
    assert found["numpy", 2, "kept after it"] == 0  # less than before is nothing kept


def test_a_hostile_name_is_drawn_as_text(drawn) -> None:
    drawn(loading_chart(spreads({HOSTILE: HELD}), title=HOSTILE))
    drawn(sharing_chart(spreads({HOSTILE: TWO}), title=HOSTILE))
    drawn(batches_chart(batches((HOSTILE, 2, 4, 4)), title=HOSTILE))


def test_nothing_measured_is_no_picture() -> None:
    with pytest.raises(NoDataError, match="nothing to draw"):
        loading_chart(spreads({}), title="t")
    with pytest.raises(NoDataError, match="nothing to draw"):
        sharing_chart(spreads({"file": HELD}), title="t")
    with pytest.raises(NoDataError, match="no batches to draw"):
        batches_chart(MODEL_BATCHES.empty(), title="t")
