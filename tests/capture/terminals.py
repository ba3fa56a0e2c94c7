"""A terminal with somebody before it, for programs that must find one."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path

from tests.capture.processes import GENEROUS_S, PYTHON, environment, until

#: Makes standard input the controlling terminal of a new session, then becomes the command.
_TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A program that leads a session on a pseudo-terminal; what it shows piles up in ``screen``."""

    def __init__(self, argv: Sequence[str], cwd: Path, size: tuple[int, int] = (24, 80), **env: str) -> None:
        self._master, slave = os.openpty()
        self.screen = bytearray()
        self._is_hung_up = False
        self.resize(*size)
        self.process = subprocess.Popen(
            [PYTHON, "-I", "-S", "-c", _TAKE, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=environment(TERM="dumb", **env),
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(GENEROUS_S)
        self.hang_up()

    def _read(self) -> bytearray:
        while not self._is_hung_up and select.select([self._master], [], [], 0)[0]:
            try:
                self.screen += os.read(self._master, 65536)
            except OSError:  # the last one has let go of the terminal
                break
        return self.screen

    def shows(self, text: bytes, n: int = 1) -> None:
        """Waits until the text is on the screen, ``n`` times."""
        try:
            until(lambda: self._read().count(text) >= n, repr(text))
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen: {self.screen!r}") from None

    def type(self, keys: bytes) -> None:
        """Types."""
        os.write(self._master, keys)

    def resize(self, rows: int, columns: int) -> None:
        """Gives the terminal another size, as a window does."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """Closes the terminal."""
        if not self._is_hung_up:
            self._is_hung_up = True
            os.close(self._master)

    def ends(self) -> int:
        """Waits for the program's end, reading on; its exit status."""

        def status() -> list[int]:
            self._read()
            code = self.process.poll()
            return [] if code is None else [code]

        (code,) = until(status, "the program ends")
        self._read()
        return code
