r"""What is this program doing right now?  Phases, items and events that survive a SIGKILL.

::

    from diagtools import mark

    mark.phase("embed")                                     # until the next phase, or the end
    for path in paths:
        with mark.item(path, size_bytes=path.stat().st_size) as item:
            item.note(n_chunks=index(path))                 # learned later; written at once
    mark.event("cache cleared")

A ``with`` ends its item as ``ok``, ``failed`` or ``timeout`` and may be interleaved in threads and tasks.  A plain
call ends the thread's last plain one of its kind.  Nothing here ever raises into the program, and where nothing
records (no ``DIAGTOOLS_RUN``) every call does nothing.

A marker is written twice before the call returns, so that it is read after a SIGKILL and on a full disk.

``markers.<pid>.slot``, newest marker of one process: two slots of ``SLOT_SIZE`` bytes, written in turn::

    offset  0  u32  crc     CRC-32 of the bytes from 4 to the end of the name
            4  u8   kind    index into KINDS
            5  u8   edge    index into EDGES
            6  u16  n       length of the name
            8  u64  seq     counts the process's markers; the whole slot with the higher one is the newest, 0 is none
           16  u64  t_ns    CLOCK_MONOTONIC
           24  u64  pid, tid (the kernel's), index
           48  n bytes      the name, escaped as in the log, cut at NAME_LIMIT

``markers.log``, every marker of every process, one line each, fields separated by tabs::

    t_ns pid tid kind edge index parent rss status name error features crc

``index`` joins the edges of one begin within a process; events count along.  ``parent``, of an item's begin, is the
index of the item in whose context it begins, 0 for none: tasks that take turns in one thread are not within each other.
``rss``, of a begin and an end, is what the process holds at that moment, in bytes: a sample may be 10 ms old, and still
show the item before.  Each of them reads it (one ``pread``, a quarter of what a marker costs): fewer readings would
leave quick items without a level.  ``status`` of an end is one of STATUSES.  Name and error are UTF-8 (odd bytes as
they are: ``surrogateescape``) with ESCAPES, cut at FIELD_LIMIT.  ``features`` are ``name=number`` with commas between.
``crc`` is the CRC-32 of everything before the last tab, 8 hexadecimal digits.

Two kinds stand in the log alone, with the index 0.  A ``boot`` says that a probe was loaded (``ok`` or ``failed``), or
that this process executed another program; whatever it had left open ends there.  An ``exit`` is written as the program
ends, before Python takes it apart.

Lines of different threads may be a little out of order, and a blank one means nothing.  A line that was torn (a kill or
a full disk in the middle of its write) is ended by the next writer: only it is lost.
"""

from __future__ import annotations

import _thread
import os
import sys
from itertools import count, repeat
from struct import Struct
from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Mapping
    from mmap import mmap
    from types import TracebackType
    from typing import Any, Union

    Name = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
    Crc32 = Callable[[bytes], int]

RUN_VARIABLE = "DIAGTOOLS_RUN"
LOG_NAME = "markers.log"
SLOT_GLOB = "markers.*.slot"

#: The stored numbers are indices into these: their order is part of the format.
KINDS = ("phase", "item", "event", "boot", "exit")
EDGES = ("begin", "note", "end", "point")
STATUSES = ("ok", "failed", "timeout")
PHASE, ITEM, EVENT, BOOT, EXIT = range(5)
BEGIN, NOTE, END, POINT = range(4)

SLOT = Struct("<IBBHQQQQQ")  # crc, kind, edge, n, seq, t_ns, pid, tid, index
SLOT_SIZE = 1024
NAME_LIMIT = SLOT_SIZE - SLOT.size
FIELD_LIMIT = 4096
ERROR_LIMIT = 500  # characters
#: Plain and escaped, in the order in which they are applied.
ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"))

