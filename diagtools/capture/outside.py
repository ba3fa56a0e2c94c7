"""Snapshots of a process that already runs, from outside, as often as was asked for."""

from __future__ import annotations

import time
from pathlib import Path

from diagtools.capture import maps
from diagtools.errors import NoDataError


class Follower:
    """Takes a snapshot at its first look, and then every ``every_s`` seconds."""

    def __init__(self, pid: int, every_s: float) -> None:
        self._pid, self._every_s = pid, every_s
        self._index, self._due_s = 0, 0.0

    def look(self, folder: Path) -> None:
        """Take one if it is time; of a process that has ended there is none.  Raises as ``maps.take``."""
        if time.monotonic() < self._due_s:
            return
        try:
            maps.take(self._pid, folder, self._index)
        except NoDataError:
            return
        self._index += 1
        self._due_s = time.monotonic() + self._every_s
