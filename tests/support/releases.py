"""Made-up packages: wheels and sources in a folder that uv and pip take for all there is."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

#: 16 releases of which the 11th began to keep 30 MB.
VERSIONS = tuple(f"1.{number}" for number in range(16))
FIRST_BAD = VERSIONS[10]
_KEPT = 30 * 10**6


def wheel(
    folder: Path,
    name: str,
    version: str,
    code: str = "",
    *,
    requires: Sequence[str] = (),
    python: str = ">=3.9",
    tag: str = "py3-none-any",
) -> None:
    """A wheel of one module of the same name."""
    info = f"{name}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        f"Requires-Python: {python}\n{needed}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    files[f"{info}/RECORD"] = "".join(_row(path, text) for path, text in files.items()) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def index_pages(folder: Path, name: str, releases: Mapping[str, str]) -> str:
    """The address of an index as PEP 503 and 592 have it, with a wheel of each release, and attributes of its link."""
    pages = folder / "simple" / name
    pages.mkdir(parents=True)
    links = []
    for version, attributes in releases.items():
        wheel(pages, name, version)
        file = f"{name}-{version}-py3-none-any.whl"
        links.append(f'<a href="{file}" {attributes}>{file}</a>')
    (pages / "index.html").write_text(f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>")
    return (folder / "simple").as_uri()


def broken_source(folder: Path, name: str, version: str) -> None:
    """A release without a wheel, whose build fails at once: it needs no other package to fail."""
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": "raise SystemExit('no compiler here')\n",
    }
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


def keeps(n_bytes: int) -> str:
    """A module that keeps so much as soon as it is imported, and says so."""
    return f"KEPT = bytearray(b'x') * {n_bytes}\n"


def only_here(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """From now on this folder is all there is to install from, and the cache is an empty one."""
    index, cache = folder / "index", folder / "cache"
    index.mkdir()
    patch.setenv("PIP_CONFIG_FILE", "/dev/null")
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(index))
    patch.setenv("UV_FIND_LINKS", str(index))
    patch.setenv("UV_CACHE_DIR", str(folder / "uv"))
    patch.setenv("DIAGTOOLS_CACHE", str(cache))
    return index


def leaking_releases(index: Path, name: str = "madeup", *, sizes: Mapping[str, int] | None = None) -> None:
    """16 releases, of which those from the 11th on keep 30 MB; or so much as ``sizes`` says."""
    kept = sizes or {one: _KEPT if one in VERSIONS[10:] else 0 for one in VERSIONS}
    for version, n_bytes in kept.items():
        wheel(index, name, version, keeps(n_bytes))


def _row(path: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text.encode())}\n"