_BODY = Struct("<BBHQQQQQ")  # SLOT without its crc
_ZEROS = bytes(2 * SLOT_SIZE)
_RETRY_NS = 1_000_000_000
_SURE_NS = 10_000_000
_LEVEL_EDGES = (BEGIN, END)
_STATM = "/proc/self/statm"
_KIND_FIELDS = tuple(kind.encode() for kind in KINDS)
_EDGE_FIELDS = tuple(edge.encode() for edge in EDGES)
_SHARED = "_diagtools_recorder_1"  # in sys: one recorder a process, whatever copies of this module are loaded


class Handle:
    """What began: a phase or an item, to be ended by leaving its ``with`` block, by a method, or by the next one.

    Ending twice does nothing.  A handle that a fork carried into the child does nothing there.
    """

    __slots__ = ()

    def note(self, **features: float) -> None:
        """Add what was learned after the begin; written at once, so that an item in flight at death carries it."""

    def done(self) -> None:
        """End it well."""

    def fail(self, error: object = "") -> None:
        """End it as failed, with an exception or a text."""

    def timeout(self, error: object = "") -> None:
        """End it as timed out, with an exception or a text."""

    def __enter__(self) -> Handle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it as the block ended: ``SystemExit(0)`` and an early ``close()`` of a generator are no failures."""
        if error is None or isinstance(error, GeneratorExit) or _exits_well(error):
            self.done()
        elif any(base.__name__ == "TimeoutError" for base in type(error).__mro__):  # asyncio's own until 3.10
            self.timeout(error)
        else:
            self.fail(error)


class _Nothing(Handle):
    """The handle of a program that nobody records."""

    __slots__ = ()
    __exit__ = "".format  # type: ignore[assignment]  # any arguments, false, and 0.05 µs less than a Python method


_NOTHING = _Nothing()
_Nothing.__enter__ = repeat(_NOTHING).__next__  # type: ignore[assignment,method-assign]  # itself, for the same reason


class _Begun(Handle):
    __slots__ = (
        "_recorder",
        "_pid",
        "_kind",
        "_index",
        "_name",
        "_sequence",
        "_within",
        "_parent",
        "_is_ended",
    )

    def __init__(self, recorder: Recorder, kind: int, index: int, name: bytes, sequence: str) -> None:
        self._recorder = recorder
        self._pid = recorder.pid
        self._kind = kind
        self._index = index
        self._name = name
        self._sequence = sequence
        self._within: Any = None
        self._parent = 0
        self._is_ended = False

    def enter_context(self, within: Any) -> int:
        """Be the item within which others begin, in this task or thread; which one was it?"""
        self._within = within
        self._parent = parent = within.get()
        within.set(self._index)
        return int(parent)

    def note(self, **features: float) -> None:
        if self._pid == self._recorder.pid:
            self._recorder.write(self._kind, NOTE, self._index, self._name, features=features)

    def done(self) -> None:
        self._end(b"ok")

    def fail(self, error: object = "") -> None:
        self._end(b"failed", _error_text(error))

    def timeout(self, error: object = "") -> None:
        self._end(b"timeout", _error_text(error))

    def __enter__(self) -> Handle:
        self._recorder.leave_sequence(self, self._sequence)
        return self

    def _end(self, status: bytes, error: str = "") -> None:
        if not self._is_ended and self._pid == self._recorder.pid:
            self._is_ended = True
            self._recorder.write(self._kind, END, self._index, self._name, status, error)
            if self._within and self._within.get() == self._index:
                self._within.set(self._parent)


class _Latest(dict[str, _Begun]):
    """The last plain handle of each sequence of one thread; they end with it."""

    def __del__(self) -> None:
        for handle in list(self.values()):
            handle.done()


class _PerThread(_thread._local):
    def __init__(self) -> None:
        self.tid = _thread.get_native_id()
        self.latest = _Latest()


class Recorder:
    """Writes the markers of one process.  Probes use it; its three methods stay as they are between releases."""

    def __init__(self, run: str) -> None:
        import atexit
        from binascii import crc32  # not zlib: a Python may be built without it

        try:
            from _contextvars import ContextVar
        except ImportError:  # then nobody knows which item is within which
            self._context_var = None
        else:
            self._context_var = ContextVar

        self.pid = os.getpid()
        self._run = run
        self._crc32 = crc32
        self._log = _Log(os.path.join(run, LOG_NAME))
        self._rss = _Rss()
        self._slot: _Slot | None = None
        self._slots_of_parents: list[_Slot | None] = []
        self._within: Any = None
        self._start()
        # Both keep this object, its descriptors and its mapping until the very end of the process.
        os.register_at_fork(after_in_child=self._start)
        atexit.register(lambda: self._end_open(_uncaught()))

    def begin(self, kind: int, name: Name, features: Mapping[str, float], sequence: str = "") -> Handle:
        """Mark a begin; it ends the thread's last handle of the same ``sequence``, unless that was entered."""
        try:
            if self._slot is None:
                self._open_slot()
            handle = _Begun(self, kind, next(self._indices), _field(name), sequence)
            if sequence:
                latest = self._local.latest
                if sequence in latest:
                    latest[sequence].done()
                latest[sequence] = handle
            parent = handle.enter_context(self._within) if kind == ITEM and self._within else None
            self.write(kind, BEGIN, handle._index, handle._name, features=features, parent=parent)
        except Exception:  # noqa: BLE001 - the program must not notice
            return _NOTHING
        return handle

    def event(self, name: Name, features: Mapping[str, float]) -> None:
        """Mark a point in time."""
        try:
            if self._slot is None:
                self._open_slot()
            self.write(EVENT, POINT, next(self._indices), _field(name), features=features)
        except Exception:  # noqa: BLE001 - the program must not notice
            pass

    def boot(self, version: str, error: str = "") -> None:
        """Mark that a probe was loaded into this process, or what went wrong; only in the log."""
        self.write(BOOT, POINT, 0, _field(version), b"failed" if error else b"ok", error)

    def write(
        self,
        kind: int,
        edge: int,
        index: int,
        name: bytes,
        status: bytes = b"",
        error: str = "",
        features: Mapping[str, float] | None = None,
        parent: int | None = None,
    ) -> None:
        """Write one marker to the slot and to the log, each as far as it can be written."""
        try:
            t_ns = monotonic_ns()
            tid = self._local.tid
            slot = self._slot
            if slot is not None and kind < BOOT:
                with self._lock:
                    slot.write(kind, edge, index, name, t_ns, self.pid, tid)
            rss = self._rss.read(t_ns, self._lock) if edge in _LEVEL_EDGES else 0
            line = b"%d\t%d\t%d\t%b\t%b\t%d\t%b\t%b\t%b\t%b\t%b\t%b" % (
                t_ns,
                self.pid,
                tid,
                _KIND_FIELDS[kind],
                _EDGE_FIELDS[edge],
                index,
                b"" if parent is None else b"%d" % parent,
                b"%d" % rss if rss else b"",
                status,
                name,
                _field(error) if error else b"",
                _features(features) if features else b"",
            )
            self._log.append(b"%b\t%08x\n" % (line, self._crc32(line)), t_ns, self._lock)
        except Exception:  # noqa: BLE001 - the program must not notice
            pass

    def close(self) -> None:
        """End what is open and write nothing more: the recording ends before its process does."""
        self._end_open(None)
        vars(self)["write"] = _write_nothing

    def leave_sequence(self, handle: Handle, sequence: str) -> None:
        """Take a handle that was entered out of its sequence: its block ends it, not the next one."""
        latest = self._local.latest
        if latest.get(sequence) is handle:
            del latest[sequence]

    def _start(self) -> None:
        """Begin anew: in a forked child too, where other threads are gone and the slot is the parent's."""
        self.pid = os.getpid()
        self._log.start()
        self._rss.start()
        self._slots_of_parents.append(self._slot)  # kept: dropping one would close a descriptor by its number
        self._slot = None
        self._slot_due_ns = 0
        self._indices = count(1)
        self._lock = _thread.RLock()  # a signal handler may mark while a marker is being written
        self._local = _PerThread()
        self._within = self._context_var and self._context_var("diagtools item", default=0)

    def _open_slot(self) -> None:
        with self._lock:
            t_ns = monotonic_ns()
            if self._slot is None and t_ns >= self._slot_due_ns:
                self._slot_due_ns = t_ns + _RETRY_NS
                path = os.path.join(self._run, SLOT_GLOB.replace("*", str(self.pid)))
                try:
                    slot = _Slot(path, self._crc32)
                except (OSError, ImportError):
                    return  # the log may still work
                _at_worker_exit(lambda: self._end_open(sys.exc_info()[1]))
                if slot.seq:  # an earlier program of this process (exec) used these indices
                    self._indices = count(slot.seq + 1)
                    self.write(BOOT, POINT, 0, b"")
                self._slot = slot

    def _end_open(self, error: BaseException | None) -> None:
        """End what this thread left open as the program ends, by an exception or well, and mark that it does."""
        for handle in list(self._local.latest.values()):
            handle.__exit__(None, error, None)
        self.write(EXIT, END, 0, b"")


