"""Who tells the instruments of this process that a moment has come?

One object hooks the markers, the forks, the exit, the signal and a clock, once, for all `moments.Schedule`s of the
process, and asks them in their order: what one leaves behind is then in no snapshot that an earlier one takes at the
same moment.  One thread does for all that look at the clock or at the cap.

The program's ``atexit`` functions have run when the last snapshots are taken.  Only what was registered before the
program began comes later: mark's own, which ends what is open and notes the exit.
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

SIGNAL_OFFSET = 9  # from the first real-time signal

_PHASE, _ITEM = 0, 1  # indices into mark.KINDS
_BEGIN, _END = 0, 2  # indices into mark.EDGES
_ITEM_SPACING_NS = 1_000_000_000
_PHASE_SPACING_NS = 100_000_000
_PATIENCE_S = 10.0  # for a snapshot that another thread takes as the program ends


class Hooks:
    """Hears what happens in this process, and has its ``schedules`` take what is due."""

    def __init__(self, schedules: "Sequence[Any]", workers: "ModuleType", ticker: "ModuleType") -> None:
        import _thread

        self._schedules, self._workers, self._thread = schedules, workers, _thread
        self._new_ticker = ticker.Ticker
        self._lock = _thread.allocate_lock()
        self._is_asked = self._is_closed = False
        self._ticker: Any = None

    def start(self, recorder: "Any") -> None:
        """Take snapshots from here on, until the process exits."""
        import atexit

        self._watch_markers(recorder)
        os.register_at_fork(
            before=self._stop_ticking, after_in_parent=self._tick, after_in_child=self._in_child
        )
        atexit.register(self._close)
        self._answer_signal()
        for schedule in self._schedules:
            schedule.begin()
        self._tick()

    def _close(self) -> None:
        """Once, whoever calls: a worker may end by ``atexit`` and by what `workers` registered."""
        if self._is_closed:
            return
        self._is_closed = True
        self._stop_ticking()
        self._take(self._schedules, "exit")
        for schedule in self._schedules:
            schedule.close()

    # --- what is heard ---------------------------------------------------------------------------------

    def _watch_markers(self, recorder: "Any") -> None:
        write = recorder.write

        def write_and_look(
            kind: int, edge: int, index: int, name: bytes, *rest: "Any", **more: "Any"
        ) -> None:
            write(kind, edge, index, name, *rest, **more)
            if kind == _PHASE and edge in (_BEGIN, _END):
                self._take(self._due(_PHASE_SPACING_NS), "phase", "begin" if edge == _BEGIN else "end", name)
            elif kind == _ITEM and edge == _END:
                self._take(self._due(_ITEM_SPACING_NS), "item", "end", name)

        recorder.write = write_and_look

    def _due(self, spacing_ns: int) -> "list[Any]":
        """Which are due at a marker?  All are asked before any takes one: that alone may make another hold more."""
        return [each for each in self._schedules if each.is_due(spacing_ns) or each.is_most()]

    def _answer_signal(self) -> None:
        """Whoever asks by the signal gets snapshots as soon as the main thread runs Python code."""
        import _signal  # type: ignore[import-not-found]  # as below

        number = snapshot_signal()
        if not number or not any(each.answers for each in self._schedules):
            return
        try:
            if _signal.getsignal(number) == _signal.SIG_DFL:
                _signal.signal(number, lambda *_: self._take_as_asked())
        except ValueError:  # not the main thread, or that signal is the C library's own
            pass

    def _take_as_asked(self) -> None:
        self._is_asked = True
        self._take([each for each in self._schedules if each.answers], "signal")

    def _tick(self) -> None:
        periods_s = [each.period_s for each in self._schedules if each.period_s]
        if periods_s:
            self._ticker = self._new_ticker(min(periods_s), self._look)

    def _look(self) -> None:
        if any(each.is_near_cap() for each in self._schedules):
            self._take([each for each in self._schedules if each.cap], "cap")
        self._take([each for each in self._schedules if each.is_due_by_clock()], "interval")

    def _stop_ticking(self) -> None:
        """A fork in a process of several threads is one that CPython warns of."""
        ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.stop()

    def _in_child(self) -> None:
        self._lock = self._thread.allocate_lock()
        self._is_asked = self._is_closed = False
        for schedule in self._schedules:
            schedule.begin_in_child()
        self._workers.call_at_end(self, self._close)
        self._tick()

    # --- what is done ----------------------------------------------------------------------------------

    def _take(self, due: "Sequence[Any]", kind: str, edge: str = "", label: bytes = b"") -> None:
        """One snapshot of each that is due, one after the other; none while others are being taken."""
        is_exit = kind == "exit"
        if not due or self._is_closed != is_exit:
            return
        if not (self._lock.acquire(True, _PATIENCE_S) if is_exit else self._lock.acquire(False)):
            return
        try:
            if kind == "signal":
                self._is_asked = False
            for schedule in due:
                schedule.take(kind, edge, label)
        finally:
            self._lock.release()
        if self._is_asked and not is_exit:  # meanwhile: a signal is not lost because others were being taken
            self._take_as_asked()


def snapshot_signal() -> int:
    """Which signal asks for a snapshot?  A real-time one: programs seldom use those.  0 where there are none."""
    import _signal  # what `signal` is made of: that one would be a new module

    first = getattr(_signal, "SIGRTMIN", 0)
    return first + SIGNAL_OFFSET if first else 0
