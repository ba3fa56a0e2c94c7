"""Who asked for what a leak left behind, and who keeps it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from diagtools.analyse.leak_holders import leak_holders, unheld
from diagtools.analyse.leak_sites import is_unseen, leak_sites, traced_sites
from diagtools.analyse.leaks import LeakVerdict
from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.frames import HOLDER_GROWTH, LEAK_SITES
from diagtools.investigations.leak_process import Asked, count_calls
from diagtools.investigations.profile_report import live_during
from diagtools.probes import leak_reasons
from diagtools.values import Finding, State, Tracking, Validity

_BY_LINE = "a part was asked for where no tracker looks: it is what was counted while each line ran"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """Who asked for what a leak left, and who keeps it.

    ``sites`` is LEAK_SITES, ``holders`` HOLDER_GROWTH, ``unheld`` what C code holds; ``validity`` says what of it could
    not be had.
    """

    sites: pl.DataFrame
    holders: pl.DataFrame
    unheld: tuple[Finding, ...] = ()
    validity: tuple[Validity, ...] = ()


def explanation(asked: Asked, found: LeakVerdict, folder: Path) -> Explanation:
    """Calls it again, under memray and between two snapshots of its objects, in runs below ``folder``.

    What cannot be had is said; the verdict stands without it.
    """
    doubts: list[Validity] = []
    sites, holders = LEAK_SITES.empty(), HOLDER_GROWTH.empty()
    told: tuple[Finding, ...] = ()
    with _said("sites", doubts):
        sites = _sites(asked, found, folder, doubts)
    with _said("holders", doubts):
        holders, told = _holders(asked, found, folder)
    return Explanation(sites=sites, holders=holders, unheld=told, validity=tuple(doubts))


@contextmanager
def _said(what: str, doubts: list[Validity]) -> Iterator[None]:
    try:
        yield
    except DiagtoolsError as error:
        doubts.append(_skipped(what, error))


def _skipped(what: str, error: DiagtoolsError) -> Validity:
    return Validity(what=what, state=State.SKIPPED, note=error.message)


def _sites(asked: Asked, found: LeakVerdict, folder: Path, doubts: list[Validity]) -> pl.DataFrame:
    """LEAK_SITES, by memray, or by tracemalloc where there is no memray; what neither sees is counted at every line."""
    try:
        sites_of = _by_memray(asked, found, folder)
    except DiagtoolsError as error:
        doubts.append(_skipped("sites by memray", error))
        sites_of = _by_tracemalloc(asked, found, folder)
    sites = sites_of()
    if not is_unseen(sites):
        return sites
    doubts.append(Validity(what="sites", state=State.UNDER_TRACKER, note=_BY_LINE))
    return sites_of(lines=_lines(asked, folder, doubts))


def _by_memray(asked: Asked, found: LeakVerdict, folder: Path) -> Callable[..., pl.DataFrame]:
    tracking = Tracking(native=found.is_native, python_allocators=True, follow_fork=False)
    counted = count_calls(asked, "memray", folder=folder / "memray", tracking=tracking)
    kept = live_during(counted.run, leak_reasons.PHASE, "kept").profile
    n_calls = counted.log.n_calls
    return partial(leak_sites, kept, n_calls, left_bytes=(found.bytes_per_call or 0) * n_calls)


def _by_tracemalloc(asked: Asked, found: LeakVerdict, folder: Path) -> Callable[..., pl.DataFrame]:
    traced = count_calls(asked, "traces", folder=folder / "traces").log.lines
    return partial(traced_sites, traced, left_per_call=found.bytes_per_call or 0)


def _lines(asked: Asked, folder: Path, doubts: list[Validity]) -> pl.DataFrame | None:
    """LEAK_LINES: where no tracker sees it, what is counted at every line does."""
    try:
        return count_calls(asked, "lines", folder=folder / "lines").log.lines
    except DiagtoolsError as error:
        doubts.append(_skipped("lines", error))
        return None


def _holders(asked: Asked, found: LeakVerdict, folder: Path) -> tuple[pl.DataFrame, tuple[Finding, ...]]:
    counted = count_calls(asked, "holders", folder=folder / "holders")
    snapshots = counted.run.object_snapshots[-2:]
    if len(snapshots) < 2:
        raise NoDataError(
            "There are no two snapshots of its objects.", hint=f"diagtools show {counted.run.path}"
        )
    before, after = (counted.run.object_graph(one) for one in snapshots)
    left_bytes = (found.bytes_per_call or 0) * counted.log.n_calls
    return leak_holders(before, after, left_bytes), tuple(unheld(before, after))
