"""What the kernel says of processes, read as cheaply as it allows (costs: proc(5), measured per read).

``statm`` takes 1 µs and no lock; ``status`` 7 µs; ``smaps_rollup`` takes the target's mmap lock and
10 ms a GiB, so it is read rarely and within a budget.  Opening a file costs three times as much as reading it
(ten times in a process that has slept), so what is read often stays open.
"""

from __future__ import annotations

import os
import resource

from diagtools.probes.records import UNKNOWN

PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM, _START = 1, 11, 12, 19  # of the fields of "stat" after the name
_LINKS_OF_ONE_THREAD = 3  # of /proc/PID/task: two of any folder, and one for each thread
_CHILDREN_BYTES = 4096
_SPARE = 8  # descriptors that stay free for a file that is read once
_STAT_BYTES = 1024
_STAT_NS = 500_000_000
_IO_BYTES = 512
_STATUS_BYTES = 16384  # a user of a thousand groups has a long Groups: line before VmHWM:


class Process:
    """One process of the tree and what was last read of it (bytes, µs).

    Its files are kept open, which saves most of the cost, as long as descriptors are left.
    """

    __slots__ = (
        "_children",
        "_io",
        "_next_stat",
        "_stat",
        "_status",
        "_statm",
        "_statm_text",
        "cpu_us",
        "hwm",
        "last_rss",
        "n_threads",
        "name",
        "pid",
        "pss",
        "rss",
        "shared",
        "swap_kib",
        "t_slow",
        "ticks",
    )

    def __init__(self, pid: int) -> None:
        """Raises ``OSError`` where the process is gone or belongs to somebody else."""
        self.pid = pid
        self.ticks = start_ticks(pid)
        self._statm = _File("/proc/%d/statm" % pid)
        self._status = _File("/proc/%d/status" % pid)
        self._stat = _File("/proc/%d/stat" % pid)
        self._io = _File("/proc/%d/io" % pid)
        self._children = _File("/proc/%d/task/%d/children" % (pid, pid))
        self._statm_text = b""
        self.name = command_name(pid)
        self.rss = self.last_rss = self.shared = self.hwm = self.swap_kib = self.n_threads = 0
        self.cpu_us = self.pss = UNKNOWN
        self.t_slow = self._next_stat = 0

    def read_fast(self) -> None:
        """Reads RSS and its shared part; of a dying process 0, and ``last_rss`` stays.  Raises ``OSError``."""
        file = self._statm
        text = os.pread(file.fd, 64, 0) if file.fd >= 0 else file.read(64)
        if text != self._statm_text:
            self._statm_text = text
            fields = text.split(b" ", 3)
            self.rss = int(fields[1]) * PAGE
            self.last_rss = self.rss or self.last_rss
            self.shared = int(fields[2]) * PAGE

    def read_slow(self, t_ns: int) -> None:
        """Reads the high-water mark, threads and swap, seldom also the CPU time.  Raises ``OSError``."""
        self.t_slow = t_ns
        status = self._status.read(_STATUS_BYTES)
        if b"\nVmHWM:" in status:  # a dying process has none: the last one stays
            self.hwm = max(_field(status, b"\nVmHWM:") * 1024, self.rss)
        self.swap_kib = _field(status, b"\nVmSwap:")
        self.n_threads = _field(status, b"\nThreads:")
        if t_ns >= self._next_stat or self._stat.fd < 0:
            self._next_stat = t_ns + _STAT_NS
            self._read_stat()

    def _read_stat(self) -> None:
        """A file that stays open tells of its own process for ever; of another with its pid where it does not."""
        fields = _after_name(self._stat.read(_STAT_BYTES))
        if int(fields[_START]) != self.ticks:
            raise ProcessLookupError(self.pid)
        ticks = int(fields[_USER]) + int(fields[_SYSTEM])  # of 10 ms
        self.cpu_us = ticks * 1_000_000 // _TICKS_PER_S

    def io_bytes(self) -> tuple[int, int] | None:
        """How many bytes has it read from and written to storage?  Null where that is not ours to know."""
        try:
            text = self._io.read(_IO_BYTES)
        except OSError:
            return None
        return _field(text, b"\nread_bytes:"), _field(text, b"\nwrite_bytes:")

    def children(self) -> list[int]:
        """Which processes did it start that are not collected yet?  With one thread that is a single read."""
        try:
            if os.stat("/proc/%d/task" % self.pid).st_nlink == _LINKS_OF_ONE_THREAD:
                text = self._children.read(_CHILDREN_BYTES)
                if len(text) < _CHILDREN_BYTES:
                    return [int(pid) for pid in text.split()]
        except OSError:
            return []
        return children(self.pid)

    def close(self) -> None:
        """Gives the descriptors back."""
        for file in (self._statm, self._status, self._stat, self._io, self._children):
            file.close()