def _write_nothing(*_: object, **__: object) -> None:
    """In the place of ``Recorder.write`` once that is closed."""


class _Slot:
    """The newest marker of one process, in memory that outlives it.

    Raises ``OSError`` where there is no room: writing to a hole of a mapped file would kill the program.
    """

    def __init__(self, path: str, crc32: Crc32) -> None:
        self._crc32 = crc32
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fds = _above_standard_streams(fd)  # mmap keeps a duplicate, which must be above them too
        try:
            old = os.read(fds[-1], len(_ZEROS))
            if len(old) != len(_ZEROS) and os.pwrite(fds[-1], _ZEROS, 0) != len(_ZEROS):
                raise OSError("no room for a slot")
            self._map = _shared_map(fds[-1])
        finally:
            for each in fds:
                os.close(each)
        self.seq = max(self._seq_of(old, at) for at in (0, SLOT_SIZE))

    def write(self, kind: int, edge: int, index: int, name: bytes, t_ns: int, pid: int, tid: int) -> None:
        if len(name) > NAME_LIMIT:
            name = _cut(name, NAME_LIMIT)
        self.seq = seq = self.seq + 1
        body = _BODY.pack(kind, edge, len(name), seq, t_ns, pid, tid, index) + name
        at = seq % 2 * SLOT_SIZE
        self._map[at : at + 4 + len(body)] = self._crc32(body).to_bytes(4, "little") + body

    def _seq_of(self, data: bytes, at: int) -> int:
        if len(data) < at + SLOT_SIZE:
            return 0
        crc, _, _, length, seq, *_ = SLOT.unpack_from(data, at)
        is_whole = self._crc32(data[at + 4 : at + SLOT.size + length]) == crc
        return seq if is_whole else 0


