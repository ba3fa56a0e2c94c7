"""Did a metric move, and after how many pairs is that sure?

Pairs are looked at after 10, 20 and 40.  Whoever looks three times finds something by chance three times as often, so
each look spends its share of the error that is allowed in all (0.5 %): the sum of the shares is a bound whatever the
noise looks like.  A comparison ends at the first look that tells: the metric moved (the signed-rank test says so, and
by more than what matters), or it did not (the interval lies within what matters), which saves the other pairs.
Several comparisons at once share the error by Holm's correction.

Pure: the same pairs give the same decisions, however often they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, inf, isinf, log, log1p
from statistics import median

import polars as pl

from diagtools.analyse.pair_changes import pair_changes
from diagtools.analyse.signed_rank import Chances, Shift, holm, shift, sign_test, signed_rank
from diagtools.values import Hypothesis, Moved, Outcome

FALSE_ALARMS = 0.005  #: of comparisons in which nothing changed, all looks and both directions together
CONFIDENCE = 0.95
_FLOOR_BYTES = 256 * 1024.0  #: less is a matter of how an allocator rounds
_LARGEST = 700.0  #: of logarithms: what a float holds
_LEAST_SHARE, _LEAST_TIME_SHARE = 0.005, 0.05  #: times vary by 1–80 % from run to run, memory by 0.15 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """After how many pairs is looked, and which share of the error does each look spend?  The shares sum to 1.

    A null is a look after all of them, however many: for pairs whose number did not depend on what they said.
    """

    n_pairs: tuple[int | None, ...]
    shares: tuple[float, ...]


#: Ten pairs that all go one way have a p of 0.00195, two-sided: 40 % of 0.5 % lets them decide.
GATE = Looks(n_pairs=(10, 20, 40), shares=(0.40, 0.26, 0.34))
AT_THE_END = Looks(n_pairs=(None,), shares=(1.0,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What each pair of one comparison changed, in order of time, and the least change that matters.

    ``changes`` are logarithms of variant over baseline (``is_ratio``), or differences where a value is zero or
    negative.  ±∞ is a pair in which only one side was killed: the variant (+∞) or the baseline (−∞).  Null is a
    pair that tells nothing: a value is missing, or both were killed.
    """

    changes: tuple[float | None, ...]
    least: float
    is_ratio: bool = True

    @property
    def n_telling(self) -> int:
        """How many pairs tell anything?"""
        return len(_seen(self.changes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where the metric went, and from what that follows.

    ``p`` holds whichever look it ended at, and with all that was compared at the same time.  ``change`` with its
    interval ``low``..``high`` is a share of the baseline (``is_share``), or in units of the metric; null where runs
    were killed, the interval also with too few pairs.  ``least`` is what matters, in the same unit.
    """

    moved: Moved
    p: float
    n_pairs: int
    change: float | None
    low: float | None
    high: float | None
    least: float
    is_share: bool

    @property
    def is_decided(self) -> bool:
        """Would more pairs be a waste?"""
        return self.moved is not Moved.UNKNOWN


def decisions(
    pairs: pl.DataFrame, hypotheses: Sequence[Hypothesis], *, baseline: str, looks: Looks = GATE
) -> list[Decision]:
    """Where did the metric of each hypothesis go, as far as the pairs tell until now?

    ``pairs`` is PAIRS, ``baseline`` the variant that changes nothing.  One Decision a hypothesis, in their order.
    """
    found = [series(changes_of(pairs, one, baseline), one) for one in hypotheses]
    return decide(found, looks=looks)


def next_look(n_pairs: int, found: Sequence[Decision], *, looks: Looks = GATE) -> int | None:
    """Up to how many pairs is to be run before the next look?  Null where all is decided, or no look is left."""
    if found and all(one.is_decided for one in found):
        return None
    return next((n for n in looks.n_pairs if n is not None and n > n_pairs), None)


def decide(compared: Sequence[Series], *, looks: Looks = GATE) -> list[Decision]:
    """Where did each of these go?  They are one family: the chance that any of them is a false alarm is bounded."""
    found = [_undecided(one) for one in compared]
    lowest = [1.0] * len(compared)
    for n, share in zip(looks.n_pairs, looks.shares, strict=True):
        seen = [_seen(one.changes[:n]) if len(one.changes) >= (n or 0) else [] for one in compared]
        lowest = [min(p, _chances(one).either / share) for p, one in zip(lowest, seen, strict=True)]
        for at, (p, changes) in enumerate(zip(holm(lowest), seen, strict=True)):
            if changes and not found[at].is_decided:
                found[at] = _decision(compared[at], changes, p, share)
    return found


def changes_of(pairs: pl.DataFrame, hypothesis: Hypothesis, baseline: str) -> pl.DataFrame:
    """What did each pair change of this hypothesis's metric?  PAIR_CHANGES."""
    return pair_changes(pairs, variant=hypothesis.variant, metric=hypothesis.metric, baseline=baseline)


def series(changes: pl.DataFrame, hypothesis: Hypothesis) -> Series:
    """What is tested: ``changes`` is PAIR_CHANGES of one comparison, ``hypothesis`` says what matters of it."""
    share, floor = least_share(hypothesis), least_amount(hypothesis)
    both = changes.drop_nulls("change").select("baseline_value", "variant_value")
    bases = both["baseline_value"].to_list()
    if any(value <= 0 for value in [*bases, *both["variant_value"]]):
        usual = median(map(abs, bases)) * share
        return Series(changes=_ordered(changes, is_ratio=False), least=max(floor, usual), is_ratio=False)
    of_floor = floor / median(bases) if bases else 0.0
    return Series(changes=_ordered(changes, is_ratio=True), least=log1p(max(share, of_floor)))


def least_share(hypothesis: Hypothesis) -> float:
    """Which change matters, as a share?  Half a percent of memory, five of a time, or what the hypothesis says."""
    if hypothesis.min_effect_share is not None:
        return hypothesis.min_effect_share
    return _LEAST_TIME_SHARE if hypothesis.metric.endswith("_s") else _LEAST_SHARE


def least_amount(hypothesis: Hypothesis) -> float:
    """Which change matters, in units of the metric?  256 KiB of memory, or what the hypothesis says."""
    return least_amount_of(hypothesis.metric) if hypothesis.floor is None else hypothesis.floor


def least_amount_of(metric: str) -> float:
    """Which change matters of any metric of this name, in its own units?  Bytes *per* something have no floor."""
    return _FLOOR_BYTES if metric.endswith("_bytes") and "per_" not in metric else 0.0


def _ordered(changes: pl.DataFrame, *, is_ratio: bool) -> tuple[float | None, ...]:
    found: list[float | None] = []
    for row in changes.iter_rows(named=True):
        before, after = (row[f"{side}_outcome"] == Outcome.KILLED for side in ("baseline", "variant"))
        if before or after:
            found.append(None if before and after else inf if after else -inf)
        elif row["change"] is None or not is_ratio:
            found.append(row["change"])
        else:
            found.append(log(row["variant_value"]) - log(row["baseline_value"]))
    return tuple(found)


def _seen(changes: Sequence[float | None]) -> list[float]:
    return [change for change in changes if change is not None]


def _chances(changes: Sequence[float]) -> Chances:
    """Signed ranks; where runs were killed the sign test of the pairs in which only one side was."""
    killed = [change for change in changes if isinf(change)]
    if killed:
        return sign_test(sum(change < 0 for change in killed), sum(change > 0 for change in killed))
    return signed_rank(changes)


def _decision(compared: Series, changes: Sequence[float], p: float, share: float) -> Decision:
    is_killed = any(map(isinf, changes))
    found = None if is_killed else shift(changes, confidence=1 - (1 - CONFIDENCE) * share)
    shown = _as_share if compared.is_ratio else float
    return Decision(
        moved=_direction(changes, p) if found is None else _moved(found, compared.least, p),
        p=p,
        n_pairs=len(changes),
        change=None if found is None else shown(found.estimate),
        low=None if found is None or found.low is None else shown(found.low),
        high=None if found is None or found.high is None else shown(found.high),
        least=shown(compared.least),
        is_share=compared.is_ratio,
    )


def _as_share(ratio: float) -> float:
    """A logarithm of variant over baseline as a share; a number that a program printed may be of any size."""
    return expm1(min(ratio, _LARGEST))


def _moved(found: Shift, least: float, p: float) -> Moved:
    if p <= FALSE_ALARMS and abs(found.estimate) >= least:
        return Moved.LOWER if found.estimate < 0 else Moved.HIGHER
    if found.low is not None and found.high is not None and -least < found.low <= found.high < least:
        return Moved.SAME
    return Moved.UNKNOWN


def _direction(changes: Sequence[float], p: float) -> Moved:
    """Which side was killed more often, if that is no chance?"""
    if p > FALSE_ALARMS:
        return Moved.UNKNOWN
    n_more = sum(1 if change > 0 else -1 for change in changes if isinf(change))
    return Moved.HIGHER if n_more > 0 else Moved.LOWER


def _undecided(compared: Series) -> Decision:
    return Decision(
        moved=Moved.UNKNOWN,
        p=1.0,
        n_pairs=compared.n_telling,
        change=None,
        low=None,
        high=None,
        least=_as_share(compared.least) if compared.is_ratio else compared.least,
        is_share=compared.is_ratio,
    )
