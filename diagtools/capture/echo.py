"""Passes a target's output on while it grows in the run folder."""

from __future__ import annotations

import os
from pathlib import Path

_PIECE = 1 << 16


class Echo:
    """Copies ``stdout.log`` and ``stderr.log`` to two descriptors; a reader that goes away only ends the copy."""

    def __init__(self, folder: Path, stdout: int | None, stderr: int | None) -> None:
        self._folder = folder
        wanted = {"stdout.log": stdout, "stderr.log": stderr}
        self._targets = {name: output for name, output in wanted.items() if output is not None}
        self._logs: dict[str, int] = {}

    def forward(self) -> None:
        """Copies what has been written since the last call."""
        for name in list(self._targets):
            if name not in self._logs:
                try:
                    self._logs[name] = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC)
                except FileNotFoundError:
                    continue
            self._copy(name)

    def _copy(self, name: str) -> None:
        while piece := os.read(self._logs[name], _PIECE):
            try:
                while piece:
                    piece = piece[os.write(self._targets[name], piece) :]
            except OSError:  # closed pipe or terminal: the target goes on, its output stays in the log
                del self._targets[name]
                return

    def close(self) -> None:
        """Copies the rest and closes the logs."""
        self.forward()
        for log in self._logs.values():
            os.close(log)
