"""How often are entities mentioned? In frames, where Polars is installed; without it the counts come all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from workloads.knowledge.plain.entities import EntitySummary, Mention, count

try:
    import polars as pl

    POLARS_AVAILABLE = True
except ImportError:
    POLARS_AVAILABLE = False


def mention_frame(mentions: Iterable[Mention]) -> pl.DataFrame:
    """Which entity stands where? One row a mention: name, document, position. Raises ImportError without Polars."""
    if not POLARS_AVAILABLE:
        raise ImportError("Frames need Polars. Hint: pip install polars.")
    schema = {"name": pl.String, "document": pl.String, "position": pl.Int64}
    return pl.DataFrame([asdict(mention) for mention in mentions], schema=schema)


def summarise(mentions: Iterable[Mention]) -> tuple[EntitySummary, ...]:
    """How often is each entity mentioned, the most frequent first, those alike by name?"""
    if not POLARS_AVAILABLE:
        return count(mentions)
    counted = (
        mention_frame(mentions)
        .group_by("name")
        .agg(n_mentions=pl.len(), n_documents=pl.col("document").n_unique())
        .sort("n_mentions", "name", descending=[True, False])
    )
    return tuple(EntitySummary(**row) for row in counted.iter_rows(named=True))
