"""How often are entities mentioned? In frames, where Polars is installed; without it the counts come all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING

from workloads.knowledge.plain.entities import EntitySummary, Mention, count

if TYPE_CHECKING:
    import polars as pl

POLARS_AVAILABLE = find_spec("polars") is not None  # looks for it, does not load it


def mention_frame(mentions: Iterable[Mention]) -> pl.DataFrame:
    """Which entity stands where? One row a mention: name, document, position. Raises ImportError without Polars."""
    if not POLARS_AVAILABLE:
        raise ImportError("Frames need Polars. Hint: pip install polars.")
    import polars as pl

    schema = {"name": pl.String, "document": pl.String, "position": pl.Int64}
    return pl.DataFrame([asdict(mention) for mention in mentions], schema=schema)


def summarise(mentions: Iterable[Mention]) -> tuple[EntitySummary, ...]:
    """How often is each entity mentioned, the most frequent first, those alike by name?"""
    if not POLARS_AVAILABLE:
        return count(mentions)
    import polars as pl

    counted = (
        mention_frame(mentions)
        .group_by("name")
        .agg(n_mentions=pl.len(), n_documents=pl.col("document").n_unique())
        .sort("n_mentions", "name", descending=[True, False])
    )
    return tuple(EntitySummary(**row) for row in counted.iter_rows(named=True))
