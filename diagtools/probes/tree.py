"""The process tree of a target: who belongs to it, and one sample of each."""

from __future__ import annotations

import os
import time

from diagtools.probes import procfs, records
from diagtools.probes.writer import Writer

REFRESH_NS = 20_000_000
_SLOW_NS = 100_000_000
_MOVED_BYTES = 1 << 20
_PSS_SHARE = 100
_PSS_PAUSE_NS = 1_000_000_000


class Tree:
    """The living processes below a root (or, without one, below this process, which adopts orphans)."""

    def __init__(self, root: int | None, writer: Writer) -> None:
        self._root = root
        self._writer = writer
        self._processes: dict[int, procfs.Process] = {}
        self._children = procfs.children if procfs.has_children_files() else procfs.children_by_scan
        self._last_pid = b""
        self._next_refresh = 0
        self._next_pss = 0
        self._root_ticks = procfs.start_ticks(root) if root else 0

    def refresh(self, now: int, ours: int) -> None:
        """Looks for new members, if a process was started anywhere since the last look; ``ours`` is left out."""
        if now < self._next_refresh:
            return
        self._next_refresh = now + REFRESH_NS
        last_pid = procfs.last_pid()
        if last_pid == self._last_pid:
            return
        self._last_pid = last_pid
        for pid, ppid in self._members(ours):
            if pid not in self._processes:
                self._add(now, pid, ppid)

    def _members(self, ours: int) -> list[tuple[int, int]]:
        me = os.getpid()
        found = [(self._root, 0)] if self._root else [(pid, me) for pid in self._children(me) if pid != ours]
        seen = {pid for pid, _ in found}
        for pid, _ in found:  # grows while it is walked: breadth first
            new = [child for child in self._children(pid) if child not in seen]
            seen.update(new)
            found += [(child, pid) for child in new]
        return found

    def _add(self, now: int, pid: int, ppid: int) -> None:
        try:
            ticks = procfs.start_ticks(pid)
            if pid == self._root and ticks != self._root_ticks:
                return
            self._processes[pid] = procfs.Process(pid)
        except (OSError, ValueError, IndexError):  # gone between listing and opening
            return
        self._writer.process(now, pid, ppid, ticks, procfs.command_name(pid))

    def sample(self, now: int) -> None:
        """Adds one SAMPLE record a living process; a process that is gone gets its EXIT record."""
        for process in list(self._processes.values()):
            before = process.rss
            try:
                process.read_fast()
                if now - process.t_slow >= _SLOW_NS or abs(process.rss - before) > _MOVED_BYTES:
                    process.read_slow(now)
            except (OSError, ValueError, IndexError):
                self.ended(now, process.pid, None)
                continue
            if process.rss:
                self._write(now, process)

    def _write(self, now: int, process: procfs.Process) -> None:
        unknown = records.UNKNOWN
        hwm = max(process.hwm, process.rss)
        cpu = unknown if process.cpu_us is None else process.cpu_us
        pss = unknown if process.pss is None else process.pss
        process.pss = None
        self._writer.add(records.SAMPLE, now, process.pid, (process.rss, process.shared, hwm, cpu, pss))

    def ended(self, now: int, pid: int, status: int | None) -> None:
        """Adds the EXIT record of a process, once, and forgets it."""
        process = self._processes.pop(pid, None)
        if process is not None:
            process.close()
        if process is not None or status is not None:
            self._writer.add(records.EXIT, now, pid, (records.UNKNOWN if status is None else status,))

    def read_pss(self, now: int) -> None:
        """Reads proportional set sizes where pages can be shared, so seldom that it takes at most 1 % of the time."""
        if now < self._next_pss or len(self._processes) < 2:
            return
        for process in self._processes.values():
            process.pss = procfs.pss_bytes(process.pid)
        cost = time.monotonic_ns() - now
        self._next_pss = now + max(_PSS_PAUSE_NS, _PSS_SHARE * cost)

    def living(self) -> list[procfs.Process]:
        """The processes of the tree that hold memory."""
        return [process for process in self._processes.values() if process.rss]

    def pids(self) -> list[int]:
        """The processes of the tree that are not known to have ended."""
        return list(self._processes)

    def n_threads(self) -> int:
        """How many threads has the tree?"""
        return sum(process.n_threads for process in self._processes.values())

    def swap_kib(self) -> int:
        """How much of the tree is swapped out, in KiB?"""
        return sum(process.swap_kib for process in self._processes.values())

    def n_fds(self) -> int:
        """How many descriptors has the tree open?"""
        return sum(procfs.n_fds(pid) for pid in self._processes)

    def io_bytes(self) -> tuple[int, int]:
        """How much has the tree read from and written to storage?"""
        pairs = [procfs.io_bytes(pid) for pid in self._processes]
        return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
