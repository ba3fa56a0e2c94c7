"""A command against itself with one change at a time: what does each change do to memory, and how sure is that?"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt

from diagtools.analyse.conditions import conditions
from diagtools.analyse.interaction import interaction
from diagtools.analyse.metrics import PEAK, Metric
from diagtools.analyse.movement import movement
from diagtools.capture.folder import store, unused
from diagtools.errors import BudgetBreached, DiagtoolsError, NoDataError, UsageError
from diagtools.investigations.case import ExperimentCase
from diagtools.investigations.changes import Change, together
from diagtools.investigations.command import as_target
from diagtools.investigations.experiment import BASELINE, Experiment, Variant
from diagtools.investigations.gate import run_to_a_decision
from diagtools.investigations.parameters import whole
from diagtools.investigations.progress import Progress
from diagtools.investigations.trials import outcome
from diagtools.present.charts.effects import theories_chart
from diagtools.present.charts.pairs import pairs_chart
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.present.text import sentences
from diagtools.present.verdicts import verdicts_table
from diagtools.redact import redact_argv, redact_text
from diagtools.values import Effect, Finding, Moved, Target

QUICK_PAIRS = 3


class AbCase(ExperimentCase):
    """The experiment of one command and some changes; ``run`` makes the pairs.

    ``command`` is a command line or a ``Target``, ``metrics`` are words such as ``peak``, ``kept:PHASE`` or
    ``printed:NAME`` (``analyse.metrics``).  With ``both`` all changes at once are one more variant.  A change that
    cannot be made (an unknown version, a package that does not build) is said and left out; alone it raises its error.
    """

    def __init__(
        self,
        command: Target | Sequence[str] | str,
        changes: Sequence[Change],
        *,
        metrics: Sequence[str] = ("peak",),
        both: bool = False,
        limit: str | None = None,
        in_fresh_folder: bool = False,
        folder: Path | None = None,
        seed: int = 0,
    ) -> None:
        target = as_target(command, limit)
        if not changes:
            raise UsageError(
                "There is nothing to compare the command with.",
                hint="--env NAME=VALUE, --without PKG, --with PKG==VERSION, --patch FILE, or --stock allocator.",
            )
        single = _named_apart(changes)
        self._single = [change.name for change in single]
        wanted = [*single, together(single)] if both else single
        self.cannot_run: dict[str, str] = {}
        variants = self._variants(wanted, target)
        command_line = shlex.join(redact_argv(target.argv))
        super().__init__(
            question=f"What lowers {' and '.join(Metric.parse(name).name for name in metrics)} of `{command_line}`?",
            experiment=Experiment(
                baseline=target,
                variants=variants,
                metrics=metrics or (PEAK,),
                folder=folder or unused(store() / f"ab-{Path(target.argv[0]).name}"),
                seed=seed,
                in_fresh_folder=in_fresh_folder,
            ),
        )
        self.experiment.cannot_run.update(self.cannot_run)

    def _variants(self, changes: Sequence[Change], target: Target) -> list[Variant]:
        progress, found = Progress(), []
        for change in changes:
            progress.say(f"preparing {change.name} …")
            try:
                found.append(change.variant(target))
            except DiagtoolsError as error:
                if len(changes) == 1:
                    raise
                self.cannot_run[change.name] = error.message
                found.append(Variant(name=change.name, change=change.name, target=target))
        return found

    # --- running -------------------------------------------------------------------------------------

    def try_quickly(self, pairs: int = QUICK_PAIRS) -> Prose:
        """Makes a few pairs, which show large effects, and says what they show."""
        self.experiment.run(rounds=whole("pairs", pairs), progress=Progress())
        return self.verdicts()

    def try_until_clear(self, most_pairs: int | None = None) -> Prose:
        """Makes pairs until each change is known to lower, to raise or not to change each metric (10, 20, 40)."""
        run_to_a_decision(self.experiment, most_pairs=most_pairs, progress=Progress())
        return self.verdicts()

    # --- what came of it -----------------------------------------------------------------------------

    def verdicts(self) -> Prose:
        """The verdict on each change, a sentence each."""
        return Prose(self.findings(), heading="Verdicts")

    def table(self) -> Table:
        """The verdict on each change, with its figures."""
        return verdicts_table(self.effects)

    def chart(self) -> alt.TopLevelMixin:
        """Each change's peak beside the peak as it was."""
        return theories_chart(
            [one for one in self.effects if one.hypothesis.metric == self.effects[0].hypothesis.metric]
        )

    def pairs_chart(self, variant: str | None = None, metric: str | None = None) -> alt.TopLevelMixin:
        """The change of each pair of one variant in order of time, with its range or interval."""
        wanted = [
            effect
            for effect in self.effects
            if variant in (None, effect.hypothesis.variant) and metric in (None, effect.hypothesis.metric)
        ]
        if not wanted:
            names = ", ".join(dict.fromkeys(effect.hypothesis.variant for effect in self.effects))
            raise NoDataError("No such variant was tried.", hint=f"tried were: {names}.")
        return pairs_chart(self.experiment.pairs, wanted[0], baseline=BASELINE)

    def findings(self) -> list[Finding]:
        """The verdict on each change, what two of them do together, and what to know of the machine."""
        verdicts = [Finding(sentence=sentence(effect)) for effect in self.effects]
        return [*verdicts, *self._interaction(), *self._machine()]

    def _machine(self) -> list[Finding]:
        """What of the machine's state touches the figures: times, hardly memory."""
        if not any(effect.hypothesis.metric.endswith("_s") for effect in self.effects):
            return []
        return conditions(self.experiment.pairs, n_cpus=os.cpu_count() or 1)

    def check_gate(self) -> Finding:
        """Raises ``BudgetBreached`` where a change raised a metric, or its runs were killed where others were not.

        And ``NoDataError`` where nothing is known of one: it was not applied, could not run, or failed.
        """
        unknown = [
            one
            for one in self.effects
            if not one.applied or (one.change_share is None and not one.n_variant_killed)
        ]
        if unknown:
            raise NoDataError(
                f"The gate cannot judge '{unknown[0].hypothesis.name}'. {unknown[0].reason}",
                hint="a change that comes to nothing passes no gate.",
            )
        worse = [effect for effect in self.effects if _is_worse(effect)]
        if worse:
            raise BudgetBreached(
                " ".join(f"{effect.hypothesis.name}: {movement(effect)}" for effect in worse),
                hint="diagtools compare names the lines that grew.",
            )
        return Finding(sentence="No change raised a metric.")

    def as_text(self) -> str:
        """The table of verdicts, then the sentences, for a terminal."""
        return "\n".join([*self.table().lines(), "", sentences(self.findings())])

    def as_json(self) -> dict[str, Any]:
        """What ``diagtools ab --json`` prints."""
        same = self.experiment.outputs
        effects = self.effects
        variants = [
            {
                "variant": name,
                "applied": name not in {**self.experiment.not_applied, **self.experiment.cannot_run},
                "why_not": {**self.experiment.not_applied, **self.experiment.cannot_run}.get(name),
                "outcome": _outcome(self.experiment, name),
                "same_output": same.same.get(name),
                "output": same.changed.get(name),
                "metrics": [_plain(effect) for effect in effects if effect.hypothesis.variant == name],
            }
            for name in self.experiment.variants
            if name != BASELINE
        ]
        return {**super().as_json(), "variants": variants, "runs": redact_text(str(self.experiment.folder))}

    def _interaction(self) -> list[Finding]:
        if len(self._single) != 2:
            return []
        first, second = self._single
        of = {effect.hypothesis.variant: effect for effect in reversed(self.effects)}  # by the first metric
        both = of.get(f"{first} + {second}")
        return [Finding(sentence=interaction(of[first], of[second], both).sentence)] if both else []


