"""What is in a corpus, and what would indexing it cost?  Joins the walk, its totals and a model of the peak."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from diagtools.analyse.corpus import classify, mark_vendored
from diagtools.analyse.corpus_branches import branches
from diagtools.analyse.corpus_chunks import estimate_chunks
from diagtools.analyse.corpus_forecast import Prediction
from diagtools.analyse.corpus_story import (
    breaking,
    budget_finding,
    check_finding,
    corpus_findings,
    corpus_validity,
    forecast_findings,
    predicted,
)
from diagtools.analyse.corpus_totals import Tally
from diagtools.errors import NoDataError, UsageError
from diagtools.investigations.indexer import Indexer, indexer_of, opened
from diagtools.present.corpus import corpus_json, corpus_text, files_table, passed_over_table, totals_table
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.read.corpus_file import CorpusWriter
from diagtools.read.corpus_walk import walk_corpus
from diagtools.run import Run
from diagtools.units import parse_bytes
from diagtools.values import Budget, Finding, Validity

if TYPE_CHECKING:
    import altair as alt

#: What hears, batch by batch, how many files and bytes were scanned so far.
Progress = Callable[[int, int], None]
_NOTHING_LEARNED = (
    "No peak is predicted: no figure of its files that a scan knows too (chunks, size_bytes, lines, longest_line) "
    "explains nine tenths of the run's peaks. So it is where batches are bounded, or other things hold the memory."
)


class CorpusScan:
    """One scanned folder: shows itself as its findings and tables; the chart on demand."""

    def __init__(
        self,
        folder: Path,
        tally: Tally,
        indexer: Indexer,
        *,
        budget: Budget | None = None,
        checked: Run | None = None,
    ) -> None:
        self.folder = folder
        self.tally = tally
        self.indexer = indexer
        self.budget = budget
        self.checked = checked

    @cached_property
    def predicted(self) -> Prediction | None:
        """The predicted peak of the indexer; null where nothing is known of it, or it takes none of the files."""
        model = self.indexer.model
        return None if model is None else predicted(model, self.tally)

    @property
    def validity(self) -> tuple[Validity, ...]:
        """What of the corpus is not known, and what of the run that was learned from is doubtful?"""
        return (*corpus_validity(self.tally), *self.indexer.validity)

    def findings(self) -> list[Finding]:
        """What the corpus holds and what indexing it would take, a sentence each."""
        return [*corpus_findings(self.tally), *self._forecast()]

    def _forecast(self) -> list[Finding]:
        model, source = self.indexer.model, self.indexer.source
        if model is None:
            return [Finding(sentence=_NOTHING_LEARNED)] if source else []
        found = forecast_findings(model, self.tally, source)
        if self.budget is not None:
            found.append(budget_finding(model, self.tally, self.budget.limit_bytes))
        return [*found, *self._check()]

    def _check(self) -> list[Finding]:
        run, expected = self.checked, self.predicted
        if run is None or expected is None:
            return []
        if not run.peak_rss_bytes:
            return [
                Finding(sentence=f"The memory of '{run.path.name}' was never sampled: nothing is checked.")
            ]
        checked = check_finding(
            expected,
            run.peak_rss_bytes,
            is_bound=run.peak_is_bound or run.death is not None,
            source=run.path.name,
            n_items=run.items.height,
            n_files=self.tally.n_taken,
        )
        return [checked]

    def summary(self) -> Prose:
        """The same for a notebook's reader."""
        return Prose(self.findings(), heading="What indexing it would take")

    def kinds(self) -> Table:
        """Files, bytes and chunks by kind; they sum to the whole."""
        return totals_table(self.tally.kinds, "kind")

    def folders(self, n: int = 12) -> Table:
        """The parts of the tree that hold most; they sum to the whole."""
        return totals_table(branches(self.tally.folders, n), "folder", n=n)

    def largest(self, n: int = 10) -> Table:
        """The files of most chunks, or of most of what the indexer's peak grows with."""
        return files_table(self._largest().head(n), n=n)

    def breaking(self, n: int = 50) -> Table:
        """The files that would break the budget, each alone."""
        return files_table(breaking(self.tally), n=n)

    def passed_over(self) -> Table:
        """What is in no figure, and why."""
        return passed_over_table(self.tally.passed_over)

    def chart(self, *, title: str | None = None) -> alt.LayerChart:
        """In which folders the bytes and chunks are, coloured by kind.  Raises ``NoDataError`` without files."""
        from diagtools.present.charts.corpus import corpus_chart  # here: text needs no charts

        return corpus_chart(branches(self.tally.folders, by="size_bytes"), title=title)

    def check_budget(self) -> None:
        """Is the predicted peak within the budget?  Raises ``BudgetBreached``, ``NoDataError`` where none is known."""
        if self.budget is None:
            return
        if self.predicted is None:
            raise NoDataError(
                "The budget cannot be judged: no peak is predicted.",
                hint="give --base and --chunk-cost instead.",
            )
        self.budget.check(
            self.predicted.peak_bytes, hint="leave out the files named above, or bound the indexer's batches."
        )

    def as_text(self) -> str:
        """For a terminal."""
        shown = [self.kinds(), self.folders(), self.largest()] if self.tally.whole["n_files"] else []
        return corpus_text(
            folder=str(self.folder), findings=self.findings(), shown=shown, validity=self.validity
        )

    def as_json(self) -> dict[str, Any]:
        """For scripts, in the shape of the contract in DESIGN."""
        tally = self.tally
        return corpus_json(
            folder=str(self.folder),
            whole=tally.whole,
            kinds=tally.kinds,
            folders=tally.folders,
            vendored=tally.vendored,
            passed_over=tally.passed_over,
            largest=self._largest().head(100),
            over_budget=None if tally.most is None else breaking(tally),
            findings=self.findings(),
            validity=self.validity,
            more=self._prediction_json(),
        )

    def _prediction_json(self) -> dict[str, Any]:
        found, tally = self.predicted, self.tally
        if found is None:
            return {"predicted_peak_bytes": None}
        checked = None if self.checked is None else self.checked.peak_rss_bytes
        return {
            "predicted_peak_bytes": found.peak_bytes,
            "predicted_low_bytes": found.low_bytes,
            "predicted_high_bytes": found.high_bytes,
            "times_the_largest_seen": found.times_seen,
            "files_over_budget": None if tally.most is None else tally.n_over,
            "checked_peak_bytes": checked,
        }

    def _largest(self) -> pl.DataFrame:
        tally = self.tally
        return tally.largest.sort(
            tally.rank, "size_bytes", "path", descending=[True, True, False], nulls_last=True
        )

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = [self.kinds(), self.folders(), self.largest()]
        html = "".join(table._repr_html_() for table in shown)
        return {"text/html": html, "text/plain": self.as_text()}


