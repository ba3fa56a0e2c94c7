"""What did an experiment say about each hypothesis?

The pairs are made what can be judged here: how the runs of each variant ended, what each pair changed, and where pairs
are enough an interval and a p.  ``analyse.ruling`` has the rules, ``analyse.sequential`` the statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isinf, log2
from statistics import median

import polars as pl

from diagtools.analyse import sequential
from diagtools.analyse.amounts import plain
from diagtools.analyse.conditions import is_condition, without_cold_times
from diagtools.analyse.pair_changes import is_number
from diagtools.analyse.ruling import FEWEST_FOR_AN_INTERVAL, Arm, Change, Ruling, ruling
from diagtools.analyse.sequential import AT_THE_END, Decision, Looks
from diagtools.errors import NoDataError, UsageError
from diagtools.units import format_share
from diagtools.values import Effect, Hypothesis, Moved, Outcome, Verdict

_NOTABLE_DROP = 0.10
_FEWEST_TO_MOVE = 3
_FEWEST_TO_COMPARE, _OF_TWO_PAIRS = 2, 3.0


def effects(
    pairs: pl.DataFrame,
    hypotheses: Sequence[Hypothesis],
    *,
    baseline: str,
    looks: Looks = AT_THE_END,
    not_applied: Mapping[str, str] | None = None,
    changed_output: Mapping[str, str] | None = None,
) -> list[Effect]:
    """Which suspicions did the experiment confirm, which did it refute, and by how much?

    ``pairs`` is PAIRS, ``baseline`` the name of the variant that changes nothing; one Effect a hypothesis, in
    their order.  Values of killed runs are lower bounds.  All hypotheses with ten pairs and more are one family: their
    p are corrected for each other, and for the ``looks`` at which the experiment might have ended.
    ``not_applied`` says of variants that never became what they were to be why: nothing follows from their runs.
    ``changed_output`` says of variants what they printed first that the program as it is does not; without it nobody
    compared.  Times of runs that read from disk what later ones found in the page cache are not compared.
    Raises ``NoDataError`` where a variant has no runs and ``UsageError`` where nothing measured the metric.
    """
    missed = not_applied or {}
    tested = [hypothesis for hypothesis in hypotheses if hypothesis.variant not in missed]
    for hypothesis in tested:
        _require_metric(pairs, hypothesis)
    pairs = without_cold_times(pairs)
    decided = _decided(pairs, tested, baseline, looks)
    n_tested = max(len(tested), 1)
    found = [
        _not_applied(pairs, hypothesis, baseline, missed[hypothesis.variant])
        if hypothesis.variant in missed
        else _effect(pairs, hypothesis, baseline, decided.get(hypothesis), n_tested)
        for hypothesis in hypotheses
    ]
    return [_with_output(effect, changed_output) for effect in found]


def _effect(
    pairs: pl.DataFrame, hypothesis: Hypothesis, baseline: str, decision: Decision | None, n_tested: int
) -> Effect:
    before = _arm(pairs, baseline, hypothesis.metric)
    after = _arm(pairs, hypothesis.variant, hypothesis.metric)
    change = _change(before, after, hypothesis, decision, n_tested)
    same_item = _same_item(before, after)
    ruled = ruling(before, after, change, hypothesis, same_item)
    if ruled.verdict is Verdict.REFUTED and before.n_killed:
        ruled = replace(ruled, reason=ruled.reason + _fallen(pairs, hypothesis, baseline))
    return _told(before, after, change, hypothesis, ruled, same_item=same_item)


def _not_applied(pairs: pl.DataFrame, hypothesis: Hypothesis, baseline: str, why: str) -> Effect:
    """The effect of a change that never reached the program: its runs are shown and prove nothing."""
    before = _arm(pairs, baseline, hypothesis.metric)
    after = _arm(pairs, hypothesis.variant, hypothesis.metric, may_lack=True)
    ruled = Ruling(
        verdict=Verdict.INCONCLUSIVE, reason=f"Not tested: the change was not applied: {why.rstrip('.')}."
    )
    return replace(_told(before, after, Change(), hypothesis, ruled), applied=False, rescued=False)


def _told(
    before: Arm,
    after: Arm,
    change: Change,
    hypothesis: Hypothesis,
    ruled: Ruling,
    *,
    same_item: bool | None = None,
) -> Effect:
    return Effect(
        hypothesis=hypothesis,
        verdict=ruled.verdict,
        reason=ruled.reason,
        n_baseline=before.n,
        n_baseline_killed=before.n_killed,
        n_variant=after.n,
        n_variant_killed=after.n_killed,
        baseline_value=before.value,
        variant_value=after.value,
        baseline_is_bound=before.n_killed > 0,
        variant_is_bound=after.n_killed > 0,
        change_share=change.share,
        low_share=change.low,
        high_share=change.high,
        rescued=before.is_killed and after.n_killed == 0 and after.n_failed == 0,
        same_item=same_item,
        p=change.p,
        n_pairs=change.n_pairs,
        is_interval=change.is_interval,
        moved=change.moved,
    )


def _with_output(effect: Effect, changed: Mapping[str, str] | None) -> Effect:
    """A mend that changes the answer is none: the verdict stands, and the reason says so."""
    if changed is None or not effect.applied:
        return effect
    difference = changed.get(effect.hypothesis.variant)
    if difference is None:
        return replace(effect, same_output=True)
    reason = f"{effect.reason} Its output differs: {difference.rstrip('.')}."
    return replace(effect, same_output=False, reason=reason)


# --- what was measured -------------------------------------------------------------------------------


def _require_metric(pairs: pl.DataFrame, hypothesis: Hypothesis) -> None:
    known = sorted(set(pairs["metric"]))
    if hypothesis.metric not in known:
        raise UsageError(
            f"The metric {hypothesis.metric!r} of {hypothesis.name!r} was not measured.",
            hint=f"measured were: {', '.join(known) or 'none'}.",
        )


def _arm(pairs: pl.DataFrame, variant: str, metric: str, *, may_lack: bool = False) -> Arm:
    mine = pairs.filter(pl.col("variant") == variant)
    runs = mine.unique("run", maintain_order=True)
    if runs.is_empty() and not may_lack:
        known = ", ".join(sorted(set(pairs["variant"]))) or "none"
        raise NoDataError(f"The variant {variant!r} has no runs.", hint=f"variants that ran: {known}.")
    killed = runs.filter(pl.col("outcome") == Outcome.KILLED)
    measured = mine.filter((pl.col("metric") == metric) & is_number("value")).sort("pair", "order")
    return Arm(
        name=variant,
        n=runs.height,
        n_killed=killed.height,
        n_failed=runs.filter(pl.col("outcome") == Outcome.FAILED).height,
        died_in=frozenset(killed["item_in_flight"].drop_nulls()),
        all_deaths_known=killed["item_in_flight"].null_count() == 0,
        by_pair=dict(measured.select("pair", "value").iter_rows()),
    )


def _decided(
    pairs: pl.DataFrame, hypotheses: Sequence[Hypothesis], baseline: str, looks: Looks
) -> dict[Hypothesis, Decision]:
    """Where did the metrics go for which there are pairs enough?"""
    found = {}
    for hypothesis in hypotheses:
        series = sequential.series(sequential.changes_of(pairs, hypothesis, baseline), hypothesis)
        if series.n_telling >= FEWEST_FOR_AN_INTERVAL:
            found[hypothesis] = series
    return dict(zip(found, sequential.decide(list(found.values()), looks=looks), strict=True))


def _change(
    before: Arm, after: Arm, hypothesis: Hypothesis, decision: Decision | None, n_tested: int
) -> Change:
    """By how much did the metric change: with an interval where there are pairs enough, else with their range?"""
    by_range = _by_range(before, after, hypothesis, n_tested)
    if decision is None:
        return by_range
    known = replace(by_range, n_pairs=decision.n_pairs, p=decision.p, moved=decision.moved)
    if decision.is_share and decision.low is not None:
        return replace(known, share=decision.change, low=decision.low, high=decision.high, is_interval=True)
    return known


def _by_range(before: Arm, after: Arm, hypothesis: Hypothesis, n_tested: int) -> Change:
    """By how much did the metric change, pair by pair (or against the median where a pair is not whole)?"""
    n = min(len(before.by_pair), len(after.by_pair))
    usual = before.value
    if (before.n_killed and after.n_killed) or usual is None or not after.by_pair:
        return Change(n_pairs=n)
    bases = [(before.by_pair.get(pair, usual), value) for pair, value in after.by_pair.items()]
    if any(base <= 0 or isinf(value / base) for base, value in bases):
        return Change(n_pairs=n, difference=median(value - base for base, value in bases))
    changes = [value / base - 1 for base, value in bases]
    change = Change(
        n_pairs=n,
        share=median(changes),
        low=min(changes),
        high=max(changes),
        is_apart=_is_below(after, before, n, n_tested),
        least=max(sequential.least_share(hypothesis), sequential.least_amount(hypothesis) / usual),
    )
    is_known = not before.n_killed and not after.n_killed
    return replace(change, moved=_moved(before, after, change, n_tested)) if is_known else change


def _moved(before: Arm, after: Arm, change: Change, n_tested: int) -> Moved:
    """Where did it go, as far as few pairs tell: only what lies further apart than either side spreads?

    With three pairs of mere noise that happens in 0.8 % (normal noise, simulated), with more less often.
    """
    if change.n_pairs < _FEWEST_TO_MOVE or change.low is None or change.high is None:
        return Moved.UNKNOWN
    low, high = sorted((before, after), key=lambda arm: arm.value or 0.0)
    is_clear = _is_below(low, high, change.n_pairs, n_tested)
    if not is_clear or min(abs(change.low), abs(change.high)) < change.least:
        return Moved.UNKNOWN
    return Moved.LOWER if low is after else Moved.HIGHER


def _is_below(low: Arm, high: Arm, n_pairs: int, n_tested: int) -> bool:
    """Is every run of one side so far below those of the other that noise alone hardly does that?

    The gap must be wider than either side spreads, and wider the more is tested at once: of mere noise (uniform from 20
    to 70, simulated) 0.7 % of comparisons of three pairs are, and 1.6 % of two pairs, for which it takes three times.
    """
    if n_pairs < _FEWEST_TO_COMPARE:
        return False
    gap = min(high.by_pair.values()) - max(low.by_pair.values())
    times = (_OF_TWO_PAIRS if n_pairs == _FEWEST_TO_COMPARE else 1.0) * (1 + log2(n_tested))
    return gap > 0 and gap > times * max(_spread(low), _spread(high))


def _spread(arm: Arm) -> float:
    values = arm.by_pair.values()
    return max(values) - min(values)


def _same_item(before: Arm, after: Arm) -> bool | None:
    """Did every killed run of the variant die where the baseline died?  Null where not all is known."""
    is_known = before.died_in and after.died_in and before.all_deaths_known and after.all_deaths_known
    return after.died_in <= before.died_in if is_known else None


def _fallen(pairs: pl.DataFrame, hypothesis: Hypothesis, baseline: str) -> str:
    """Which other figures fell all the same?  That is what a plausible wrong theory looks like."""
    fallen = []
    others = sorted(set(pairs["metric"]) - {hypothesis.metric})
    for metric in (one for one in others if one.endswith("_bytes") and not is_condition(one)):
        before, after = _arm(pairs, baseline, metric).value, _arm(pairs, hypothesis.variant, metric).value
        if before and after is not None and after <= before * (1 - _NOTABLE_DROP):
            fallen.append(f"{plain(metric)} by {format_share(1 - after / before)}")
    return f" Yet it lowered {' and '.join(fallen)}: it looked like the fix." if fallen else ""
