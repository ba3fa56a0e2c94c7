"""Changes of the lines of a file, as hunks of a unified diff."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Lines that go from ``line`` on, and those that come in their place."""

    line: int
    n_removed: int = 0
    added: tuple[str, ...] = ()


def in_order(changes: Iterable[Change]) -> list[Change]:
    """By lines, those that follow each other without a line between them as one."""
    ordered: list[Change] = []
    for change in sorted(changes, key=lambda change: (change.line, change.n_removed)):
        last = ordered[-1] if ordered else None
        if last is None or change.line > last.line + last.n_removed:
            ordered.append(change)
        else:
            n_removed, added = last.n_removed + change.n_removed, (*last.added, *change.added)
            ordered[-1] = Change(line=last.line, n_removed=n_removed, added=added)
    return ordered


def changed(lines: Sequence[str], changes: Sequence[Change]) -> str:
    """The text of the file after the changes, which are in their order."""
    result = list(lines)
    for change in reversed(changes):
        result[change.line - 1 : change.line - 1 + change.n_removed] = change.added
    return "\n".join(result) + "\n"


def compiles(source: str) -> bool:
    """Is it a program?"""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<edited>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def hunks(lines: Sequence[str], changes: Sequence[Change]) -> Iterator[str]:
    """Unified, with a line of context; changes that touch each other's context are one hunk."""
    shift = 0
    groups: list[list[Change]] = []
    for change in changes:
        if groups and change.line <= groups[-1][-1].line + groups[-1][-1].n_removed + 2:
            groups[-1].append(change)
        else:
            groups.append([change])
    for group in groups:
        start = max(1, group[0].line - 1)
        end = min(len(lines), group[-1].line + max(group[-1].n_removed, 1) - 1 + (group[-1].n_removed > 0))
        body: list[str] = []
        at = start
        for change in group:
            body += [f" {line}" for line in lines[at - 1 : change.line - 1]]
            at = change.line + change.n_removed
            body += [f"-{line}" for line in lines[change.line - 1 : at - 1]]
            body += [f"+{line}" for line in change.added]
        body += [f" {line}" for line in lines[at - 1 : end]]
        n_old = sum(not line.startswith("+") for line in body)
        n_new = sum(not line.startswith("-") for line in body)
        yield f"@@ -{start},{n_old} +{start + shift},{n_new} @@"
        yield from body
        shift += n_new - n_old
