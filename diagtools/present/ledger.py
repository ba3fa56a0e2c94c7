"""A ledger as a table: what the memory of a process consists of, and what two of them differ in."""

from __future__ import annotations

from typing import Any

import polars as pl

from diagtools.present import tables
from diagtools.present.tables import Column, Table
from diagtools.units import format_bytes

_SOURCES = {
    "smaps": "the kernel says",
    "pagemap": "the kernel says, page by page",
    "counter": "the allocator says",
    "bound": "at most",
}


def ledger_table(ledger: pl.DataFrame, *, title: str | None = None) -> Table:
    """Of what does the RSS of one snapshot consist?  ``ledger`` is LEDGER of one; its last row is the RSS itself."""
    rss = int(ledger["bytes"].sum())
    whole = {"component": "RSS", "bytes": rss, "share": 1.0 if rss else None, "source": "", "bound_bytes": 0}
    columns = ("component", "bytes", "share", "source", "bound_bytes")
    rows = pl.concat([ledger.select(columns), pl.DataFrame([whole], schema=ledger.select(columns).schema)])
    shown = rows.with_columns(
        source=pl.col("source").replace(_SOURCES),
        within=pl.when(pl.col("bound_bytes") != 0).then("bound_bytes"),
    )
    return Table(
        shown,
        {
            "component": tables.text("what", n_characters=24),
            "bytes": tables.mib("bytes"),
            "share": tables.share("share"),
            "source": tables.text("who says so", n_characters=32),
            "within": tables.size("may be wrong by"),
        },
        title=title,
    )


def ledger_difference_table(difference: pl.DataFrame, *, title: str | None = None) -> Table:
    """What grew between two snapshots?  ``difference`` is LEDGER_DIFFERENCE; its last row is the RSS itself."""
    sizes = ("before_bytes", "after_bytes", "delta_bytes")
    whole = difference.select(pl.lit("RSS").alias("component"), *(pl.col(name).sum() for name in sizes)).head(
        1
    )
    rows = pl.concat([difference.filter(pl.col("delta_bytes") != 0), whole])
    return Table(
        rows,
        {
            "component": tables.text("what", n_characters=24),
            "before_bytes": tables.mib("before"),
            "after_bytes": tables.mib("after"),
            "delta_bytes": Column(heading="change", words=_signed),
        },
        title=title,
    )


def ledger_json(ledger: pl.DataFrame) -> list[dict[str, Any]]:
    """For scripts: the rows of one snapshot, which sum to its RSS."""
    return ledger.select("component", "bytes", "source", "bound_bytes").to_dicts()


def _signed(size: int) -> str:
    return f"{'+' if size > 0 else ''}{format_bytes(size)}"
