"""When is a snapshot of this process due?

A snapshot is taken where a phase begins or ends, where an item ends (at most one a second), every ``every_s`` seconds,
when the process comes near ``cap``, when it gets the signal of `hooks` (where ``signal`` is asked for), and as it
exits.  Those at markers and at intervals are left out while they would take more than a tenth of the program's time.
Where a phase begins or ends, or an item ends, with a tenth and a MiB more held than at any snapshot so far, one is
taken however soon, while all of them together took no more than a second and a tenth of the program's time.  What a
snapshot needs for itself must be there: else it is left out, and a note says so; another says how long each took.

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
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

KINDS = ("phase", "item", "interval", "cap", "signal", "asked", "exit")
NOTES = "snapshots.notes"
#: The module of each instrument, and the names of what it writes where a file is one snapshot.  At each moment they
#: take theirs in this order: the ledger says what the process holds, so nothing of ours comes before it.
INSTRUMENTS = {
    "ledger": ("heap", "heap.*.json"),
    "holders": ("holders", "objects.*.graph"),
    "tracemalloc": ("traces", ""),
}

_OF_INSTRUMENTS = ("trim", "n_frames")
_COST_SPACING = 10  # times what a snapshot took passes before the next one
_HIGHER, _LEAST_HIGHER = 1.1, 1 << 20  # times and bytes: what is more than the most so far
_SHARE_SPENT, _ALLOWED_NS = 0.1, 1_000_000_000  # of the program's time, for snapshots of more than ever
_FIRST = 4  # of those are taken whatever they cost
_LOOK_S = 0.05  # between two looks at the cap
_NEAR_CAP, _STEP, _TOO_NEAR = 0.8, 0.05, 0.97  # shares of the cap


def watch(asked: "Sequence[str]", folder: str, load: "Callable[[str], ModuleType]", recorder: "Any") -> None:
    """Take snapshots of this process until it exits.

    The first word of each that is ``asked`` is a key of INSTRUMENTS; there may be others, with blanks between::

        every_s=SECONDS  cap=BYTES  signal  trim  n_frames=N
    """
    schedules = _schedules(asked, folder, load)
    if not schedules:
        return
    try:
        load("hooks").Hooks(schedules, load("workers"), load("ticker")).start(recorder)
    except Exception as error:  # noqa: BLE001 - the program goes on without, and the run says so
        for schedule in schedules:
            schedule.fail(error)


def take_now(asked: "Sequence[str]", folder: str, load: "Callable[[str], ModuleType]") -> None:
    """One snapshot by each: of a process that was not started recorded, and that somebody asks."""
    for schedule in _schedules(asked, folder, load):
        schedule.begin()
        schedule.take("asked", "", b"")


def _schedules(asked: "Sequence[str]", folder: str, load: "Callable[[str], ModuleType]") -> "list[Schedule]":
    words = {each.split()[0]: each.split()[1:] for each in asked}
    found = [_schedule(name, words[name], folder, load) for name in INSTRUMENTS if name in words]
    return [schedule for schedule in found if schedule is not None]


def _schedule(
    name: str, words: "list[str]", folder: str, load: "Callable[[str], ModuleType]"
) -> "Schedule | None":
    module, files = INSTRUMENTS[name]
    tracker_notes = load("tracker_notes")
    notes = tracker_notes.Notes(folder, NOTES if files else tracker_notes.NAME)
    try:
        given = options(words)
        more = {word: given[word] or True for word in _OF_INSTRUMENTS if word in given}
        instrument = load(module).instrument(folder, load, **more)
        return Schedule(instrument, notes, given, taken=_taken(folder, files) if files else 0)
    except Exception as error:  # noqa: BLE001 - as above
        notes.write("failed", f"{name}: {type(error).__name__}: {error}")
        return None


def options(words: "list[str]") -> "dict[str, str]":
    """What was asked for: each word with what follows its ``=``, if anything."""
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}


class Schedule:
    """When a snapshot by one instrument is due in this process; `hooks` asks, and says when to take it.

    ``answers``: to the signal.  ``period_s`` is how often it wants to be asked without any marker, 0 for never.
    """

    def __init__(self, instrument: "Any", notes: "Any", given: "dict[str, str]", *, taken: int = 0) -> None:
        import time

        self._instrument, self._notes, self._now_ns = instrument, notes, time.monotonic_ns
        self._every_ns = int(float(given.get("every_s") or 0) * 1e9)
        self.cap = int(given.get("cap") or 0)
        self.answers = "signal" in given
        periods_s = ([_LOOK_S] if self.cap else []) + ([self._every_ns / 1e9] if self._every_ns else [])
        self.period_s = min(periods_s, default=0.0)
        self._index = taken
        self._last_ns = self._cost_ns = 0
        self._began_ns = self._spent_ns = self._most = self._n_most = 0
        self._level = _NEAR_CAP * self.cap

    def begin(self) -> None:
        """Count from here on."""
        self._notes.write("begun", self._instrument.name)
        self._began_ns = self._last_ns = self._now_ns()

    def begin_in_child(self) -> None:
        """The same in a forked child: nothing has been taken of it."""
        self._instrument.begin_anew()
        self._index = self._spent_ns = self._most = self._n_most = 0
        self._level = _NEAR_CAP * self.cap
        self.begin()

    def fail(self, error: Exception) -> None:
        """Note that nothing is taken, and why."""
        self._notes.write("failed", f"{self._instrument.name}: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Note that the process ends as it should."""
        self._notes.write("closed", self._instrument.name)

    # --- when ------------------------------------------------------------------------------------------

    def is_due(self, spacing_ns: int) -> bool:
        """Has as much time passed since the last one, and enough for what that took?"""
        return self._now_ns() - self._last_ns >= max(spacing_ns, _COST_SPACING * self._cost_ns)

    def is_due_by_clock(self) -> bool:
        """Has ``every_s`` passed?"""
        return bool(self._every_ns) and self.is_due(self._every_ns)

    def is_most(self) -> bool:
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

    def is_near_cap(self) -> bool:
        """Is the process nearer to the cap than ever, or so near that there will soon be no room for a snapshot?"""
        if not self.cap:
            return False
        rss, needed = rss_bytes(), self._instrument.needs_bytes()
        return rss >= self._level or (self._level < self.cap and rss + 1.25 * needed >= 0.95 * self.cap)

    # --- one snapshot ----------------------------------------------------------------------------------

    def take(self, kind: str, edge: str, label: bytes) -> None:
        """Take one, or note why not."""
        if kind == "cap":
            self._level = max(self._level, rss_bytes()) + _STEP * self.cap
        try:
            if not self._instrument.is_ready():
                self._notes.write_once("stopped", f"{self._instrument.name} was stopped by the program")
                return
            self._most = max(self._most, self._instrument.held_bytes())
            if self._has_room():
                began_ns = self._now_ns()
                self._instrument.take(self._index, began_ns, kind, edge, label)
                self._note_taken(began_ns)
        except Exception as error:  # noqa: BLE001 - a full disk, no memory: the program goes on
            self._last_ns = self._now_ns()
            self._notes.write_once(
                "skipped", f"{self._instrument.name}, {kind}: {type(error).__name__}: {error}"
            )

    def _note_taken(self, began_ns: int) -> None:
        self._last_ns = self._now_ns()
        self._cost_ns = self._last_ns - began_ns
        self._spent_ns += self._cost_ns
        self._notes.write("taken", f"{self._instrument.name}: {self._index} {self._cost_ns}")
        self._index += 1

    def _has_room(self) -> bool:
        needed = self._instrument.needs_bytes()
        room = int(_TOO_NEAR * self.cap) - rss_bytes() if self.cap else _available() // 2
        if needed <= room:
            return True
        name = self._instrument.name
        self._notes.write_once(
            "skipped", f"{name}: a snapshot would take {needed} bytes, {max(room, 0)} are left"
        )
        self._last_ns = self._now_ns()
        return False


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
