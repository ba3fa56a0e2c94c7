"""Source files as they are: broken, hostile, in their own encoding."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, DiagtoolsError, NoDataError, UnavailableError, UsageError
from diagtools.read import source_text
from diagtools.read.import_place import read_import_place


def test_the_file_is_read_in_its_own_encoding(tmp_path: Path) -> None:
    file = tmp_path / "latin.py"
    file.write_bytes(b"# -*- coding: latin-1 -*-\r\nx = '\xe9'; import heavy\r\nprint(heavy)\r\n")
    place = read_import_place(file, 2)
    assert place.shares_line
    assert "é" in place.source


def test_a_form_feed_is_no_end_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "feed.py"
    file.write_bytes(b"x = 1 \x0c\n\x0cimport heavy\n")
    assert read_import_place(file, 2).text.strip() == "import heavy"


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"import heavy(\n", UnavailableError, "does not parse 'm.py' at line 1"),
        (b"import heavy\n\0", UnavailableError, "does not parse"),
        (b"import heavy\n# \xff\n", DamagedError, "no text in its own encoding"),
        (b"# coding: nonsense\nimport heavy\n", DamagedError, "nonsense"),
        (
            b"import heavy\nx = " + b"-" * 100_000 + b"1\n",
            UnavailableError,
            "nested too deeply|does not parse",
        ),
        (b"import heavy\nx = " + b"(" * 5_000 + b"\n", UnavailableError, "nested too deeply|does not parse"),
        (b"x = 1\nimport heavy\n", UsageError, "Line 1 of 'm.py' is no import statement"),
        (b"", UsageError, "Line 1"),
    ],
)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, data: bytes, error: type[DiagtoolsError], words: str
) -> None:
    (tmp_path / "m.py").write_bytes(data)
    with pytest.raises(error, match=words) as raised:
        read_import_place(tmp_path / "m.py", 1)
    assert raised.value.hint


def test_no_file_no_plain_file_and_too_large_a_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoDataError, match="no file"):
        read_import_place(tmp_path / "absent.py", 1)
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(DamagedError, match=r"folder\.py"):
        read_import_place(tmp_path / "folder.py", 1)
    os.mkfifo(tmp_path / "fifo.py")
    with pytest.raises(DamagedError, match="not a plain file"):
        read_import_place(tmp_path / "fifo.py", 1)
    (tmp_path / "m.py").write_text("import heavy\n")
    monkeypatch.setattr(source_text, "MOST_BYTES", 4)
    with pytest.raises(DamagedError, match="larger than"):
        read_import_place(tmp_path / "m.py", 1)
