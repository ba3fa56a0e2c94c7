"""Where memory goes from here, drawn as a fan."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools import frames
from diagtools.analyse.forecast import Forecast, forecast
from diagtools.errors import NoDataError
from diagtools.present.charts.forecast import forecast_chart

MIB = 2**20


@pytest.fixture
def of_limit(items_of):
    """A forecast of 30 items of 100 that each add 2 MiB to 100 MiB, by the limit in MiB."""
    items = items_of(*((f"f{at}", float(at), at + 0.9, "ok", 2) for at in range(30))).with_columns(
        peak_bytes=(102 + 2 * pl.int_range(30)) * MIB
    )
    to_come = pl.DataFrame({"item": [f"f{at}" for at in range(30, 100)]})

    def of(limit_mib: int | None, *, known: bool = True) -> Forecast:
        limit = None if limit_mib is None else limit_mib * MIB
        return forecast(items, limit_bytes=limit, to_come=to_come if known else None)

    return of


def test_the_title_is_the_claim_and_the_rest_stands_below(of_limit, drawn, title_of, words) -> None:
    chart = forecast_chart(of_limit(200))
    drawn(chart)
    assert "reaches the limit of 200 MiB at item 50 of 100 ('f49')" in title_of(chart)
    assert "The whole job needs 300 MiB" in " ".join(words(chart))


def test_what_was_seen_and_what_is_expected_are_told_apart(of_limit, rows_of) -> None:
    rows = [row for row in rows_of(forecast_chart(of_limit(200))) if "expected" in row]
    seen = [row for row in rows if row["mib"] is not None]
    ahead = [row for row in rows if row["expected"] is not None]
    assert (len(seen), len(ahead)) == (30, 70)
    assert all(row["low"] <= row["expected"] <= row["high"] for row in ahead)
    assert ahead[-1]["expected"] == pytest.approx(300, rel=0.01)


def test_the_item_that_reaches_the_limit_is_named_at_it(of_limit, words) -> None:
    assert "item 50, f49" in words(forecast_chart(of_limit(200)))


@pytest.mark.parametrize("limit_mib", [None, 120, 900, 100_000])
def test_limits_that_are_not_reached_or_far_are_drawn(limit_mib, of_limit, drawn) -> None:
    drawn(forecast_chart(of_limit(limit_mib)))
    drawn(forecast_chart(of_limit(limit_mib, known=False)))


def test_by_time(tree_of, drawn) -> None:
    tree = tree_of(*(100 + second for second in range(120)))
    drawn(forecast_chart(forecast(tree, limit_bytes=300 * MIB, by="time")))


def test_without_a_forecast_it_says_why() -> None:
    with pytest.raises(NoDataError, match="There is no forecast: 0 items"):
        forecast_chart(forecast(frames.ITEMS.empty(), limit_bytes=MIB))