class _File:
    """One file of /proc, kept open from its first reading on unless that would take one of the last descriptors."""

    __slots__ = ("_path", "fd")

    def __init__(self, path: str) -> None:
        self._path = path
        self.fd = -1

    def read(self, n_bytes: int) -> bytes:
        if self.fd >= 0:
            return os.pread(self.fd, n_bytes, 0)
        self.fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(self.fd, n_bytes, 0)
        finally:
            if self.fd >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE:
                self.close()

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


_LOADAVG, _MEMINFO = _File("/proc/loadavg"), _File("/proc/meminfo")
_PRESSURE = _File("/proc/pressure/memory")


def _field(text: bytes, name: bytes) -> int:
    at = text.find(name)
    return int(text[at + len(name) :].split(None, 1)[0]) if at >= 0 else 0


def _read(path: str, n_bytes: int = 65536) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, n_bytes)
    finally:
        os.close(fd)


def _stat_fields(pid: int) -> list[bytes]:
    return _after_name(_read("/proc/%d/stat" % pid))


def _after_name(stat: bytes) -> list[bytes]:
    return stat[stat.rindex(b")") + 2 :].split()


def start_ticks(pid: int) -> int:
    """When did the process start, in clock ticks since boot?  With the pid this names it for ever."""
    return int(_stat_fields(pid)[_START])


def command_name(pid: int) -> bytes:
    """What does the process call itself?  The kernel's name for it (bytes, at most 15)."""
    try:
        return _read("/proc/%d/comm" % pid).rstrip(b"\n")
    except OSError:
        return b"?"


def knows_pss() -> bool:
    """Does this kernel say proportional set sizes (4.14 and later)?"""
    return os.path.exists("/proc/self/smaps_rollup")


def pss_bytes(pid: int) -> int | None:
    """What is the process's proportional set size?  0 once it has ended, null where the kernel does not say."""
    try:
        text = _read("/proc/%d/smaps_rollup" % pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0 if knows_pss() else None
    except OSError:
        return None
    return _field(text, b"\nPss:") * 1024 if b"\nPss:" in text else None


def n_fds(pid: int) -> int | None:
    """How many descriptors has the process open?  Linux 6.2+ says so without a listing."""
    path = "/proc/%d/fd" % pid
    try:
        return os.stat(path).st_size or len(os.listdir(path))
    except OSError:
        return None


def has_ended(pid: int) -> bool:
    """Has this process ended, be it that nobody has collected its status yet (a zombie)?"""
    try:
        return _stat_fields(pid)[0] in (b"Z", b"X")
    except (OSError, ValueError, IndexError):
        return True


def last_pid() -> bytes:
    """Which process or thread id did the kernel hand out last?  Unchanged: the tree has not grown."""
    return _LOADAVG.read(128).rsplit(None, 1)[-1]


def available_bytes() -> int:
    """How much memory could be had now without swapping, machine-wide?"""
    return _field(_MEMINFO.read(256), b"\nMemAvailable:") * 1024


def psi_some_percent() -> float | None:
    """Which share of the last 10 s did some task wait for memory, in %?  Null without PSI."""
    try:
        text = _PRESSURE.read(128)
    except OSError:
        return None
    at = text.find(b"some avg10=")
    return float(text[at + 11 :].split(None, 1)[0]) if at >= 0 else None


def number_in(path: str) -> int | None:
    """Which number does a one-number file such as ``memory.current`` hold?  Null where it cannot be read."""
    try:
        return int(_read(path))
    except (OSError, ValueError):
        return None


def counter_in(path: str, name: bytes) -> int | None:
    """Which value has the line ``name value`` of a counter file such as ``memory.events``?"""
    try:
        text = b"\n" + _read(path)
    except OSError:
        return None
    key = b"\n" + name + b" "
    return _field(text, key) if key in text else None


def children(pid: int) -> list[int]:
    """Which processes did the threads of this one start that are not reaped yet?"""
    found: list[int] = []
    try:
        for tid in os.listdir("/proc/%d/task" % pid):
            found += map(int, _read("/proc/%d/task/%s/children" % (pid, tid)).split())
    except OSError:
        pass
    return found


def own_peak() -> int:
    """What is the most that this process held since it executed its program?  Not what it was a copy of before."""
    with open("/proc/self/status", "rb") as file:
        return _field(file.read(_STATUS_BYTES), b"\nVmHWM:") * 1024


def children_by_scan() -> dict[int, list[int]]:
    """The same for every process at once, from their ``stat``: for kernels without ``children`` files."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found.setdefault(int(_stat_fields(int(name))[_PARENT]), []).append(int(name))
            except (OSError, ValueError, IndexError):
                pass
    return found


def has_children_files() -> bool:
    """Does this kernel list children per thread?"""
    return os.path.exists("/proc/self/task/%d/children" % os.getpid())
