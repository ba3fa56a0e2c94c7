"""What does it take to load a model, and which way of loading it takes least?

Every way runs in fresh processes of its own, in another order each round: alone (import, load, first answer, a second
model, letting go), then as two processes, forked after the load or before it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cached_property

import altair as alt
import polars as pl

from diagtools.analyse.model_answers import compare_answers
from diagtools.analyse.model_figures import APART, FORK, Figure, batches, figures, spreads
from diagtools.analyse.model_story import (
    Spreads,
    batch_headline,
    loading_headline,
    model_findings,
    sharing_headline,
)
from diagtools.capture.folder import store, unused
from diagtools.errors import BudgetBreached, NoDataError, UnavailableError, UsageError
from diagtools.frames.models import MODEL_FIGURES, ModelLog
from diagtools.investigations.case import Case
from diagtools.investigations.ledger_report import LedgerReport
from diagtools.investigations.loaders import Way, own_model_bytes, own_ways, ways_of
from diagtools.investigations.model_process import Loaded, NotInstalled, load_once
from diagtools.investigations.parameters import above_zero, whole
from diagtools.investigations.progress import Progress
from diagtools.present.charts.model_loading import batches_chart, loading_chart, sharing_chart
from diagtools.present.model_tables import answers_table, lifecycle_table, overview_table
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.units import format_bytes, parse_bytes
from diagtools.values import Budget, Finding, Snapshots
from workloads.rag.errors import ModelError

WAYS = "file, bytes, numpy, mapped, int8, shared, lazy, torch"
_QUESTION = "What does loading a model take, and which way of loading takes least?"
_ALONE, _HELD, _BATCHES = "alone", "held", "batches"
_MOST_INPUTS = 4096
_BUDGETS = {"file": "256 MiB"}  # 192 MiB measured; a copy more, as of its bytes, is above it


class ModelLoading(Case):
    """The ways of loading one model, measured side by side in fresh processes.

    ``ways`` are names of the program's own ways (``loaders.MEANING``), with commas between.  ``loader`` takes their
    place: ``module:callable`` of one's own, several with commas between, each called without arguments for the model;
    ``infer`` runs it once (``module:callable`` of the model, and of a number of inputs where ``batches`` are to be
    measured), ``model_size`` is how large its weights are, ``python`` the interpreter of its environment.
    ``torch_python`` is one that has sentence-transformers.  ``rounds`` is how often each way runs; ``batch_ways`` are
    those that run the numbers of inputs in ``batches``.
    """

    def __init__(
        self,
        *,
        ways: str = WAYS,
        loader: str = "",
        infer: str = "",
        model_size: str = "",
        python: str = "",
        torch_python: str = "",
        rounds: int = 2,
        batch_ways: str = "file, no arena, numpy",
        batches: str = "2, 4, 8, 16",
        timeout_s: float = 60,
        seed: int = 0,
    ) -> None:
        super().__init__(question=_QUESTION)
        own = ways_of(loader, infer, python=python)
        self.ways = own or own_ways(ways, torch_python=torch_python)
        if not self.ways:
            raise UsageError(
                "No way of loading is named.", hint="-p loader=mypkg.models:load, or -p ways=file,bytes"
            )
        self._is_own = bool(own)
        self.rounds, self._timeout_s = whole("rounds", rounds), above_zero("timeout_s", timeout_s)
        self._sizes = _sizes(batches)
        self._batch_ways = (own if infer else []) if own else own_ways(batch_ways, torch_python=torch_python)
        self._model_size = parse_bytes(model_size) if model_size else None
        self._seed = seed
        self._folder = unused(store() / "model-loading").resolve()
        self._progress = Progress()
        self.not_installed: dict[str, str] = {}

    # --- what runs -----------------------------------------------------------------------------------

    @cached_property
    def model_bytes(self) -> int | None:
        """How large the model's weights are; null where nobody said.  Raises ``UnavailableError`` without the model."""
        if self._is_own or self._model_size is not None:
            return self._model_size
        try:
            return own_model_bytes()
        except ModelError as error:
            fact, _, hint = str(error).partition(" Hint: ")
            raise UnavailableError(fact, hint=hint or None) from error

    @cached_property
    def held(self) -> dict[str, Loaded]:
        """Each way once, with the ledger of its memory as it held the model: what is made once is made here.

        Ways whose packages are missing are in ``not_installed``.  Raises ``NoDataError`` where that is all of them.
        """
        assert self.model_bytes is None or self.model_bytes > 0
        found = {}
        for way in self.ways:
            try:
                found[way.name] = self._loaded(way, _HELD, 0, snapshots=Snapshots(ledger=True))
            except NotInstalled as error:
                self.not_installed[way.name] = str(error)
        if not found:
            why = "; ".join(f"{name} is {text}" for name, text in self.not_installed.items())
            raise NoDataError(f"No way could be measured: {why}.", hint="name one with -p ways=file")
        return found

    @cached_property
    def figures(self) -> pl.DataFrame:
        """MODEL_FIGURES: every round of every way, each process fresh, in another order each round."""
        order, random_ = [way for way in self.ways if way.name in self.held], random.Random(self._seed)
        found = []
        for number in range(self.rounds):
            random_.shuffle(order)
            for way in order:
                for mode in (_ALONE, FORK, APART):
                    log = self._loaded(way, mode, number).log
                    found.append(figures(log, way=way.name, number=number + 1, model_bytes=self.model_bytes))
        rank = pl.DataFrame({"way": [way.name for way in self.ways]}).with_row_index("place")
        joined = pl.concat(found).join(rank, on="way").sort("place", maintain_order=True)
        return MODEL_FIGURES.check(joined.drop("place"))

    @cached_property
    def spreads(self) -> pl.DataFrame:
        """MODEL_SPREADS: median and range of each figure."""
        return spreads(self.figures)

    @cached_property
    def batches(self) -> pl.DataFrame:
        """MODEL_BATCHES: how memory rises with the number of inputs in one batch."""
        found: dict[str, list[ModelLog]] = {}
        for number in range(self.rounds if self._sizes else 0):
            for way in self._batch_ways:
                if way.name in self.not_installed:
                    continue
                try:
                    log = self._loaded(way, _BATCHES, number, sizes=self._sizes).log
                except NotInstalled as error:
                    self.not_installed[way.name] = str(error)
                else:
                    found.setdefault(way.name, []).append(log)
        return batches(found)

    @cached_property
    def answers(self) -> pl.DataFrame:
        """MODEL_ANSWERS: does each way answer as the first one does?"""
        return compare_answers({name: one.log.answer for name, one in self.held.items()})

    def _loaded(
        self,
        way: Way,
        mode: str,
        number: int,
        *,
        sizes: Sequence[int] = (),
        snapshots: Snapshots | None = None,
    ) -> Loaded:
        self._progress.say(f"{way.name}: {mode}, round {number + 1} …")
        place = "".join(letter if letter.isalnum() else "-" for letter in f"{way.name}-{mode}-{number + 1}")
        return load_once(
            way,
            mode,
            folder=self._folder / place,
            batches=sizes,
            timeout_s=self._timeout_s,
            snapshots=snapshots,
        )

    # --- what a cell shows ---------------------------------------------------------------------------

    def overview(self) -> Table:
        """A row a way: time to the first answer, peak, copies, what it holds then, how much of that is its own."""
        return overview_table(self.spreads, self._meanings(), self.not_installed)

    def loading_chart(self) -> alt.LayerChart:
        """Peak against steady memory by way, the process's own and pages of files told apart."""
        return loading_chart(self.spreads, title=loading_headline(self.spreads))

    def ledger(self, way: str = "") -> LedgerReport:
        """What the memory of a process consisted of that held the model, loaded in this way."""
        run = self.held[self._chosen(way)].run
        ledger = run.ledger
        if ledger.is_empty():
            raise NoDataError("No snapshot of its memory was taken.", hint=f"diagtools show {run.path}")
        return LedgerReport(run, index=int(ledger["index"].max()), pid=int(ledger["pid"][0]))  # type: ignore[arg-type]

    def waterfall(self, way: str = "") -> alt.LayerChart:
        """The ledger of that way as a picture."""
        return self.ledger(way).chart()

    def lifecycle(self) -> Table:
        """A row a way: what a second load takes, what letting go leaves, and what malloc_trim gives back."""
        return lifecycle_table(self.spreads)

    def batches_chart(self) -> alt.TopLevelMixin | Prose:
        """Memory above a single input by the number of inputs in a batch; a sentence where none were run."""
        if self.batches.is_empty():
            return Prose(
                [Finding(sentence="No batches were run: that takes an infer of a model and a number.")]
            )
        return batches_chart(self.batches, title=batch_headline(self.batches))

    def sharing_chart(self) -> alt.LayerChart:
        """What two processes take together, forked after the load and before it."""
        return sharing_chart(self.spreads, title=sharing_headline(self.spreads))

    def same_answers(self) -> Table:
        """Does every way answer as the first one does?"""
        return answers_table(self.answers)

    def conclusion(self) -> Prose:
        """What all of it says."""
        return Prose(self.findings(), heading="Conclusion")

    def keep_budget(self, size: str = "", way: str = "") -> Prose:
        """Does loading it this way stay below this peak, in the worst round?  Raises ``BudgetBreached``.

        Without a size the program's own way 'file' has one; where there is none, that is said.
        """
        chosen = self._chosen(way)
        if not size and not self._is_own:
            size = _BUDGETS.get(chosen, "")
        if not size:
            return Prose(
                [Finding(sentence="No budget is set: -p budget='400 MiB' sets one.")], heading="Budget"
            )
        span = Spreads(self.spreads).get(chosen, Figure.PEAK_BYTES)
        if span is None:
            raise BudgetBreached(f"The peak of '{chosen}' was not measured: its budget cannot be checked.")
        budget = Budget(metric=f"the peak of loading '{chosen}'", limit_bytes=parse_bytes(size))
        budget.check(int(span.high), hint="case.overview() shows which way takes less.")
        runs = "its run" if span.n_rounds == 1 else f"the worst of {span.n_rounds} runs"
        said = (
            f"Budget kept: {budget.metric} is {format_bytes(span.high)} in {runs}, "
            f"below {format_bytes(budget.limit_bytes)}."
        )
        return Prose([Finding(sentence=said, value=span.high, unit="B")], heading="Budget")

    # --- what it says --------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """What the ways say, then which could not be measured here."""
        said = model_findings(self.spreads, self.batches, self.answers)
        absent = [
            Finding(sentence=f"{name} was not measured: {why}.") for name, why in self.not_installed.items()
        ]
        return [*said, *absent]

    def headlines(self) -> list[str]:
        """What loading takes, what a second process adds, and what a batch asks for."""
        found = [loading_headline(self.spreads), sharing_headline(self.spreads)]
        return [
            f"{text}."
            for text in [*found, *([] if self.batches.is_empty() else [batch_headline(self.batches)])]
        ]

    # --- parts ---------------------------------------------------------------------------------------

    def _meanings(self) -> Mapping[str, str]:
        return {way.name: way.meaning for way in self.ways}

    def _chosen(self, name: str) -> str:
        chosen = name or next(iter(self.held))
        if chosen not in self.held:
            why = self.not_installed.get(chosen)
            raise NoDataError(
                f"'{chosen}' was not measured" + (f": {why}." if why else "."),
                hint=f"one of: {', '.join(self.held)}.",
            )
        return chosen


def _sizes(text: str) -> list[int]:
    """Numbers of inputs, rising.  Raises ``UsageError``."""
    words = [word.strip() for word in str(text).split(",") if word.strip()]
    sizes = [int(word) for word in words if word.isdigit() and 1 <= int(word) <= _MOST_INPUTS]
    if len(sizes) != len(words):
        raise UsageError(
            f"batches={text!r} is no list of numbers of inputs from 1 to {_MOST_INPUTS:,}.",
            hint="-p batches=2,4,8,16",
        )
    return sorted(set(sizes))
