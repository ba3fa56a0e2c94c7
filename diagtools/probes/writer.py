"""Writes the records of one recording, and keeps a recording of days bounded.

``timeline.bin`` grows until it is a segment long, then becomes ``timeline.1.bin``, which a forked copy of the
sampler decimates into ``timeline.0.bin`` while sampling goes on: samples become the largest of their bucket,
everything else stays.  Three files of one segment each are the most that a recording takes.
"""

from __future__ import annotations

import os

from diagtools.probes import records

CURRENT, HISTORY, WAITING = "timeline.bin", "timeline.0.bin", "timeline.1.bin"
_KEPT_WHILE_DISK_IS_FULL = 4096


class Writer:
    """The append-only record file: one write a flush; whole records or none."""

    def __init__(self, folder: str, segment_bytes: int) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._pending: list[bytes] = []
        self._dropped = 0
        self._size = 0
        self._header = b""
        self._decimator = 0
        self.seq = 0
        self._fd = self._open()

    def _open(self) -> int:
        path = os.path.join(self._folder, CURRENT)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def header(self, t_ns: int, root: int, payload: tuple[int, ...]) -> None:
        """Begins the recording; every later segment begins with the same record."""
        self._header = records.pack(records.HEADER, t_ns, root, 0, payload)
        self._pending.append(self._header)
        self.seq = 1

    def add(self, kind: int, t_ns: int, pid: int, payload: tuple[int, ...], small: int = 0) -> None:
        """Adds one record to the next flush; unused numbers of the payload may be left out."""
        if len(payload) < 5:
            payload += (0,) * (5 - len(payload))
        self._pending.append(records.pack(kind, t_ns, pid, self.seq, payload, small))
        self.seq += 1

    def event(self, t_ns: int, name: str, pid: int = 0, value: int = 0, second: int = 0) -> None:
        """Adds one EVENT record."""
        self.add(records.EVENT, t_ns, pid, (value, second), records.EVENTS.index(name))

    def process(self, t_ns: int, pid: int, ppid: int, ticks: int, name: bytes) -> None:
        """Adds one PROCESS record."""
        self._pending.append(records.pack_process(t_ns, pid, self.seq, ppid, ticks, name))
        self.seq += 1

    def flush(self, t_ns: int) -> None:
        """Writes what is pending.  On a full disk the newest records wait for room."""
        data = b"".join(self._pending)
        try:
            written = os.write(self._fd, data) if data else 0
        except OSError:
            written = 0
        whole = written - written % records.SIZE
        if whole != written:
            os.ftruncate(self._fd, self._size + whole)
        self._size += whole
        if whole == len(data):
            self._pending.clear()
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                self.event(t_ns, "disk_full", value=dropped)
            if self._size >= self._segment_bytes:
                self._rotate()
            return
        rest = self._pending[whole // records.SIZE :]
        self._dropped += max(0, len(rest) - _KEPT_WHILE_DISK_IS_FULL)
        self._pending = rest[-_KEPT_WHILE_DISK_IS_FULL:]

    @property
    def lost(self) -> int:
        """How many records found no room so far?"""
        return self._dropped + len(self._pending)

    def reaped(self, pid: int) -> bool:
        """Was this child the decimating copy, and not a part of the target?"""
        if pid != self._decimator:
            return False
        self._decimator = 0
        return True

    @property
    def decimator(self) -> int:
        """The pid of the copy that decimates, or 0."""
        return self._decimator

    def _rotate(self) -> None:
        waiting = os.path.join(self._folder, WAITING)
        if self._decimator or os.path.exists(waiting):
            self._segment_bytes *= 2  # the copy is not done (or failed): never lose, rather grow
            return
        os.rename(os.path.join(self._folder, CURRENT), waiting)
        os.close(self._fd)
        self._fd = self._open()
        self._size = 0
        self._pending.append(self._header)
        self._decimator = os.fork()
        if self._decimator == 0:
            self._decimate_and_exit()

    def _decimate_and_exit(self) -> None:
        status = 1
        try:
            from diagtools.probes.decimate import decimate

            decimate(self._folder, HISTORY, WAITING, self._segment_bytes // 2)
            status = 0
        finally:
            os._exit(status)
