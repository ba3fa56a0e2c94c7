"""A line of source is shown where it can be read, and nothing but Python's source."""

from __future__ import annotations

from pathlib import Path

from diagtools.read.profiles.source_lines import source_lines


def test_lines_are_read_without_their_indent_and_what_cannot_be_is_left_out(tmp_path: Path) -> None:
    code, other = tmp_path / "app.py", tmp_path / "secret.txt"
    code.write_text("def f():\n    return 1\n")
    other.write_text("token\n")
    asked = [(str(code), 2), (str(code), 9), (str(code), 0), (str(other), 1), (str(tmp_path / "gone.py"), 1)]
    assert source_lines(asked) == {(str(code), 2): "return 1"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.py")
    assert source_lines([(str(tmp_path / "pipe.py"), 1)]) == {}
