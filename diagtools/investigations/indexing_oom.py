"""An indexing job is killed for memory: what killed it, which theory is right, and by how much?

The program under study is ``workloads.rag``; this module knows its command line, its markers and which files
it would select, nothing else of it.  Everything that the notebook shows is computed from the runs of the case.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import altair as alt
import polars as pl

from diagtools.analyse.conclusion import conclude, flatter_but_dead, in_short, largest_harmless, lessons
from diagtools.analyse.contributors import contributors, rise_bytes
from diagtools.analyse.corpus import classify
from diagtools.analyse.explain import explain_peaks
from diagtools.analyse.findings import kept_finding
from diagtools.analyse.forecast_work import coming
from diagtools.analyse.items import success
from diagtools.analyse.marked import event_value
from diagtools.capture.folder import store, unused
from diagtools.errors import NoDataError, UnavailableError, UsageError
from diagtools.investigations import places
from diagtools.investigations.case import ExperimentCase
from diagtools.investigations.experiment import BASELINE, Experiment, Variant
from diagtools.investigations.explain import explain
from diagtools.investigations.indexing_table import comparison_table
from diagtools.investigations.parameters import above_zero, whole
from diagtools.investigations.progress import Progress
from diagtools.investigations.record import record
from diagtools.investigations.trials import run_name
from diagtools.present.charts.contributors import demand_chart
from diagtools.present.charts.effects import theories_chart
from diagtools.present.charts.timelines import timelines_chart
from diagtools.present.prose import Prose, Quote
from diagtools.present.tables import Table
from diagtools.read.corpus import read_corpus
from diagtools.run import Run
from diagtools.units import format_bytes
from diagtools.values import Budget, Effect, Finding, Hypothesis, Limit, Role, Target
from workloads.rag.corpus import walk_folder
from workloads.rag.errors import CorpusError
from workloads.rag.manifest import open_manifest

ARENA, GENERATED, BATCH, ALL_MENDS = "arena mended", "generated excluded", "batches bounded", "all mends"
_OTHER_CORPUS = "name a folder with source files in it: -p corpus=path/to/your/code"
_QUESTION = "An indexing job is killed for memory. What kills it, and what would keep it alive?"


class IndexingOom(ExperimentCase):
    """The investigation of an indexing job that runs out of memory.

    ``corpus`` names a manifest of ``data/corpora`` or is the path of one, or a folder to index.  ``limit`` caps
    every run.  ``as_it_is`` are options of the indexer that the faulty program has; ``arena`` and ``batch`` are
    the values that the mends of these theories take, ``final_batch`` the batch of the run with all mends.
    ``rounds`` is how often each variant runs, ``minutes`` how long all of them may take once each has run.
    """

    def __init__(
        self,
        *,
        corpus: str = "incident",
        limit: str = "2 GiB",
        rounds: int = 1,
        minutes: float = 60,
        as_it_is: str = "",
        arena: str = "shrunk",
        batch: int = 32,
        final_batch: int = 16,
        store_folder: str | None = None,
    ) -> None:
        self.limit = Limit.parse(str(limit))
        self.rounds = whole("rounds", rounds)
        self.minutes = above_zero("minutes", minutes)
        self.corpus = _corpus(str(corpus))
        self._until = time.monotonic() + self.minutes * 60
        self._command = (sys.executable, "-m", "workloads.rag", "index", *self._source(), *as_it_is.split())
        place = Path(store_folder) if store_folder else store()
        folder = unused(place / f"indexing-oom-{self.corpus.stem}")
        variants = self._variants(arena, whole("batch", batch), whole("final_batch", final_batch))
        super().__init__(
            question=_QUESTION,
            experiment=Experiment(
                baseline=self._target(),
                variants=variants,
                hypotheses=_hypotheses(arena, batch),
                folder=folder,
            ),
        )
        self._folder = folder
        self._progress = Progress()

    # --- what runs -----------------------------------------------------------------------------------

    def reproduce(self) -> Prose:
        """Runs the program as it is, once, and says what happened.  Raises ``UnavailableError`` without the model."""
        self._progress.say("preparing the model …")
        _prepare()
        self._progress.say(f"recording the program as it is, limit {format_bytes(self.limit.memory_bytes)} …")
        run = record(self._target(), folder=self._folder / run_name(BASELINE, 0))
        _must_have_indexed(run)
        self.first_run = run
        self._progress.say("recorded.")
        found = self.what_happened()
        return Prose(found, heading="What happened", quote=_last_words(run.last_log_lines(5), found))

    def test_theories(self) -> Prose:
        """Runs the program as it is and with each mend, interleaved, and says which theory held."""
        left_s = self._until - time.monotonic()
        self.experiment.run(rounds=self.rounds, within_s=left_s, known=self.run, progress=self._progress)
        self._progress.say(f"{len(self.experiment.trials)} runs recorded.")
        verdicts = [_verdict(effect) for effect in self.effects]
        return Prose([*verdicts, *self.not_run()], heading="Verdicts")

    def not_run(self) -> list[Finding]:
        """Which of the planned rounds did not run, and why, a sentence each."""
        return self.experiment.rounds_left_out(f"{self.minutes:g} minute{'' if self.minutes == 1 else 's'}")

    # --- what happened -------------------------------------------------------------------------------

    @property
    def run(self) -> Run:
        """The run that raised the question.  Raises ``NoDataError`` before ``reproduce()``."""
        if not hasattr(self, "first_run"):
            raise NoDataError("Nothing has been recorded yet.", hint="call case.reproduce() first.")
        return self.first_run

    @cached_property
    def kinds(self) -> pl.DataFrame:
        """CORPUS: the files that the first run indexed, by kind."""
        return classify(
            read_corpus(self._root(), self.run.items["item"].unique(maintain_order=True).to_list())
        )

    def what_happened(self) -> list[Finding]:
        """What the first run shows, a sentence each."""
        return explain(self.run, self.kinds).findings

    def timeline(self) -> alt.TopLevelMixin:
        """The memory of the first run over time, with the file that killed it."""
        return explain(self.run, self.kinds).chart()

    def demand(self) -> alt.TopLevelMixin:
        """Who asked for the memory: own peak demand beside memory kept, by file, coloured by kind."""
        kinds = dict(self.kinds.select("path", "kind").iter_rows())
        run = self.run
        by_item = contributors(run.items, rise_bytes(run.timeline), by="item")
        cut_short = [run.item_in_flight] if run.item_in_flight else []
        return demand_chart(by_item, kinds=kinds, cut_short=cut_short)

    def growth(self) -> alt.TopLevelMixin:
        """How memory grew with the files, the class of growth that fits, and what speaks for and against each."""
        return explain(self.run, self.kinds).growth_chart()

    def foreseen(self) -> alt.TopLevelMixin | Prose:
        """What could have been said after a quarter of the files?  A sentence where that is too few for a forecast.

        What is to come is taken from what the run said of those files later; a scan tells the same of them before the
        job begins, but their chunks, which it estimates.
        """
        items = self.run.items.sort("begin_s")
        n_seen = max(items.height // 4, 1)
        now = items["end_s"][n_seen - 1]
        try:
            return explain(self.run, self.kinds).forecast_chart(to_come=coming(items.slice(n_seen)), now=now)
        except NoDataError as error:
            return Prose([Finding(sentence=error.message)])

    # --- what the theories say -----------------------------------------------------------------------

    def theories(self) -> Table:
        """The suspicions, and the change that would remove each."""
        rows = [(h.suspicion, h.change, h.mend, str(h.role)) for h in self.experiment.hypotheses]
        return Table(pl.DataFrame(rows, schema=["suspicion", "change", "mend", "would be the"], orient="row"))

    def theories_chart(self) -> alt.TopLevelMixin:
        """Each theory's effect on the peak, and its verdict."""
        return theories_chart(self.effects, limit_bytes=self.limit.memory_bytes)

    def curves(self) -> alt.TopLevelMixin:
        """The memory of one run of each variant over time."""
        runs = {name: self.experiment.runs_of(name)[0] for name in self.experiment.variants}
        killed = {name for name, run in runs.items() if run.death is not None}
        trees = {name: run.tree for name, run in runs.items()}
        return timelines_chart(trees, limit_bytes=self.limit.memory_bytes, killed=killed)

    def before_after(self) -> Table:
        """Exit status, files, success, peak, share of the limit, chunks, duration: as it was and with each mend."""
        return comparison_table(
            {name: self.experiment.runs_of(name) for name in self.experiment.variants}, self.limit
        )

    def conclusion(self) -> Prose:
        """Root cause, trigger, what was refuted, and what follows."""
        return Prose(self.concluded(), heading="Conclusion")

    def concluded(self) -> list[Finding]:
        """The same as findings."""
        return [*conclude(self.effects), *self._looked_like_a_fix(), *self._predicted()]

    def lessons(self) -> Prose:
        """What this case teaches, as far as its own runs show it."""
        run = self.run
        kept = kept_finding(run.items, rise_bytes(run.timeline))
        return Prose(lessons(self.effects, self._looked_like_a_fix(), kept), heading="Lessons")

    def findings(self) -> list[Finding]:
        """What happened, what the experiment concluded, then what of it was not run."""
        return [*self.what_happened(), *self.concluded(), *self.not_run()]

    def headlines(self) -> list[str]:
        """The case in a few short sentences."""
        run = self.run
        wanted = event_value(run.markers, "selected", "files")
        place = f" ({success(run.items).n_ok} of {wanted:.0f} files done)" if wanted else ""
        died = (
            f"Killed in {run.item_in_flight}{place}." if run.death is not None else "The job was not killed."
        )
        return [died, *in_short(self.effects)]

    def keep_budget(self, share_of_limit: float) -> Prose:
        """With all mends, does the peak stay below this share of the limit?  Raises ``BudgetBreached``."""
        budget = Budget(metric="peak_rss_bytes", limit_bytes=int(self.limit.memory_bytes * share_of_limit))
        return Prose([self.check(budget, variant=ALL_MENDS)], heading="Budget")

    # --- parts ---------------------------------------------------------------------------------------

    def _looked_like_a_fix(self) -> list[Finding]:
        before = _ahead_of_killer(self.run, self.run.item_in_flight)
        found = []
        for effect in self.effects:
            after = _ahead_of_killer(
                self.experiment.runs_of(effect.hypothesis.variant)[0], self.run.item_in_flight
            )
            found.append(flatter_but_dead(effect, before_bytes=before, after_bytes=after))
        return [finding for finding in found if finding is not None]

    def _predicted(self) -> list[Finding]:
        """From a run that lived although batches were as they are: how large a file would still kill?"""
        lived = [run for run in self.experiment.runs_of(GENERATED) if run.death is None]
        if not lived:
            return []
        explained = explain_peaks(lived[0].items)
        found = largest_harmless(explained, feature="chunks", limit_bytes=self.limit.memory_bytes)
        return [found] if found else []

    def _target(self, *options: str) -> Target:
        return Target(argv=(*self._command, *options), limit=self.limit)

    def _variants(self, arena: str, batch: int, final_batch: int) -> list[Variant]:
        changes = {
            ARENA: ("--arena", arena),
            GENERATED: ("--exclude-generated",),
            BATCH: ("--batch", str(batch)),
            ALL_MENDS: ("--exclude-generated", "--batch", str(final_batch)),
        }
        return [
            Variant(name=name, change=" ".join(options), target=self._target(*options))
            for name, options in changes.items()
        ]

    def _source(self) -> tuple[str, str]:
        return ("--folder" if self.corpus.is_dir() else "--corpus", str(self.corpus))

    def _root(self) -> Path:
        if self.corpus.is_dir():
            return self.corpus
        root = json.loads(self.corpus.read_text(encoding="utf-8")).get("root")
        return Path(sysconfig.get_path("purelib")) if root == "site-packages" else self.corpus.parent


