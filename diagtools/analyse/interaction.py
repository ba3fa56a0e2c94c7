"""Do two suspects work together?  What each change frees alone, beside what both free together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diagtools.analyse.amounts import amount, plain
from diagtools.analyse.sequential import least_amount, least_share
from diagtools.errors import UsageError
from diagtools.values import Effect

_MOSTLY = 0.15  #: of what both free: sums that meet within this are called the same


class Together(StrEnum):
    """How the effects of two changes join."""

    NEITHER = "neither"  #: not even both together free anything
    ADDITIVE = "additive"  #: each frees its own part
    TWO_HOLDERS = "two holders"  #: each alone does nothing, both together free it
    HIDDEN = "hidden"  #: one does nothing until the other is there
    MORE = "more than the sum"
    EITHER = "either"  #: the same memory: what one frees, the other cannot free again
    AGAINST = "against each other"  #: both together free less than the better one alone
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """What two changes free, each alone and together, in units of the metric (null where runs were killed).

    ``first + second + joint`` is ``both`` exactly: ``joint`` is what only the two together free (negative where
    they free the same).
    """

    together: Together
    sentence: str
    first: float | None = None
    second: float | None = None
    both: float | None = None
    joint: float | None = None


def interaction(first: Effect, second: Effect, both: Effect) -> Interaction:
    """Do these two changes add up, hide each other, or free something only together?

    ``first``, ``second`` and ``both`` are the effects of either change and of the two at once, on the same metric and
    baseline.  What lies within the ranges of the pairs, or within what matters at all, counts as nothing.
    Raises ``UsageError`` for effects on different metrics.
    """
    if len({effect.hypothesis.metric for effect in (first, second, both)}) > 1:
        raise UsageError(
            "The three effects are of different metrics.",
            hint="compare both changes and the two at once by one metric.",
        )
    if first.n_baseline_killed or any(effect.n_variant_killed for effect in (first, second, both)):
        return _by_kills(first, second, both)
    freed = [_freed(effect) for effect in (first, second, both)]
    one, other, all_freed = freed
    if one is None or other is None or all_freed is None:
        return _unknown(first, second, "not all of the three effects are known")
    together = _together(one, other, all_freed)
    return Interaction(
        together=together,
        sentence=_sentence(together, (first, one), (second, other), (both, all_freed)),
        first=one.middle,
        second=other.middle,
        both=all_freed.middle,
        joint=all_freed.middle - (one.middle + other.middle),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Freed:
    """What a change frees: the middle of its pairs, and how sure that is; ``least`` is what matters."""

    middle: float
    low: float
    high: float
    least: float

    @property
    def is_something(self) -> bool:
        return self.low > 0 and self.middle >= self.least

    def is_little(self, of: float) -> bool:
        """Is that next to nothing, alone and beside what both free?"""
        return not self.is_something or self.middle <= _MOSTLY * of


def _freed(effect: Effect) -> _Freed | None:
    base, shares = effect.baseline_value, (effect.change_share, effect.low_share, effect.high_share)
    if not effect.applied or base is None or None in shares:
        return None
    middle, high, low = (-(share or 0.0) * base for share in shares)
    least = max(least_amount(effect.hypothesis), least_share(effect.hypothesis) * base)
    return _Freed(middle=middle, low=low, high=high, least=least)


def _together(one: _Freed, other: _Freed, both: _Freed) -> Together:
    if not both.is_something:
        if one.is_something or other.is_something:
            return Together.AGAINST if both.high < max(one.low, other.low) else Together.UNKNOWN
        return Together.NEITHER if both.high < both.least else Together.UNKNOWN
    joint = both.middle - one.middle - other.middle
    unsure = (one.high - one.low + other.high - other.low + both.high - both.low) / 2
    within = max(both.least, _MOSTLY * both.middle, unsure)
    if abs(joint) <= within:
        is_told = within <= both.middle / 2
        return Together.ADDITIVE if is_told else Together.UNKNOWN
    if joint > 0:
        n_little = one.is_little(both.middle) + other.is_little(both.middle)
        return (Together.MORE, Together.HIDDEN, Together.TWO_HOLDERS)[n_little]
    best = max(one.middle, other.middle)
    return Together.AGAINST if both.middle < best - within else Together.EITHER


def _by_kills(first: Effect, second: Effect, both: Effect) -> Interaction:
    """Where runs were killed the sizes are lower bounds: who was rescued tells."""
    a, b = _name(first), _name(second)
    alone = [effect.rescued for effect in (first, second)]
    if both.rescued and not any(alone) and first.n_variant_killed and second.n_variant_killed:
        said = f"Each alone does nothing: with {a} and with {b} it was still killed. Both together rescue it"
        return Interaction(together=Together.TWO_HOLDERS, sentence=f"{said}: two holders.")
    if both.rescued and all(alone):
        return Interaction(
            together=Together.EITHER, sentence=f"Either suffices: {a} or {b} alone rescues it."
        )
    if both.rescued and any(alone):
        enough = a if alone[0] else b
        said = f"Only {enough} rescues it, with the other or without"
        return Interaction(together=Together.ADDITIVE, sentence=f"{said}.")
    if not both.rescued and not any(alone) and both.n_variant_killed == both.n_variant:
        return Interaction(together=Together.NEITHER, sentence=f"Not even {a} and {b} together rescue it.")
    return _unknown(first, second, "runs were killed, in no clear pattern")


def _unknown(first: Effect, second: Effect, why: str) -> Interaction:
    said = f"Whether {_name(first)} and {_name(second)} work together is not known: {why}."
    return Interaction(together=Together.UNKNOWN, sentence=said)


def _sentence(
    together: Together,
    first: tuple[Effect, _Freed],
    second: tuple[Effect, _Freed],
    both: tuple[Effect, _Freed],
) -> str:
    metric = both[0].hypothesis.metric
    (a, one), (b, other) = ((_name(effect), freed) for effect, freed in (first, second))
    alone = f"{a} alone {_frees(metric, one, 'frees ')}, {b} alone {_frees(metric, other)}"
    all_freed = f"both together {_frees(metric, both[1])}"
    joint = amount(metric, abs(both[1].middle - one.middle - other.middle))
    figures = f"{alone}, {all_freed} of {plain(metric)}"
    quiet, loud = (a, b) if one.is_little(both[1].middle) else (b, a)
    return {
        Together.NEITHER: f"Neither {a} nor {b} frees anything that matters, nor do both together: {figures}.",
        Together.ADDITIVE: f"They add up: {figures}.",
        Together.TWO_HOLDERS: f"Each alone does next to nothing, both together free it: {figures}. Two hold the same.",
        Together.HIDDEN: f"{_capital(quiet)} does next to nothing until {loud} is there too: {figures}.",
        Together.MORE: f"Together they free {joint} more than the sum: {figures}.",
        Together.EITHER: f"They free the same in part ({joint} of it): {figures}.",
        Together.AGAINST: f"They work against each other: {figures}.",
        Together.UNKNOWN: f"The runs vary too much to tell whether they add up: {figures}.",
    }[together]


def _frees(metric: str, freed: _Freed, verb: str = "") -> str:
    if freed.middle < -freed.least:
        return f"takes {amount(metric, -freed.middle)} more"
    return verb + (amount(metric, freed.middle) if freed.is_something else "nothing")


def _name(effect: Effect) -> str:
    return effect.hypothesis.mend or effect.hypothesis.change


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
