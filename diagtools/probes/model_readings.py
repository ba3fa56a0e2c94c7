"""What does this process hold right now, and what was the most since the last look?  By the kernel; and a log of it.

The kernel counts the most that a process ever held (VmHWM); writing 5 to ``clear_refs`` makes it count anew.  So a
copy that lived for a millisecond is seen, which no sampling can promise.
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from typing import Any

NAME = "models.log"
OUTPUT = "models.output"
UNKNOWN = -1
#: The fields of each line, after the first, which says what it is.
FIELDS = {
    "start": ("t_ns", "pid", "python", "mode", "loader", "infer"),
    "phase": (
        "name",
        "n_inputs",
        "wall_ns",
        "cpu_ns",
        "rss_before",
        "peak",
        "rss_after",
        "anon_after",
        "file_after",
        "shmem_after",
    ),
    "process": ("role", "rss", "pss", "private", "alone"),
    "output": ("n_rows", "n_columns"),
    "failed": ("phase", "kind", "place", "text"),
    "end": ("n_phases",),
}
#: Which of them are texts; all others are whole numbers.
TEXTS = frozenset({"python", "mode", "loader", "infer", "name", "role", "phase", "kind", "place", "text"})
ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"))
MOST_VALUES = 1 << 20  # of an output: more is not kept

_MOST_TEXT = 2000
_STATUS = (b"VmRSS:", b"VmHWM:", b"RssAnon:", b"RssFile:", b"RssShmem:")
_RSS, _PEAK, _ANON, _FILE, _SHMEM = range(5)
_RECORDER = "_diagtools_recorder_1"  # in sys: see `mark`
_PHASE = 0  # of `mark.KINDS`


class Log:
    """Writes ``models.log``, a line at a time."""

    def __init__(self, folder: str) -> None:
        from binascii import crc32  # extension modules, both
        from time import monotonic_ns

        self._crc32, self.now_ns = crc32, monotonic_ns
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(os.path.join(folder, NAME), flags, 0o600)
        self._folder = folder

    def write(self, kind: str, *fields: "int | str") -> None:
        """One line."""
        line = b"\t".join([_escaped(str(field)) for field in (kind, *fields)])
        os.write(self._fd, b"%b\t%08x\n" % (line, self._crc32(line)))

    def write_output(self, output: "Any") -> None:
        """What the model answered, where that is rows of numbers; anything else cannot be compared."""
        rows = output.tolist() if hasattr(output, "tolist") else output
        if isinstance(rows, (list, tuple)) and rows and not isinstance(rows[0], (list, tuple)):
            rows = [rows]
        try:
            values = [float(value) for row in rows for value in row]
            n_columns = len(rows[0])
        except (TypeError, ValueError, IndexError, KeyError):
            return
        if any(len(row) != n_columns for row in rows) or not 0 < len(values) <= MOST_VALUES:
            return
        from struct import pack

        with open(os.path.join(self._folder, OUTPUT), "xb") as file:
            file.write(pack("<%dd" % len(values), *values))
        self.write("output", len(rows), n_columns)


class Meter:
    """Measures phases, one after the other."""

    def __init__(self, log: Log) -> None:
        from time import process_time_ns

        self._log, self._cpu_ns = log, process_time_ns
        self.status, self.shared = status, shared
        self.n_phases = 0
        self.phase = ""

    def measured(self, name: str, call: "Any", n_inputs: int = UNKNOWN) -> "Any":
        """What the call gives; its time and its memory are noted."""
        self.phase = name
        mark(name)
        is_reset = _reset()
        before = status()
        began_ns, began_cpu_ns = self._log.now_ns(), self._cpu_ns()
        found = call()
        cpu_ns, wall_ns = self._cpu_ns() - began_cpu_ns, self._log.now_ns() - began_ns
        after = status()
        # Where it cannot be reset, it tells something of this phase only if it rose.
        peak = after[_PEAK] if is_reset or after[_PEAK] > before[_PEAK] else UNKNOWN
        rest = (after[_RSS], after[_ANON], after[_FILE], after[_SHMEM])
        self._log.write("phase", name, n_inputs, wall_ns, cpu_ns, before[_RSS], peak, *rest)
        self.n_phases += 1
        return found


def mark(name: str) -> None:
    """The recording's phase, where there is a recording."""
    import sys

    recorder = vars(sys).get(_RECORDER)
    if recorder is not None:
        recorder.begin(_PHASE, name, {}, "phase")


def status() -> "tuple[int, ...]":
    """RSS, its highest, its anonymous and file-backed parts and shared memory, bytes; -1 where nobody says."""
    try:
        with open("/proc/self/status", "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return (UNKNOWN,) * len(_STATUS)
    told = {line.split(None, 1)[0]: line for line in lines if line.startswith((b"Vm", b"Rss"))}
    return tuple(int(told[name].split()[1]) * 1024 if name in told else UNKNOWN for name in _STATUS)


def shared(pid: int) -> "tuple[int, int, int]":
    """RSS, proportional share and what is the process's own, bytes; -1 where the kernel does not say."""
    try:
        with open("/proc/%d/smaps_rollup" % pid, "rb") as file:
            rows = [line.split() for line in file]
    except OSError:
        return (UNKNOWN,) * 3
    told = {row[0]: int(row[1]) * 1024 for row in rows if len(row) == 3}
    own = [told[name] for name in (b"Private_Clean:", b"Private_Dirty:") if name in told]
    return told.get(b"Rss:", UNKNOWN), told.get(b"Pss:", UNKNOWN), sum(own) if own else UNKNOWN


def _reset() -> bool:
    try:
        with open("/proc/self/clear_refs", "wb", 0) as file:
            file.write(b"5")
    except OSError:
        return False
    return True


def _escaped(text: str) -> bytes:
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        raw = text.encode("utf-8", "backslashreplace")
    raw = raw[:_MOST_TEXT]
    for plain, escaped in ESCAPES:
        raw = raw.replace(plain, escaped)
    return raw
