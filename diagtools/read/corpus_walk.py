"""A folder of any size as a stream: its files with their shapes, and what was passed over with the reason.

Nothing is kept but the folders still to be looked into: what comes is handed on in batches.  Links are not followed, so
no loop of them can catch the walk, and of FIFOs, sockets and devices only the names are read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.errors import UsageError
from diagtools.read.corpus import corpus_of, shown_path
from diagtools.read.ignored import IgnoreRules, rules_at
from diagtools.read.text_shape import NOT_PLAIN, Shape, shape_of

IGNORED = "ignored by git"
VERSION_CONTROL = "version control"
_REPOSITORIES = frozenset({".git", ".hg", ".svn", ".bzr"})
_ROWS = 8_192  # of a batch: enough for a frame to pay, and 3 MB
_NAMES = 10_000  # of a folder at a time, sorted: all of them, but where a folder holds very many
_KINDS = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A part of a corpus: ``files`` is CORPUS, ``passed_over`` PASSED_OVER."""

    files: pl.DataFrame
    passed_over: pl.DataFrame


def walk_corpus(root: Path, *, with_ignored: bool = False) -> Iterator[Batch]:
    """Which files does this folder hold, and what do their lines look like, batch by batch?

    Every entry below ``root`` is a row of one batch, in ``files`` if it is a text that could be read, else in
    ``passed_over``; a folder passed over is one row, and nothing below it is looked at.  Paths are relative, with
    forward slashes.  ``with_ignored`` looks at what git would ignore too.  A folder is walked in the order of its
    names.  Raises ``UsageError`` where ``root`` is no folder that can be listed.
    """
    _must_be_a_folder(root)
    walk = _Walk(with_ignored=with_ignored)
    pending = [_Folder(path=os.fspath(root), prefix="", rules=rules_at(root), is_ignored=False)]
    while pending:
        folder = pending.pop()
        found: list[_Folder] = []
        try:
            with os.scandir(folder.path) as entries:
                while names := sorted(islice(entries, _NAMES), key=_name_of):
                    for entry in names:
                        walk.look(entry, folder, found)
                        if walk.is_full:
                            yield walk.batch()
        except OSError as error:
            walk.pass_over(folder.prefix.rstrip("/") or ".", _not_listed(error), is_folder=True)
        pending += reversed(found)
    yield walk.batch()


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    prefix: str
    rules: IgnoreRules
    is_ignored: bool


@dataclass(slots=True)
class _Walk:
    """The rows of the batch that is being gathered."""

    with_ignored: bool
    paths: list[str] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    ignored: list[bool | None] = field(default_factory=list)
    passed: list[tuple[str, str, bool, int | None]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Are there rows enough to hand on?"""
        return len(self.paths) + len(self.passed) >= _ROWS

    def look(self, entry: os.DirEntry[str], folder: _Folder, found: list[_Folder]) -> None:
        """Measures a file, notes a folder for later, or passes over what is neither."""
        path = folder.prefix + entry.name
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            is_file = not is_folder and entry.is_file(follow_symlinks=False)
        except OSError as error:
            return self.pass_over(path, f"cannot be looked at: {error.strerror}")
        if is_folder and entry.name in _REPOSITORIES:
            return self.pass_over(path, VERSION_CONTROL, is_folder=True)
        is_ignored = folder.is_ignored or folder.rules.ignore(entry.name, is_folder=is_folder)
        if is_ignored and not self.with_ignored:
            return self.pass_over(path, IGNORED, is_folder=is_folder, entry=entry)
        if is_folder:
            rules = folder.rules.below(Path(entry.path), entry.name)
            found.append(_Folder(entry.path, f"{path}/", rules, is_ignored))
        elif is_file:
            self.measure(entry, path, is_ignored=is_ignored)
        else:
            self.pass_over(path, _what_it_is(entry))
        return None

    def measure(self, entry: os.DirEntry[str], path: str, *, is_ignored: bool) -> None:
        """Reads one file."""
        shape = shape_of(entry.path)
        if shape.reason is not None:
            return self.pass_over(path, shape.reason, entry=entry)
        self.paths.append(shown_path(path))
        self.shapes.append(shape)
        self.ignored.append(is_ignored)
        return None

    def pass_over(
        self, path: str, reason: str, *, is_folder: bool = False, entry: os.DirEntry[str] | None = None
    ) -> None:
        """Notes what is not part of the corpus, and why."""
        size_bytes = None if is_folder or entry is None else _size_of(entry)
        self.passed.append((shown_path(path), reason, is_folder, size_bytes))

    def batch(self) -> Batch:
        """What was gathered; gathers anew."""
        files = corpus_of(self.paths, self.shapes, self.ignored)
        rows = pl.DataFrame(self.passed, schema=frames.PASSED_OVER.columns, orient="row")
        for gathered in (self.paths, self.shapes, self.ignored, self.passed):
            gathered.clear()
        return Batch(files=files, passed_over=frames.PASSED_OVER.check(rows))


def _name_of(entry: os.DirEntry[str]) -> str:
    return entry.name


def _size_of(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return None


def _what_it_is(entry: os.DirEntry[str]) -> str:
    """What is it that is neither a file nor a folder?"""
    try:
        if entry.is_symlink():
            return _link(entry.path)
        mode = entry.stat(follow_symlinks=False).st_mode
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    return _KINDS.get(stat.S_IFMT(mode), NOT_PLAIN)


def _link(path: str) -> str:
    try:
        Path(path).stat()
    except OSError as error:
        return "loop of symbolic links" if error.errno == errno.ELOOP else "symbolic link to nothing"
    return "symbolic link, not followed"


def _not_listed(error: OSError) -> str:
    return f"cannot be listed: {error.strerror}"


def _must_be_a_folder(root: Path) -> None:
    try:
        with os.scandir(root):
            return
    except NotADirectoryError:
        raise UsageError(
            f"'{root}' is not a folder.", hint="name the folder that is to be indexed."
        ) from None
    except OSError as error:
        raise UsageError(
            f"'{root}' cannot be listed: {error.strerror}.", hint="name a folder that you may read."
        ) from error


def path_below(root: Path, name: str) -> str | None:
    """Which file below ``root`` does somebody else's name mean, its path from there or an absolute one?"""
    top = root.resolve()
    path = Path(name)
    relative = path.relative_to(top).as_posix() if path.is_relative_to(top) else name
    try:
        return relative if not Path(relative).is_absolute() and (top / relative).is_file() else None
    except (OSError, ValueError):  # too long, or with a NUL: no file has that name
        return None
