"""What is known of an indexer: learned from a recorded run of it, or given."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools.analyse.corpus import classify
from diagtools.analyse.corpus_chunks import CHUNK_CHARS, estimate_chunks, learned_chunk_chars
from diagtools.analyse.corpus_forecast import PeakModel, given_peak, learn_peak, told_chunks, with_shapes
from diagtools.analyse.corpus_totals import suffix_of
from diagtools.errors import NoDataError, UsageError
from diagtools.read.corpus import read_corpus
from diagtools.read.corpus_walk import path_below
from diagtools.run import Run
from diagtools.units import parse_bytes
from diagtools.values import State, Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexer:
    """What is known of the indexer: how its peak grows (null: nothing), its chunks, and which files it takes.

    ``source`` names the run that told it; empty where it was given or nothing is known.
    """

    model: PeakModel | None = None
    chunk_chars: int = CHUNK_CHARS
    suffixes: frozenset[str] | None = None
    source: str = ""
    validity: tuple[Validity, ...] = ()


def indexer_of(
    root: Path,
    *,
    learn: Run | Path | str | None,
    base: str | None,
    chunk_cost: str | None,
    chunk_chars: int | None,
) -> Indexer:
    """What is known: learned from the run ``learn`` over files below ``root``, given as two sizes, or nothing.

    Raises ``UsageError`` for what makes no sense together and ``NoDataError`` for a run without items.
    """
    if chunk_chars is not None and chunk_chars < 1:
        raise UsageError(f"A chunk of {chunk_chars} characters is none.", hint="--chunk-chars 2000 is usual.")
    if learn is not None and (base is not None or chunk_cost is not None):
        raise UsageError(
            "A model is learned from a run, or given: not both.", hint="leave --learn out, or the others."
        )
    if base is not None and chunk_cost is None:
        raise UsageError(
            "--base alone is no model: every chunk costs something.", hint="add --chunk-cost 10MiB."
        )
    if learn is not None:
        return _learned(root, opened(learn), chunk_chars)
    model = (
        None if chunk_cost is None else given_peak(parse_bytes(base) if base else 0, parse_bytes(chunk_cost))
    )
    return Indexer(model=model, chunk_chars=chunk_chars or CHUNK_CHARS)


def _learned(root: Path, run: Run, chunk_chars: int | None) -> Indexer:
    items = run.items
    if items.is_empty():
        raise NoDataError(
            f"The run '{run.path.name}' has no items to learn from.",
            hint="record it with --items-opened-under DIR, or mark each file with diagtools.mark.item.",
        )
    below = {name: path_below(root, name) for name in items["item"].unique(maintain_order=True)}
    renamed = items.with_columns(
        item=pl.Series([below[name] or name for name in items["item"]], dtype=pl.String)
    )
    known = classify(read_corpus(root, [path for path in below.values() if path is not None]))
    chars = chunk_chars or learned_chunk_chars(known, told_chunks(renamed)) or CHUNK_CHARS
    suffixes = items.select(suffix_of(pl.col("item")).unique()).to_series()
    named = frozenset(suffix for suffix in suffixes if suffix.startswith("."))
    return Indexer(
        model=learn_peak(with_shapes(renamed, estimate_chunks(known, chars)), peak_bytes=run.peak_rss_bytes),
        chunk_chars=chars,
        suffixes=named or None,
        source=run.path.name,
        validity=tuple(_doubts(run)),
    )


def _doubts(run: Run) -> Iterator[Validity]:
    """What is doubtful of a run is so of a prediction that was learned from it."""
    for one in run.validity:
        if one.state is not State.COMPLETE:
            yield dataclasses.replace(one, what=f"{run.path.name}, {one.what}")
    n_processes = run.items["pid"].n_unique()
    if n_processes > 1:
        note = f"{n_processes} processes worked on items: the peak that is predicted is that of one of them"
        yield Validity(what="prediction", state=State.UNATTRIBUTED, note=note)


def opened(source: Run | Path | str) -> Run:
    """The run, or that which lies in this folder."""
    return source if isinstance(source, Run) else Run.open(source)
