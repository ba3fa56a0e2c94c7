"""Passes a target's output on while it grows in the run folder."""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Iterator
from pathlib import Path

_GONE = (errno.EPIPE, errno.EIO)  # whoever closed a pipe or a terminal knows that
_PIECE = 1 << 16
_MOST_PIECES = 64


class _Copy:
    """One log on its way to one descriptor.  It never waits for a reader that is slow."""

    def __init__(self, log: Path, output: int) -> None:
        self.output = output
        self.is_broken = False
        self.reason = ""
        self.n_copied = 0
        self.log = log
        self._fd: int | None = None
        self._rest = b""
        self._poll = select.poll()
        self._poll.register(output, select.POLLOUT)

    def forward(self) -> bool:
        """Copies what there is and has room; true where it stopped for want of room or for its bound."""
        for _ in range(_MOST_PIECES):
            self._rest = self._rest or self._read()
            if not self._rest:
                return False
            try:
                if not (step := self._room()):
                    return True
                written = os.write(self.output, self._rest[:step])
                self._rest = self._rest[written:]
                self.n_copied += written
            except OSError as error:  # the target goes on, its output stays in the log
                self.is_broken = True
                self.reason = "" if error.errno in _GONE else error.strerror or "unknown"
                return False
        return True

    def _read(self) -> bytes:
        if self._fd is None:
            try:
                self._fd = os.open(self.log, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return b""
        return os.read(self._fd, _PIECE)

    def _room(self) -> int:
        """How much can be written without waiting?  A pipe that can be written to takes PIPE_BUF bytes."""
        if stat.S_ISREG(os.fstat(self.output).st_mode):
            return _PIECE
        return select.PIPE_BUF if self._poll.poll(0) else 0

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)


class Echo:
    """Copies ``stdout.log`` and ``stderr.log`` to two descriptors; a reader that goes away only ends the copy."""

    def __init__(self, folder: Path, stdout: int | None, stderr: int | None) -> None:
        wanted = {"stdout.log": stdout, "stderr.log": stderr}
        self._copies = [_Copy(folder / name, output) for name, output in wanted.items() if output is not None]
        self._waiting: list[_Copy] = []

    def forward(self) -> list[int]:
        """Copies what has been written since the last call; returns the descriptors that more waits for."""
        self._waiting = [copy for copy in self._copies if not copy.is_broken and copy.forward()]
        return [copy.output for copy in self._waiting]

    @property
    def n_copied(self) -> int:
        """How many bytes were copied so far?"""
        return sum(copy.n_copied for copy in self._copies)

    def not_passed_on(self) -> Iterator[str]:
        """Which output could not be passed on although somebody waits for it, and why?"""
        for copy in self._copies:
            if copy.reason:
                yield f"{copy.log.stem} was not passed on to its end ({copy.reason}): it is whole in '{copy.log}'."

    def wait_for_room(self, timeout_s: float) -> None:
        """Waits until one of those descriptors can be written to, but not longer than this."""
        poll = select.poll()
        for copy in self._waiting:
            poll.register(copy.output, select.POLLOUT)
        poll.poll(timeout_s * 1000)

    def close(self) -> None:
        """Closes the logs."""
        for copy in self._copies:
            copy.close()
