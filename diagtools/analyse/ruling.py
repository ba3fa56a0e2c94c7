"""What do two sets of runs say about one suspicion?

The verdicts:

===================  ======================  ============================================================
baseline             variant                 verdict
===================  ======================  ============================================================
any run failed       or any run failed       inconclusive
every run killed     no run killed           confirmed, rescued
every run killed     every run killed        refuted (and whether it died in the same item)
no run killed        every run killed        refuted
some runs killed     or some runs killed     with ten pairs by the exact sign test of the pairs in which only one
                                             side was killed; with fewer inconclusive
no run killed        no run killed           by the metric:
                                             one pair: inconclusive, whatever it shows;
                                             2–9 pairs: confirmed if every pair fell by what was expected and the gap
                                             between both sides is wider than either spreads (wider yet the more is
                                             tested at once, and with two pairs); refuted if every pair fell by less
                                             than half of it, or rose, and the pairs agree;
                                             10 and more, by the interval: confirmed if all of it fell by what was
                                             expected and p ≤ 5 %, refuted if it excludes half of that
===================  ======================  ============================================================

Everything else is inconclusive, and the reason says how to be sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from diagtools.analyse.amounts import amount, plain
from diagtools.redact import redact_text
from diagtools.units import format_share
from diagtools.values import Hypothesis, Moved, Verdict

FEWEST_FOR_AN_INTERVAL = 10  #: pairs: five that all go one way have a p of 6 %, two-sided
_MOST_BY_CHANCE = 0.05  #: of all hypotheses tested together; a verdict asks for the size as well
_FEWEST_FOR_A_VERDICT = 2
_MOST_BETWEEN_PAIRS = 1.01
_TOO_SMALL = ("0 %", "0.0 %")  #: to be called a fall or a rise


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
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
        """The median of the metric."""
        return median(self.by_pair.values()) if self.by_pair else None

    @property
    def is_killed(self) -> bool:
        """Was every run killed?"""
        return self.n > 0 and self.n_killed == self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Variant over baseline minus one, with the range of the pairs, or an interval (``is_interval``).

    Null where both are lower bounds or a share says nothing; ``difference`` is then in units of the metric.
    ``is_apart``: every run with the change lies clearly below every run as it was.
    """

    n_pairs: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    p: float | None = None
    is_apart: bool = False
    least: float = 0.0
    is_interval: bool = False
    moved: Moved = Moved.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The verdict and why."""

    verdict: Verdict
    reason: str


def ruling(before: Arm, after: Arm, change: Change, hypothesis: Hypothesis, same_item: bool | None) -> Ruling:
    """What do these runs say about the hypothesis?  By the table at the top; every reason names its numbers."""
    failed = [arm for arm in (before, after) if arm.n_failed]
    if failed:
        lines = " and ".join(f"{arm.n_failed} of {_runs(arm)} of {arm.name!r} failed" for arm in failed)
        return Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"{lines}: neither finished nor killed.")
    if before.n_killed or after.n_killed:
        return _by_kills(before, after, change, same_item)
    if change.share is None or change.low is None or change.high is None:
        return Ruling(
            verdict=Verdict.INCONCLUSIVE, reason=_why_unknown(before, after, change, hypothesis.metric)
        )
    lacking = _lacking(before, after)
    if change.is_interval:
        return _by_interval(change, hypothesis, lacking)
    return _by_range(change, hypothesis, lacking)


def _by_kills(before: Arm, after: Arm, change: Change, same_item: bool | None) -> Ruling:
    counts = (
        f"killed in {before.n_killed} of {_runs(before)} as it was and in {after.n_killed} of {_runs(after)} "
        "with the change"
    )
    if before.is_killed and after.n_killed == 0:
        return Ruling(verdict=Verdict.CONFIRMED, reason=f"Rescued: {counts}.")
    if before.is_killed and after.is_killed:
        return Ruling(verdict=Verdict.REFUTED, reason=f"Still {counts}{_where(before, after, same_item)}.")
    if before.n_killed == 0 and after.is_killed:
        return Ruling(verdict=Verdict.REFUTED, reason=f"The change makes it worse: {counts}.")
    if change.p is None or change.p > _MOST_BY_CHANCE:
        chance = "" if change.p is None else f" ({_p(change.p)})"
        return Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"Mixed: {counts}{chance}.")
    if before.n_killed * after.n > after.n_killed * before.n:
        return Ruling(verdict=Verdict.CONFIRMED, reason=f"Killed less often: {counts} ({_p(change.p)}).")
    return Ruling(verdict=Verdict.REFUTED, reason=f"Killed more often: {counts} ({_p(change.p)}).")


def _by_range(change: Change, hypothesis: Hypothesis, lacking: str) -> Ruling:
    """With few pairs: large effects only, and by the range of the pairs."""
    low, high, n = change.low or 0.0, change.high or 0.0, change.n_pairs
    needed = hypothesis.expected_drop
    expected = f"at least {format_share(needed)} less was expected (n = {n})"
    told = f"{_changed(change, hypothesis.metric)}, {expected}{lacking}"
    if n < _FEWEST_FOR_A_VERDICT:
        return Ruling(
            verdict=Verdict.INCONCLUSIVE,
            reason=f"Not clear: {told}; one pair cannot tell a change from noise.",
        )
    if -high >= needed and change.is_apart:
        return Ruling(verdict=Verdict.CONFIRMED, reason=f"Confirmed: {told}.")
    is_steady = -high >= change.least
    is_noisy = high - low > _MOST_BETWEEN_PAIRS * needed
    if -low < needed / 2 and not is_steady and not is_noisy:
        return Ruling(verdict=Verdict.REFUTED, reason=f"{_too_little(change)}: {told}.")
    why = "" if change.is_apart else "; the runs of a side differ too much among themselves to be sure"
    if is_steady and -high < needed:
        why += f"; small but steady: {FEWEST_FOR_AN_INTERVAL} pairs or more would give an interval"
    return Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"Not clear: {told}{why}.")


def _by_interval(change: Change, hypothesis: Hypothesis, lacking: str) -> Ruling:
    """With pairs enough: by what the interval excludes."""
    low, high, p = change.low or 0.0, change.high or 0.0, 1.0 if change.p is None else change.p
    needed = hypothesis.expected_drop
    told = (
        f"{_changed(change, hypothesis.metric)}, at least {format_share(needed)} less was expected "
        f"(n = {change.n_pairs}, {_p(p)}){lacking}"
    )
    if -high >= needed and p <= _MOST_BY_CHANCE:
        return Ruling(verdict=Verdict.CONFIRMED, reason=f"Confirmed: {told}.")
    if -low < needed / 2:
        return Ruling(verdict=Verdict.REFUTED, reason=f"{_too_little(change)}: {told}.")
    more = "; more pairs would narrow it" if low < -needed < high else ""
    return Ruling(verdict=Verdict.INCONCLUSIVE, reason=f"Not clear: {told}{more}.")


def _too_little(change: Change) -> str:
    return "Not less" if (change.share or 0.0) > 0 else "Too little"


def _why_unknown(before: Arm, after: Arm, change: Change, metric: str) -> str:
    if change.difference is None:
        why = _lacking(before, after) or "; no pair has two values"
        return f"{plain(metric)} is not known for both{why}."
    moved = f"{'+' if change.difference > 0 else ''}{amount(metric, change.difference)}"
    return (
        f"{plain(metric)} was not above zero in every run as it was: a share of that says nothing. "
        f"The change moved it by {moved} (median of {change.n_pairs} pairs)."
    )


def _lacking(before: Arm, after: Arm) -> str:
    """Which runs have no value, although they were not killed?  A program does not always print its numbers."""
    lacking = [arm for arm in (before, after) if len(arm.by_pair) < arm.n]
    counts = " and ".join(f"in {len(arm.by_pair)} of {_runs(arm)} of {arm.name!r}" for arm in lacking)
    return f"; it was measured {counts}" if counts else ""


def _where(before: Arm, after: Arm, same_item: bool | None) -> str:
    if same_item is None:
        return ""
    if same_item:
        return f"; it died in the same item, {_names(after)}"
    return f"; it died in {_names(after)} instead of {_names(before)}: moved, not prevented"


def _changed(change: Change, metric: str) -> str:
    share, low, high = change.share or 0.0, change.low or 0.0, change.high or 0.0
    if not share and low == high:
        return f"{plain(metric)} did not change"
    if format_share(abs(share)) in _TOO_SMALL:
        word = "changed by less than 0.1 %"
    else:
        word = f"{'fell' if share < 0 else 'rose'} by {format_share(abs(share))}"
    least, most = sorted((abs(low), abs(high)))
    spread = f"{format_share(least)} to {format_share(most)}"
    if low * high < 0:
        spread = f"−{format_share(-low)} to +{format_share(high)}"
    if low == high or (low * high >= 0 and format_share(least) == format_share(most)):
        return f"{plain(metric)} {word}"
    return f"{plain(metric)} {word} ({spread}{', 95 % interval' if change.is_interval else ''})"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def _runs(arm: Arm) -> str:
    return f"{arm.n} run{'s' if arm.n != 1 else ''}"


def _names(arm: Arm) -> str:
    return " or ".join(repr(redact_text(name)) for name in sorted(arm.died_in))
