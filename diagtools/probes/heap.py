"""Where does the memory of this process lie?  One file a snapshot, ``heap.<pid>.<index>.json``, to be read elsewhere.

It holds what the kernel says of each mapping, what the allocators say of themselves (the C library's, Python's, and
pools of libraries that are loaded), and whose pages are whose, as far as their headers tell (see `heap_walk`).  What
it adds up to is worked out from the file (``analyse.ledger``), so that it can be worked out better later.

No function of the program is called and no descriptor of it touched.  A snapshot takes 10 to 80 ms for each GB that is
there (measured), in which other threads of Python have their turns, and what they allocate meanwhile may be missing.
The file is there whole or not at all; its last member is the CRC-32 of all that stands before it.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

FILE_GLOB = "heap.*.json"
FORMAT = 1
#: What stands before the checksum, which is 8 hexadecimal digits and the end of the object.
SEAL = b',"crc":"'

_MALLOC = ("malloc", "calloc", "realloc", "free")  # an allocator brings all of them
_NEEDS_BYTES = 6 << 20  # measured: 2.5 MB for 2 GB in 300 mappings
_PER_MAPPING = 4096
_PER_NOTE = 1024  # a page has up to four bytes of notes


def instrument(folder: str, load: "Callable[[str], ModuleType]", *, trim: bool = False) -> "Ledger":
    """What takes the snapshots.  With ``trim`` it hands free memory back after each, and says how much that was."""
    return Ledger(folder, load, trim=trim)


class Ledger:
    """Takes snapshots of this process."""

    name = "ledger"

    def __init__(self, folder: str, load: "Callable[[str], ModuleType]", *, trim: bool) -> None:
        self._folder, self._trim = folder, trim
        self._maps, self._pools = load("heap_maps"), load("heap_pools")
        self._walk, self._pages = load("heap_walk"), load("heap_pages")
        self._n_mappings = 500
        self._calls: Any = None
        self._missing = ""
        c = load("heap_calls")
        self._crc32: Any = vars(c.extension("binascii"))["crc32"]
        self._gc: Any = vars(c.extension("gc"))
        try:
            self._tracer: Any = vars(c.extension("_tracemalloc"))
        except ImportError:  # an interpreter built without it
            self._tracer = None
        self._parse_heaps, self._parse_arenas = c.heaps, c.arenas
        try:
            self._calls = c.Calls()
        except Exception as error:  # noqa: BLE001 - an interpreter built without them: the file says so
            self._missing = f"{type(error).__name__}: {error}"

    def is_ready(self) -> bool:
        """Nothing that the program does puts an end to it."""
        return True

    def held_bytes(self) -> int:
        """What the process holds; 0 where the kernel does not say."""
        try:
            return int(self._maps.rss_bytes())
        except OSError:
            return 0

    def needs_bytes(self) -> int:
        """What a snapshot takes for a moment."""
        return _NEEDS_BYTES + self._n_mappings * _PER_MAPPING + self.held_bytes() // _PER_NOTE

    def begin_anew(self) -> None:
        """A forked child has nothing of its parent's to forget."""

    def take(self, index: int, t_ns: int, kind: str, edge: str, label: bytes) -> None:
        """Write a snapshot.  Raises ``OSError`` and what else can go wrong; there is no file then."""
        collects = self._gc["isenabled"]()
        self._gc["disable"]()  # what is allocated here is no reason to call finalizers of the program
        try:
            self._take(index, t_ns, kind, edge, label)
        finally:
            if collects:
                self._gc["enable"]()

    def _take(self, index: int, t_ns: int, kind: str, edge: str, label: bytes) -> None:
        mappings = self._maps.rows(self._maps.read())
        self._n_mappings = len(mappings)
        found: dict[str, Any] = {
            "format": FORMAT,
            "pid": os.getpid(),
            "index": index,
            "t_ns": t_ns,
            "kind": kind,
            "edge": edge,
            "label": label.decode("utf-8", "backslashreplace"),
            "from": "inside",
            "page_bytes": os.sysconf("SC_PAGE_SIZE"),
            "python": ".".join(map(str, sys.version_info[:3])),
            "implementation": sys.implementation.name,
            "memory_devices": self._maps.memory_devices(),
        }
        missing = [self._missing] if self._missing else []
        if self._calls is not None:
            found.update(self._allocators(mappings))
            found["tracemalloc_bytes"] = self._traced(missing)
            found.update(self._claims(mappings, found, missing))
            found["pools"] = self._pools.pools(missing)
        found["stacks"] = _stacks()
        if self._trim and self._calls is not None and found.get("malloc_counted"):
            found["trim"] = self._trimmed()
        found.update(missing=missing, mapping_fields=self._maps.FIELDS, mappings=mappings)
        write(self._folder, found, self._crc32)

    # --- what is asked ---------------------------------------------------------------------------------

    def _allocators(self, mappings: "list[Any]") -> "dict[str, Any]":
        calls = self._calls
        libc, version = calls.libc()
        program = _program()
        owners = [self._file_at(mappings, calls.address(name)) for name in _MALLOC]
        home = self._file_at(mappings, calls.address("malloc_info"))
        # Where the program itself holds an address, that is only a step on the way to where the function lies.
        owner = ([each for each in owners if each and each != program] + owners)[0]
        is_its_own = bool(home) and owners[0] == home
        counted = is_its_own or (owners[0] == program and bool(home) and calls.malloc_is_counted())
        return {
            "libc": libc,
            "libc_version": version,
            "malloc_file": home if counted else owner,
            "malloc_counted": counted,
            "malloc": self._parse_heaps(calls.printed("malloc_info", 0)) if counted else None,
            "arenas": self._parse_arenas(calls.printed("_PyObject_DebugMallocStats")),
            "arenas_known": calls.has("_PyObject_DebugMallocStats"),
        }

    def _traced(self, missing: "list[str]") -> "int | None":
        """What tracemalloc takes itself, of what C holds; null where it does not run.

        Its hooks make Python's allocator silent about itself, whose pools are there all the same.
        """
        if self._tracer is None or not self._tracer["is_tracing"]():
            return None
        size = int(self._tracer["get_tracemalloc_memory"]())
        missing.append(
            "Python's own counters, for tracemalloc runs: %.1f MiB in C are its" % (size / (1 << 20))
        )
        return size

    def _claims(
        self, mappings: "list[Any]", found: "dict[str, Any]", missing: "list[str]"
    ) -> "dict[str, Any]":
        """Whose pages are whose?  Nothing, and why, where this cannot be looked at."""
        try:
            if not self._calls.can_read():
                missing.append("process_vm_readv is not allowed")
                return {}
            walk = self._walk.Walk(
                self._calls, self._pages, found["page_bytes"], _pool_bytes(), **_to_find(found)
            )
        except OSError as error:
            missing.append(f"pagemap: {error.strerror}")
            return {}
        try:
            walk.look(self._writable(mappings), self._zeroed(mappings, found["page_bytes"]))
        finally:
            walk.close()
        return {
            "claim_fields": self._walk.CLAIM,
            "claims": walk.claims(),
            "pools_found": walk.pools,
            "mmapped_found": walk.mmapped,
        }

    def _writable(self, mappings: "list[Any]") -> "list[tuple[int, int, int, bool]]":
        maps = self._maps
        return [
            (index, row[maps.START], row[maps.END], row[maps.RSS] > 0)
            for index, row in enumerate(mappings)
            if not row[maps.INODE]
            and row[maps.PERMS][:2] == "rw"
            and row[maps.PERMS][3] == "p"
            and (not row[maps.NAME] or row[maps.NAME].startswith("[anon"))
        ]

    def _zeroed(self, mappings: "list[Any]", page: int) -> "list[tuple[int, int]]":
        maps = self._maps
        code = {row[maps.INODE] for row in mappings if row[maps.INODE] and "x" in row[maps.PERMS]}
        files = [
            row[maps.START]
            for row in mappings
            if row[maps.INODE] in code and not row[maps.OFFSET] and row[maps.PERMS][0] == "r"
        ]
        return list(self._maps.zeroed(self._calls, files, page))

    def _file_at(self, mappings: "list[Any]", address: int) -> str:
        maps = self._maps
        for row in mappings:
            if row[maps.START] <= address < row[maps.END]:
                return str(row[maps.NAME])
        return ""

    def _trimmed(self) -> "list[int]":
        """What the process held before and after all that is free in the C library went back."""
        before = self._maps.rss_bytes()
        self._calls.call("malloc_trim", 0)
        return [before, self._maps.rss_bytes()]


