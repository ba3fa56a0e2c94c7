"""What did an experiment say about each hypothesis?

A first form of the statistics: counts of kills, and ranges where nothing was killed.  The verdicts:

===================  ======================  ============================================================
baseline             variant                 verdict
===================  ======================  ============================================================
any run failed       or any run failed       inconclusive
every run killed     no run killed           confirmed, rescued
every run killed     every run killed        refuted (and whether it died in the same item)
no run killed        every run killed        refuted
some runs killed     or some runs killed     inconclusive
no run killed        no run killed           by the metric: confirmed if every pair fell by ``expected_drop``
                                             and the ranges do not overlap (with one run each: if it fell by
                                             that and by 10 %); refuted if the median pair fell by less than
                                             half of it; else inconclusive
===================  ======================  ============================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import polars as pl

from diagtools.errors import NoDataError, UsageError
from diagtools.redact import redact_text
from diagtools.units import format_share
from diagtools.values import Effect, Hypothesis, Outcome, Verdict

_SINGLE_RUN_DROP = 0.10
_NOTABLE_DROP = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arm:
    """The runs of one variant: how they ended, where they died, and the metric of each pair."""

    name: str
    n: int
    n_killed: int
    n_failed: int
    died_in: frozenset[str]
    all_deaths_known: bool
    by_pair: dict[int, float]

    @property
    def value(self) -> float | None:
        return median(self.by_pair.values()) if self.by_pair else None

    @property
    def is_killed(self) -> bool:
        """Was every run killed?"""
        return self.n_killed == self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Variant over baseline minus one: the median pair and the range; null where both are lower bounds."""

    median: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    verdict: Verdict
    reason: str


def effects(pairs: pl.DataFrame, hypotheses: Sequence[Hypothesis], *, baseline: str) -> list[Effect]:
    """Which suspicions did the experiment confirm, which did it refute, and by how much?

    ``pairs`` is PAIRS, ``baseline`` the name of the variant that changes nothing; one Effect a hypothesis, in
    their order.  The table at the top of this module has the rules; every reason names its numbers.  Values of
    killed runs are lower bounds.  Raises ``NoDataError`` where a variant has no runs and ``UsageError`` where
    nothing measured the metric.
    """
    return [_effect(pairs, hypothesis, baseline) for hypothesis in hypotheses]


def _effect(pairs: pl.DataFrame, hypothesis: Hypothesis, baseline: str) -> Effect:
    _require_metric(pairs, hypothesis)
    before = _arm(pairs, baseline, hypothesis.metric)
    after = _arm(pairs, hypothesis.variant, hypothesis.metric)
    change = _change(before, after)
    same_item = _same_item(before, after)
    ruling = _ruling(before, after, change, hypothesis, same_item)
    fell = (
        _fallen(pairs, hypothesis, baseline) if ruling.verdict is Verdict.REFUTED and before.n_killed else ""
    )
    return Effect(
        hypothesis=hypothesis,
        verdict=ruling.verdict,
        reason=ruling.reason + fell,
        n_baseline=before.n,
        n_baseline_killed=before.n_killed,
        n_variant=after.n,
        n_variant_killed=after.n_killed,
        baseline_value=before.value,
        variant_value=after.value,
        baseline_is_bound=before.n_killed > 0,
        variant_is_bound=after.n_killed > 0,
        change_share=change.median,
        low_share=change.low,
        high_share=change.high,
        rescued=before.is_killed and after.n_killed == 0 and after.n_failed == 0,
        same_item=same_item,
    )


# --- what was measured -------------------------------------------------------------------------------


def _require_metric(pairs: pl.DataFrame, hypothesis: Hypothesis) -> None:
    known = sorted(set(pairs["metric"]))
    if hypothesis.metric not in known:
        raise UsageError(
            f"The metric {hypothesis.metric!r} of {hypothesis.name!r} was not measured.",
            hint=f"measured were: {', '.join(known) or 'none'}.",
        )


def _arm(pairs: pl.DataFrame, variant: str, metric: str) -> _Arm:
    mine = pairs.filter(pl.col("variant") == variant)
    runs = mine.unique("run", maintain_order=True)
    if runs.is_empty():
        known = ", ".join(sorted(set(pairs["variant"]))) or "none"
        raise NoDataError(f"The variant {variant!r} has no runs.", hint=f"variants that ran: {known}.")
    killed = runs.filter(pl.col("outcome") == Outcome.KILLED)
    measured = mine.filter(pl.col("metric") == metric).drop_nulls("value").sort("pair", "order")
    return _Arm(
        name=variant,
        n=runs.height,
        n_killed=killed.height,
        n_failed=runs.filter(pl.col("outcome") == Outcome.FAILED).height,
        died_in=frozenset(killed["item_in_flight"].drop_nulls()),
        all_deaths_known=killed["item_in_flight"].null_count() == 0,
        by_pair=dict(measured.select("pair", "value").iter_rows()),
    )


