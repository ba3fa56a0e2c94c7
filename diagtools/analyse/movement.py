"""Where did a metric go, in one sentence, whatever anybody expected of it?"""

from __future__ import annotations

from diagtools.analyse.amounts import plain
from diagtools.analyse.sequential import least_share
from diagtools.units import format_share
from diagtools.values import Effect, Moved


def movement(effect: Effect) -> str:
    """Where did the metric go, and how sure is that?  For comparisons without a suspicion: two versions, a gate.

    ``Peak RSS rose by 1.0 % (+0.9 % to +1.2 %, 95 % interval, 10 pairs).``
    """
    name = plain(effect.hypothesis.metric)
    subject = name[:1].upper() + name[1:]
    if not effect.applied:
        return f"{subject} was not compared: the change was not applied."
    if effect.moved is Moved.UNKNOWN:
        return f"Whether {name} changed is not clear{_figures(effect)}."
    if effect.n_baseline_killed or effect.n_variant_killed:
        word = "less" if effect.moved is Moved.LOWER else "more"
        return (
            f"Runs were killed {word} often: {effect.n_variant_killed} of {effect.n_variant}, "
            f"instead of {effect.n_baseline_killed} of {effect.n_baseline}."
        )
    if effect.moved is Moved.SAME:
        least = format_share(least_share(effect.hypothesis))
        return f"{subject} did not change by {least} or more{_figures(effect)}."
    word = "fell" if effect.moved is Moved.LOWER else "rose"
    share = "" if effect.change_share is None else f" by {format_share(abs(effect.change_share))}"
    return f"{subject} {word}{share}{_figures(effect)}."


def _figures(effect: Effect) -> str:
    """The interval or range, and how many pairs that is of."""
    n = f"{effect.n_pairs} pair{'' if effect.n_pairs == 1 else 's'}"
    low, high = effect.low_share, effect.high_share
    if low is None or high is None:
        return f" ({n})"
    kind = "95 % interval" if effect.is_interval else "range"
    return f" ({_signed(low)} to {_signed(high)}, {kind}, {n})"


def _signed(share: float) -> str:
    return ("−" if share < 0 else "+" if share > 0 else "") + format_share(abs(share))
