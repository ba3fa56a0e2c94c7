"""What can be asked of the C library and of the interpreter in this process, without one Python module more?

`ctypes` is not imported: what it is made of (``_ctypes``) is loaded by itself, does not stay in ``sys.modules``, and
nothing of it is changed.  Every call is one of the C library's documented functions, but for
``_PyObject_DebugMallocStats``, which CPython exports from 3.9 to 3.13: it is what ``sys._debugmallocstats`` calls.
It gets a stream of our own in memory, so that no descriptor is redirected and no line of another thread gets lost.
Memory is only read by ``process_vm_readv``, which fails where something is not there any more, and never faults.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

_FLAGS = (
    1 | 4
)  # the C calling convention, and the interpreter's lock stays held: nothing of Python runs meanwhile
_MOST_PIECES = 1024  # IOV_MAX
_PAGE = 4096  # free blocks below hold no whole page
_DATA_BYTES = 64 << 10
_WORD_BYTES = 8
_LARGE = 1 << 20  # more than any cache of the C library's keeps
_TRIES = 5


def extension(name: str) -> "ModuleType":
    """One of the interpreter's extension modules, in ``sys.modules`` only if it was there before.

    Found as the import system does, but without what the program has put on ``sys.meta_path``.
    """
    found = sys.modules.get(name)
    if found is not None:
        return found
    frozen, external = sys.modules["_frozen_importlib"], sys.modules["_frozen_importlib_external"]
    spec = frozen.BuiltinImporter.find_spec(name) or external.PathFinder.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    try:
        module: ModuleType = frozen.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop(name, None)
    return module


class Calls:
    """The functions of the C library that are needed, by name."""

    def __init__(self) -> None:
        """Raises ``ImportError`` where the interpreter has no ``_ctypes``."""
        self.compress: Any = vars(extension("itertools"))["compress"]
        self._ctypes: Any = extension("_ctypes")
        self._word = type("Word", (self._ctypes._SimpleCData,), {"_type_": "l"})
        self._function = type("Call", (self._ctypes.CFuncPtr,), {"_flags_": _FLAGS, "_restype_": self._word})
        self._program = self._ctypes.dlopen(None, os.RTLD_NOW)
        character = type("Character", (self._ctypes._SimpleCData,), {"_type_": "c"})
        self._data, self._data_at = self._buffer(character, _DATA_BYTES)
        self._pieces, self._pieces_at = self._buffer(self._word, 2 * _MOST_PIECES)
        self._pair, self._pair_at = self._buffer(self._word, 2)
        self._known: dict[str, Any] = {}
        self._is_counted: bool | None = None

    def address(self, name: str) -> int:
        """Where does a function lie?  0 where there is none of that name."""
        try:
            return int(self._ctypes.dlsym(self._program, name))
        except OSError:
            return 0

    def has(self, *names: str) -> bool:
        """Are there functions of all these names?"""
        return all(self.address(name) for name in names)

    def call(self, name: str, *arguments: int) -> int:
        """What does the function of that name return for these words?"""
        function = self._known.get(name)
        if function is None:
            address = self._ctypes.dlsym(self._program, name)
            function = self._known[name] = self._function(address)
            function.argtypes = (self._word,) * len(arguments)
        return int(function(*arguments))

    def text_at(self, address: int, size: int) -> bytes:
        """The bytes of memory that is known to stay."""
        found = b""
        while len(found) < size:
            n_bytes = min(_DATA_BYTES, size - len(found))
            self.call("memcpy", self._data_at, address + len(found), n_bytes)
            found += self._data[:n_bytes]
        return found

    def _buffer(self, kind: "Any", n: int) -> "tuple[Any, int]":
        buffer = type("Buffer", (self._ctypes.Array,), {"_type_": kind, "_length_": n})()
        return buffer, self._ctypes.addressof(buffer)

    # --- what they say ---------------------------------------------------------------------------------

    def printed(self, function: str, *before: int) -> bytes:
        """What does a function print into the stream that is its last argument?  Nothing where there is none."""
        if not self.has(function, "open_memstream", "fclose", "free", "memcpy"):
            return b""
        stream = self.call("open_memstream", self._pair_at, self._pair_at + _WORD_BYTES)
        if not stream:
            return b""
        self.call(function, *before, stream)
        self.call("fclose", stream)
        text, size = self._pair[:]
        try:
            return self.text_at(text, size)
        finally:
            self.call("free", text)

    def libc(self) -> "list[str]":
        """The C library's name and version; empty texts where it does not say."""
        address = self.address("gnu_get_libc_version")
        if not address:
            return ["", ""]
        at = self.call("gnu_get_libc_version")
        return ["glibc", self.text_at(at, self.call("strlen", at)).decode("ascii", "replace")]

    def malloc_is_counted(self) -> bool:
        """Does what ``malloc`` hands out show in what ``malloc_info`` says?

        Tried with one block, once: a program may bring another allocator under the same name.  And a few times more
        where it does not show: another thread may have freed as much at that moment.
        """
        if self._is_counted is None:
            self._is_counted = any(self._shows() for _ in range(_TRIES))
        return self._is_counted

    def _shows(self) -> bool:
        before = self._given_bytes()
        block = self.call("malloc", _LARGE)
        after = self._given_bytes()
        self.call("free", block)
        return after - before >= _LARGE // 2  # what is printed into is not always as large

    def _given_bytes(self) -> int:
        found = heaps(self.printed("malloc_info", 0))
        return int(found["mmapped"][1] + sum(heap[0] - heap[1] - heap[2] for heap in found["heaps"]))

    # --- memory ----------------------------------------------------------------------------------------

    def read(self, addresses: "Sequence[int]", size: int) -> bytes:
        """``size`` bytes from each of these addresses, one after the other; zeros where there is nothing any more."""
        most = min(_MOST_PIECES, _DATA_BYTES // size)
        self._pieces[1::2] = [size] * _MOST_PIECES
        pid, done, n = os.getpid(), 0, len(addresses)
        found = bytearray()
        while done < n:
            pieces = min(most, n - done)
            self._pieces[0 : 2 * pieces : 2] = addresses[done : done + pieces]
            self._pair[:] = (self._data_at, pieces * size)
            got = self.call("process_vm_readv", pid, self._pair_at, 1, self._pieces_at, pieces, 0)
            whole = max(got, 0) // size
            found += self._data[: whole * size]
            done += whole
            if whole < pieces:  # the next one is gone
                found += bytes(size)
                done += 1
        return bytes(found)

    def can_read(self) -> bool:
        """Does the kernel allow this process to read its own memory so?"""
        if not self.has("process_vm_readv"):
            return False
        code = self.address("process_vm_readv")
        return self.read([code], _WORD_BYTES) == self.text_at(code, _WORD_BYTES)


def heaps(text: bytes) -> "dict[str, Any]":
    """What does ``malloc_info`` say?

    ``heaps``: of each arena its bytes from the system, those free in fast bins and those free elsewhere; ``mmapped``:
    how many blocks have a mapping of their own, and their bytes; ``bins``: smallest and largest size, bytes and number
    of the free blocks of a page and more; ``small``: bytes of those that are smaller.  Raises ``ValueError`` and
    ``KeyError`` where it cannot be read.
    """
    found: dict[str, Any] = {"heaps": [], "mmapped": [0, 0], "bins": [], "small": 0}
    heap: list[int] = []
    for line in text.split(b"\n"):
        if line.startswith(b"<heap "):
            heap = [0, 0, 0]
        elif line.startswith(b"</heap>"):
            found["heaps"].append(heap)
            heap = []
        elif line.startswith(b'<total type="mmap"'):
            found["mmapped"] = _numbers(line, b"count", b"size")
        elif heap and line.startswith(b'<system type="current"'):
            heap[0] = _numbers(line, b"size")[0]
        elif heap and line.startswith(b'<total type="fast"'):
            heap[1] = _numbers(line, b"size")[0]
        elif heap and line.startswith(b'<total type="rest"'):
            heap[2] = _numbers(line, b"size")[0]
        elif line.startswith((b"  <size ", b"  <unsorted ")):
            numbers = _numbers(line, b"from", b"to", b"total", b"count")
            if numbers[1] >= _PAGE:
                found["bins"].append(numbers)
            else:
                found["small"] += numbers[2]
    return found


def _numbers(line: bytes, *names: bytes) -> "list[int]":
    words = (word.partition(b"=") for word in line.replace(b"/>", b" ").split())
    given = {name: value.strip(b'"') for name, _, value in words}
    return [int(given[name]) for name in names]


def arenas(text: bytes) -> "dict[str, int] | None":
    """What does ``_PyObject_DebugMallocStats`` say, in bytes?  Null where it is silent: another allocator is in use."""
    found: dict[str, int] = {}
    for line in text.split(b"\n"):
        name, equals, value = line.partition(b"=")
        if not equals:
            continue
        key = b" ".join(name.split())
        number = value.replace(b",", b"").strip()
        if key == b"# arenas allocated current":
            found["arenas"] = int(number)
        elif key.endswith(b"bytes/arena"):
            words = key.replace(b",", b"").split()
            found["arena_bytes"] = int(words[words.index(b"bytes/arena") - 1])
        elif key == b"# bytes in allocated blocks":
            found["used_bytes"] = int(number)
        elif key == b"# bytes in available blocks":
            found["available_bytes"] = int(number)
        elif key.endswith((b"unused pools * 16384 bytes", b"unused pools * 4096 bytes")):
            found["unused_pool_bytes"] = int(number)
    return found if {"arenas", "arena_bytes", "used_bytes", "available_bytes"} <= set(found) else None
