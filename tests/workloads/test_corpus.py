"""Does a walk find every regular file once, in a stable order, whatever its name?"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.corpus import SourceFile, digest_of, one_line, read_text, walk_folder
from workloads.rag.errors import CorpusError, FileError


def test_files_come_sorted_by_path_with_their_sizes(tree: Callable[..., Path]) -> None:
    root = tree({"b.py": "22", "a/z.py": "1", "a.py": "333", ".hidden/x.py": "4"})
    corpus = walk_folder(root)
    assert [(file.relative, file.size_bytes) for file in corpus.files] == [
        (".hidden/x.py", 1),
        ("a.py", 3),
        ("a/z.py", 1),
        ("b.py", 2),
    ]
    joined = b".hidden/x.py\na.py\na/z.py\nb.py"
    assert corpus.digest == hashlib.sha256(joined).hexdigest()


def test_links_caches_and_pipes_are_passed_by(tree: Callable[..., Path]) -> None:
    root = tree({"a.py": "1", "__pycache__/a.pyc": "x", ".git/config": "x"})
    (root / "link.py").symlink_to(root / "a.py")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.py")
    assert [file.relative for file in walk_folder(root).files] == ["a.py"]


def test_any_name_is_walked_and_read(tmp_path: Path) -> None:
    names = [b"line\nbreak.py", b"tab\t.py", b"\xff\xfe.py", "ü.py".encode()]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("text")
    files = walk_folder(tmp_path).files
    assert sorted(os.fsencode(file.relative) for file in files) == sorted(names)
    assert {read_text(file) for file in files} == {"text"}
    assert all("\n" not in file.label and file.label.isprintable() for file in files)


def test_one_line_keeps_what_prints() -> None:
    assert one_line("src/ü b.py") == "src/ü b.py"
    assert one_line("a\nb\udcff") == "a\\nb\\udcff"


def test_digest_depends_on_order() -> None:
    assert digest_of(["a", "b"]) != digest_of(["b", "a"])


@pytest.mark.parametrize("name", ["absent", "file.txt"])
def test_what_is_no_folder_is_said_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(CorpusError, match=r"No folder .* Hint: "):
        walk_folder(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"a\0b", "binary"), (b"ab\xff", "not UTF-8: byte 2 of 3"), ("é".encode("latin-1"), "not UTF-8")],
)
def test_what_is_not_text_is_refused_with_the_reason(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(content)
    with pytest.raises(FileError, match=why):
        read_text(SourceFile(path=path, relative="x.py", size_bytes=len(content)))


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"\xef\xbb\xbfx\r\n")
    assert read_text(SourceFile(path=path, relative="x.py", size_bytes=6)) == "x\r\n"
