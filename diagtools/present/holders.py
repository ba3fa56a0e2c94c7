"""Who holds a program's objects, as tables and words."""

from __future__ import annotations

from typing import Any

import polars as pl

from diagtools.present import tables
from diagtools.present.tables import Table
from diagtools.redact import redact_text

_PATH = 90


def holders_table(holders: pl.DataFrame, *, n: int = 10, title: str | None = None) -> Table:
    """Who holds how much?  ``holders`` is HOLDERS; its rows sum to what all objects take."""
    whole = max(int(holders["retained_bytes"].sum()), 1)
    shown = holders.with_columns(share=pl.col("retained_bytes") / whole, way=_way(), root=_together())
    return Table(
        shown,
        {
            "root": tables.text("who", n_characters=64),
            "kind": tables.text("what that is", n_characters=20),
            "retained_bytes": tables.mib("holds"),
            "share": tables.share("share"),
            "n_objects": tables.count("objects"),
            "way": tables.text("down to", n_characters=_PATH),
        },
        title=title,
        n=n,
    )


def objects_table(objects: pl.DataFrame, *, n: int = 10, title: str | None = None) -> Table:
    """Which types have how many objects, and what would go with them?  ``objects`` is OBJECTS."""
    return Table(
        objects,
        {
            "type": tables.text("type", n_characters=56),
            "n_objects": tables.count("objects"),
            "shallow_bytes": tables.mib("themselves"),
            "retained_bytes": tables.mib("with all they hold"),
        },
        title=title,
        n=n,
    )


def holder_growth_table(growth: pl.DataFrame, *, n: int = 10, title: str | None = None) -> Table:
    """Who holds more than before?  ``growth`` is HOLDER_GROWTH."""
    return Table(
        growth.filter(pl.col("delta_bytes") != 0).with_columns(root=_together()),
        {
            "root": tables.text("who", n_characters=64),
            "before_bytes": tables.mib("before"),
            "after_bytes": tables.mib("after"),
            "delta_bytes": tables.mib("change"),
            "after_n": tables.count("objects"),
        },
        title=title,
        n=n,
    )


def holders_json(holders: pl.DataFrame) -> list[dict[str, Any]]:
    """For scripts: who holds what, redacted."""
    columns = ("root", "kind", "path", "type", "n_objects", "retained_bytes", "shared_with")
    return [
        {
            **row,
            **{name: redact_text(row[name]) for name in ("root", "path", "type")},
            "shared_with": [redact_text(name) for name in row["shared_with"]],
        }
        for row in holders.select(columns).to_dicts()
    ]


def _together() -> pl.Expr:
    """All who hold the same objects."""
    return pl.concat_list(pl.concat_list("root"), "shared_with").list.join(" + ")


def _way() -> pl.Expr:
    """The path without its beginning, which is the holder."""
    return pl.col("path").str.strip_prefix(pl.col("root")).str.strip_prefix(" → ")
