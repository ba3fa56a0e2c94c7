"""The process tree of a target: who belongs to it, and one sample of each."""

from __future__ import annotations

import os
import time

from diagtools.probes import procfs, records, supervisor
from diagtools.probes.writer import Writer

REFRESH_NS = 20_000_000
_SLOW_NS = 100_000_000
_LISTING_NS = 1_000_000_000
_LISTING_PAUSE = 25  # times of what a listing took: a tree of a thousand threads is listed less often
_MOVED_BYTES = 1 << 20
_YOUNG_NS = 2_000_000_000
_PSS_SHARE = 100
_PSS_PAUSE_NS = 1_000_000_000
_HALF_UNKNOWN = 0xFFFF_FFFF


class Tree:
    """The living processes below a root (or, without one, below this process, which adopts orphans)."""

    def __init__(self, root: int | None, writer: Writer) -> None:
        """Raises ``OSError`` where the root is gone."""
        self._root = root
        self._writer = writer
        self._processes: dict[int, procfs.Process] = {}
        self._young: dict[int, tuple[int, int]] = {}
        self._has_children_files = procfs.has_children_files()
        self._scanned: dict[int, list[int]] = {}
        self._last_pid = procfs.last_pid()
        self._listing_ns = _SLOW_NS
        self._has_changed = False
        self._next_refresh = self._next_listing = 0
        self._next_pss = self._n_met = 0
        self._root_ticks = procfs.start_ticks(root) if root else 0

    # --- who belongs to it ---------------------------------------------------------------------------

    def look_again(self) -> None:
        """Makes the next refresh a full one: a process has ended, and its children have moved."""
        self._next_refresh = self._next_listing = 0

    def refresh(self, now: int, ours: int) -> None:
        """Looks for new members where a process was started anywhere of late; ``ours`` is left out."""
        if now < self._next_refresh:
            return
        self._next_refresh = now + REFRESH_NS
        if not self._may_have_grown(now):
            return
        begun = time.monotonic_ns()
        for pid, ppid in self._members(ours):
            if pid not in self._processes:
                self.meet(now, pid, ppid)
        cost = time.monotonic_ns() - begun
        self._next_refresh = now + max(REFRESH_NS, _LISTING_PAUSE * cost)
        self._next_listing = now + max(self._listing_ns, _LISTING_PAUSE * cost)

    def _may_have_grown(self, now: int) -> bool:
        """Also one look after the last new pid: a process has its pid before its parent's list shows it."""
        last_pid = procfs.last_pid()
        had_changed, self._has_changed = self._has_changed, last_pid != self._last_pid
        self._last_pid = last_pid
        return self._has_changed or had_changed or now >= self._next_listing

    def _members(self, ours: int) -> list[tuple[int, int]]:
        self._scan()
        me = os.getpid()
        found = (
            [(self._root, 0)] if self._root else [(pid, me) for pid in self._children_of(me) if pid != ours]
        )
        seen = {me, *(pid for pid, _ in found)}  # an attached root may have started this process
        for pid, _ in found:  # grows while it is walked: breadth first
            new = [child for child in self._children_of(pid) if child not in seen]
            seen.update(new)
            found += [(child, pid) for child in new]
        return found

    def _scan(self) -> None:
        """Without ``children`` files: looks once at every process of the machine."""
        if not self._has_children_files:
            self._scanned = procfs.children_by_scan()

    def _children_of(self, pid: int) -> list[int]:
        if not self._has_children_files:
            return self._scanned.get(pid, [])
        process = self._processes.get(pid)
        return process.children() if process else procfs.children(pid)

    def meet(self, now: int, pid: int, ppid: int) -> None:
        """Takes a process in and adds its PROCESS record, unless it is gone already."""
        try:
            process = procfs.Process(pid)
        except (OSError, ValueError, IndexError):  # gone between listing and opening
            return
        if pid == self._root and process.ticks != self._root_ticks:
            process.close()
            return
        self._processes[pid] = process
        self._n_met += 1
        self._young[pid] = ppid, now + _YOUNG_NS
        self._writer.process(now, pid, ppid, process.ticks, process.name)

    def has_children(self, ours: int) -> bool:
        """Is anything left below this process?  It adopts orphans, so that nothing can hide from this."""
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        self._scan()
        return not ours or any(pid != ours for pid in self._children_of(os.getpid()))

    def drop_ended(self, now: int) -> None:
        """Forgets the members that are gone by now, so that no other process with their pid is meant."""
        for process in list(self._processes.values()):
            try:
                process.read_fast()
            except (OSError, ValueError, IndexError):
                self.ended(now, process.pid, None)

    def send(self, now: int, number: int) -> None:
        """Sends a signal to every process of the tree."""
        self.drop_ended(now)
        for pid in self._processes:
            supervisor.send(pid, number)

    def trust_last_pid(self) -> None:
        """To be called when a process was started since this tree was made: some containers fake what tells of it."""
        if procfs.last_pid() != self._last_pid:
            self._listing_ns = _LISTING_NS

    # --- what they use -------------------------------------------------------------------------------

    def sample(self, now: int) -> None:
        """Adds one SAMPLE record a living process; a process that is gone gets its EXIT record."""
        for process in list(self._processes.values()):
            before = process.rss
            try:
                process.read_fast()
                if now - process.t_slow >= _SLOW_NS or abs(process.rss - before) > _MOVED_BYTES:
                    self._read_slow(now, process)
            except (OSError, ValueError, IndexError):
                self.ended(now, process.pid, None)
                continue
            rss = process.rss
            if rss:
                hwm = max(rss, process.hwm)
                self._writer.sample(now, process.pid, rss, process.shared, hwm, process.cpu_us, process.pss)
                process.pss = records.UNKNOWN

    def _read_slow(self, now: int, process: procfs.Process) -> None:
        """A process is often met before it executes its program: its name is looked at again while it is young."""
        process.read_slow(now)
        ppid, until = self._young.get(process.pid, (0, 0))
        if now >= until:
            self._young.pop(process.pid, None)
            return
        name = procfs.command_name(process.pid)
        if name != process.name:
            process.name = name
            self._writer.process(now, process.pid, ppid, process.ticks, name)

    def held(self, now: int, pid: int, peak: int) -> None:
        """What the kernel says of a process that was alone: a peak after its last sample is in one more sample.

        A mark that is not above ours may be ours: the process was a copy of this one before it executed its program.
        """
        process = self._processes.get(pid)
        if process is None or self._n_met > 1 or not process.last_rss:
            return
        if peak <= max(process.hwm, procfs.own_peak()):
            return
        process.hwm = peak
        self._writer.sample(now, pid, process.last_rss, process.shared, peak, process.cpu_us, records.UNKNOWN)

    def ended(self, now: int, pid: int, status: int | None) -> None:
        """Adds the EXIT record of a process, once, and forgets it."""
        process = self._processes.pop(pid, None)
        self._young.pop(pid, None)
        unknown = records.UNKNOWN
        hwm = cpu = unknown
        if process is not None:
            process.close()
            hwm = process.hwm or unknown
            cpu = process.cpu_us
        if process is not None or status is not None:
            self._writer.add(records.EXIT, now, pid, (unknown if status is None else status, hwm, cpu))

    def read_pss(self, now: int) -> None:
        """Reads proportional set sizes where pages can be shared, so seldom that it takes at most 1 % of the time."""
        if now < self._next_pss or len(self._processes) < 2:
            return
        begun = time.monotonic_ns()
        for process in self._processes.values():
            process.pss = procfs.pss_bytes(process.pid) or records.UNKNOWN
        cost = time.monotonic_ns() - begun
        self._next_pss = now + max(_PSS_PAUSE_NS, _PSS_SHARE * cost)

    # --- what they are together ----------------------------------------------------------------------

    def is_alive(self, pid: int) -> bool:
        """Is this a process of the tree that holds memory?"""
        return pid in self._processes and self._processes[pid].rss > 0

    def living(self) -> list[procfs.Process]:
        """The processes of the tree that hold memory."""
        return [process for process in self._processes.values() if process.rss]

    def pids(self) -> list[int]:
        """The processes of the tree that are not known to have ended."""
        return list(self._processes)

    def n_threads(self) -> int:
        """How many threads has the tree?"""
        return sum(process.n_threads for process in self._processes.values())

    def swap_and_fds(self) -> int:
        """How much of the tree is swapped out (KiB), and above 32 bits how many descriptors has it open?"""
        counts = [n for n in map(procfs.n_fds, self._processes) if n is not None]
        swap_kib = sum(process.swap_kib for process in self._processes.values())
        return min(swap_kib, _HALF_UNKNOWN - 1) | (sum(counts) if counts else _HALF_UNKNOWN) << 32

    def io_bytes(self) -> tuple[int, int]:
        """How much has the tree read from and written to storage?  UNKNOWN where no process lets us know."""
        pairs = [pair for p in self._processes.values() if (pair := p.io_bytes()) is not None]
        if not pairs:
            return records.UNKNOWN, records.UNKNOWN
        return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
