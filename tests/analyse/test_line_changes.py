"""Hunks are applied and give what the changes say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.line_changes import Change, changed, compiles, hunks, in_order
from tests.support.imports import applied

LINES = [f"line {n}" for n in range(1, 10)]


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """Such that none removes what another removes, in any order."""
    found, line = [], 1
    while line <= len(LINES) + 1 and draw(st.booleans()):
        line += draw(st.integers(0, 4))
        n_removed = draw(st.integers(0, max(0, min(3, len(LINES) + 1 - line))))
        added = tuple(draw(st.lists(st.sampled_from(["", "new", "other"]), max_size=3)))
        if line <= len(LINES) and (n_removed or added):
            found.append(Change(line=line, n_removed=n_removed, added=added))
        line += n_removed
    return draw(st.permutations(found))


@given(changes())
def test_hunks_applied_give_what_the_changes_say(given: list[Change]) -> None:
    ordered = in_order(given)
    diff = "\n".join(hunks(LINES, ordered))
    source = "\n".join(LINES) + "\n"
    assert (applied(source, diff) if diff else source) == changed(LINES, ordered)
    n_lines = len(LINES) + sum(len(change.added) - change.n_removed for change in given)
    assert len(changed(LINES, ordered).split("\n")) - 1 == max(n_lines, 1)


def test_a_hunk_has_a_line_of_context_and_counts_both_sides() -> None:
    ordered = in_order([Change(line=5, n_removed=1, added=("new", "newer")), Change(line=9, n_removed=1)])
    assert list(hunks(LINES, ordered)) == [
        "@@ -4,3 +4,4 @@",
        " line 4",
        "-line 5",
        "+new",
        "+newer",
        " line 6",
        "@@ -8,2 +9,1 @@",
        " line 8",
        "-line 9",
    ]


def test_changes_without_a_line_between_them_are_one() -> None:
    given = [Change(line=3, n_removed=2), Change(line=2, n_removed=1), Change(line=2, added=("new",))]
    assert in_order(given) == [Change(line=2, n_removed=3, added=("new",))]


@pytest.mark.parametrize(
    ("source", "is_program"),
    [("x = 1\n", True), ("x = \n", False), ("\0", False), ("-" * 10**5 + "1", False)],
)
def test_what_is_a_program_compiles(source: str, is_program: bool) -> None:
    assert compiles(source) is is_program
