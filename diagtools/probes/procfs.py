"""What the kernel says of processes, read as cheaply as it allows (costs: proc(5), measured per read).

``statm`` takes 1 µs and no lock; ``status`` 7 µs; ``smaps_rollup`` takes the target's mmap lock and
10 ms a GiB, so it is read rarely and within a budget.
"""

from __future__ import annotations

import os

PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STATUS_BYTES = 16384  # a user of a thousand groups has a long Groups: line before VmHWM:


class Process:
    """The open files of one process of the tree and what was last read from them (bytes, µs)."""

    __slots__ = (
        "_status",
        "_statm",
        "cpu_us",
        "hwm",
        "n_threads",
        "name",
        "pid",
        "pss",
        "rss",
        "shared",
        "swap_kib",
        "t_slow",
    )

    def __init__(self, pid: int) -> None:
        """Raises ``OSError`` where the process is gone or belongs to somebody else."""
        self.pid = pid
        self._statm = os.open("/proc/%d/statm" % pid, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._status = os.open("/proc/%d/status" % pid, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._statm)
            raise
        self.name = command_name(pid)
        self.rss = self.shared = self.hwm = self.swap_kib = self.n_threads = 0
        self.cpu_us: int | None = None
        self.pss: int | None = None
        self.t_slow = 0

    def read_fast(self) -> None:
        """Reads RSS and its shared part; the RSS is 0 once the process is dying.  Raises ``OSError``."""
        fields = os.pread(self._statm, 128, 0).split(b" ", 3)
        self.rss = int(fields[1]) * PAGE
        self.shared = int(fields[2]) * PAGE

    def read_slow(self, t_ns: int) -> None:
        """Reads the high-water mark, threads, swap and CPU time.  Raises ``OSError``."""
        self.t_slow = t_ns
        status = os.pread(self._status, _STATUS_BYTES, 0)
        if b"\nVmHWM:" in status:  # a dying process has none: the last one stays
            self.hwm = max(_field(status, b"\nVmHWM:") * 1024, self.rss)
        self.swap_kib = _field(status, b"\nVmSwap:")
        self.n_threads = _field(status, b"\nThreads:")
        self.cpu_us = cpu_us(self.pid)

    def close(self) -> None:
        """Gives the descriptors back."""
        os.close(self._statm)
        os.close(self._status)


def _field(text: bytes, name: bytes) -> int:
    at = text.find(name)
    return int(text[at + len(name) :].split(None, 1)[0]) if at >= 0 else 0


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 65536)
    finally:
        os.close(fd)


def _stat_fields(pid: int) -> list[bytes]:
    text = _read("/proc/%d/stat" % pid)
    return text[text.rindex(b")") + 2 :].split()


def cpu_us(pid: int) -> int:
    """How much CPU time has the process used, in µs?  Steps of one clock tick (10 ms)."""
    fields = _stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // _TICKS_PER_S


def start_ticks(pid: int) -> int:
    """When did the process start, in clock ticks since boot?  With the pid this names it for ever."""
    return int(_stat_fields(pid)[19])


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


def io_bytes(pid: int) -> tuple[int, int] | None:
    """How many bytes has the process read from and written to storage?  Null where that is not ours to know."""
    try:
        text = _read("/proc/%d/io" % pid)
    except OSError:
        return None
    return _field(text, b"\nread_bytes:"), _field(text, b"\nwrite_bytes:")


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
    return _read("/proc/loadavg").rsplit(None, 1)[-1]


def available_bytes() -> int:
    """How much memory could be had now without swapping, machine-wide?"""
    return _field(_read("/proc/meminfo"), b"\nMemAvailable:") * 1024


def psi_some_percent() -> float | None:
    """Which share of the last 10 s did some task wait for memory, in %?  Null without PSI."""
    try:
        text = _read("/proc/pressure/memory")
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


def children_by_scan(pid: int) -> list[int]:
    """The same from every process's ``stat``, for kernels without ``children`` files."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if int(_stat_fields(int(name))[1]) == pid:
                    found.append(int(name))
            except (OSError, ValueError):
                pass
    return found


def has_children_files() -> bool:
    """Does this kernel list children per thread?"""
    return os.path.exists("/proc/self/task/%d/children" % os.getpid())
