"""What looks at a recording while it grows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture import watcher
from diagtools.capture.runner import capture
from diagtools.values import Target


def test_it_sees_the_folder_of_the_recording_while_it_grows(tmp_path: Path) -> None:
    sizes: list[int] = []
    code = "import time; time.sleep(3)"
    captured = capture(
        Target(argv=(sys.executable, "-c", code)),
        tmp_path / "run",
        look=lambda folder: sizes.append((folder / "timeline.bin").stat().st_size),
    )
    assert captured.exit_status == 0
    assert sizes
    assert sizes[-1] < (tmp_path / "run" / "timeline.bin").stat().st_size


def test_what_it_raises_is_said_once_and_the_recording_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "_SPACING_S", 0.05)
    looks = []

    def look(folder: Path) -> None:
        looks.append(folder)
        raise ValueError("no such thing")

    captured = capture(
        Target(argv=(sys.executable, "-c", "import time; time.sleep(1)")), tmp_path / "run", look=look
    )
    assert captured.exit_status == 0
    assert looks == [captured.folder]
    assert captured.warnings == ("What was said beside the recording ended: ValueError: no such thing",)
