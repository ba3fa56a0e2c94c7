"""What looks at a recording while it grows."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from diagtools.capture import watcher
from diagtools.capture.runner import capture
from diagtools.capture.watcher import Watcher
from diagtools.values import Target


class Clock:
    """Seconds that pass when they are told to, and with each look."""

    def __init__(self, look_takes_s: float) -> None:
        self.now_s, self.looked_s, self._look_takes_s = 0.0, list[float](), look_takes_s

    def __call__(self) -> float:
        return self.now_s

    def look(self, _folder: Path) -> None:
        self.looked_s.append(self.now_s)
        self.now_s += self._look_takes_s

    def times(self, length_s: float) -> list[float]:
        """When was looked, where the recorder asks twenty times a second?"""
        seen = Watcher(self.look, Path("run"), clock=self)
        while self.now_s < length_s:
            seen.look()
            self.now_s = round(self.now_s + 0.05, 6)
        return self.looked_s


def test_it_looks_once_a_second_at_most() -> None:
    times = Clock(0.001).times(9.9)
    assert all(1.0 <= after - before < 1.1 for before, after in pairwise(times))
    assert len(times) == 10


def test_it_looks_for_a_fiftieth_of_the_time_at_most() -> None:
    """A look of 0.2 s is followed by 10 s without one."""
    times = Clock(0.2).times(100)
    assert all(after - before >= 10.2 for before, after in pairwise(times))
    assert len(times) == 10


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
