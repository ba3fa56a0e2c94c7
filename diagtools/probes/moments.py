"""When is a snapshot of this process due?

A snapshot is taken where a phase begins or ends, where an item ends (at most one a second), every ``every_s`` seconds,
when the process comes near ``cap``, when it gets SIGNAL (where ``signal`` is asked for), and as the last of the
program's ``atexit`` functions.  Those at markers and at intervals are left out while they would take more than a tenth
of the program's time.  Where a phase begins or ends, or an item ends, with a tenth and a MiB more held than at any
snapshot so far, one is taken however soon, while all of them together took no more than a second and a tenth of the
program's time.  What a snapshot needs for itself must be there: else it is left out, and a note says so.

What takes them is an *instrument*, which has::

    name                                  as notes call it
    take(index, t_ns, kind, edge, label)  writes one; ``kind`` is one of KINDS, ``edge`` begin, end or nothing
    needs_bytes()                         at most, for a moment
    held_bytes()                          what is compared with earlier snapshots
    is_ready()                            false where the program put an end to it
    begin_anew()                          in a forked child
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

KINDS = ("phase", "item", "interval", "cap", "signal", "exit")
NOTES = "snapshots.notes"
#: The instruments that are modules of their own, and the names of what they write.
MODULES = {"ledger": ("heap", "heap.*.json"), "holders": ("holders", "objects.*.graph")}
#: Counted from the first real-time signal: programs seldom use one.  0 where there are none.
SIGNAL_OFFSET = 9

_PHASE, _ITEM = 0, 1  # indices into mark.KINDS
_BEGIN, _END = 0, 2  # indices into mark.EDGES
_ITEM_SPACING_NS = 1_000_000_000
_PHASE_SPACING_NS = 100_000_000
_COST_SPACING = 10  # times what a snapshot took passes before the next one
_HIGHER, _LEAST_HIGHER = 1.1, 1 << 20  # times and bytes: what is more than the most so far
_SHARE_SPENT, _ALLOWED_NS = 0.1, 1_000_000_000  # of the program's time, for snapshots of more than ever
_FIRST = 4  # of those are taken whatever they cost
_LOOK_S = 0.05  # between two looks at the cap
_NEAR_CAP, _STEP, _TOO_NEAR = 0.8, 0.05, 0.97  # shares of the cap
_GONE_S, _GONE_LOOKS = 0.001, 50


def watch(asked: str, folder: str, load: "Callable[[str], ModuleType]", recorder: "Any") -> None:
    """Take snapshots of this process until it exits.

    The first word that is ``asked`` is a key of MODULES; there may be others, with blanks between::

        every_s=SECONDS  cap=BYTES  signal  trim
    """
    notes = load("tracker_notes").Notes(folder, NOTES)
    name, *words = asked.split()
    try:
        given = options(words)
        module, files = MODULES[name]
        instrument = load(module).instrument(folder, load, **({"trim": True} if "trim" in given else {}))
        Schedule(instrument, notes, load("workers"), given, taken=_taken(folder, files)).start(recorder)
    except Exception as error:  # noqa: BLE001 - the program goes on without, and the run says so
        notes.write("failed", f"{name}: {type(error).__name__}: {error}")


def options(words: "list[str]") -> "dict[str, str]":
    """What was asked for: each word with what follows its ``=``, if anything."""
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}


class Schedule:
    """When a snapshot by one instrument is due in this process."""

    def __init__(
        self,
        instrument: "Any",
        notes: "Any",
        workers: "ModuleType",
        given: "dict[str, str]",
        *,
        taken: int = 0,
    ) -> None:
        import _thread
        import time

        self._instrument, self._notes, self._workers = instrument, notes, workers
        self._now_ns, self._thread = time.monotonic_ns, _thread
        self._every_ns = int(float(given.get("every_s") or 0) * 1e9)
        self._cap = int(given.get("cap") or 0)
        self._answers = "signal" in given
        self._index = taken
        self._lock = _thread.allocate_lock()
        self._last_ns = self._cost_ns = 0
        self._began_ns = self._spent_ns = self._most = self._n_most = 0
        self._level = _NEAR_CAP * self._cap
        self._ticker: _Ticker | None = None

    def start(self, recorder: "Any") -> None:
        """Take a snapshot whenever one is due."""
        import atexit

        self._watch_markers(recorder)
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._tick, after_in_child=self._in_child
        )
        atexit.register(self._close)
        if self._answers:
            self._answer_signal()
        self._notes.write("begun", self._instrument.name)
        self._began_ns = self._last_ns = self._now_ns()
        self._tick()

    def _close(self) -> None:
        self._before_fork()
        self._snapshot("exit")
        self._notes.write("closed", self._instrument.name)

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
        """Is more held than at any snapshot so far, and time left for one more?

        Asked at each marker that is not due.  What was left out for want of room counts as taken.
        """
        held = self._instrument.held_bytes()
        if held < max(self._most * _HIGHER, self._most + _LEAST_HIGHER):
            return False
        self._n_most += 1
        if self._n_most <= _FIRST:
            return True
        allowed_ns = _ALLOWED_NS + _SHARE_SPENT * (self._now_ns() - self._began_ns)
        return bool(self._spent_ns + self._cost_ns <= allowed_ns)

    def _answer_signal(self) -> None:
        """Whoever asks by the signal gets a snapshot as soon as the main thread runs Python code."""
        import _signal  # type: ignore[import-not-found]  # what `signal` is made of: that one would be a new module

        first = getattr(_signal, "SIGRTMIN", 0)
        if not first:
            return
        try:
            if _signal.getsignal(first + SIGNAL_OFFSET) == _signal.SIG_DFL:
                _signal.signal(first + SIGNAL_OFFSET, lambda *_: self._snapshot("signal"))
        except ValueError:  # not the main thread, or that signal is the C library's own
            pass

    def _tick(self) -> None:
        if self._cap or self._every_ns:
            period_s = min(_LOOK_S if self._cap else 3600.0, self._every_ns / 1e9 or 3600.0)
            self._ticker = _Ticker(self._thread, period_s, self._look)

    def _look(self) -> None:
        if self._cap:
            rss, needed = rss_bytes(), self._instrument.needs_bytes()
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
        self._instrument.begin_anew()
        self._began_ns, self._spent_ns, self._most, self._n_most = self._now_ns(), 0, 0, 0
        self._index = 0
        self._lock = self._thread.allocate_lock()
        self._notes.write("begun", self._instrument.name)
        self._workers.call_at_end(self, self._close)
        self._tick()

    # --- one snapshot ----------------------------------------------------------------------------------

    def _snapshot(self, kind: str, edge: str = "", label: bytes = b"") -> None:
        if not self._lock.acquire(False):
            return
        try:
            if not self._instrument.is_ready():
                self._notes.write_once("stopped", f"{self._instrument.name} was stopped by the program")
                return
            self._most = max(self._most, self._instrument.held_bytes())
            if self._has_room():
                began_ns = self._now_ns()
                self._instrument.take(self._index, began_ns, kind, edge, label)
                self._index += 1
                self._last_ns = self._now_ns()
                self._cost_ns = self._last_ns - began_ns
                self._spent_ns += self._cost_ns
        except Exception as error:  # noqa: BLE001 - a full disk, no memory: the program goes on
            self._last_ns = self._now_ns()
            self._notes.write_once(
                "skipped", f"{self._instrument.name}, {kind}: {type(error).__name__}: {error}"
            )
        finally:
            self._lock.release()

    def _has_room(self) -> bool:
        needed = self._instrument.needs_bytes()
        room = int(_TOO_NEAR * self._cap) - rss_bytes() if self._cap else _available() // 2
        if needed <= room:
            return True
        name = self._instrument.name
        self._notes.write_once(
            "skipped", f"{name}: a snapshot would take {needed} bytes, {max(room, 0)} are left"
        )
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


def _taken(folder: str, files: str) -> int:
    """How many snapshots has this process?  One that executes another program keeps its pid, and its files."""
    mine = files.replace("*", str(os.getpid()), 1).rpartition(".")[0]
    indices = [
        name[len(mine) + 1 :].partition(".")[0] for name in os.listdir(folder) if name.startswith(mine + ".")
    ]
    return max([int(index) + 1 for index in indices if index.isdigit()], default=0)


def rss_bytes() -> int:
    """What this process holds; 0 where the kernel does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _n_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
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
