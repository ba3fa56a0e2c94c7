"""What another process prints, shown while it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.notebook import output
from diagtools.notebook.output import Shown
from tests.capture.processes import until


def test_what_is_written_is_shown_before_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = []
    with Shown(tmp_path), (tmp_path / "stdout.log").open("wb", buffering=0) as log:
        log.write("one ü".encode()[:-1])
        until(lambda: seen.append(capsys.readouterr().out) or "one " in "".join(seen), "the first part")  # type: ignore[func-returns-value]
        log.write("ü\n".encode()[1:])
        (tmp_path / "stderr.log").write_text("late")
    rest = capsys.readouterr()
    assert "".join(seen) + rest.out == "one ü\n"
    assert rest.err == "late"


def test_half_a_character_at_the_end_is_shown_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stdout.log").write_bytes(b"\xff x \xc3")
    with Shown(tmp_path):
        pass
    assert capsys.readouterr().out == "\ufffd x \ufffd"


def test_one_stream_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stdout.log").write_text("out")
    (tmp_path / "stderr.log").write_text("err")
    with Shown(tmp_path, stdout=False):
        pass
    assert capsys.readouterr() == ("", "err")


def test_no_more_than_a_notebook_should_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_SHOWN_BYTES", 10)
    (tmp_path / "stdout.log").write_text("a" * 11)
    (tmp_path / "stderr.log").write_text("b" * 10)
    with Shown(tmp_path):
        pass
    shown = capsys.readouterr()
    assert shown.out.startswith("a" * 10 + "\n… more than a notebook should show")
    assert f"'{tmp_path / 'stdout.log'}'" in shown.out
    assert shown.err == "b" * 10


def test_a_folder_that_never_comes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Shown(tmp_path / "run"):
        pass
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
