r"""Who keeps what alive?  A snapshot of all Python objects of this process, taken by the process itself.

``objects.<pid>.<index>.graph``: whole, or not there (it is written under another name first).  The line MAGIC, then
pieces, each a line ``section n_bytes n_stored`` and that many stored bytes: packed with zlib where they are fewer.
Pieces of one section follow each other; the last piece is ``end``, the CRC-32 of all before its line, 8 hexadecimal
digits::

    about    lines ``key value``, with tabs between: see ``_about``
    types    a line a type, see ``graph_names.type_lines``
    names    lines, see ``graph_names``
    address type size count degree edge      little-endian numbers, see ``graph_columns``

An object's references are ``degree`` numbers of ``edge``, in the order of the objects: addresses.  ``count`` is the
reference count without those of the snapshot, 0 where it is not known.  The first row of an address counts.

While the objects are read, no other thread runs and the collector is off; both are as before afterwards, and
``pause_ns`` says how long that was.  What the collector has frozen (``gc.freeze``) is looked for through what refers to
it.  Not seen: an object that the collector does not track and that only C code refers to.
"""

# No "from __future__": it would be an import of the program.

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

FILE_GLOB = "objects.*.graph"
MAGIC = b"diagtools objects 1\n"
#: The most that one piece holds.
PIECE = 1 << 22
SECTIONS = ("about", "types", "names", "address", "type", "size", "count", "degree", "edge", "end")

_LONG_S = 10_000.0
#: Bytes that a snapshot takes for each block of memory that the program has (measured: 34 to 55).
_PER_BLOCK = 64
_LEAST = 8 << 20


def instrument(folder: str, load: "Callable[[str], ModuleType]") -> "Snapshots":
    """What takes snapshots of this process."""
    return Snapshots(folder, load)


class Snapshots:
    """Takes snapshots of the objects; see `moments` for when."""

    name = "holders"

    def __init__(self, folder: str, load: "Callable[[str], ModuleType]") -> None:
        import time
        import zlib
        from array import array  # noqa: F401 - loaded now: not while memory is short

        self._folder = folder
        self._types, self._columns = load("graph_types"), load("graph_columns")
        self._names, self._attributes = load("graph_names"), load("graph_attributes")
        self._roots = load("graph_roots")
        self._now_ns, self._zlib = time.monotonic_ns, zlib
        self._n_frozen = gc.get_freeze_count()  # 3.12 counts some of its own, which are not out of sight

    def take(self, index: int, t_ns: int, kind: str, edge: str, label: bytes) -> None:
        """Write one; whole, or none."""
        about = {"pid": os.getpid(), "index": index, "t_ns": t_ns, "kind": kind, "edge": edge}
        was_collecting, interval = gc.isenabled(), sys.getswitchinterval()
        began_ns = self._now_ns()
        try:
            gc.disable()
            sys.setswitchinterval(_LONG_S)
            columns, names = self._look(about)
        finally:
            sys.setswitchinterval(interval)
            if was_collecting:
                gc.enable()
        about["pause_ns"] = self._now_ns() - began_ns
        try:
            self._write(index, {**about, "label": label}, columns, names)
        finally:
            vars(names).clear()  # it and what it asks refer to each other: nothing waits for the collector

    def needs_bytes(self) -> int:
        """How much memory does a snapshot take, at most and for a moment?"""
        return self.held_bytes() + _LEAST

    def held_bytes(self) -> int:
        """What grows with the number of objects; no more is known of it at once."""
        return sys.getallocatedblocks() * _PER_BLOCK

    def is_ready(self) -> bool:
        """Nothing that the program does puts an end to this."""
        return True

    def begin_anew(self) -> None:
        """A forked child has nothing to forget."""

    # --- looking ---------------------------------------------------------------------------------------

    def _look(self, about: "dict[str, Any]") -> "tuple[Any, Any]":
        objects = gc.get_objects()  # before there is anything of ours
        columns = self._columns.Columns(self._types)
        names = self._names.Names(self._types, self._attributes, self._roots)
        n_frames = 0
        about["n_frozen"] = max(0, gc.get_freeze_count() - self._n_frozen)
        near: list[Any] = [[sys.modules]]
        for frame, variables in names.threads():
            referents = [*variables, frame.f_code, frame.f_globals]
            columns.add_one(frame, referents, sys.getsizeof(frame))
            if about["n_frozen"]:
                near.append(referents)
            n_frames += 1
        columns.add(objects)
        about["n_tracked"] = len(objects)
        if about["n_frozen"]:
            columns.add_unseen([*near, *objects])
        del objects, near
        names.modules()
        for kind, one in columns.special:
            names.special(kind, one)
        names.attributes()
        for address, size in columns.giants.items():
            names.line("size", address, size)
        about.update(n_threads=len(sys._current_frames()), n_frames=n_frames, python=sys.version.split()[0])
        with_values = [n for n, each in enumerate(columns.types) if self._types.has_values(each)]
        about["with_values"] = ",".join(map(str, with_values))
        about["counts"] = int(_counts_references())
        return columns, names

    # --- writing ---------------------------------------------------------------------------------------

    def _write(self, index: int, about: "dict[str, Any]", columns: "Any", names: "Any") -> None:
        path = os.path.join(self._folder, FILE_GLOB.replace("*", f"{os.getpid()}.{index}"))
        partial = path + ".part"
        try:
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                crc = 0
                for data in self._pieces(about, columns, names):
                    crc = self._zlib.crc32(data, crc)
                    _write_all(fd, data)
                _write_all(fd, b"end 8 8\n%08x" % crc)
            finally:
                os.close(fd)
            os.rename(partial, path)
        except BaseException:
            try:
                os.unlink(partial)
            except OSError:
                pass
            raise

    def _pieces(self, about: "dict[str, Any]", columns: "Any", names: "Any") -> "Iterator[bytes]":
        yield MAGIC
        lines = [b"%b\t%b" % (key.encode(), _plain(value)) for key, value in about.items()]
        texts = {"about": lines, "types": self._names.type_lines(columns.types), "names": names.lines}
        for section, found in texts.items():
            yield from self._section(section, memoryview(b"".join([line + b"\n" for line in found])))
        for section, column in columns.columns.items():
            if sys.byteorder == "big":
                column.byteswap()
            with memoryview(column) as view:
                yield from self._section(section, view.cast("B"))

    def _section(self, name: str, data: memoryview) -> "Iterator[bytes]":
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            packed = self._zlib.compress(piece, 1)
            stored = packed if len(packed) < len(piece) else bytes(piece)
            yield b"%b %d %d\n" % (name.encode(), len(piece), len(stored))
            yield stored


def _plain(value: "Any") -> bytes:
    raw = value if type(value) is bytes else str(value).encode()
    return bytes(raw.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n"))


def _counts_references() -> bool:
    """Does this interpreter have one count of references for an object?  One without a GIL has not."""
    is_enabled = getattr(sys, "_is_gil_enabled", None)
    return is_enabled is None or bool(is_enabled())


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
