"""What does this process hold right now, by those who count it?  Numbers that a call which keeps nothing leaves alone.

Unlike the RSS they know what is in use: what the C library and Python's allocator keep for later is not in them.
Nothing of what is asked here stays behind, so that a reading is not seen by the next one.
"""

# No "from __future__": it would be an import of the program.

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

#: What a reading holds, in this order; -1 where nobody can say.  ``c``: what the C library's ``malloc`` has handed out;
#: ``python``: what Python's own allocator has; ``blocks`` of that allocator; ``objects`` that the collector tracks;
#: ``mapped``: address space that neither of the two has asked the kernel for, touched or not.
COUNTERS = ("c", "python", "blocks", "objects", "mapped", "rss", "anon", "threads", "fds")
UNKNOWN = -1

_INFO = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
_DEBUG_STATS = "_PyObject_DebugMallocStats"
_SELF = "/proc/self/"
_MOST_STATS_BYTES = 1 << 16


class Counters:
    """Asks the C library, the interpreter and the kernel."""

    def __init__(self, load: "Callable[[str], ModuleType]") -> None:
        self._calls: Any = None
        self._info: Any = None
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._parsed: Any = None
        self._has_proc = os.path.isfile(_SELF + "statm")
        try:
            module = load("heap_calls")
            self._calls, self._parsed = module.Calls(), module
            self._is_counted = bool(self._calls.malloc_is_counted())
            if self._is_counted and self._calls.has("mallinfo2"):
                self._info = _info_function(module.extension("_ctypes"), self._calls.address("mallinfo2"))
        except Exception:  # noqa: BLE001 - an interpreter without _ctypes, another C library
            self._is_counted = False

    def read(self) -> "tuple[int, ...]":
        """One reading, as COUNTERS has it; what only waits for the collector is gone."""
        gc.collect()
        c_used, c_system = self._malloc()
        python_used, python_system = self._python()
        blocks, objects = sys.getallocatedblocks(), len(gc.get_objects())
        size, rss, anon = self._statm()
        is_known = min(size, c_system, python_system) >= 0
        mapped = max(0, size - c_system - python_system) if is_known else UNKNOWN
        return (c_used, python_used, blocks, objects, mapped, rss, anon, _listed("task"), _listed("fd"))

    def used(self) -> int:
        """What malloc has handed out, and address space that is not malloc's, together; cheap enough for every line."""
        c_used, c_system = self._malloc()
        return c_used + self._statm()[0] - c_system

    def _malloc(self) -> "tuple[int, int]":
        """What is in use, and what the C library has for it from the kernel."""
        if not self._is_counted:
            return UNKNOWN, UNKNOWN
        if self._info is not None:
            info = self._info()
            return info.uordblks + info.hblkhd, info.arena + info.hblkhd
        found = self._parsed.heaps(self._calls.printed("malloc_info", 0))  # before glibc 2.33
        mapped = found["mmapped"][1]
        in_use = sum([heap[0] - heap[1] - heap[2] for heap in found["heaps"]])
        return mapped + in_use, mapped + sum([heap[0] for heap in found["heaps"]])

    def _python(self) -> "tuple[int, int]":
        """What is in use of Python's own allocator, and what it has for it from the kernel."""
        if self._calls is None:
            return UNKNOWN, UNKNOWN
        text = self._calls.printed(_DEBUG_STATS) or _said_on_stderr()
        found = self._parsed.arenas(text)
        if found is None:  # PYTHONMALLOC=malloc: all is the C library's
            is_off = sys.getallocatedblocks() == 0
            return (0, 0) if is_off else (UNKNOWN, UNKNOWN)
        return found["used_bytes"], found["arenas"] * found["arena_bytes"]

    def _statm(self) -> "tuple[int, int, int]":
        if not self._has_proc:
            return UNKNOWN, UNKNOWN, UNKNOWN
        with open(_SELF + "statm", "rb", 0) as file:
            words = file.read(200).split()
        size, rss, shared = int(words[0]), int(words[1]), int(words[2])
        return size * self._page, rss * self._page, (rss - shared) * self._page


def _info_function(module: "Any", address: int) -> "Any":
    """``mallinfo2``, whose numbers come back as one structure."""
    size = type("Size", (module._SimpleCData,), {"_type_": "L"})
    info = type("Info", (module.Structure,), {"_fields_": [(name, size) for name in _INFO]})
    function = type("Call", (module.CFuncPtr,), {"_flags_": 1 | 4, "_restype_": info})(address)
    function.argtypes = ()
    return function


def _said_on_stderr() -> bytes:
    """What the interpreter says of its allocator where the function is not exported (3.14): on the real stderr only.

    This process is ours, so that its descriptor may be another one for a moment.
    """
    if not hasattr(os, "memfd_create"):
        return b""
    sink, real = os.memfd_create("diagtools"), os.dup(2)
    try:
        os.dup2(sink, 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(real, 2)
        return os.pread(sink, _MOST_STATS_BYTES, 0)
    finally:
        os.close(sink)
        os.close(real)


def _listed(folder: str) -> int:
    try:
        return len(os.listdir(_SELF + folder))
    except OSError:
        return UNKNOWN
