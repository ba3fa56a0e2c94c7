"""Opens a capture or an export of any kind that is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from diagtools.errors import UsageError
from diagtools.profile import Profile, Source, View
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
    Source.FOLDED: read_folded,
    Source.PSTATS: read_pstats,
    Source.TRACEMALLOC: read_tracemalloc,
}


def read_profile(path: Path, *, view: View | None = None, over_time: bool = False) -> Profile:
    """What does this capture or export say?

    ``view`` chooses among those of a memray capture (default: the peak); an export holds one, and asking for another
    raises ``UsageError``, as does ``over_time`` for what knows no time.  Raises ``DamagedError``, ``NoDataError`` and
    ``UsageError`` with what to do.
    """
    kind = None if beginning_of(path).startswith(_PARQUET) else kind_of(path)
    if kind is Source.MEMRAY:
        return read_memray([path], view=view or View.PEAK, over_time=over_time)
    profile = read_stored(path) if kind is None else _EXPORTS[kind](path)
    if view is not None and profile.view is not view:
        raise UsageError(
            f"'{path.name}' holds one view, {str(profile.view)!r}, not {str(view)!r}.",
            hint="leave the view out, or name the capture that it was made from.",
        )
    if over_time and profile.lifetimes is None:
        raise UsageError(
            f"'{path.name}' knows no time.",
            hint="name a memray capture of all allocations, or a flamegraph made with --temporal.",
        )
    return profile