def scan(
    folder: Path | str,
    *,
    learn: Run | Path | str | None = None,
    check: Run | Path | str | None = None,
    base: str | None = None,
    chunk_cost: str | None = None,
    budget: str | None = None,
    chunk_chars: int | None = None,
    with_ignored: bool = False,
    out: Path | None = None,
    progress: Progress | None = None,
) -> CorpusScan:
    """What is in this folder, and what would indexing it cost?

    ``learn`` is a recorded run of the indexer, over these files or others: its peaks give the model of the peak, its
    chunks (where it told them) the length of a chunk, its files the suffixes that it takes.  Without a run ``base`` and
    ``chunk_cost`` (sizes such as ``"176MiB"``) are the model.  ``check`` is a run of which the real peak is compared
    with what is predicted; ``budget`` names the files that would break it.  ``out`` writes CORPUS as Parquet.  Raises
    ``UsageError`` for what makes no sense, before anything is scanned, and ``NoDataError`` for a run without items.
    """
    root = Path(folder)
    writer = contextlib.nullcontext() if out is None else CorpusWriter(out)
    indexer = indexer_of(root, learn=learn, base=base, chunk_cost=chunk_cost, chunk_chars=chunk_chars)
    limit = None if budget is None else Budget(metric="The predicted peak", limit_bytes=parse_bytes(budget))
    if (limit is not None or check is not None) and learn is None and chunk_cost is None:
        raise UsageError(
            "Nothing is known of the indexer's memory, so no peak can be predicted.",
            hint="--learn RUN, a short recorded run of it, or --base 180MiB --chunk-cost 10MiB.",
        )
    checked = None if check is None else opened(check)
    tally = _tally(indexer, limit)
    with writer as parquet:
        for batch in walk_corpus(root, with_ignored=with_ignored):
            files = described(batch.files, indexer.chunk_chars)
            tally.add(files, batch.passed_over)
            if parquet is not None:
                parquet.write(files)
            if progress is not None:
                progress(tally.whole["n_files"], tally.whole["size_bytes"])
    return CorpusScan(root, tally, indexer, budget=limit, checked=checked)


def _tally(indexer: Indexer, limit: Budget | None) -> Tally:
    """An empty tally that ranks files by what the indexer's peak grows with, and counts those above the limit."""
    model = indexer.model
    return Tally(
        rank="n_chunks" if model is None else model.column,
        most=None if limit is None or model is None else model.within(limit.limit_bytes),
        suffixes=indexer.suffixes,
    )


def described(corpus: pl.DataFrame, chunk_chars: int) -> pl.DataFrame:
    """CORPUS with what its shapes and names say: kind, vendored, chunks."""
    return estimate_chunks(mark_vendored(classify(corpus)), chunk_chars)