class _Rss:
    """How much memory does this process hold?

    Read through one descriptor that stays open (opening it each time takes four times as long).  A program that
    closes every descriptor may have opened its own in that place: what is not a line of ``statm`` is not believed.
    """

    def __init__(self) -> None:
        self._page_size = os.sysconf("SC_PAGE_SIZE")
        self._fd = -1
        self._inode = 0
        self.start()

    def start(self) -> None:
        """Begin anew: in a forked child too, where the descriptor shows the parent."""
        try:
            if self._fd >= 0 and os.fstat(self._fd).st_ino == self._inode:
                os.close(self._fd)
        except OSError:
            pass
        self._fd = -1
        self._due_ns = 0

    def read(self, t_ns: int, lock: _thread.RLock) -> int:
        """The RSS in bytes; 0 where the kernel does not say."""
        fd = self._fd
        try:
            _, pages, _, _, _, _, _ = os.pread(fd, 128, 0).split()
            return int(pages) * self._page_size
        except (OSError, ValueError):
            with lock:
                is_reopened = self._fd != fd  # by another thread meanwhile
                return self.read(t_ns, lock) if is_reopened else self._reopen_and_read(t_ns, lock)

    def _reopen_and_read(self, t_ns: int, lock: _thread.RLock) -> int:
        """After a failure, only when a second has passed; nor within the opening itself (an audit hook may mark)."""
        if t_ns < self._due_ns:
            return 0
        self._due_ns = t_ns + _RETRY_NS
        try:
            fds = _above_standard_streams(os.open(_STATM, os.O_RDONLY))
            for each in fds[:-1]:
                os.close(each)
            self._fd = fds[-1]
            self._inode = os.fstat(self._fd).st_ino
        except OSError:
            return 0
        rss = self.read(t_ns, lock)  # comes here once more where this too is not statm
        self._due_ns = 0 if rss else self._due_ns
        return rss


