"""Does a program print the same as before, but for what differs from run to run anyway?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: What no run has in common with the next: durations, addresses, times of day, and the filling of a line around them.
_CHANCE = re.compile(
    r"(?P<duration>\d+(\.\d+)?\s?(ns|us|µs|ms|s|sec|secs|seconds?|min|minutes?)\b)"
    r"|(?P<address>0x[0-9a-fA-F]+)"
    r"|(?P<time>\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)"
    r"|(?P<date>\d{4}-\d{2}-\d{2})"
    r"|(?P<filling>(?P<sign>[=\-_*#.~ ])(?P=sign){3,})"
)
_TOKEN = re.compile(r"\d+|\w+|\s+|.")
_LONGEST = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first line that is another: its number from 1 on, as it was and as it is (empty where there is none)."""

    line: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"line {self.line} of its output is {self.after!r}, was {self.before!r}"


def is_repeatable(runs: Sequence[Sequence[str]]) -> bool:
    """Do these runs of one program print the same number of lines?  Else there is nothing to compare with."""
    return len({len(lines) for lines in runs}) == 1


def varies(runs: Sequence[Sequence[str]]) -> bool:
    """Do these runs of one program differ in more than durations, addresses and times?"""
    return len({tuple(tuple(_tokens(line)) for line in lines) for lines in runs}) > 1


def difference(runs: Sequence[Sequence[str]], other: Sequence[str]) -> Difference | None:
    """What does the other run print that these, which are all of one program, do not?  Null for nothing.

    Words in which the runs differ among themselves are not compared, nor are durations, addresses and times.
    """
    usual = runs[0]
    for number in range(max(len(usual), len(other))):
        before = usual[number] if number < len(usual) else ""
        after = other[number] if number < len(other) else ""
        of_runs = [_tokens(lines[number]) for lines in runs if number < len(lines)]
        if not of_runs or number >= len(other) or not _is_one_of(of_runs, _tokens(after)):
            return Difference(line=number + 1, before=before[:_LONGEST], after=after[:_LONGEST])
    return None


def _tokens(line: str) -> list[str]:
    return _TOKEN.findall(_CHANCE.sub("\0", line.rstrip()))


def _is_one_of(runs: Sequence[Sequence[str]], tokens: Sequence[str]) -> bool:
    if len({len(run) for run in runs}) > 1:
        return True  # the line is another in each run
    stable = [len(set(words)) == 1 for words in zip(*runs, strict=True)]
    return len(tokens) == len(stable) and all(
        word == token for word, token, same in zip(runs[0], tokens, stable, strict=True) if same
    )
