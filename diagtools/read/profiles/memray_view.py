"""Which allocations does a report of memray show?  It marks leaks, and nothing else."""

from __future__ import annotations

from diagtools.profile import View
from diagtools.read.profiles.memray_page import Page, in_memrays_words
from diagtools.values import State, Validity


def view_of(page: Page, total: int, asked: View | None) -> tuple[View, tuple[Validity, ...]]:
    """Which view is it, and what speaks against it?

    A report of the peak sums to the peak that it states (rounded); one of temporary allocations looks the same
    otherwise.
    """
    agrees = not page.peak or page.peak in in_memrays_words(total)
    if page.is_of_leaks:
        return asked or View.LEAKED, ()
    if asked is View.PEAK and not agrees:
        return asked, (_doubt(f"the report sums to {total:,} bytes and states a peak of {page.peak}"),)
    if asked is not None or agrees:
        return asked or View.PEAK, ()
    note = (
        f"the report sums to {total:,} bytes, which is not the peak of {page.peak} that it states: taken as one of "
        "temporary allocations, which memray does not mark; if it is none, it was changed"
    )
    return View.TEMPORARY, (_doubt(note),)


def _doubt(note: str) -> Validity:
    return Validity(what="view", state=State.TRUNCATED, note=note)
