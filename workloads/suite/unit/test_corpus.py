"""Which files does a folder hold, and is each one text?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.corpus import digest_of, one_line, read_text, walk_folder
from workloads.rag.errors import CorpusError, FileError


def test_files_come_sorted_with_their_sizes(tree: Callable[..., Path]) -> None:
    """Caches of tools are not entered."""
    root = tree({"b.py": "12345", "a/c.py": "1", "__pycache__/b.pyc": "x", ".git/config": "x"})
    assert [(one.relative, one.size_bytes) for one in walk_folder(root).files] == [("a/c.py", 1), ("b.py", 5)]


def test_links_are_not_followed(tree: Callable[..., Path]) -> None:
    """A link to the root would have no end."""
    root = tree({"a.py": "x"})
    (root / "again").symlink_to(root)
    (root / "b.py").symlink_to(root / "a.py")
    assert [one.relative for one in walk_folder(root).files] == ["a.py"]


def test_the_digest_names_the_files_and_not_their_content(tree: Callable[..., Path]) -> None:
    """The same paths have the same digest."""
    before = walk_folder(tree({"a.py": "x", "b.py": "y"})).digest
    assert walk_folder(tree({"a.py": "z"})).digest == before == digest_of(["a.py", "b.py"])


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"a\0b", "NUL bytes"), ("é".encode("latin-1"), "not UTF-8: byte 0 of 1")],
)
def test_what_is_no_text_says_why(tree: Callable[..., Path], content: bytes, why: str) -> None:
    """The run goes on without it."""
    (file,) = walk_folder(tree({"a.py": content})).files
    with pytest.raises(FileError, match=why):
        read_text(file)


def test_a_mark_of_byte_order_is_no_text(tree: Callable[..., Path]) -> None:
    """Editors write it, nobody reads it."""
    (file,) = walk_folder(tree({"a.py": b"\xef\xbb\xbfx = 1"})).files
    assert read_text(file) == "x = 1"


def test_no_folder_is_one_clear_error(tmp_path: Path) -> None:
    """With what to pass instead."""
    with pytest.raises(CorpusError, match=r"No folder .* Hint: pass --folder"):
        walk_folder(tmp_path / "absent")


def test_a_name_is_one_line() -> None:
    """Whatever is in it."""
    assert one_line("a\nb.py") == "a\\nb.py"
