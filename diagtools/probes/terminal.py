"""Where the target's output goes: straight into log files, or through pseudo-terminals where it had terminals.

Only output passes through a pseudo-terminal, so that the target finds one and we find what it wrote; it keeps
the real terminal as its input and its controlling one.
"""

from __future__ import annotations

import fcntl
import os
import select
import termios
from collections.abc import Iterable

STREAMS = ((1, "stdout.log"), (2, "stderr.log"))
_MOST_READS = 256  # of 4 KiB each: a target that floods its terminal must not hold up the samples


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
        """Copies to the log what is there, up to a bound.  Returns whether more can come."""
        for _ in range(_MOST_READS):
            try:
                text = os.read(self.master, 65536)
            except BlockingIOError:
                return True
            except OSError:  # EIO: nobody holds the other end any more
                return False
            if not text:
                return False
            self._keep(text)
        return True

    def has_more(self) -> bool:
        """Is there something to copy at this moment?"""
        return bool(select.select([self.master], [], [], 0)[0])

    def _keep(self, text: bytes) -> None:
        """Writes to the log; what finds no room there goes to the real terminal, where it belongs."""
        try:
            text = text[os.write(self._log, text) :]
        except OSError:  # a full disk must not stop the target
            pass
        try:
            while text:
                text = text[os.write(self._real, text) :]
        except OSError:
            pass


class Outputs:
    """The target's standard output and error, and how much of them there is."""

    def __init__(self, folder: str, streams: Iterable[tuple[int, str]], terminals: Iterable[int]) -> None:
        """``terminals`` says which streams are terminals.  Raises ``OSError`` where no log can be made."""
        self._logs: dict[int, int] = {}
        self._ends: dict[int, int] = {}  # a position of our own in each log
        self._sizes: dict[int, int] = {}
        self._terminals: dict[int, OutputTerminal] = {}
        for stream, name in streams:
            path = os.path.join(folder, name)
            self._logs[stream] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._ends[stream] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if stream in terminals:
                try:
                    self._terminals[stream] = OutputTerminal(self._logs[stream], stream)
                except OSError:  # no pseudo-terminal to be had: then it is a file
                    pass

    def end_of_target(self, stream: int) -> int:
        """The descriptor that the target gets as this stream."""
        return self._terminals[stream].slave if stream in self._terminals else self._logs[stream]

    def started(self) -> None:
        """Lets go of the target's ends once the target holds them."""
        for terminal in self._terminals.values():
            terminal.started()

    def masters(self) -> list[int]:
        """Our ends of the pseudo-terminals that are in use."""
        return [terminal.master for terminal in self._terminals.values()]

    def copy_size(self) -> bool:
        """Gives the pseudo-terminals the size of the real one; false where there are none."""
        for terminal in self._terminals.values():
            terminal.copy_size()
        return bool(self._terminals)

    def pump(self, master: int) -> None:
        """Copies what the target has written; a terminal that it has let go of is not watched any more."""
        for stream, terminal in list(self._terminals.items()):
            if terminal.master == master and not terminal.pump():
                del self._terminals[stream]
                os.close(master)

    def drain(self) -> None:
        """Copies the rest of what was written before everybody let go."""
        for terminal in self._terminals.values():
            while terminal.has_more() and terminal.pump():
                pass

    def growth(self) -> list[tuple[int, int]]:
        """Which streams have grown since the last call, and to which size?"""
        grown = []
        for stream, log in self._ends.items():
            size = os.lseek(
                log, 0, os.SEEK_END
            )  # a third of what fstat costs, which makes the next write dearer too
            if size != self._sizes.get(stream, 0):
                self._sizes[stream] = size
                grown.append((stream, size))
        return grown
