"""What did a search among releases find, in sentences?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagtools.analyse.amounts import plain
from diagtools.analyse.bisect import Search, Side
from diagtools.analyse.sides import Judged, in_words
from diagtools.values import Finding

_MOST_NAMED = 4


def answer(package: str, metric: str, search: Search, judged: Mapping[str, Judged]) -> Finding:
    """Which release is the first bad, or the first good one, or between which does it lie and why?

    ``judged`` has what each release that was tried is like.
    """
    kind = judged[search.releases[-1]].side
    if search.left:
        candidates = [*search.left, search.new]
        why = _why([one for one in search.left if one in judged], search.untried, judged)
        sentence = f"The first {kind} release of {package} is {_either(candidates)}: {why}."
        return Finding(sentence=sentence, value=len(candidates), unit="releases")
    old, new = (_value(judged[one], metric) for one in (search.old, search.new))
    moved = f"{plain(metric)} is {old} with {search.old} and {new} with {search.new}"
    return Finding(sentence=f"{package} {search.new} is the first {kind} release: {moved}.")


def assumed(search: Search) -> list[Finding]:
    """What was taken for granted?  Releases that were not tried are held to be like their neighbours."""
    n = len(search.releases) - len(search.sides)
    if not n:
        return []
    were = "was" if n == 1 else "were"
    ways = (
        f"{n} of the {len(search.releases)} releases {were} not tried. That holds where the number moved once: where "
        "it moved there and back again among them, this is one of the moves"
    )
    return [Finding(sentence=f"{ways}.", value=n, unit="releases")]


def in_between(metric: str, search: Search, judged: Mapping[str, Judged]) -> list[Finding]:
    """Which releases are like neither end, and what does that say?"""
    unclear = [one for one in search.left if one in judged and judged[one].side is Side.UNCLEAR]
    named = ", ".join(f"{one} ({_value(judged[one], metric)})" for one in unclear[:_MOST_NAMED])
    if not unclear:
        return []
    which = "lies" if len(unclear) == 1 else "lie"
    return [
        Finding(
            sentence=f"{named} {which} between the two: the number moved in more than one step, or varies."
        )
    ]


def also_changed(
    package: str, search: Search, brought: Mapping[str, Sequence[tuple[str, str]]]
) -> list[Finding]:
    """What else differs between the two releases at which the number moved?

    ``brought`` are the distributions that an overlay has beside the release itself, as it needs other versions of them.
    """
    old, new = dict(brought.get(search.old, ())), dict(brought.get(search.new, ()))
    differing = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if not differing:
        return []
    named = ", ".join(
        f"{name} {old.get(name, 'as installed')} → {new.get(name, 'as installed')}" for name in differing
    )
    needed = f"because {package} needs it: {named}. It may be the cause."
    sentence = f"With {search.new} something else differs too, {needed}"
    return [Finding(sentence=sentence, value=len(differing), unit="packages")]


def _why(passed_over: Sequence[str], untried: Sequence[str], judged: Mapping[str, Judged]) -> str:
    """Why a range is left."""
    said = []
    for side, words in ((Side.BROKEN, "cannot be run"), (Side.UNCLEAR, "cannot be told")):
        names = [one for one in passed_over if judged[one].side is side]
        if names:
            reason = judged[names[0]].reason.rstrip(".")
            said.append(f"{_listed(names)} {words}" + (f" ({reason})" if reason else ""))
    if untried:
        said.append(f"{_listed(untried)} {'was' if len(untried) == 1 else 'were'} not tried")
    return " and ".join(said)


def _value(judged: Judged, metric: str) -> str:
    if judged.seen is None:
        return str(judged.side)
    return "more than the limit" if judged.seen.is_killed else in_words(judged.seen.value, metric)


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:_MOST_NAMED])
    more = [f"{len(names) - len(shown)} more"] if len(names) > len(shown) else []
    *some, last = [*shown, *more]
    return f"{', '.join(some)} and {last}" if some else last


def _either(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMED:
        return f"one of the {len(names)} from {names[0]} to {names[-1]}"
    *some, last = names
    return f"{', '.join(some)} or {last}" if some else last
