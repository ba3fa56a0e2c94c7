"""One capture, export or run, opened and shown."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import altair as alt

from diagtools.analyse.profiles.folding import folded, held_for
from diagtools.analyse.profiles.icicle import icicle
from diagtools.analyse.profiles.live_slices import live_slices
from diagtools.analyse.profiles.places import By
from diagtools.analyse.profiles.sites import sites
from diagtools.analyse.profiles.story import profile_findings
from diagtools.errors import NoDataError, NotARunError, UsageError
from diagtools.present.charts.icicle import allocation_icicle
from diagtools.present.charts.live import live_chart
from diagtools.present.profile_exports import folded_text, speedscope_json
from diagtools.present.profiles import allocators_table, profile_json, profile_words, sites_table
from diagtools.present.tables import Table
from diagtools.profile import Profile, Unit, View
from diagtools.read.manifest import NAME as MANIFEST
from diagtools.read.profiles.opening import read_profile
from diagtools.read.profiles.stored import write_profile
from diagtools.run import Run
from diagtools.values import Finding

#: What holds allocations, or the path of it.
Source = Run | Profile | Path | str

_ORIGINS = ("own", "third-party", "standard library", "native", "interpreter", "unknown")
_LEAST_SHARE = 0.0003  # what is narrower is not drawn, whatever is zoomed into
_NO_TIME = "temporal reports and memray captures of all allocations know when memory was live."


def open_profile(
    source: Source, *, view: View | str | None = None, over_time: bool = False, unit: Unit | str | None = None
) -> Profile:
    """What does this run, capture or flamegraph export say about where memory (or time) went?

    ``source`` is a run or its folder, or a file: a memray capture, memray's flamegraph or table HTML or csv, speedscope
    JSON, folded stacks (py-spy, austin, Fil), cProfile's statistics, a tracemalloc log of ours, or a profile kept as
    Parquet.  ``view`` is ``peak`` (the default), ``leaked`` or ``temporary`` where a capture holds them; ``over_time``
    adds when each allocation lived; ``unit`` (``bytes``, ``ns``, ``samples``) says what folded stacks count where the
    file does not.  Raises ``UsageError``, ``DamagedError``, ``NoDataError``, ``UnavailableError``.
    """
    wanted = None if view is None else _view(view)
    if isinstance(source, Profile):
        return source
    if isinstance(source, Run):
        return source.profile(wanted, over_time=over_time)
    path = Path(source)
    if path.is_dir():
        if not (path / MANIFEST).exists():
            raise NotARunError(f"'{path}' is a folder, and no run.", hint="name a run, or a file in it.")
        return Run.open(path).profile(wanted, over_time=over_time)
    return read_profile(path, view=wanted, over_time=over_time, unit=None if unit is None else _unit(unit))


class ProfileReport:
    """One profile explained: shows itself as its largest places; charts and tables on demand."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    @cached_property
    def shown(self) -> Profile:
        """The profile with the import system and what only starts programs folded into who called them."""
        return folded(self.profile)

    def findings(self) -> list[Finding]:
        """Which functions asked for the most, a sentence each."""
        return profile_findings(self.shown)

    def table(self, by: By = "line", *, n: int = 20, origin: str | None = None) -> Table:
        """The places that asked for most; ``origin`` ``own`` or ``third-party``: one's own code, or that of others."""
        if origin is not None and origin not in _ORIGINS:
            raise UsageError(f"There is no origin {origin!r}.", hint=f"one of: {', '.join(_ORIGINS)}.")
        rows = sites(self.shown, by, origin=origin)
        return sites_table(rows, n=n, title=profile_words(self.profile, rows))

    def held_for(self, by: By = "line", *, n: int = 20) -> Table:
        """Which of one's own lines is memory held for, whoever asked for it below them?"""
        rows = sites(held_for(self.shown), by)
        return sites_table(rows, n=n, title="What was asked for below one's own lines")

    def allocators(self) -> Table:
        """Which allocators were called?  Mappings stand apart: a mapping that nobody touched takes no memory."""
        return allocators_table(self.profile.allocations)

    def icicle(self, *, title: str | None = None) -> alt.LayerChart:
        """Who called whom, as wide as what was asked for: click to zoom, search by regular expression."""
        return allocation_icicle(icicle(self.shown, least_share=_LEAST_SHARE), title=title)

    def over_time(self) -> alt.TopLevelMixin:
        """Memory over time, and below it what was live in the range that is brushed.

        Raises ``NoDataError`` where the profile was opened without ``over_time``.
        """
        if self.profile.lifetimes is None or self.profile.tracked is None:
            raise NoDataError(f"'{self.profile.name}' knows no time.", hint=_NO_TIME)
        return live_chart(live_slices(self.shown), self.profile.tracked)

    def as_text(self) -> str:
        """For a terminal: the largest lines, functions' sentences, allocators, and what is doubtful."""
        parts = [
            str(self.table(n=15)),
            str(self.held_for(n=5)),
            *(str(finding) for finding in self.findings()),
        ]
        if self.profile.unit is Unit.BYTES and self.profile.allocations["allocator"].n_unique() > 1:
            parts.append(str(self.allocators()))
        return "\n\n".join([*parts, *(f"Note: {one}" for one in self.profile.validity)])

    def as_json(self) -> dict[str, Any]:
        """For scripts: total, unit, view, the places, validity."""
        return profile_json(self.profile, sites(self.shown, "line"))

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.table()._repr_mimebundle_()


def _unit(name: Unit | str) -> Unit:
    if name not in set(Unit):
        raise UsageError(f"There is no unit {str(name)!r}.", hint=f"one of: {', '.join(Unit)}.")
    return Unit(name)


def export_profile(profile: Profile, target: Path) -> None:
    """Writes a profile for other tools, by the name's end: ``.folded``, ``.speedscope.json`` or ``.parquet`` (ours).

    Raises ``UsageError`` for any other end, and where the file cannot be written.
    """
    try:
        if target.suffix == ".folded":
            target.write_text(folded_text(profile), encoding="utf-8")
        elif target.suffixes[-2:] == [".speedscope", ".json"]:
            target.write_text(speedscope_json(profile), encoding="utf-8")
        elif target.suffix == ".parquet":
            write_profile(profile, target)
        else:
            raise UsageError(
                f"'{target.name}' does not say which kind of file it is to be.",
                hint="end its name with .folded, .speedscope.json or .parquet.",
            )
    except OSError as error:
        raise UsageError(
            f"'{target}' cannot be written: {error.strerror}.", hint="name a file in a folder that takes one."
        ) from error


def _view(name: View | str) -> View:
    if name not in set(View):
        raise UsageError(f"There is no view {str(name)!r}.", hint=f"one of: {', '.join(View)}.")
    return View(name)
