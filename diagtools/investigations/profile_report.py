"""One profile explained: its places, its picture, and what lived when."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from diagtools.analyse.profiles.callers import callees, callers
from diagtools.analyse.profiles.folding import allocators, folded, held_for
from diagtools.analyse.profiles.icicle import icicle
from diagtools.analyse.profiles.lifetimes import allocated_within, live_at, live_between
from diagtools.analyse.profiles.live_slices import live_slices
from diagtools.analyse.profiles.places import By
from diagtools.analyse.profiles.sites import sites
from diagtools.analyse.profiles.story import profile_findings
from diagtools.errors import NoDataError, UsageError
from diagtools.present.profiles import allocators_table, calls_table, profile_json, profile_words, sites_table
from diagtools.present.tables import Table
from diagtools.profile import Profile, Unit
from diagtools.read.profiles.source_lines import source_lines
from diagtools.run import Run
from diagtools.values import Finding

if TYPE_CHECKING:
    import altair as alt

_ORIGINS = ("own", "third-party", "standard library", "native", "interpreter", "unknown")
_LEAST_SHARE = 0.0003  # what is narrower is not drawn, whatever is zoomed into
_NO_TIME = "temporal reports and memray captures of all allocations know when memory was live."


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

    def table(
        self, by: By = "line", *, n: int = 20, origin: str | None = None, source: bool = False
    ) -> Table:
        """The places that asked for most; ``origin`` ``own`` or ``third-party``: one's own code, or that of others.

        ``source`` shows the line of code too, where it can be read: think of it before you share the page.
        """
        if origin is not None and origin not in _ORIGINS:
            raise UsageError(f"There is no origin {origin!r}.", hint=f"one of: {', '.join(_ORIGINS)}.")
        rows = sites(self.shown, by, origin=origin)
        lines = source_lines(rows.head(n).select("file", "line").iter_rows()) if source else None
        return sites_table(rows, n=n, title=profile_words(self.profile, rows), sources=lines)

    def held_for(self, by: By = "line", *, n: int = 20) -> Table:
        """Which of one's own lines is memory held for, whoever asked for it below them?"""
        rows = sites(held_for(self.shown), by)
        return sites_table(rows, n=n, title="What was asked for below one's own lines")

    def allocators(self) -> Table:
        """Which allocators were called?  Mappings stand apart: a mapping that nobody touched takes no memory."""
        return allocators_table(allocators(self.profile))

    def icicle(self, *, title: str | None = None) -> alt.LayerChart:
        """Who called whom, as wide as what was asked for: click to zoom, search by regular expression."""
        from diagtools.present.charts.icicle import allocation_icicle  # here: text needs no charts

        return allocation_icicle(icicle(self.shown, least_share=_LEAST_SHARE), title=title)

    def around(self, key: str, by: By = "line") -> Table:
        """Who called this place, and what did it call?  ``key`` is one of ``table``; raises ``NoDataError``."""
        calls = pl.concat([callers(self.shown, key, by), callees(self.shown, key, by)])
        return calls_table(calls, title=f"Around {key}")

    def at(self, t_s: float) -> ProfileReport:
        """What was live at this second?  Raises ``NoDataError`` for a profile opened without ``over_time``."""
        return ProfileReport(live_at(self.profile, t_s))

    def during(
        self, begin_s: float, end_s: float, what: Literal["most", "mean", "allocated", "kept"] = "most"
    ) -> ProfileReport:
        """What lived between these seconds?

        ``most`` is when most was live, ``mean`` the average; ``allocated`` is all that was asked for then, ``kept``
        what of that was left at the end.  Raises as ``at``.
        """
        if what in ("most", "mean"):
            lived = live_between(self.profile, begin_s, end_s, "max" if what == "most" else "mean")
            return ProfileReport(lived)
        return ProfileReport(allocated_within(self.profile, begin_s, end_s, only_kept=what == "kept"))

    def over_time(self, spans: pl.DataFrame | None = None) -> alt.TopLevelMixin:
        """Memory over time, and below it what was live in the range that is brushed.

        ``spans`` are the phases or items of the run, drawn behind it.  Raises ``NoDataError`` where the profile was
        opened without ``over_time``.
        """
        if self.profile.lifetimes is None or self.profile.tracked is None:
            raise NoDataError(f"'{self.profile.name}' knows no time.", hint=_NO_TIME)
        from diagtools.present.charts.live import live_chart

        return live_chart(live_slices(self.shown), self.profile.tracked, spans=spans)

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


def live_during(
    run: Run, name: str, what: Literal["most", "mean", "allocated", "kept"] = "most"
) -> ProfileReport:
    """What lived in this process while this item or phase ran?  ``what`` as in ``ProfileReport.during``.

    The last of that name counts.  Where the command ran twice, both are those of the tracked run.  Raises
    ``NoDataError`` where there is no such item or phase, or no capture that knows time.
    """
    tracked = run.tracked or run
    spans = pl.concat(
        [
            tracked.items.select("pid", "begin_s", "end_s", name="item"),
            tracked.phases.select("pid", "begin_s", "end_s", name="phase"),
        ]
    ).filter(pl.col("name") == name)
    if spans.is_empty():
        raise NoDataError(
            f"There is no item or phase {name!r} in the run.", hint="see run.items and run.phases."
        )
    span = spans.row(-1, named=True)
    profile = tracked.profile(over_time=True)
    own = pl.col("pid") == span["pid"]
    lifetimes = profile.lifetimes if profile.lifetimes is None else profile.lifetimes.filter(own)
    alone = dataclasses.replace(profile, lifetimes=lifetimes, name=f"{profile.name}, {name}")
    end_s = tracked.duration_s if span["end_s"] is None else span["end_s"]
    return ProfileReport(alone).during(span["begin_s"], end_s or span["begin_s"], what)
