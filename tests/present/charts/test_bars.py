"""Rows of bars: their figures stand in columns of one width, a heading only where there is one."""

from __future__ import annotations

import polars as pl

from diagtools.present.charts.bars import figures, plot_width, size_axis

DATA = pl.DataFrame({"place": [0, 1], "size": ["1 MiB", "2 MiB"], "share": ["33 %", "67 %"]})


def test_each_figure_has_its_column_and_a_heading_where_one_is_given() -> None:
    drawn = [chart.to_dict() for chart in figures(DATA, [("size", "size"), ("share", "")], 500, 80)]
    assert [chart["encoding"]["x"]["value"] for chart in drawn] == [580, 580, 660]
    assert [chart["mark"].get("text") for chart in drawn] == [None, "size", None]


def test_bars_have_what_names_and_figures_leave() -> None:
    assert plot_width(900, 300, 160) < 900 - 300 - 160


def test_ticks_reach_up_to_the_largest_value_unless_they_are_given() -> None:
    usual = size_axis(100.0, "MiB").to_dict()
    assert 50 <= max(usual["values"]) <= 100
    assert size_axis(100.0, "MiB", values=[0, 7]).to_dict()["values"] == [0, 7]
