"""Opens a capture or an export of any kind that is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from diagtools.errors import UsageError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.export_file import beginning_of
from diagtools.read.profiles.folded import read_folded
from diagtools.read.profiles.kinds import kind_of
from diagtools.read.profiles.memray_capture import read_memray
from diagtools.read.profiles.memray_csv import read_memray_csv
from diagtools.read.profiles.memray_html import read_memray_html
from diagtools.read.profiles.pstats import read_pstats
from diagtools.read.profiles.speedscope import read_speedscope
from diagtools.read.profiles.stored import read_stored
from diagtools.read.profiles.tracemalloc_log import read_tracemalloc

_PARQUET = b"PAR1"
_EXPORTS: dict[Source, Callable[[Path], Profile]] = {
    Source.MEMRAY_FLAMEGRAPH: read_memray_html,
    Source.MEMRAY_TABLE: read_memray_html,
    Source.MEMRAY_CSV: read_memray_csv,
    Source.SPEEDSCOPE: read_speedscope,
    Source.PSTATS: read_pstats,
    Source.TRACEMALLOC: read_tracemalloc,
}


def read_profile(
    path: Path, *, view: View | None = None, over_time: bool = False, unit: Unit | None = None
) -> Profile:
    """What does this capture or export say?

    ``view`` chooses among those of a memray capture (default: the peak); an export holds one, and asking for another
    raises ``UsageError``, as does ``over_time`` for what knows no time.  ``unit`` says what folded stacks count where
    the file does not; nothing else may be given another.  Raises ``DamagedError``, ``NoDataError`` and
    ``UsageError`` with what to do.
    """
    kind = None if beginning_of(path).startswith(_PARQUET) else kind_of(path)
    if kind is Source.MEMRAY:
        profile = read_memray([path], view=view or View.PEAK, over_time=over_time)
    elif kind is Source.FOLDED:
        profile = read_folded(path, unit=unit)
    else:
        profile = read_stored(path) if kind is None else _EXPORTS[kind](path)
    _check(path.name, profile, view, unit, over_time=over_time)
    return profile


def _check(name: str, profile: Profile, view: View | None, unit: Unit | None, *, over_time: bool) -> None:
    """Is it what was asked for?"""
    if view is not None and profile.view is not view:
        raise UsageError(
            f"'{name}' holds one view, {str(profile.view)!r}, not {str(view)!r}.",
            hint="leave the view out, or name the capture that it was made from.",
        )
    if over_time and profile.lifetimes is None:
        raise UsageError(
            f"'{name}' knows no time.",
            hint="name a memray capture of all allocations, or a flamegraph made with --temporal.",
        )
    if unit is not None and profile.unit is not unit:
        raise UsageError(f"'{name}' counts {profile.unit}, not {unit}.", hint="leave the unit out.")
