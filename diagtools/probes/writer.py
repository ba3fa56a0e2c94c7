"""Writes the records of one recording, and keeps a recording of days bounded.

``timeline.bin`` grows until it is a segment long, then becomes ``timeline.1.bin``, which a forked copy of the
sampler decimates into ``timeline.0.bin`` while sampling goes on: samples become the largest of their bucket,
processes, exits and events stay.  Three files of one segment each are the most that a recording takes, unless
the copy fails or is slow (then the current file grows until the next one has done its work) or the tree
starts so many processes that their records alone need more.
"""

from __future__ import annotations

import os

from diagtools.probes import records

CURRENT, HISTORY, WAITING = "timeline.bin", "timeline.0.bin", "timeline.1.bin"
_KEPT_WHILE_DISK_IS_FULL = 4096
_LAST_SEQ = 2**32 - 1
_NICE = 10


class Writer:
    """The append-only record file: one write a flush; whole records or none."""

    def __init__(self, folder: str, segment_bytes: int) -> None:
        self._folder = folder
        self._segment_bytes = self._rotate_at = segment_bytes
        self._pending: list[bytes] = []
        self._dropped = 0
        self._size = 0
        self._is_torn = False
        self._header = b""
        self._decimator = 0
        self.seq = 0
        self._fd = self._open(CURRENT)

    def _open(self, name: str) -> int:
        path = os.path.join(self._folder, name)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    # --- what is to be written -----------------------------------------------------------------------

    def header(self, t_ns: int, root: int, payload: tuple[int, ...]) -> None:
        """Begins the recording; every later segment begins with the same record."""
        self._header = records.pack(records.HEADER, t_ns, root, 0, payload)
        self._pending.append(self._header)
        self.seq = 1

    def add(self, kind: int, t_ns: int, pid: int, payload: tuple[int, ...], small: int = 0) -> None:
        """Adds one record to the next flush; unused numbers of the payload may be left out."""
        if len(payload) < 5:
            payload += (0,) * (5 - len(payload))
        if self._has_number():
            self._pending.append(records.pack(kind, t_ns, pid, self.seq, payload, small))
            self.seq += 1

    def sample(self, t_ns: int, pid: int, rss: int, shared: int, hwm: int, cpu_us: int, pss: int) -> None:
        """Adds one SAMPLE record."""
        if self.seq < _LAST_SEQ or self._has_number():
            self._pending.append(records.pack_sample(t_ns, pid, self.seq, rss, shared, hwm, cpu_us, pss))
            self.seq += 1

    def event(self, t_ns: int, name: str, pid: int = 0, value: int = 0, second: int = 0) -> None:
        """Adds one EVENT record."""
        self.add(records.EVENT, t_ns, pid, (value, second), records.EVENTS.index(name))

    def process(self, t_ns: int, pid: int, ppid: int, ticks: int, name: bytes) -> None:
        """Adds one PROCESS record."""
        if self._has_number():
            self._pending.append(records.pack_process(t_ns, pid, self.seq, ppid, ticks, name))
            self.seq += 1

    def _has_number(self) -> bool:
        """Is a number left?  They last for 50 days at 1,000 records a second; then records count as lost."""
        if self.seq < _LAST_SEQ:
            return True
        self._dropped += 1
        return False

    # --- writing -------------------------------------------------------------------------------------

    def flush(self, t_ns: int) -> None:
        """Writes what is pending.  On a full disk the newest records wait for room."""
        n_written = self._append(b"".join(self._pending)) // records.SIZE
        if n_written < len(self._pending):
            self._keep_newest(self._pending[n_written:])
            return
        self._pending.clear()
        if self._dropped and self.seq < _LAST_SEQ:
            dropped, self._dropped = self._dropped, 0
            self.event(t_ns, "disk_full", value=dropped)
        if self._size >= self._rotate_at:
            self._rotate()

    def _append(self, data: bytes) -> int:
        """Appends whole records; returns how many bytes of them stand in the file."""
        if self._is_torn and not self._cut_torn_tail():
            return 0
        try:
            written = os.write(self._fd, data) if data else 0
        except OSError:
            return 0
        whole = written - written % records.SIZE
        self._size += whole
        if whole != written:
            self._cut_torn_tail()
        return whole

    def _cut_torn_tail(self) -> bool:
        """Takes half a record off the end of the file, so that the next one stands in its place."""
        try:
            os.ftruncate(self._fd, self._size)
            self._is_torn = False
        except OSError:
            self._is_torn = True
        return not self._is_torn

    def _keep_newest(self, waiting: list[bytes]) -> None:
        first = waiting[:1] if waiting[0] is self._header else []
        kept = waiting[len(first) :][-_KEPT_WHILE_DISK_IS_FULL:]
        self._dropped += len(waiting) - len(first) - len(kept)
        self._pending = first + kept

    @property
    def lost(self) -> int:
        """How many records found no room so far?"""
        return self._dropped + len(self._pending)

    # --- keeping it bounded --------------------------------------------------------------------------

    @property
    def decimator(self) -> int:
        """The pid of the copy that decimates, or 0."""
        return self._decimator

    def reaped(self, pid: int) -> bool:
        """Was this child the decimating copy, and not a part of the target?"""
        if pid != self._decimator:
            return False
        self._decimator = 0
        return True

    def finish(self) -> None:
        """Waits for the decimating copy, so that no file of the run changes after its end."""
        if self._decimator:
            try:
                os.waitpid(self._decimator, 0)
            except ChildProcessError:
                pass
            self._decimator = 0
        for name in (HISTORY + ".tmp", CURRENT + ".new"):  # of a copy that was killed
            try:
                os.unlink(os.path.join(self._folder, name))
            except OSError:
                pass

    def _rotate(self) -> None:
        """Where a step fails, or the last copy is not done, the file grows on: nothing is ever lost for room."""
        self._rotate_at = self._size + self._segment_bytes
        if self._decimator:
            return
        has_failed = os.path.exists(os.path.join(self._folder, WAITING))
        try:
            if not has_failed:  # else the waiting segment gets another copy first
                self._begin_segment()
            self._decimator = os.fork()
        except OSError:
            return
        if self._decimator == 0:
            self._decimate_and_exit()

    def _begin_segment(self) -> None:
        current, begun = os.path.join(self._folder, CURRENT), CURRENT + ".new"
        fd = self._open(begun)
        if os.write(fd, self._header) != records.SIZE:
            os.close(fd)
            raise OSError("no room for a segment")
        os.rename(current, os.path.join(self._folder, WAITING))
        os.rename(os.path.join(self._folder, begun), current)
        os.close(self._fd)
        self._fd, self._size, self._rotate_at = fd, records.SIZE, self._segment_bytes

    def _decimate_and_exit(self) -> None:
        status = 1
        try:
            from diagtools.probes.decimate import decimate

            os.nice(_NICE)
            decimate(self._folder, HISTORY, WAITING, self._segment_bytes // 2)
            status = 0
        finally:
            os._exit(status)
