"""What a captured child printed is read as lines, those of stdout first."""

from __future__ import annotations

from pathlib import Path

from diagtools.read.printed import read_printed


def test_both_streams_are_read_and_what_is_no_text_stands_as_escapes(tmp_path: Path) -> None:
    (tmp_path / "stderr.log").write_bytes(b"careful \xff\n")
    assert read_printed(tmp_path) == ("careful \\xff",)
    (tmp_path / "stdout.log").write_text("one\ntwo\n")
    assert read_printed(tmp_path) == ("one", "two", "careful \\xff")