def _pool_bytes() -> int:
    """A pool of Python's allocator: 3.10 made them larger."""
    return 16384 if sys.version_info >= (3, 10) else 4096


def _to_find(found: "dict[str, Any]") -> "dict[str, int | None]":
    """What there is to find: bytes of glibc's large blocks, and in Python's pools in use, null if not known.

    Python's allocator is silent where another one is in use, and where tracemalloc has put its hooks before it.
    """
    arenas, in_pools = found["arenas"], None
    if found["arenas_known"] and (arenas or found["tracemalloc_bytes"] is None):
        in_pools = arenas["used_bytes"] + arenas["available_bytes"] if arenas else 0
    return {"mmapped_bytes": found["malloc"]["mmapped"][1] if found["malloc"] else 0, "in_pools": in_pools}


def _program() -> str:
    try:
        return os.readlink("/proc/self/exe")
    except OSError:
        return ""


def _stacks() -> "list[int]":
    """An address in the stack of each thread: where it waits in the kernel, or where Python says it is."""
    found = [int(ident) for ident in sys._current_frames()]
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        return found
    for tid in threads:
        try:
            with open("/proc/self/task/%s/syscall" % tid, "rb") as file:
                words = file.read().split()
        except OSError:
            continue
        if len(words) >= 3:
            found.append(int(words[-2], 16))
    return found


def write(folder: str, found: "dict[str, Any]", crc32: "Any") -> None:
    """Put a snapshot into the folder, whole or not at all.  Raises ``OSError``."""
    body = _json(found)[:-1].encode("ascii")
    seal = b'%s%08x"}\n' % (SEAL, crc32(body))
    path = os.path.join(folder, FILE_GLOB.replace("*", "%d.%d" % (found["pid"], found["index"])))
    fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        data = body + seal
        try:
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)
        os.replace(path + ".new", path)
    except BaseException:
        os.unlink(path + ".new")
        raise


def _json(value: "Any") -> str:
    """As the module of that name would write it, which is not imported into the program."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{_quoted(name)}:{_json(each)}" for name, each in value.items()]) + "}"
    return "[" + ",".join([_json(each) for each in value]) + "]"


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join([_character(each) for each in text]) + '"'


def _character(each: str) -> str:
    if each in '"\\':
        return "\\" + each
    if " " <= each <= "~":
        return each
    pairs = each.encode("utf-16-be", "surrogatepass")
    return "".join(["\\u%04x" % int.from_bytes(pairs[n : n + 2], "big") for n in range(0, len(pairs), 2)])