class _Log:
    """The lines of all processes of the run, appended by one write each.

    Before each write the descriptor is checked to be still ours: a program that closes every descriptor and opens
    its own would otherwise find our lines in its file.  Where it stands at the end of a file that ends where our last
    line did, less than 10 ms ago, that is proof enough: ``fstat`` makes the next write half as dear again (it has
    to give the file a new time).
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._identity = (0, 0)
        self.start()
        self._end = -1  # where the file ended after our last line: beyond that others wrote
        self._sure_until_ns = 0

    def start(self) -> None:
        """Begin anew: in a forked child too, where nobody goes on with what another thread had begun."""
        self._is_opening = False
        self._waiting: list[bytes] = []
        self._due_ns = 0

    def append(self, line: bytes, t_ns: int, lock: _thread.RLock) -> None:
        size = self._size(t_ns)
        if size is None:
            with lock:
                size = self._size(t_ns)
                if size is None:
                    if self._is_opening:  # by this thread: we are in a signal handler or an audit hook
                        self._waiting.append(line)
                        return
                    size = self._open(t_ns)
                    waiting, self._waiting = self._waiting, []
                    line = b"".join(waiting) + line
        if size not in (0, self._end) and os.pread(self._fd, 1, size - 1) != b"\n":
            line = b"\n" + line
        written = os.write(self._fd, line)
        self._end = size + written if written == len(line) else -1

    def _size(self, t_ns: int) -> int | None:
        """How long is the log?  Unknown where our descriptor is not the log's (any more)."""
        fd, end = self._fd, self._end
        try:
            if t_ns < self._sure_until_ns and os.lseek(fd, 0, os.SEEK_CUR) == end:
                if os.lseek(fd, 0, os.SEEK_END) == end:
                    return end
                os.lseek(fd, end, os.SEEK_SET)  # it may be the program's
            stat = os.fstat(fd)
        except OSError:
            return None
        if (stat.st_ino, stat.st_dev) != self._identity:
            return None
        self._sure_until_ns = t_ns + _SURE_NS
        return stat.st_size

    def _open(self, t_ns: int) -> int:
        """Open the log and say how long it is; after a failure, again only when a second has passed."""
        if t_ns < self._due_ns:
            raise OSError("not yet again")
        self._is_opening = True
        self._due_ns = t_ns + _RETRY_NS
        try:
            fds = _above_standard_streams(os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600))
            for each in fds[:-1]:
                os.close(each)
            stat = os.fstat(fds[-1])
            self._fd = fds[-1]
            self._identity = (stat.st_ino, stat.st_dev)
            self._end = -1
            self._due_ns = 0
        finally:
            self._is_opening = False
        return stat.st_size


def phase(name: Name, /) -> Handle:
    """What does the program do from here on?  ``name`` is str, bytes or a path.

    A phase may say how much is to come: of its items how many (``n_items``), and of any feature ``F`` that they have
    their sum (``total_F``) and the largest one (``largest_F``).  While a recording with a limit runs, the forecast goes
    by it; an event may say it too, and what is said last counts::

        mark.phase("index").note(
            n_items=len(paths),
            total_size_bytes=sum(path.stat().st_size for path in paths),
            largest_size_bytes=max(path.stat().st_size for path in paths),
        )
        for path in paths:
            with mark.item(path, size_bytes=path.stat().st_size):
                index(path)
    """
    return _NOTHING if recorder is None else recorder.begin(PHASE, name, {}, "phase")


def item(name: Name, /, **features: float) -> Handle:
    """Which unit of work begins?  ``features`` (its size, its chunks) may explain what it costs.

    A feature that is not a finite number is left out.
    """
    return _NOTHING if recorder is None else recorder.begin(ITEM, name, features, "item")