def _hypotheses(arena: str, batch: int) -> Sequence[Hypothesis]:
    return (
        Hypothesis(
            name="the arena hoards memory",
            suspicion="the allocator's arena hoards memory from file to file",
            change=f"--arena {arena}",
            mend=f"an arena that is {arena}",
            variant=ARENA,
        ),
        Hypothesis(
            name="generated files are indexed",
            suspicion="generated files are indexed, which nobody wrote and nobody searches",
            change="--exclude-generated",
            mend="generated files excluded",
            variant=GENERATED,
            role=Role.TRIGGER,
        ),
        Hypothesis(
            name="batches are unbounded",
            suspicion="all chunks of a file go through the model in one batch, however many they are",
            change=f"--batch {batch}",
            mend=f"batches of at most {batch} chunks",
            variant=BATCH,
        ),
    )


def _verdict(effect: Effect) -> str:
    return f"{str(effect.verdict).upper()}: {effect.hypothesis.suspicion}. {effect.reason}"


def _last_words(lines: Sequence[str], found: Sequence[Finding]) -> Quote:
    """The last log lines, without the very last where a finding quotes it."""
    if lines and any(repr(lines[-1]) in finding.sentence for finding in found):
        return Quote(caption="The log lines before that warning or error:", lines=tuple(lines[:-1]))
    return Quote(caption="Its last log lines:", lines=tuple(lines))


