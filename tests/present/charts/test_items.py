"""The strip of items."""

from __future__ import annotations

from diagtools.frames import ITEMS
from diagtools.present.charts.items import heaviest, item_strip
from diagtools.present.charts.memory import Panel

PANEL = Panel(width=1000, height=300, end_s=100.0, peak_bytes=2**30, limit_bytes=None)


def test_the_heaviest_item_of_each_place_is_drawn(items_of, rows_of) -> None:
    items = items_of(
        ("light", 10.0, 10.01, "ok", 3), ("heavy", 10.02, 10.03, "ok", 90), ("far", 50.0, 60.0, "ok", 1)
    )
    drawn = {row["name"]: row["mib"] for row in rows_of(item_strip(items, PANEL)) if "demand" in row}
    assert drawn == {"heavy": 90, "far": 1}


def test_the_item_in_flight_is_always_drawn(items_of, rows_of) -> None:
    items = items_of(("heavy", 99.90, 99.91, "ok", 90), ("dying", 99.92, None, "in_flight", 3))
    assert {row["name"] for row in rows_of(item_strip(items, PANEL)) if "demand" in row} == {"heavy", "dying"}


def test_a_tooltip_tells_demand_kept_and_features(items_of) -> None:
    spec = item_strip(items_of(("a/b.py", 1.0, 2.0, "ok", 64)), PANEL).to_dict()
    (row,) = [row for rows in spec["datasets"].values() for row in rows if "demand" in row]
    assert (row["demand"], row["kept"], row["took"], row["f0"]) == ("64.0 MiB", "not measured", "1.0 s", 3.0)
    assert "chunks" in str(spec)


def test_without_measured_demand_there_are_only_ticks(items_of, rows_of) -> None:
    strip = item_strip(items_of(("a", 1.0, 2.0, "ok", None), ("b", 3.0, 4.0, "ok", None)), PANEL)
    assert {row["demand"] for row in rows_of(strip)} == {"not measured"}
    assert strip.to_dict()["height"] < 20


def test_without_items_there_is_no_strip() -> None:
    assert item_strip(ITEMS.empty(), PANEL) is None


def test_the_heaviest(items_of) -> None:
    assert heaviest(None) is None
    assert heaviest(items_of(("a", 1.0, 2.0, "ok", None))) is None
    assert heaviest(items_of(("a", 1.0, 2.0, "ok", 5), ("b", 2.0, 3.0, "ok", 6)))["item"] == "b"
