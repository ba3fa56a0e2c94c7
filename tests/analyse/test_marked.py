"""Values that the program itself reported through its markers."""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.marked import event_value, total_of


def _markers(*events: tuple[float, str, str, dict[str, float]]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {name: [] for name in frames.MARKERS.columns}
    for t_s, kind, name, features in events:
        row: dict[str, object] = {"t_s": t_s, "pid": 1, "tid": 1, "kind": kind, "name": name, "edge": "point"}
        row["features"] = [{"name": key, "value": value} for key, value in features.items()]
        for column, values in columns.items():
            values.append(row.get(column))
    return frames.MARKERS.from_columns(columns)


def test_the_last_event_that_gave_the_feature_counts() -> None:
    """Later wins, whatever the order of the rows; other events and kinds are passed over."""
    markers = _markers(
        (3.0, "event", "indexed", {"chunks": 20.0}),
        (1.0, "event", "indexed", {"chunks": 10.0, "graph_nodes": 4.0}),
        (5.0, "event", "selected", {"chunks": 99.0}),
        (6.0, "item", "indexed", {"chunks": 98.0}),
    )
    assert event_value(markers, "indexed", "chunks") == 20.0
    assert event_value(markers, "indexed", "graph_nodes") == 4.0


def test_what_was_never_said_is_null() -> None:
    """No event, or one without the feature, is no 0."""
    markers = _markers((1.0, "event", "indexed", {}))
    assert event_value(markers, "indexed", "chunks") is None
    assert event_value(frames.MARKERS.empty(), "indexed", "chunks") is None


def test_only_items_that_ended_well_add_up() -> None:
    """Two ok items with 3 and 4 chunks, a failed one with 100, one without the feature: 7."""
    rows = [("a", "ok", 3.0), ("b", "ok", 4.0), ("c", "failed", 100.0), ("d", "ok", None)]
    columns: dict[str, list[object]] = {name: [None] * len(rows) for name in frames.ITEMS.columns}
    columns["item"] = [name for name, _, _ in rows]
    columns["status"] = [status for _, status, _ in rows]
    columns["features"] = [
        [] if value is None else [{"name": "chunks", "value": value}] for *_, value in rows
    ]
    items = frames.ITEMS.from_columns(columns)
    assert total_of(items, "chunks") == 7.0
    assert total_of(items, "size_bytes") is None
