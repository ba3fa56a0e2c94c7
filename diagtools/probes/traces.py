"""Where does the program hold memory?  Snapshots of ``tracemalloc``, on any CPython from 3.9 on, without memray.

It sees what Python's allocators and numpy hold, and the last N frames of each stack by file and line.  What is asked
for is ``tracemalloc`` and any of these words, with blanks between::

    n_frames=N  every_s=SECONDS  cap=BYTES

A snapshot is taken where a phase begins or ends, where an item ends (at most one a second), every ``every_s`` seconds,
when the process comes near ``cap``, and as the last of the program's ``atexit`` functions.  All but the last two are
left out while they would take more than a tenth of the program's time.  Where a phase begins or ends, or an item ends,
with a tenth and a MiB more traced than at any snapshot so far, one is taken however soon, while all of them together
took no more than a second and a tenth of the program's time.  Each takes some four times the memory that
`tracemalloc` itself does (180 bytes a block, measured), for a moment: where that is not to be had, it is left out, and
a note says so.

`snapshots` says how they are written.
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

DEFAULT_FRAMES = 10

_PHASE, _ITEM = 0, 1  # indices into mark.KINDS
_BEGIN, _END = 0, 2  # indices into mark.EDGES
_ITEM_SPACING_NS = 1_000_000_000
_PHASE_SPACING_NS = 100_000_000
_COST_SPACING = 10  # times what a snapshot took passes before the next one
_HIGHER, _LEAST_HIGHER = 1.1, 1 << 20  # times and bytes: what is more than the most so far
_SHARE_SPENT, _ALLOWED_NS = 0.1, 1_000_000_000  # of the program's time, for snapshots of more than ever
_FIRST = 4  # of those are taken whatever they cost
_SNAPSHOT_PER_TRACER = 4  # bytes for a snapshot, per byte of tracemalloc's own
_LOOK_S = 0.05  # between two looks at the cap
_NEAR_CAP, _STEP, _TOO_NEAR = 0.8, 0.05, 0.97  # shares of the cap
_GONE_S, _GONE_LOOKS = 0.001, 50


def watch(asked: str, folder: str, load: "Callable[[str], ModuleType]", recorder: "Any") -> None:
    """Trace all allocations of this process from here on, and write snapshots until it exits."""
    notes = load("tracker_notes").Notes(folder)
    try:
        given = {word.partition("=")[0]: word.partition("=")[2] for word in asked.split()[1:]}
        log = load("snapshots").Log(folder)
        _Tracing(log, notes, load("workers"), given).start(recorder)
    except Exception as error:  # noqa: BLE001 - the program goes on without, and the run says so
        notes.write("failed", f"{type(error).__name__}: {error}")


class _Tracing:
    """When a snapshot is due in this process."""

    def __init__(self, log: "Any", notes: "Any", workers: "ModuleType", given: "dict[str, str]") -> None:
        import _thread
        import _tracemalloc
        import time

        self._tracer, self._now_ns, self._thread = _tracemalloc, time.monotonic_ns, _thread
        self._notes, self._workers = notes, workers
        self._n_frames = int(given.get("n_frames") or DEFAULT_FRAMES)
        self._every_ns = int(float(given.get("every_s") or 0) * 1e9)
        self._cap = int(given.get("cap") or 0)
        self._log = log
        self._lock = _thread.allocate_lock()
        self._last_ns = self._cost_ns = 0
        self._began_ns = self._spent_ns = self._most = self._n_most = 0
        self._level = _NEAR_CAP * self._cap
        self._ticker: _Ticker | None = None

    def start(self, recorder: "Any") -> None:
        """Trace, and take a snapshot whenever one is due."""
        import atexit

        if self._tracer.is_tracing():
            self._notes.write("second", "tracemalloc was tracing before the program's first line")
        else:
            self._tracer.start(self._n_frames)
        self._watch_markers(recorder)
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._tick, after_in_child=self._in_child
        )
        atexit.register(self._close)
        self._notes.write("begun", "tracemalloc")
        self._began_ns = self._last_ns = self._now_ns()
        self._tick()

    def _close(self) -> None:
        self._before_fork()
        self._snapshot("exit")
        self._notes.write("closed")

    # --- when ------------------------------------------------------------------------------------------

    def _watch_markers(self, recorder: "Any") -> None:
        write = recorder.write

        def write_and_look(
            kind: int, edge: int, index: int, name: bytes, *rest: "Any", **more: "Any"
        ) -> None:
            write(kind, edge, index, name, *rest, **more)
            if kind == _PHASE and edge in (_BEGIN, _END):
                if self._is_due(_PHASE_SPACING_NS) or self._is_most():
                    self._snapshot("phase", "begin" if edge == _BEGIN else "end", name)
            elif kind == _ITEM and edge == _END and (self._is_due(_ITEM_SPACING_NS) or self._is_most()):
                self._snapshot("item", "end", name)

        recorder.write = write_and_look

    def _is_due(self, spacing_ns: int) -> bool:
        return self._now_ns() - self._last_ns >= max(spacing_ns, _COST_SPACING * self._cost_ns)

    def _is_most(self) -> bool:
        """Is more traced than at any snapshot so far, and time left for one more?

        Asked at each marker that is not due: 0.1 µs.  What was left out for want of room counts as taken.
        """
        traced = self._tracer.get_traced_memory()[0]
        if traced < max(self._most * _HIGHER, self._most + _LEAST_HIGHER):
            return False
        self._n_most += 1
        if self._n_most <= _FIRST:
            return True
        allowed_ns = _ALLOWED_NS + _SHARE_SPENT * (self._now_ns() - self._began_ns)
        return bool(self._spent_ns + self._cost_ns <= allowed_ns)

    def _tick(self) -> None:
        if self._cap or self._every_ns:
            period_s = min(_LOOK_S if self._cap else 3600.0, self._every_ns / 1e9 or 3600.0)
            self._ticker = _Ticker(self._thread, period_s, self._look)

    def _look(self) -> None:
        if self._cap:
            rss, needed = _rss(), self._needed()
            if rss >= self._level or (self._level < self._cap and rss + 1.25 * needed >= 0.95 * self._cap):
                self._level = max(self._level, rss) + _STEP * self._cap
                self._snapshot("cap")
        if self._every_ns and self._is_due(self._every_ns):
            self._snapshot("interval")

    def _before_fork(self) -> None:
        """A fork in a process of several threads is one that CPython warns of."""
        ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.stop()

    def _in_child(self) -> None:
        self._log.begin_anew()
        self._began_ns, self._spent_ns, self._most, self._n_most = self._now_ns(), 0, 0, 0
        self._lock = self._thread.allocate_lock()
        self._notes.write("begun", "tracemalloc")
        self._workers.call_at_end(self, self._close)
        self._tick()

    # --- one snapshot ----------------------------------------------------------------------------------

    def _snapshot(self, kind: str, edge: str = "", label: bytes = b"") -> None:
        if not self._lock.acquire(False):
            return
        try:
            if not self._tracer.is_tracing():
                self._notes.write_once("stopped", "tracemalloc was stopped by the program")
                return
            self._most = max(self._most, self._tracer.get_traced_memory()[0])
            if self._has_room():
                began_ns = self._now_ns()
                self._log.write(began_ns, (kind, edge), label)
                self._last_ns = self._now_ns()
                self._cost_ns = self._last_ns - began_ns
                self._spent_ns += self._cost_ns
        except Exception as error:  # noqa: BLE001 - a full disk, no memory: the program goes on
            self._notes.write_once("skipped", f"{kind}: {type(error).__name__}: {error}")
        finally:
            self._lock.release()

    def _needed(self) -> int:
        return int(self._tracer.get_tracemalloc_memory()) * _SNAPSHOT_PER_TRACER

    def _has_room(self) -> bool:
        needed = self._needed()
        room = int(_TOO_NEAR * self._cap) - _rss() if self._cap else _available() // 2
        if needed <= room:
            return True
        self._notes.write_once("skipped", f"a snapshot would take {needed} bytes, {max(room, 0)} are left")
        self._last_ns = self._now_ns()
        return False


class _Ticker:
    """Calls something again and again in a thread of its own, until it is stopped."""

    def __init__(self, threads: "Any", period_s: float, call: "Callable[[], None]") -> None:
        self._stopped, self._ended = threads.allocate_lock(), threads.allocate_lock()
        self._n_before = _n_threads()
        self._stopped.acquire()
        self._ended.acquire()
        try:
            threads.start_new_thread(self._run, (period_s, call))
        except RuntimeError:  # no more threads: then there is none to stop
            self._ended.release()

    def _run(self, period_s: float, call: "Callable[[], None]") -> None:
        try:
            while not self._stopped.acquire(True, period_s):
                call()
        except Exception:  # noqa: BLE001 - as the interpreter is taken apart
            pass
        finally:
            self._ended.release()

    def stop(self) -> None:
        """Once this returns, the thread is gone; the kernel has a moment to see it."""
        self._stopped.release()
        self._ended.acquire()
        for _ in range(_GONE_LOOKS):
            if _n_threads() <= self._n_before:
                return
            self._ended.acquire(True, _GONE_S)


def _n_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def _rss() -> int:
    """What this process holds; 0 where the kernel does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _available() -> int:
    """What the machine has left."""
    try:
        with open("/proc/meminfo", "rb") as file:
            for line in file:
                if line.startswith(b"MemAvailable:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    return 1 << 62
