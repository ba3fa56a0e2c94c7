"""A text is measured as a reader of text sees it, whatever its bytes, its line ends and its length."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, example, given, settings

from diagtools.read.text_shape import Shape, shape_of


def measured(folder: Path, data: bytes) -> Shape:
    """The shape of a file with these bytes."""
    (folder / "a").write_bytes(data)
    return shape_of(str(folder / "a"))


def expected(folder: Path) -> Shape:
    """The same as Python's own reader of text says."""
    text = (folder / "a").read_text(encoding="utf-8", errors="replace")
    lines = text.split("\n")
    return Shape(
        size_bytes=(folder / "a").stat().st_size,
        n_lines=len(lines) - (not lines[-1]),
        n_chars=len(text),
        longest_line=max(map(len, lines)),
        n_spaces=sum(map(str.isspace, text)),
    )


PIECES = st.sampled_from(
    [
        b"a",
        b"bc ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\t",
        b"\x0b",
        b"\x1c",
        "é".encode(),
        "\u2003\x85".encode(),
        b"\xff",
        b"\xe2\x82",
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=30).map(b"".join), st.integers(1, 9))
@example(b"a\r\n\r\nb\r", 3)
@example(b"\xe2\x82\xac" * 5, 2)
def test_python_reads_the_same_however_the_blocks_fall(tmp_path: Path, data: bytes, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("diagtools.read.text_shape._BLOCK_BYTES", block)
        assert measured(tmp_path, data) == expected(tmp_path)
    assert measured(tmp_path, data) == expected(tmp_path)


def test_a_line_of_many_blocks_is_one_line(tmp_path: Path) -> None:
    found = measured(tmp_path, b"x" * 1_000_000 + b"\nend")
    assert (found.size_bytes, found.n_lines, found.longest_line, found.n_spaces) == (
        1_000_004,
        2,
        1_000_000,
        1,
    )


@pytest.mark.parametrize("at", [0, 70_000, 200_000], ids=["begin", "second block", "end"])
def test_nul_bytes_anywhere_are_binary(tmp_path: Path, at: int) -> None:
    data = b"x" * at + b"\0" + b"x" * (200_000 - at)
    found = measured(tmp_path, data)
    assert (found.size_bytes, found.n_lines, found.reason) == (200_001, None, "binary: it holds NUL bytes")


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    assert shape_of(str(tmp_path)).reason == "cannot be read: Is a directory"
    assert "symbolic link" in (shape_of(str(tmp_path / "link")).reason or "")
    assert shape_of(str(tmp_path / "gone")).reason == "cannot be read: No such file or directory"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_file_that_fails_while_it_is_read_says_so() -> None:
    assert shape_of("/proc/self/mem").reason == "cannot be read: Input/output error"
