"""How memory grows, drawn with the class that fits."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools import frames
from diagtools.analyse.growth import growth
from diagtools.errors import NoDataError
from diagtools.present.charts.growth import growth_chart
from tests.support.growth_series import CLASSES, made


@pytest.mark.parametrize("truth", CLASSES)
def test_every_class_is_drawn_with_its_sentence(truth, drawn, title_of) -> None:
    found = growth(made(truth, 600_000).items)
    chart = growth_chart(found)
    drawn(chart)
    assert title_of(chart) == found.sentence


def test_the_levels_the_fit_and_the_evidence_of_each_class(rows_of, words) -> None:
    found = growth(made("leak", 600_001).items)
    chart = growth_chart(found)
    rows = rows_of(chart)
    assert sum("mib" in row for row in rows) == found.curve.height
    assert all(row["fitted"] is not None for row in rows if "mib" in row)
    assert {row["name"] for row in rows if "score" in row} == set(found.evidence["growth_class"])
    assert "dots: held after each item · line: leak, as fitted" in " ".join(words(chart))


def test_without_a_class_there_is_no_line(rows_of) -> None:
    found = growth(made("leak", 600_001, with_features=False).items)
    rows = [row for row in rows_of(growth_chart(found)) if "mib" in row]
    assert {row["fitted"] for row in rows} == {None}


def test_by_time(killed, drawn, words) -> None:
    chart = growth_chart(growth(killed.tree, by="time"))
    drawn(chart)
    assert "median of each stretch of time" in " ".join(words(chart))


def test_hostile_names_stay_text(hostile, drawn) -> None:
    items = made("step", 600_002).items.with_columns(item=pl.lit(hostile))
    assert "<script" not in drawn(growth_chart(growth(items)))


def test_without_items_it_says_how_to_get_some() -> None:
    with pytest.raises(NoDataError, match="no item's memory was measured"):
        growth_chart(growth(frames.ITEMS.empty()))
