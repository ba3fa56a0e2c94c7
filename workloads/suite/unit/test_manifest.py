"""Is a manifest read as it was written, and refused where it cannot be trusted?"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.errors import CorpusError
from workloads.rag.manifest import Entry, Manifest, file_hash, open_manifest, read_manifest, write_manifest


def manifest_of(root: Path, *names: str) -> Manifest:
    """These files of a folder, pinned."""
    entries = tuple(
        Entry(path=name, size_bytes=(root / name).stat().st_size, sha256=file_hash(root / name))
        for name in names
    )
    return Manifest(name="pinned", rule="by hand", root="folder", packages=(), files=entries)


@pytest.fixture
def pinned(tree: Callable[..., Path]) -> Path:
    """A manifest of two files, beside them."""
    root = tree({"a.py": "x = 1\n", "b.py": "y = 2\n"})
    write_manifest(manifest_of(root, "b.py", "a.py"), root / "pinned.json")
    return root / "pinned.json"


def test_what_is_written_is_read(pinned: Path) -> None:
    """In the order of the manifest, not of the folder."""
    assert [one.path for one in read_manifest(pinned).files] == ["b.py", "a.py"]
    assert open_manifest(pinned).drift == ()


def test_another_content_of_the_same_size_is_drift(pinned: Path) -> None:
    """The file is indexed all the same."""
    (pinned.parent / "a.py").write_text("x = 9\n")
    corpus = open_manifest(pinned)
    assert [str(one) for one in corpus.drift] == ["a.py changed: same size, other content"]
    assert len(corpus.files) == 2


def test_a_file_that_is_gone_is_drift(pinned: Path) -> None:
    """The others are indexed."""
    (pinned.parent / "b.py").unlink()
    corpus = open_manifest(pinned)
    assert [str(one) for one in corpus.drift] == ["b.py missing: no such file"]
    assert [one.relative for one in corpus.files] == ["a.py"]


@pytest.mark.parametrize("path", ["../a.py", "/a.py", "x/../../a.py", "./a.py"])
def test_no_path_leaves_the_root(pinned: Path, path: str) -> None:
    """A manifest comes from elsewhere."""
    document = json.loads(pinned.read_text())
    document["files"][0]["path"] = path
    pinned.write_text(json.dumps(document))
    with pytest.raises(CorpusError, match="cannot be used: ValueError: path"):
        read_manifest(pinned)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1}', "\x00"])
def test_what_is_no_manifest_is_one_clear_error(tmp_path: Path, text: str) -> None:
    """With how to make one."""
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(CorpusError, match=r"cannot be used: .* Hint: make it again"):
        read_manifest(tmp_path / "m.json")
