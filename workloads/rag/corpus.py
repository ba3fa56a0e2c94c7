"""Which files make up a corpus, and in which order?"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workloads.rag.errors import CorpusError, FileError

SKIPPED_FOLDERS = frozenset({"__pycache__", ".git", ".hg", ".svn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """Where is one file, and how is it named in the corpus?

    `relative` is the path below the corpus root with forward slashes. Bytes of a name that are not UTF-8 are
    carried as surrogates (PEP 383), so `path` always opens the file it was found as.
    """

    path: Path
    relative: str
    size_bytes: int

    @property
    def label(self) -> str:
        """How is this file named in one line of text?"""
        return one_line(self.relative)


class DriftKind(StrEnum):
    """In which way does an environment differ from the one a manifest was made in?"""

    VERSION = "another version"
    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What differs: a file or a package, how, and what was found instead?"""

    name: str
    kind: DriftKind
    detail: str

    def __str__(self) -> str:
        return f"{one_line(self.name)} {self.kind}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Which files are to be indexed?

    `digest` is the sha256 of the newline-joined relative paths: of all that a manifest lists, present or not,
    or of all that a folder holds. `drift` is empty for a folder.
    """

    name: str
    root: Path
    files: tuple[SourceFile, ...]
    digest: str
    drift: tuple[Drift, ...] = ()


def one_line(name: str) -> str:
    """How is a name written so that it is one line and prints anywhere?"""
    return name if name.isprintable() else ascii(name)[1:-1]


def digest_of(relative_paths: Iterable[str]) -> str:
    """What is the sha256 of the newline-joined paths?"""
    return hashlib.sha256(b"\n".join(map(os.fsencode, relative_paths))).hexdigest()


def read_text(file: SourceFile) -> str:
    """What does the file say? Raises FileError for what is not text, OSError for what cannot be read."""
    raw = file.path.read_bytes()
    if b"\0" in raw:
        raise FileError("binary: it holds NUL bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"not UTF-8: byte {error.start} of {len(raw)}") from error


def walk_folder(folder: Path) -> Corpus:
    """Which regular files does a folder hold? Links are not followed, caches of tools not entered.

    Sorted by relative path. Raises CorpusError where the folder cannot be listed.
    """
    if not folder.is_dir():
        raise CorpusError(
            f"No folder {one_line(str(folder))!r}.", hint="pass --folder a directory that exists."
        )
    files = tuple(sorted(_regular_files(folder), key=lambda file: file.relative))
    digest = digest_of(file.relative for file in files)
    return Corpus(name=folder.resolve().name, root=folder, files=files, digest=digest)


def _regular_files(folder: Path) -> Iterator[SourceFile]:
    def refuse(error: OSError) -> None:
        if error.filename == str(folder):
            raise CorpusError(
                f"Folder {one_line(str(folder))!r} cannot be listed: {error.strerror}.",
                hint="check its permissions.",
            )

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for path in (Path(parent, name) for name in names):
            with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    relative = path.relative_to(folder).as_posix()
                    yield SourceFile(path=path, relative=relative, size_bytes=status.st_size)
