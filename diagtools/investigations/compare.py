"""What grew from one run or capture to another, where, and how sure is that?"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagtools.analyse.profiles.difference import Difference, difference
from diagtools.analyse.profiles.difference_icicle import difference_icicle
from diagtools.analyse.profiles.folding import folded, held_for
from diagtools.analyse.profiles.places import By
from diagtools.analyse.profiles.story import difference_findings
from diagtools.errors import NoDataError, NotARunError, UsageError
from diagtools.investigations.profiles import Source, open_profile
from diagtools.present.profiles import compare_json, difference_table
from diagtools.present.tables import Table
from diagtools.profile import Profile, Unit, View
from diagtools.run import Run
from diagtools.units import format_bytes, parse_bytes
from diagtools.values import Budget, Finding, State, Validity

if TYPE_CHECKING:
    import altair as alt

_BY: By = "line"


class Comparison:
    """Two sides, one or several runs each; shows itself as what changed most."""

    def __init__(self, before: Sequence[Profile], after: Sequence[Profile], by: By = _BY) -> None:
        self.before = tuple(folded(profile) for profile in before)
        self.after = tuple(folded(profile) for profile in after)
        self.by = by

    @cached_property
    def difference(self) -> Difference:
        """The change of each place; the rows sum to the change of the total exactly."""
        return difference(self.before, self.after, self.by)

    @cached_property
    def own_difference(self) -> Difference:
        """The same by the line of one's own code that memory was asked for below."""
        before, after = ([held_for(profile) for profile in side] for side in (self.before, self.after))
        return difference(before, after, self.by)

    def findings(self) -> list[Finding]:
        """What grew or shrank, a sentence each: who asked for it, then which line of one's own code it was for."""
        found = difference_findings(self.difference)
        own = difference_findings(self.own_difference, n=1)[1:]
        known = {finding.sentence for finding in found}
        below = [
            one
            for one in own
            if one.sentence not in known and not self.own_difference.frame["key"][0].startswith("[")
        ]
        said = (dataclasses.replace(one, sentence=f"Below one's own code: {one.sentence}") for one in below)
        return [*found, *said]

    def table(self, *, n: int = 20) -> Table:
        """The places that changed most."""
        found = self.difference
        return difference_table(
            found.frame, before_total=found.before_total, after_total=found.after_total, n=n
        )

    def bars(self) -> alt.TopLevelMixin:
        """The places that changed most, as bars."""
        from diagtools.present.charts.profile_difference import difference_bars  # here: text needs no charts

        found = self.difference
        return difference_bars(found.frame, before_total=found.before_total, after_total=found.after_total)

    def icicle(self) -> alt.LayerChart:
        """Who called whom, coloured by what grew and what shrank: click to zoom, search by regular expression."""
        from diagtools.present.charts import profile_difference as charts

        typical = self.difference
        merged = difference_icicle(self.before[typical.typical_before], self.after[typical.typical_after])
        return charts.difference_icicle(merged)

    def as_text(self) -> str:
        """For a terminal."""
        found = [str(finding) for finding in self.findings()]
        notes = [f"Note: {one}" for one in self.difference.validity]
        table = [] if self.difference.frame.is_empty() else [str(self.table(n=15))]
        return "\n\n".join(["\n".join(found), *table, *notes])

    def check(self, budget: str) -> None:
        """Did the total grow by no more than this size?  Raises ``BudgetBreached``."""
        if self.difference.unit is not Unit.BYTES:
            raise UsageError(
                f"A budget is in bytes, these sizes are in {self.difference.unit}.", hint="leave it out."
            )
        Budget(metric="growth", limit_bytes=parse_bytes(budget)).check(
            self.difference.delta,
            hint="the places that grew are named above, or by comparing without a budget.",
        )

    def as_json(self) -> dict[str, Any]:
        """For scripts, in the shape of the contract in DESIGN."""
        found = self.difference
        doubts = [Validity(what="comparison", state=State.SKIPPED, note=doubt) for doubt in found.doubts]
        return compare_json(
            found.frame,
            before_total=found.before_total,
            after_total=found.after_total,
            validity=[*found.validity, *doubts],
            unit=str(found.unit),
        )

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.table()._repr_mimebundle_()


def compare(
    before: Source | Sequence[Source],
    after: Source | Sequence[Source],
    *,
    by: By = _BY,
    view: View | str | None = None,
    unit: Unit | str | None = None,
) -> Comparison:
    """What grew from before to after, where, and how sure is it?

    Each side is what ``open_profile`` opens, or several of it: repeated runs say how much of a change is noise.
    ``by`` is ``line``, ``function``, ``module`` or ``package``; ``view`` and ``unit`` are as there.  Raises as
    ``open_profile``, and ``UsageError`` for two sides that do not count the same.
    """
    return Comparison(_opened(before, view, unit), _opened(after, view, unit), by)


def peaks_compared(before: Source, after: Source) -> Finding | None:
    """How did the peak RSS of two runs change?  Null where either is no run, or does not know its peak."""
    peaks = [_peak(one) for one in (before, after)]
    if None in peaks:
        return None
    first, second = (int(str(peak)) for peak in peaks)
    moved = "grew" if second > first else "shrank" if second < first else "stayed"
    by = f" by {format_bytes(abs(second - first))}" if first != second else ""
    return Finding(
        sentence=f"Peak RSS {moved}{by} ({format_bytes(first)} → {format_bytes(second)}).",
        value=second - first,
        unit="bytes",
    )


def _peak(source: Source) -> int | None:
    try:
        run = source if isinstance(source, Run) else Run.open(Path(str(source)))
    except NotARunError:
        return None
    return run.peak_rss_bytes


def _opened(
    side: Source | Sequence[Source], view: View | str | None, unit: Unit | str | None
) -> list[Profile]:
    sources = [side] if isinstance(side, Run | Profile | Path | str) else list(side)
    if not sources:
        raise NoDataError("One side has nothing to compare.", hint="name a run, a capture or an export.")
    paths = [Path(source).resolve() for source in sources if isinstance(source, Path | str)]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise UsageError(
            f"'{twice.name}' is given twice: the same run is no repeat.", hint="name another run of it."
        )
    return [open_profile(source, view=view, unit=unit) for source in sources]
