"""A folder of any kind is walked to its end: each entry is measured once, or passed over with a reason."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from diagtools.errors import UsageError
from diagtools.frames import CORPUS, PASSED_OVER
from diagtools.read.corpus import read_corpus
from diagtools.read.corpus_walk import path_below, walk_corpus


def walked(root: Path, *, with_ignored: bool = False) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All batches joined."""
    batches = list(walk_corpus(root, with_ignored=with_ignored))
    return pl.concat([one.files for one in batches]), pl.concat([one.passed_over for one in batches])


def reasons(root: Path) -> dict[str, str]:
    """What was passed over, and why."""
    return dict(walked(root)[1].select("path", "reason").iter_rows())


def test_files_come_in_the_order_of_their_names_with_their_shapes(tmp_path: Path) -> None:
    for path in ("b/z.py", "b/a.py", "a.py", "c"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(f"{path}\nsecond line\n")
    files, passed_over = walked(tmp_path)
    assert files["path"].to_list() == ["a.py", "c", "b/a.py", "b/z.py"]
    assert passed_over.is_empty()
    asked = read_corpus(tmp_path, files["path"].to_list())
    assert files.with_columns(ignored=pl.lit(None, dtype=pl.Boolean)).equals(asked)
    assert files["ignored"].to_list() == [False] * 4


def test_what_is_no_text_is_passed_over_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\0")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to("..")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("not yours")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
        assert reasons(tmp_path) == {
            ".git": "version control",
            "binary": "binary: it holds NUL bytes",
            "fifo": "FIFO",
            "folder/up": "symbolic link, not followed",
            "loop": "loop of symbolic links",
            "nowhere": "symbolic link to nothing",
            "socket": "socket",
        }
    assert walked(tmp_path)[0].is_empty()


def test_an_ignored_folder_is_one_entry_and_nothing_below_it_is_read(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n*.log\n")
    (tmp_path / "build" / "deep").mkdir(parents=True)
    (tmp_path / "build" / "deep" / "a").write_text("a")
    (tmp_path / "x.log").write_text("12345")
    files, passed_over = walked(tmp_path)
    assert files["path"].to_list() == [".gitignore"]
    assert passed_over.rows() == [
        ("build", "ignored by git", True, None),
        ("x.log", "ignored by git", False, 5),
    ]

    files, passed_over = walked(tmp_path, with_ignored=True)
    assert dict(files.select("path", "ignored").iter_rows()) == {
        ".gitignore": False,
        "build/deep/a": True,
        "x.log": True,
    }
    assert passed_over.is_empty()


def test_a_file_of_100_mb_in_one_line_is_read_in_blocks(tmp_path: Path) -> None:
    with (tmp_path / "one-line.json").open("wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    row = walked(tmp_path)[0].row(0, named=True)
    assert (row["size_bytes"], row["n_lines"], row["longest_line"]) == (100_000_000, 1, 100_000_000)


@pytest.mark.skipif(sys.platform != "linux", reason="the length of a path that Linux takes")
def test_a_folder_too_deep_to_be_listed_is_said(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    names = []
    while sum(map(len, names)) < 5_000:
        names.append("d" * 200)
        os.mkdir(names[-1], dir_fd=here)
        deeper = os.open(names[-1], os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    (reason,) = reasons(tmp_path).values()
    assert reason == "cannot be listed: File name too long"


def test_a_name_that_is_no_text_is_measured_and_shown_as_a_frame_has_it(tmp_path: Path) -> None:
    (tmp_path / "odd\udcff.py").write_text("x")
    assert walked(tmp_path)[0]["path"].to_list() == ["odd\\xff.py"]


@pytest.mark.parametrize("what", ["file", "nothing", "loop"])
def test_what_is_no_folder_is_refused_with_a_hint(tmp_path: Path, what: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="Hint: name"):
        next(walk_corpus(tmp_path / what))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n_files=st.integers(0, 30), rows=st.integers(1, 9), names=st.integers(1, 9))
def test_every_entry_is_in_one_batch_however_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, n_files: int, rows: int, names: int
) -> None:
    root = tmp_path_factory.mktemp("corpus")
    for number in range(n_files):
        folder = root / f"f{number % 3}"
        folder.mkdir(exist_ok=True)
        (folder / str(number)).write_bytes(b"\0" if number % 4 == 0 else b"text")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diagtools.read.corpus_walk._ROWS", rows)
        patch.setattr("diagtools.read.corpus_walk._NAMES", names)
        batches = list(walk_corpus(root))
    assert all(one.files.height + one.passed_over.height <= rows for one in batches)
    paths = [path for one in batches for frame in (one.files, one.passed_over) for path in frame["path"]]
    assert sorted(paths) == sorted(f"f{number % 3}/{number}" for number in range(n_files))
    assert sum(one.passed_over.height for one in batches) == len(range(0, n_files, 4))


def test_an_empty_folder_is_an_empty_corpus(tmp_path: Path) -> None:
    files, passed_over = walked(tmp_path)
    assert CORPUS.check(files).is_empty()
    assert PASSED_OVER.check(passed_over).is_empty()


def test_names_of_others_are_found_below_the_folder_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").touch()
    assert path_below(tmp_path, "sub/a") == "sub/a"
    assert path_below(tmp_path, str(tmp_path / "sub" / "a")) == "sub/a"
    for name in ("sub", "b", "/etc/passwd", "batch 7", "x" * 5_000, "nul\0"):
        assert path_below(tmp_path, name) is None