def ab(
    command: Target | Sequence[str] | str,
    *changes: Change,
    metrics: Sequence[str] = ("peak",),
    pairs: int = QUICK_PAIRS,
    until_clear: bool = False,
    both: bool = False,
    limit: str | None = None,
    in_fresh_folder: bool = False,
) -> AbCase:
    """What does each change do to this command?  Runs it in turn as it is and with each, in fresh processes.

    ``pairs`` pairs show large effects; ``until_clear`` makes 10, 20 or 40, which tell changes of half a percent from
    noise.  Raises as ``AbCase`` and ``Experiment.run`` do.
    """
    case = AbCase(command, changes, metrics=metrics, both=both, limit=limit, in_fresh_folder=in_fresh_folder)
    if until_clear:
        case.try_until_clear()
    else:
        case.try_quickly(pairs)
    return case


def _named_apart(changes: Sequence[Change]) -> list[Change]:
    """Two patches may have the same file name: the second one gets a number."""
    seen: Counter[str] = Counter()
    found = []
    for change in changes:
        seen[change.name] += 1
        n = seen[change.name]
        found.append(replace(change, name=f"{change.name} ({n})") if n > 1 else change)
    return found


def sentence(effect: Effect) -> str:
    """The verdict on one change, what it would mean, and the figures."""
    hypothesis = effect.hypothesis
    reason = effect.reason.removeprefix("Confirmed: ")
    verdict = f"{str(effect.verdict).upper()} ({hypothesis.name}): {hypothesis.suspicion}."
    return f"{verdict} {reason[:1].upper()}{reason[1:]}"


def _is_worse(effect: Effect) -> bool:
    is_killed = effect.n_variant_killed > 0 and effect.n_baseline_killed == 0
    return is_killed or effect.moved is Moved.HIGHER


def _outcome(experiment: Experiment, name: str) -> str:
    """How its runs ended: all alike, or how many of each."""
    usual = experiment.usual_status
    seen = Counter(outcome(run, usual) for run in experiment.runs_of(name))
    if not seen:
        return "cannot run"
    return str(next(iter(seen))) if len(seen) == 1 else ", ".join(f"{n} {one}" for one, n in seen.items())


def _plain(effect: Effect) -> dict[str, Any]:
    return {
        "metric": effect.hypothesis.metric,
        "baseline": effect.baseline_value,
        "value": effect.variant_value,
        "effect": effect.change_share,
        "low": effect.low_share,
        "high": effect.high_share,
        "is_interval": effect.is_interval,
        "pairs": effect.n_pairs,
        "p": effect.p,
        "verdict": str(effect.verdict),
        "moved": str(effect.moved),
        "reason": redact_text(effect.reason),
    }
