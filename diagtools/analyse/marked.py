"""What did the program itself say through its markers?"""

from __future__ import annotations

import polars as pl


def event_value(markers: pl.DataFrame, event: str, feature: str) -> float | None:
    """Which value did the last event of this name give to a feature?  ``markers`` is MARKERS; null if it gave none."""
    rows = markers.filter((pl.col("kind") == "event") & (pl.col("name") == event))
    values = (
        rows.sort("t_s")
        .explode("features")
        .filter(pl.col("features").struct["name"] == feature)["features"]
        .struct["value"]
    )
    return values.item(-1) if values.len() else None


def total_of(items: pl.DataFrame, feature: str) -> float | None:
    """What do the items that ended well add up to in this feature?  ``items`` is ITEMS; null where none has it."""
    values = (
        items.filter(pl.col("status") == "ok")
        .explode("features")
        .filter(pl.col("features").struct["name"] == feature)["features"]
        .struct["value"]
    )
    return float(values.sum()) if values.len() else None