def _ahead_of_killer(run: Run, killer: str | None) -> int | None:
    """What the run held when the item began that killed the first run."""
    begun = run.items.filter(pl.col("item") == killer)["begin_s"].min() if killer else None
    if not isinstance(begun, float):
        return None
    before = run.tree.filter(pl.col("t_s") <= begun)["rss_bytes"]
    return None if before.is_empty() else int(before.item(-1))


def _corpus(name: str) -> Path:
    known = {path.stem: path for path in sorted((places.data() / "corpora").glob("*.json"))}
    path = known.get(name, Path(name))
    if not path.exists():
        raise UsageError(
            f"There is no corpus {name!r}.",
            hint=f"name a folder, a manifest, or one of: {', '.join(known)}.",
        )
    _must_hold_files(path)
    return path.resolve()


def _must_hold_files(path: Path) -> None:
    """Raises ``UsageError`` where the program under study would find nothing to index, before it is started."""
    try:
        corpus = walk_folder(path) if path.is_dir() else open_manifest(path)
    except CorpusError as error:
        fact, _, hint = str(error).partition(" Hint: ")
        raise UsageError(fact, hint=hint or _OTHER_CORPUS) from error
    if not corpus.files:
        raise UsageError(f"The corpus '{path}' has no files to index.", hint=_OTHER_CORPUS)


def _prepare() -> None:
    command = [sys.executable, "-m", "workloads.rag", "prepare"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        lines = answer.stderr.strip().splitlines() or ["no reason given"]
        fact, _, hint = lines[-1].removeprefix("error: ").partition(" Hint: ")
        raise UnavailableError(f"The indexing program cannot run: {fact}", hint=hint or "run `make setup`.")


def _must_have_indexed(run: Run) -> None:
    if run.items.is_empty():
        raise NoDataError(
            f"The indexing program ended with status {run.exit_status} before its first file.",
            hint=f"its last words: {' / '.join(run.last_log_lines(2)) or 'none'}",
        )
