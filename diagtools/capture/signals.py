"""Signals that reach the recorder and are meant for the target.

A key such as Ctrl-C reaches the whole foreground process group, the target included; ``kill PID`` reaches the
recorder alone.  The kernel says which it was (``si_code``), so the target gets every signal exactly once.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import TracebackType

_TAKEN = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_FROM_KERNEL = 128  # SI_KERNEL: a terminal's key or its hang-up


class Relay:
    """While entered, collects the signals meant for the target; does nothing unless it may take over."""

    def __init__(self, *, take_over: bool) -> None:
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._active = take_over and in_main_thread and sys.platform == "linux"
        self._old: set[int] = set()

    def __enter__(self) -> Relay:
        if self._active:
            self._old = set(signal.pthread_sigmask(signal.SIG_BLOCK, {*_TAKEN, signal.SIGWINCH}))
        return self

    def taken(self) -> list[int]:
        """Which signals came since the last call that the target has not got by itself?"""
        found = []
        while self._active and (info := signal.sigtimedwait({*_TAKEN, signal.SIGWINCH}, 0)) is not None:
            if info.si_code != _FROM_KERNEL or info.si_signo == signal.SIGWINCH:
                found.append(info.si_signo)
        return found

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active:
            self.taken()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._old)
