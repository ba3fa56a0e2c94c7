"""Which files would git pass over?

As git reads ``.gitignore``: the deepest file with a matching pattern decides, in it the last pattern, then
``.git/info/exclude``; nothing below an ignored folder can be asked back.  pathspec translates each pattern.  The user's
own global excludes are not read: another user would scan another corpus.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from diagtools.read.text_shape import OPENED_AS_LISTED

_NAME = ".gitignore"
_EXCLUDES = ".git/info/exclude"
_MOST_BYTES = 1 << 20  # of a file of patterns: a larger one is no such file
_SPECIAL = re.compile(r"[*?\[\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """One line: does it ignore or ask back, only folders or files too, and which paths below its own folder?

    ``guard`` is what the last name must match first, where that has several stars: a regular expression tries all ways
    to share a name out among them, and somebody's file of patterns could keep a scan busy for days.
    """

    rank: int
    ignores: bool
    only_folders: bool
    regex: re.Pattern[str]
    guard: re.Pattern[str] | None

    def names(self, path: str, name: str, *, is_folder: bool) -> bool:
        """Does it name this very path, and not only a folder above it?"""
        if self.only_folders and not is_folder:
            return False
        if self.guard is not None and not self.guard.match(name):
            return False
        match = self.regex.search(path)
        # pathspec's mark of what lies below a folder that is named; greedy, so it is there only where it must be.
        return match is not None and not match.groupdict().get("ps_d")


@dataclass(slots=True)
class _Rules:
    """The patterns of one file, by the last name in them: most name files that are not there."""

    by_name: dict[str, list[_Pattern]] = field(default_factory=dict)
    by_end: dict[str, list[_Pattern]] = field(default_factory=dict)
    others: list[_Pattern] = field(default_factory=list)

    def add(self, last: str, pattern: _Pattern) -> None:
        """Adds the next pattern, whose last name this is."""
        if not _SPECIAL.search(last):
            self.by_name.setdefault(last, []).append(pattern)
        elif last[0] == "*" and "." in last and not _SPECIAL.search(last[1:]):
            self.by_end.setdefault(last[last.rindex(".") :], []).append(pattern)
        else:
            self.others.append(pattern)

    def verdict(self, path: str, name: str, *, is_folder: bool) -> bool | None:
        """Is it ignored, asked back, or (null) not spoken of?"""
        end = name[name.rindex(".") :] if "." in name else ""
        candidates: list[_Pattern] = [*self.others, *self.by_name.get(name, ()), *self.by_end.get(end, ())]
        if len(candidates) > 1:
            candidates.sort(key=_rank)
        for pattern in reversed(candidates):
            if pattern.names(path, name, is_folder=is_folder):
                return pattern.ignores
        return None


def _rank(pattern: _Pattern) -> int:
    return pattern.rank


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """What do the rules in force in one folder say of the names in it?

    ``chain`` has the files of patterns, the deepest first, each with the path of the names as that file sees it.
    """

    chain: tuple[tuple[_Rules, str], ...] = ()

    def ignore(self, name: str, *, is_folder: bool) -> bool:
        """Would git pass over this name in the folder?"""
        for rules, prefix in self.chain:
            verdict = rules.verdict(prefix + name, name, is_folder=is_folder)
            if verdict is not None:
                return verdict
        return False

    def below(self, folder: Path, name: str) -> IgnoreRules:
        """The rules in the folder of this name, with those of its own ``.gitignore`` (``folder`` is its path)."""
        deeper = tuple((rules, f"{prefix}{name}/") for rules, prefix in self.chain)
        return IgnoreRules(deeper)._with(folder, _NAME)

    def _with(self, folder: Path, file: str) -> IgnoreRules:
        own = _read(folder, file)
        return self if own is None else IgnoreRules(((own, ""), *self.chain))


def rules_at(root: Path) -> IgnoreRules:
    """Which rules hold in ``root``?  Where it lies in a git repository, those of the folders above it hold too."""
    folder = root.resolve()
    above = [folder, *folder.parents]
    top = next((place for place in above if (place / ".git").exists()), folder)
    rules = IgnoreRules()._with(top, _EXCLUDES)._with(top, _NAME)
    for place in reversed(above[: above.index(top)]):
        rules = rules.below(place, place.name)
    return rules


def _read(folder: Path, file: str) -> _Rules | None:
    try:
        descriptor = os.open(folder / file, OPENED_AS_LISTED)
    except OSError:  # mostly: there is none; git does not read a link either
        return None
    with os.fdopen(descriptor, "rb") as opened:
        is_plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        data = opened.read(_MOST_BYTES) if is_plain else b""
    return _parse(data.decode("utf-8-sig", "surrogateescape").split("\n")) if data else None


def _parse(lines: Iterable[str]) -> _Rules:
    rules = _Rules()
    for rank, line in enumerate(_cleaned(lines)):
        body = line.removeprefix("!").rstrip("/") if line.endswith("/") else line.removeprefix("!")
        last = body.rpartition("/")[2]
        regex = _translated(body)
        if regex is not None:
            pattern = _Pattern(
                rank=rank,
                ignores=not line.startswith("!"),
                only_folders=line.endswith("/"),
                regex=regex,
                guard=_guard(last),
            )
            rules.add(last, pattern)
    return rules


def _guard(last: str) -> re.Pattern[str] | None:
    """The last name as ``fnmatch`` has it, which gives each star what it needs, once.

    Null where there are no two stars; brackets and backslashes mean something else to it.
    """
    is_plain = not re.search(r"[\[\\]", last) and last.strip("*") != ""
    return re.compile(fnmatch.translate(last)) if is_plain and last.count("*") > 1 else None


def _cleaned(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        kept = line.removesuffix("\r")
        kept = kept if kept.endswith("\\ ") else kept.rstrip(" ")
        if kept and not kept.startswith("#"):
            yield kept


def _translated(body: str) -> re.Pattern[str] | None:
    """The regular expression of a pattern without its sign and last slash; null for one that git drops."""
    if not body:
        return None
    guarded = f"\\{body}" if body[0] in "!#" else body
    try:
        patterns = list(GitIgnoreSpec.from_lines([guarded]).patterns)
    except (ValueError, re.error):  # a last backslash, a range that runs backwards
        return None
    regex = patterns[0].regex if patterns else None  # a bracket that is not closed
    return regex if isinstance(regex, re.Pattern) else None
