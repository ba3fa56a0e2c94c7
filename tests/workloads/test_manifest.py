"""Is drift said and not ignored, and can no manifest lead out of its root?"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workloads.rag.corpus import Drift, DriftKind
from workloads.rag.errors import CorpusError
from workloads.rag.manifest import (
    Entry,
    Manifest,
    Package,
    file_hash,
    open_manifest,
    read_manifest,
    write_manifest,
)

CONTENTS = {"pkg/a.py": "a = 1\n", "pkg/b.py": "b = 2\n", "pkg/c.py": "c = 3\n"}


@pytest.fixture
def pinned(tree: Callable[..., Path]) -> Path:
    """A manifest of three files beside it."""
    root = tree(CONTENTS)
    files = tuple(
        Entry(path=name, size_bytes=(root / name).stat().st_size, sha256=file_hash(root / name))
        for name in CONTENTS
    )
    path = root / "corpus.json"
    write_manifest(Manifest(name="three", rule="by hand", root="folder", packages=(), files=files), path)
    return path


def altered(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def test_what_is_written_is_read_again(pinned: Path) -> None:
    manifest = read_manifest(pinned)
    write_manifest(manifest, pinned)
    assert read_manifest(pinned) == manifest
    assert [entry.path for entry in manifest.files] == list(CONTENTS)


def test_an_environment_as_pinned_has_no_drift(pinned: Path) -> None:
    corpus = open_manifest(pinned)
    assert corpus.drift == ()
    assert corpus.digest == read_manifest(pinned).digest
    assert [file.relative for file in corpus.files] == list(CONTENTS)


def test_drift_is_listed_and_the_rest_is_indexed(pinned: Path) -> None:
    folder = pinned.parent / "pkg"
    (folder / "a.py").unlink()
    (folder / "b.py").write_text("b = 3\n")
    (folder / "c.py").write_text("c = 333\n")
    altered(pinned, packages={"pytest": "0.0.1", "no-such-package-here": "1.0"})
    corpus = open_manifest(pinned)
    assert [file.relative for file in corpus.files] == ["pkg/b.py", "pkg/c.py"]
    assert [(drift.name, drift.kind) for drift in corpus.drift] == [
        ("pytest", DriftKind.VERSION),
        ("no-such-package-here", DriftKind.VERSION),
        ("pkg/a.py", DriftKind.MISSING),
        ("pkg/b.py", DriftKind.CHANGED),
        ("pkg/c.py", DriftKind.CHANGED),
    ]
    assert str(corpus.drift[1]) == "no-such-package-here another version: not installed instead of 1.0"
    assert str(corpus.drift[4]) == "pkg/c.py changed: 8 bytes instead of 6"


def test_a_link_out_of_the_root_is_not_followed(pinned: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("secret")
    (pinned.parent / "pkg/a.py").unlink()
    (pinned.parent / "pkg/a.py").symlink_to(secret)
    corpus = open_manifest(pinned)
    assert "pkg/a.py" not in {file.relative for file in corpus.files}
    assert corpus.drift == (Drift(name="pkg/a.py", kind=DriftKind.MISSING, detail="a link out of the root"),)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../up.py",
        "a/../../up.py",
        "a\\..\\up.py",
        "C:/x.py",
        "",
        ".",
        "a//b.py",
        "./a.py",
        "a\0.py",
        7,
        None,
    ],
)
def test_a_path_that_may_leave_the_root_spoils_the_manifest(pinned: Path, path: object) -> None:
    altered(pinned, files=[{"path": path, "size_bytes": 1, "sha256": "0"}])
    with pytest.raises(CorpusError, match="cannot be used"):
        open_manifest(pinned)


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": "0" * 64},
        {"content_digest": None},
        {"root": "/"},
        {"files": None},
        {"files": [7]},
        {"packages": []},
        {"packages": {"pytest": 9}},
        {"name": None},
        {"limit_bytes": "much"},
        {"limit_bytes": float("inf")},
        {"limit_bytes": -1},
    ],
)
def test_a_malformed_manifest_is_one_clear_error(pinned: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(CorpusError, match=r"cannot be used: .* Hint: "):
        open_manifest(altered(pinned, **changes))


def test_a_path_listed_twice_spoils_the_manifest(pinned: Path) -> None:
    rows = json.loads(pinned.read_text())["files"]
    with pytest.raises(CorpusError, match="listed twice"):
        open_manifest(altered(pinned, files=[*rows, rows[0]]))


@pytest.mark.parametrize("content", [b"", b"[", b"[" * 100_000, b"\xff", b"7", b"[]", b"null"])
def test_what_is_no_manifest_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="cannot be used"):
        open_manifest(path)


def test_a_name_that_no_file_can_have_is_drift(pinned: Path) -> None:
    manifest = read_manifest(pinned)
    long = Entry(path="x" * 5_000, size_bytes=1, sha256="0")
    write_manifest(replace(manifest, files=(*manifest.files, long)), pinned)
    corpus = open_manifest(pinned)
    assert len(corpus.files) == len(manifest.files)
    assert [drift.kind for drift in corpus.drift] == [DriftKind.MISSING]


def test_a_missing_manifest_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"No manifest .*absent.json.* Hint: "):
        open_manifest(tmp_path / "absent.json")


def test_packages_and_limit_survive_writing(pinned: Path) -> None:
    packages = (Package(name="pytest", version="1"),)
    manifest = Manifest(name="n", rule="r", root="folder", packages=packages, files=(), limit_bytes=5)
    write_manifest(manifest, pinned)
    assert read_manifest(pinned) == manifest
