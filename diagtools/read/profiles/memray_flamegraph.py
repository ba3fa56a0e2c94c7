"""memray's flamegraph of one moment: what each stack held, or leaked, or asked for and gave back at once."""

from __future__ import annotations

from collections.abc import Sequence

from diagtools.errors import DamagedError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles import export_json
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.export_file import check_sums
from diagtools.read.profiles.memray_nodes import nodes_of
from diagtools.read.profiles.memray_page import Page
from diagtools.read.profiles.memray_time import tracked
from diagtools.read.profiles.memray_view import view_of


def flamegraph(page: Page, view: View | None) -> Profile:
    """What does this flamegraph say?  Its own bytes of all nodes sum to those of its root exactly."""
    nodes = nodes_of(page)
    what = f"The nodes of '{page.name}'"
    raw = export_json.member(page.data, "nodes", what)
    sizes = _own(_column(raw, "value", what, nodes.parents), nodes.parents, what)
    counts = _own(_column(raw, "n_allocations", what, nodes.parents), nodes.parents, what)
    if any(size and not n for size, n in zip(sizes, counts, strict=True)):
        raise DamagedError(f"{what} do not agree: one holds bytes that nothing allocated.")
    gathered = Gathered()
    stacks = nodes.stacks_in(gathered.tree, [n > 0 for n in counts], is_inverted=page.is_inverted)
    for stack, size, n, thread in zip(stacks, sizes, counts, nodes.threads, strict=True):
        if n:
            gathered.add_to(stack, size, n=n, thread=thread)
    check_sums(gathered)
    shown, doubt = view_of(page, sum(sizes), view)
    seen, odd_clock = tracked(page)
    return gathered.profile(
        name=page.name,
        source=Source.MEMRAY_FLAMEGRAPH,
        view=shown,
        unit=Unit.BYTES,
        tracked=seen,
        validity=(*doubt, *nodes.validity(), *odd_clock),
    )


def _column(raw: object, name: str, what: str, parents: Sequence[int]) -> list[int]:
    column = export_json.wholes(export_json.member(raw, name, what), f"{what}: {name}")
    export_json.same_length(what, column, parents)
    return column


def _own(values: Sequence[int], parents: Sequence[int], what: str) -> list[int]:
    """What of each node's value is not its children's?"""
    own = list(values)
    for node in range(1, len(values)):
        own[parents[node]] -= values[node]
    if min(own) < 0:
        raise DamagedError(
            f"{what} do not agree: node {own.index(min(own))} holds less than what lies below it.",
            hint="the report was changed after it was written: write it again.",
        )
    return own
