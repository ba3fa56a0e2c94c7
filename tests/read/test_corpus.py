"""Files are measured as a reader of text sees them, and none outside the corpus is opened."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from diagtools.read.corpus import read_corpus
from workloads.rag.filters import shape_of


def row(root: Path, path: str) -> dict[str, object]:
    return read_corpus(root, [path]).row(0, named=True)


def test_the_shape_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("one\ncafé au\r\n".encode())
    assert row(tmp_path, "a.py") == {
        "path": "a.py",
        "size_bytes": 14,
        "longest_line": 7,
        "n_lines": 2,
        "mean_line": 6.0,
        "space_share": 3 / 12,
        "kind": None,
        "why": None,
        "vendored": None,
        "ignored": None,
        "n_chunks": None,
    }


def test_files_come_in_the_order_asked_for(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).touch()
    assert read_corpus(tmp_path, ["b", "nowhere", "a"])["path"].to_list() == ["b", "nowhere", "a"]
    assert read_corpus(tmp_path, []).is_empty()


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    found = row(tmp_path, "empty")
    assert (found["size_bytes"], found["n_lines"], found["longest_line"]) == (0, 0, 0)
    assert (found["mean_line"], found["space_share"], found["kind"]) == (None, None, None)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere", "does not exist"),
        ("../secret", "not a plain file inside the corpus"),
        ("link", "not a plain file inside the corpus"),
        ("folder", "not a plain file inside the corpus"),
        ("fifo", "not a plain file inside the corpus"),
        ("binary", "binary: it holds NUL bytes"),
    ],
)
def test_what_is_no_text_of_the_corpus_says_why(tmp_path: Path, path: str, why: str) -> None:
    root = tmp_path / "corpus"
    (root / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("not yours")
    (root / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(root / "fifo")
    (root / "binary").write_bytes(b"\x7fELF\0\0")
    found = row(root, path)
    assert (found["kind"], found["why"], found["n_lines"]) == ("unreadable", why, None)


def test_an_absolute_path_is_refused_also_where_it_lies_inside(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert row(tmp_path, str(tmp_path / "a"))["kind"] == "unreadable"


@pytest.mark.parametrize(
    "path", ["odd\udcff.py", "odd\\xff.py"], ids=["as the system has it", "as a frame has it"]
)
def test_a_name_that_is_not_utf8_is_found(tmp_path: Path, path: str) -> None:
    (tmp_path / "odd\udcff.py").write_text("x")
    found = row(tmp_path, path)
    assert (found["path"], found["size_bytes"]) == ("odd\\xff.py", 1)


def test_a_name_that_no_file_can_have_does_not_exist(tmp_path: Path) -> None:
    assert row(tmp_path, "\ud800")["kind"] == "unreadable"


def test_a_file_longer_than_one_block_is_one_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diagtools.read.text_shape._BLOCK_BYTES", 7)
    (tmp_path / "a").write_text("x" * 20 + "\n" + "y" * 13)
    found = row(tmp_path, "a")
    assert (found["longest_line"], found["n_lines"], found["mean_line"]) == (20, 2, 17.0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=60))
def test_the_program_under_study_measures_the_same(tmp_path: Path, text: str) -> None:
    """Its filter and our reader must agree on which files are generated."""
    (tmp_path / "a").write_bytes(text.encode())
    found, theirs = row(tmp_path, "a"), shape_of(text)
    assert (found["n_lines"], found["longest_line"]) == (theirs.n_lines, theirs.longest_line)
    assert (found["mean_line"], found["space_share"]) == (theirs.mean_line, theirs.white_share)
