"""Signals that reach the recorder and are meant for the target.

A key such as Ctrl-C reaches the whole foreground process group, the target included; ``kill PID`` reaches the
recorder alone.  The kernel says which it was (``si_code``), so the target gets each of both exactly once.  A signal
that a program sends to the whole group (``kill -- -PGID``) cannot be told from one to the recorder alone: that
one the target gets twice.

What asks for a snapshot (`probes.hooks`) would be the end of this process, which takes none: it is heard here too.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from diagtools.probes.hooks import snapshot_signal
from diagtools.probes.supervisor import FORWARDED

_TAKEN = {*FORWARDED, signal.SIGWINCH}
_FROM_KERNEL = 128  # SI_KERNEL: a terminal's key or its hang-up


class Relay:
    """While entered, collects the signals meant for the sampler; does nothing unless it may take over."""

    def __init__(self, *, take_over: bool, target_is_in_group: bool = True) -> None:
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._active = take_over and in_main_thread and sys.platform == "linux"
        self._target_is_in_group = target_is_in_group
        self._old: set[int] = set()
        self._request = snapshot_signal() if in_main_thread else 0
        self._old_answer: Any = None
        self._is_asked_for_snapshot = False

    def __enter__(self) -> Relay:
        if self._request:  # by a handler: what is blocked stays so in the target, what is handled does not
            self._old_answer = signal.signal(self._request, self._note_request)
        if self._active:
            self._old = set(signal.pthread_sigmask(signal.SIG_BLOCK, _TAKEN))
        return self

    def taken(self) -> list[int]:
        """Which signals came since the last call that the target has not got by itself?"""
        found = []
        while self._active and (info := signal.sigtimedwait(_TAKEN, 0)) is not None:
            if info.si_code != _FROM_KERNEL or self._is_ours_alone(info.si_signo):
                found.append(info.si_signo)
        return found

    def is_asked_to_stop(self) -> bool:
        """Did any signal but a new size come since the last call, now that the target gets none any more?"""
        came = []
        while self._active and (info := signal.sigtimedwait(_TAKEN, 0)) is not None:
            came.append(info.si_signo)
        return any(number != signal.SIGWINCH for number in came)

    def is_asked_for_snapshot(self) -> bool:
        """Did somebody ask since the last call?"""
        is_asked, self._is_asked_for_snapshot = self._is_asked_for_snapshot, False
        return is_asked

    def _note_request(self, _number: int, _frame: FrameType | None) -> None:
        self._is_asked_for_snapshot = True

    def _is_ours_alone(self, number: int) -> bool:
        """A terminal that hangs up tells the leader of its session only; its new size is the sampler's business."""
        if number == signal.SIGHUP and os.getsid(0) == os.getpid():
            return True
        return number == signal.SIGWINCH or not self._target_is_in_group

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active:
            self.taken()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._old)
        if self._request:
            signal.signal(self._request, self._old_answer or signal.SIG_DFL)