def event(name: Name, /, **features: float) -> None:
    """What just happened?  A point in time, without an end."""
    if recorder is not None:
        recorder.event(name, features)


def recording() -> bool:
    """Does anybody record this process?"""
    return recorder is not None


def _field(name: object) -> bytes:
    """A name or error as it stands in a line: UTF-8, escaped, cut."""
    if not isinstance(name, (str, bytes)):
        name = os.fspath(name) if isinstance(name, os.PathLike) else str(name)
    name = name[: FIELD_LIMIT + 1]
    if isinstance(name, bytes):
        raw = name
    elif name.isprintable() and "\\" not in name:
        return _cut(name.encode(), FIELD_LIMIT)
    else:
        try:
            raw = name.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # a surrogate that stands for no byte
            raw = name.encode("utf-8", "backslashreplace")
    for plain, escaped in ESCAPES:
        raw = raw.replace(plain, escaped)
    return _cut(raw, FIELD_LIMIT)


def _cut(field: bytes, limit: int) -> bytes:
    """The first bytes of a field, without half a character or half an escape at the end."""
    if len(field) <= limit:
        return field
    end = limit
    while end > limit - 4 and field[end] & 0xC0 == 0x80:
        end -= 1
    cut = field[:end]
    return cut[:-1] if (len(cut) - len(cut.rstrip(b"\\"))) % 2 else cut


def _features(features: Mapping[str, Any]) -> bytes:
    """``name=number`` of every feature that is a finite number; a text is none, also where it spells one."""
    found = []
    for name, value in features.items():
        try:
            number = None if isinstance(value, (str, bytes)) else float(value)
        except Exception:  # noqa: BLE001 - whatever a program takes for a number
            continue
        if number is not None and number - number == 0 and name.isidentifier():
            found.append(f"{name}={number!r}")
    return ",".join(found).encode()


def _error_text(error: object) -> str:
    try:
        text = str(error)[:ERROR_LIMIT]
    except Exception:  # noqa: BLE001 - an exception that cannot be shown
        text = ""
    if not isinstance(error, BaseException):
        return text
    name = type(error).__name__
    return f"{name}: {text}"[:ERROR_LIMIT] if text else name


def _exits_well(error: BaseException) -> bool:
    return isinstance(error, SystemExit) and (error.code is None or error.code == 0)


def _uncaught() -> BaseException | None:
    """The exception that ends this program, if one does (others leave their last one in sys too)."""
    trace = getattr(sys, "last_traceback", None)
    if trace is None or hasattr(sys, "ps1"):
        return None
    is_main = trace.tb_frame.f_code.co_name in ("<module>", "_run_module_as_main")
    return getattr(sys, "last_value", None) if is_main else None


def _at_worker_exit(end: Callable[[], None]) -> None:
    """Have it called where a worker of ``multiprocessing`` ends well: it leaves without ``atexit``."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, end, exitpriority=0)


def _above_standard_streams(fd: int) -> list[int]:
    """Duplicates of ``fd`` until one is above 2, which a program started without stdin leaves free."""
    fds = [fd]
    while fds[-1] < 3:
        fds.append(os.dup(fds[-1]))
    return fds


def _shared_map(fd: int) -> mmap:
    import mmap

    if sys.version_info >= (3, 13):
        return mmap.mmap(fd, len(_ZEROS), trackfd=False)
    return mmap.mmap(fd, len(_ZEROS))


def _find_recorder() -> Recorder | None:
    """The recorder of this process: an earlier copy of this module may have made it."""
    run = os.environ.get(RUN_VARIABLE, "")
    try:
        if _SHARED not in vars(sys) and os.name == "posix" and os.path.isabs(run):
            vars(sys)[_SHARED] = Recorder(run)
    except Exception:  # noqa: BLE001 - a Python that lacks what it takes is not recorded
        return None
    found: Recorder | None = vars(sys).get(_SHARED)
    return found


recorder = _find_recorder()