def _change(before: _Arm, after: _Arm) -> _Change:
    """By how much did the metric change, pair by pair (or against the median where a pair is not whole)?"""
    usual = before.value
    if (before.n_killed and after.n_killed) or usual is None or not after.by_pair:
        return _Change()
    bases = [(before.by_pair.get(pair, usual), value) for pair, value in after.by_pair.items()]
    if any(base <= 0 for base, _ in bases):
        return _Change()
    changes = [value / base - 1 for base, value in bases]
    return _Change(median=median(changes), low=min(changes), high=max(changes))


def _same_item(before: _Arm, after: _Arm) -> bool | None:
    """Did every killed run of the variant die where the baseline died?  Null where not all is known."""
    is_known = before.died_in and after.died_in and before.all_deaths_known and after.all_deaths_known
    return after.died_in <= before.died_in if is_known else None


# --- what that says ----------------------------------------------------------------------------------


def _ruling(
    before: _Arm, after: _Arm, change: _Change, hypothesis: Hypothesis, same_item: bool | None
) -> _Ruling:
    failed = [arm for arm in (before, after) if arm.n_failed]
    if failed:
        lines = " and ".join(f"{arm.n_failed} of {_runs(arm)} of {arm.name!r} failed" for arm in failed)
        return _Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"{lines}: neither finished nor killed.")
    if before.n_killed == 0 and after.n_killed == 0:
        return _by_metric(before, after, change, hypothesis)
    return _by_kills(before, after, same_item)


def _by_kills(before: _Arm, after: _Arm, same_item: bool | None) -> _Ruling:
    counts = (
        f"killed in {before.n_killed} of {_runs(before)} as it was and in {after.n_killed} of {_runs(after)} "
        "with the change"
    )
    if before.is_killed and after.n_killed == 0:
        return _Ruling(verdict=Verdict.CONFIRMED, reason=f"Rescued: {counts}.")
    if before.is_killed and after.is_killed:
        return _Ruling(verdict=Verdict.REFUTED, reason=f"Still {counts}{_where(before, after, same_item)}.")
    if before.n_killed == 0 and after.is_killed:
        return _Ruling(verdict=Verdict.REFUTED, reason=f"The change makes it worse: {counts}.")
    return _Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"Mixed: {counts}.")


def _where(before: _Arm, after: _Arm, same_item: bool | None) -> str:
    if same_item is None:
        return ""
    if same_item:
        return f"; it died in the same item, {_names(after)}"
    return f"; it died in {_names(after)} instead of {_names(before)}: moved, not prevented"


def _by_metric(before: _Arm, after: _Arm, change: _Change, hypothesis: Hypothesis) -> _Ruling:
    if change.median is None or change.low is None or change.high is None:
        return _Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"{hypothesis.metric} is not known for both.")
    n = min(len(before.by_pair), len(after.by_pair))
    fell = -change.median
    needed = hypothesis.expected_drop if n > 1 else max(hypothesis.expected_drop, _SINGLE_RUN_DROP)
    is_apart = max(after.by_pair.values()) < min(before.by_pair.values())
    told = (
        f"{hypothesis.metric} {_changed(change)}, at least {format_share(needed)} less was expected (n = {n})"
    )
    if -change.high >= needed and is_apart:
        return _Ruling(verdict=Verdict.CONFIRMED, reason=f"Confirmed: {told}.")
    if fell < hypothesis.expected_drop / 2:
        return _Ruling(verdict=Verdict.REFUTED, reason=f"Too little: {told}.")
    overlap = "" if is_apart else "; the ranges overlap"
    return _Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"Not clear: {told}{overlap}.")


def _fallen(pairs: pl.DataFrame, hypothesis: Hypothesis, baseline: str) -> str:
    """Which other figures fell all the same?  That is what a plausible wrong theory looks like."""
    fallen = []
    for metric in sorted(set(pairs["metric"]) - {hypothesis.metric}):
        before, after = _arm(pairs, baseline, metric).value, _arm(pairs, hypothesis.variant, metric).value
        if (
            metric.endswith("_bytes")
            and before
            and after is not None
            and after <= before * (1 - _NOTABLE_DROP)
        ):
            fallen.append(f"{metric} by {format_share(1 - after / before)}")
    return f" Yet it lowered {' and '.join(fallen)}: it looked like the fix." if fallen else ""


def _changed(change: _Change) -> str:
    if change.median is None or change.low is None or change.high is None:
        return "is not known"
    word = "fell" if change.median < 0 else "rose"
    low, high = sorted((abs(change.low), abs(change.high)))
    is_one_way = change.low * change.high >= 0
    spread = f"{format_share(low)} to {format_share(high)}"
    if not is_one_way:
        spread = f"{format_share(change.low)} to +{format_share(change.high)}"
    return f"{word} by {format_share(abs(change.median))}" + (
        f" ({spread})" if change.low != change.high else ""
    )


def _runs(arm: _Arm) -> str:
    return f"{arm.n} run{'s' if arm.n != 1 else ''}"


def _names(arm: _Arm) -> str:
    return " or ".join(repr(redact_text(name)) for name in sorted(arm.died_in))
