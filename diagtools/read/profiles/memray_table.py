"""memray's table: what each innermost place held, by allocator."""

from __future__ import annotations

from typing import Any

from diagtools.errors import DamagedError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles import export_json
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import NO_STACK, Place
from diagtools.read.profiles.export_file import check_stack, check_sums
from diagtools.read.profiles.memray_page import Page, plain
from diagtools.read.profiles.memray_time import tracked
from diagtools.read.profiles.memray_view import view_of
from diagtools.values import State, Validity

_UNKNOWN = "???"
_ONE_DEEP = Validity(
    what="stacks", state=State.TRUNCATED, note="a table names the innermost place only, not who called it"
)


def table(page: Page, view: View | None) -> Profile:
    """What does this table say?  Stacks are one place deep."""
    gathered = Gathered()
    for row in page.data:
        _add(gathered, row, page)
    check_sums(gathered)
    shown, doubt = view_of(page, sum(gathered.sizes), view)
    seen, odd_clock = tracked(page)
    return gathered.profile(
        name=page.name,
        source=Source.MEMRAY_TABLE,
        view=shown,
        unit=Unit.BYTES,
        tracked=seen,
        validity=(_ONE_DEEP, *doubt, *odd_clock),
    )


def _add(gathered: Gathered, row: Any, page: Page) -> None:
    what = f"A row of '{page.name}'"
    size = export_json.whole(export_json.member(row, "size", what), f"{what}: size")
    n = export_json.whole(export_json.member(row, "n_allocations", what), f"{what}: n_allocations")
    if size and not n:
        raise DamagedError(f"{what} holds bytes that nothing allocated.")
    place = place_of(plain(export_json.text(export_json.member(row, "stack_trace", what), what)), what)
    thread = export_json.text(export_json.member(row, "tid", what), f"{what}: tid")
    gathered.add_to(
        check_stack(gathered.tree.add((place,))),
        size,
        n=n,
        allocator=export_json.text(export_json.member(row, "allocator", what), f"{what}: allocator"),
        thread="" if page.merge_threads else thread,
    )


def place_of(text: str, what: str) -> Place:
    """Which place does ``function at file:line`` name?"""
    if text == _UNKNOWN:
        return NO_STACK
    named, _, line = text.rpartition(":")
    function, found, file = named.partition(" at ")
    if not found or not (line.isascii() and line.isdigit()) or len(line) > 9:
        raise DamagedError(f"{what} names no place: {text[:80]!r}.")
    return (function, file, int(line))
