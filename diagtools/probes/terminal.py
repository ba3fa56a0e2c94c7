"""Pseudo-terminals for a target whose output goes to a terminal: it finds one, and we find its output.

Only output passes through them; the target keeps the real terminal as its input and its controlling one.
"""

from __future__ import annotations

import fcntl
import os
import termios


class OutputTerminal:
    """One pseudo-terminal: the target writes to ``slave``, what it wrote is copied to a log file."""

    def __init__(self, log: int, real: int) -> None:
        """``log`` is the descriptor of the log file, ``real`` that of the terminal it stands for."""
        self._real = os.dup(real)
        self._log = log
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        attributes = termios.tcgetattr(self.slave)
        attributes[1] &= ~termios.OPOST  # the real terminal translates line ends, the log keeps them
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
        self.copy_size()

    def copy_size(self) -> None:
        """Gives the pseudo-terminal the size of the real one."""
        try:
            size = fcntl.ioctl(self._real, termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        except OSError:  # the real terminal is gone: the last size stays
            pass

    def started(self) -> None:
        """Lets go of the target's end once the target holds it."""
        os.close(self.slave)

    def pump(self) -> bool:
        """Copies what is there to the log.  Returns whether more can come."""
        while True:
            try:
                text = os.read(self.master, 65536)
            except BlockingIOError:
                return True
            except OSError:  # EIO: nobody holds the other end any more
                return False
            if not text:
                return False
            try:
                os.write(self._log, text)
            except OSError:  # a full disk must not stop the target
                pass
