"""Which pinned files does a corpus manifest name, and does this environment still hold them?

A manifest lists files of installed packages with sizes and hashes, so that a corpus needs no download and
every machine with the same packages indexes the same bytes. What differs is drift: said, not ignored.

    {"name", "rule", "root": "site-packages" | "folder", "packages": {name: version}, "limit_bytes"?,
     "digest": sha256 of the newline-joined paths, "content_digest": sha256 of the newline-joined hashes,
     "files": [{"path", "size_bytes", "sha256": first 16 hex digits}]}
"""

import contextlib
import hashlib
import importlib.metadata
import json
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from workloads.rag.corpus import Corpus, Drift, DriftKind, SourceFile, digest_of, one_line
from workloads.rag.errors import CorpusError

HASH_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Which file is pinned, and what was in it?"""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Which release do pinned files come from?"""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Which files make up a pinned corpus, by which rule, from which releases?

    `root` is `site-packages`, or `folder` for files beside the manifest. `limit_bytes` is the memory limit at
    which the corpus shows what it was made for, where that is not the usual one.
    """

    name: str
    rule: str
    root: str
    packages: tuple[Package, ...]
    files: tuple[Entry, ...]
    limit_bytes: int | None = None

    @property
    def digest(self) -> str:
        """Which files are listed, in which order?"""
        return digest_of(entry.path for entry in self.files)

    @property
    def content_digest(self) -> str:
        """What was in the listed files?"""
        return digest_of(entry.sha256 for entry in self.files)


def file_hash(path: Path) -> str:
    """What are the first hex digits of the sha256 of a file?"""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:HASH_DIGITS]


def site_packages() -> Path:
    """Where are the packages of this interpreter?"""
    return Path(sysconfig.get_path("purelib"))


def open_manifest(path: Path) -> Corpus:
    """Which of the pinned files are here, and what has drifted?

    Files keep the order of the manifest. A changed file is still indexed; a missing one, or one that a link
    leads out of the root, is not. Raises CorpusError where the manifest cannot be read or is not to be trusted.
    """
    manifest = read_manifest(path)
    root = site_packages() if manifest.root == "site-packages" else path.parent
    present = tuple(_present(root, manifest.files))
    drift = (*_other_versions(manifest.packages), *_changes(root, manifest.files, present))
    return Corpus(name=manifest.name, root=root, files=present, digest=manifest.digest, drift=drift)


def _present(root: Path, entries: Iterable[Entry]) -> Iterator[SourceFile]:
    inside = root.resolve()
    for entry in entries:
        path = root / entry.path
        with contextlib.suppress(OSError):  # no file has such a name
            if path.is_file() and path.resolve().is_relative_to(inside):
                yield SourceFile(path=path, relative=entry.path, size_bytes=path.stat().st_size)


def _other_versions(packages: Iterable[Package]) -> Iterator[Drift]:
    for package in packages:
        try:
            found = importlib.metadata.version(package.name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        if found != package.version:
            detail = f"{found} instead of {package.version}"
            yield Drift(name=package.name, kind=DriftKind.VERSION, detail=detail)


def _changes(root: Path, entries: Iterable[Entry], present: Iterable[SourceFile]) -> Iterator[Drift]:
    found = {file.relative: file for file in present}
    for entry in entries:
        file = found.get(entry.path)
        if file is None:
            yield Drift(name=entry.path, kind=DriftKind.MISSING, detail=_absence(root / entry.path))
        elif change := _change(file, entry):
            yield Drift(name=entry.path, kind=DriftKind.CHANGED, detail=change)


def _absence(path: Path) -> str:
    with contextlib.suppress(OSError):
        if path.is_symlink():
            return "a link out of the root"
    return "no such file"


def _change(file: SourceFile, entry: Entry) -> str:
    if file.size_bytes != entry.size_bytes:
        return f"{file.size_bytes} bytes instead of {entry.size_bytes}"
    try:
        return "" if file_hash(file.path) == entry.sha256 else "same size, other content"
    except OSError as error:
        return f"unreadable, {error.strerror}"


def read_manifest(path: Path) -> Manifest:
    """What does a manifest say? It is input from elsewhere: every field is checked, no path leaves the root."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "pass --corpus a manifest such as data/corpora/incident.json."
        raise CorpusError(f"No manifest {one_line(str(path))!r}: {error.strerror}.", hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"not JSON: {error}") from error
    try:
        manifest = _manifest(_object(document))
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(path, f"{type(error).__name__}: {error}") from error
    return manifest


def _unusable(path: Path, why: str) -> CorpusError:
    hint = "make it again: python -m workloads.rag.corpora"
    return CorpusError(f"Manifest {one_line(str(path))!r} cannot be used: {why}.", hint=hint)


def _manifest(document: dict[str, Any]) -> Manifest:
    """What does it say? Raises KeyError, TypeError or ValueError for what it may not. Any: JSON as it came."""
    limit = document.get("limit_bytes")
    entries = tuple(
        Entry(path=_safe(row["path"]), size_bytes=_size(row["size_bytes"]), sha256=_text(row["sha256"]))
        for row in map(_object, document["files"])
    )
    if len({entry.path for entry in entries}) < len(entries):
        raise ValueError("a path is listed twice")
    if document["root"] not in ("site-packages", "folder"):
        raise ValueError(f"unknown root {document['root']!r}")
    packages = _object(document["packages"]).items()
    manifest = Manifest(
        name=_text(document["name"]),
        rule=_text(document["rule"]),
        root=document["root"],
        packages=tuple(Package(name=_text(k), version=_text(v)) for k, v in packages),
        files=entries,
        limit_bytes=None if limit is None else _size(limit),
    )
    if (document["digest"], document["content_digest"]) != (manifest.digest, manifest.content_digest):
        raise ValueError("the digests are not those of its files")
    return manifest


def _object(value: Any) -> dict[str, Any]:
    """Any: JSON as it came."""
    if not isinstance(value, dict):
        raise TypeError(f"an object expected, not {value!r}")
    return value


def _text(value: Any) -> str:
    """Any: JSON as it came."""
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {value!r}")
    return value


def _size(value: Any) -> int:
    """Any: JSON as it came."""
    if type(value) is not int or value < 0:
        raise TypeError(f"a number of bytes expected, not {value!r}")
    return value


def _safe(value: Any) -> str:
    """Any: JSON as it came. Returns the relative path that stays below its root whatever the platform."""
    path = _text(value)
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or any(sign in path for sign in "\\:\0"):
        raise ValueError(f"path {path!r} may leave the root")
    if path != "/".join(parts):
        raise ValueError(f"path {path!r} is not in its plain form")
    return path


def write_manifest(manifest: Manifest, path: Path) -> None:
    """How is a manifest kept, so that a change shows as a small diff?"""
    document: dict[str, object] = {
        "name": manifest.name,
        "rule": manifest.rule,
        "root": manifest.root,
        "packages": {package.name: package.version for package in manifest.packages},
        **({} if manifest.limit_bytes is None else {"limit_bytes": manifest.limit_bytes}),
        "digest": manifest.digest,
        "content_digest": manifest.content_digest,
    }
    rows = [
        json.dumps({"path": e.path, "size_bytes": e.size_bytes, "sha256": e.sha256}) for e in manifest.files
    ]
    head = json.dumps(document, indent=2)[:-2]
    path.write_text(head + ',\n  "files": [\n    ' + ",\n    ".join(rows) + "\n  ]\n}\n", encoding="utf-8")
