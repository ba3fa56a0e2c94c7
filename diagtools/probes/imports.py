r"""Which modules does a process import, and what does it hold before and after each?

Runs in the process under study, on any CPython from 3.9 on.  It imports nothing that a bare interpreter has not loaded
already, and writes each event before the import goes on, so that a kill, ``os._exit`` and a crash lose nothing::

    imports.<pid>.log, one line an event, its fields separated by tabs

    kind t_ns cpu_ns rss shared faults tid name

``t_ns`` is CLOCK_MONOTONIC, ``cpu_ns`` the CPU time of the whole process.  ``rss`` and ``shared`` are the kernel's
(``statm``), in bytes: what is resident and not shared is anonymous memory.  ``faults`` is how many pages were faulted
in so far, and empty but for ``start`` and ``stop``.  ``kind`` is one of KINDS::

    start   what is measured begins; the name is START_FIELDS, joined by ``\v``: the version of this Python, its command
    step    the next of several statements begins; the name is its text
    begin   a module is about to be found and loaded; the name is the module's
    end     the innermost ``begin`` of its thread that is still open has ended well; no name
    fail    the same, with an exception
    edge    an import statement was executed (only where ``graph`` is asked for): its numbers are 0, and it is written
            with the next event; the name is EDGE_FIELDS, joined likewise
    stop    what is measured has ended; the name is the type of the exception that ended it, or empty
    module  a module that was not there at the start, and where it came from; the name is MODULE_FIELDS, joined likewise

Names are escaped like those of ``markers.log``.

Every import that is not answered from ``sys.modules`` passes through ``_find_and_load`` of the frozen import system,
also one that C code makes.  Before 3.12 a function takes its place that looks to tracebacks and to warnings like a part
of that system; from 3.12 on ``sys.monitoring`` watches it, and no frame is added.
"""

# No "from __future__": it would be an import.

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType, TracebackType
    from typing import Any

LOG_GLOB = "imports.*.log"
KINDS = ("start", "step", "begin", "end", "fail", "edge", "stop", "module")
#: What stands in the name of a start, of an edge, and of a module.
START_FIELDS = ("python", "command")
EDGE_FIELDS = ("initialising", "file", "line", "function", "module", "names", "level", "package")
MODULE_FIELDS = ("module", "file")
SEPARATOR = "\v"
#: Plain and escaped, in the order in which they are applied.
ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"))
#: The name of the file in which the measured statements seem to stand.
STATEMENT_FILE = "<statement>"
EXIT_STATUS = 1  # of a measured statement that failed

#: Frames of a file of this name are cut from tracebacks of failing imports, and passed over by ``warnings``.
_IMPORT_FILE = "<frozen importlib._bootstrap>"
_FRAMES_A_PAD = 16
_MOST_OF_A_COMMAND = 4096


class Recorder:
    """Writes the events of one process; a forked child gets a log of its own with its first event."""

    def __init__(self, folder: str, *, graph: bool = False) -> None:
        self._folder = folder
        self._posix = posix = sys.modules["posix"]
        self._time = sys.modules["time"]
        self._ident = sys.modules["_thread"].get_ident
        self._page = posix.sysconf("SC_PAGE_SIZE")
        self._system: Any = sys.modules["_frozen_importlib"]
        self._before = frozenset(sys.modules)
        self._threads: dict[int, list[str]] = {}
        self._seen: set[tuple[Any, ...]] = set()
        self._inode = 0
        self._forget()
        posix.register_at_fork(after_in_child=self._forget)
        self._watch()
        if graph:
            self._watch_statements()

    # --- one event ---------------------------------------------------------------------------------

    def note(self, kind: str, name: str = "") -> None:
        """Write one event; nothing here is the program's concern."""
        try:
            self._write(kind, name, b"")
        except Exception:  # noqa: BLE001 - a full disk, a removed folder
            pass

    def start(self) -> None:
        """From here on it counts."""
        command = self._read("/proc/self/cmdline", _MOST_OF_A_COMMAND).replace(b"\0", b" ").strip()
        text = command.decode("utf-8", "backslashreplace")
        self._write("start", SEPARATOR.join((sys.version.split()[0], text)), self._faults())

    def stop(self, error: str = "") -> None:
        """Until here it counted."""
        try:
            self._write("stop", error, self._faults())
            self._tell_modules()
        except Exception:  # noqa: BLE001
            pass

    def _write(self, kind: str, name: str, faults: bytes) -> None:
        posix, time = self._posix, self._time
        t_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        if self._log < 0 or posix.fstat(self._log).st_ino != self._inode:
            self._open(kind)
        _, resident, shared, _ = posix.pread(self._statm, 64, 0).split(b" ", 3)
        head = b"%b\t%d\t%d\t%d\t%d\t%b\t%d\t" % (
            kind.encode(),
            t_ns,
            cpu_ns,
            int(resident) * self._page,
            int(shared) * self._page,
            faults,
            self._ident(),
        )
        line = head + _escaped(name) + b"\n"
        if self._edges and kind != "start":  # a log begins with its start
            self._edges.append(line)
            line = b"".join(self._edges)
            self._edges.clear()
        posix.write(self._log, line)

    def _open(self, kind: str) -> None:
        """Also where the program has closed our descriptors: then others may have taken their numbers."""
        posix = self._posix
        path = self._folder + "/" + LOG_GLOB.replace("*", str(posix.getpid()))
        flags = posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC
        self._statm = _high(posix, posix.open("/proc/self/statm", posix.O_RDONLY | posix.O_CLOEXEC))
        self._log = _high(posix, posix.open(path, flags, 0o600))
        self._inode = posix.fstat(self._log).st_ino
        if kind != "start" and posix.fstat(self._log).st_size == 0:
            self.start()

    def _forget(self) -> None:
        self._log = self._statm = -1
        self._edges: list[bytes] = []  # in a forked child they are the parent's to write

    def _faults(self) -> bytes:
        fields = self._read("/proc/self/stat", 1024).rpartition(b")")[2].split()
        return fields[7]  # minflt

    def _read(self, path: str, n_bytes: int) -> bytes:
        posix = self._posix
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            found: bytes = posix.read(fd, n_bytes)
        finally:
            posix.close(fd)
        return found

    def _tell_modules(self) -> None:
        for name, module in list(sys.modules.items()):
            if name not in self._before:
                origin = getattr(getattr(module, "__spec__", None), "origin", None)
                self._write(
                    "module", SEPARATOR.join((str(name), origin if isinstance(origin, str) else "")), b""
                )

    # --- every import that is not cached -----------------------------------------------------------

    def begin(self, name: str) -> None:
        """A module is about to be found."""
        self._threads.setdefault(self._ident(), []).append(name)
        self.note("begin", name)

    def end(self, kind: str) -> None:
        """It was, or could not be."""
        stack = self._threads.get(self._ident())
        if stack:
            stack.pop()
            self.note(kind)

    def _watch(self) -> None:
        if sys.version_info >= (3, 12):
            try:
                _monitor(self, self._system._find_and_load.__code__)
                return
            except (ValueError, AttributeError):  # every tool's place is taken
                pass
        names = {"recorder": self, "modules": sys.modules, "find_and_load": self._system._find_and_load}
        exec(compile(_FIND_AND_LOAD, _IMPORT_FILE, "exec"), names)
        self._system._find_and_load = names["_find_and_load"]

    # --- every import statement --------------------------------------------------------------------

    def edge(self, frame: "FrameType | None", name: str, names: "Any", level: int, package: "Any") -> None:
        """An import statement is executed in this frame; each counts once a place and module being initialised."""
        if frame is None:
            return
        stack = self._threads.get(self._ident())
        initialising = stack[-1] if stack else ""
        code = frame.f_code
        key = (code, frame.f_lasti, initialising, name)
        if key in self._seen:
            return
        self._seen.add(key)
        listed = ",".join([each for each in names if isinstance(each, str)]) if names else ""
        package = package if isinstance(package, str) else ""
        place = f"{initialising}\v{code.co_filename}\v{frame.f_lineno}\v{code.co_name}"
        text = f"{place}\v{name}\v{listed}\v{level}\v{package}"
        self._edges.append(b"edge\t0\t0\t0\t0\t\t0\t" + _escaped(text) + b"\n")

    def _watch_statements(self) -> None:
        builtins: Any = sys.modules["builtins"]
        names = {
            "recorder": self,
            "caller": _caller,
            "import_": builtins.__import__,
            "gcd_import": self._system._gcd_import,
            "ours": _IMPORT_FILE,
        }
        exec(compile(_STATEMENTS, _IMPORT_FILE, "exec"), names)
        builtins.__import__ = names["__import__"]
        self._system._gcd_import = names["_gcd_import"]


_FIND_AND_LOAD = """
def _find_and_load(name, import_):
    if name in modules:
        return find_and_load(name, import_)
    recorder.begin(name)
    try:
        module = find_and_load(name, import_)
    except BaseException:
        recorder.end("fail")
        raise
    recorder.end("end")
    return module
"""

_STATEMENTS = """
def __import__(name, globals=None, locals=None, fromlist=(), level=0):
    package = globals.get("__package__") or globals.get("__name__") if level and globals else ""
    recorder.edge(caller(), name, fromlist, level, package)
    return import_(name, globals, locals, fromlist, level)

def _gcd_import(name, package=None, level=0):
    frame = caller()
    if frame is not None and frame.f_code.co_filename != ours:
        while frame.f_back is not None and frame.f_globals.get("__name__") == "importlib":
            frame = frame.f_back
        recorder.edge(frame, name, (), level, package)
    return gcd_import(name, package, level)
"""


def _monitor(recorder: "Recorder", code: "CodeType") -> None:
    """From CPython 3.12 on: no frame of ours stands between importer and imported."""
    monitoring: Any = vars(sys)["monitoring"]
    tool = next(number for number in (4, 3) if monitoring.get_tool(number) is None)
    monitoring.use_tool_id(tool, "diagtools")
    cached: dict[int, list[bool]] = {}
    ident, getframe, modules = recorder._ident, sys._getframe, sys.modules

    def begin(_code: "Any", _offset: int) -> None:
        name = getframe(1).f_locals["name"]
        is_cached = name in modules
        cached.setdefault(ident(), []).append(is_cached)
        if not is_cached:
            recorder.begin(name)

    def is_ours() -> bool:
        """Whether the call that ends was one to be recorded; that of ``sitecustomize`` began before us."""
        begun = cached.get(ident(), [])
        return not begun.pop() if begun else False

    def end(_code: "Any", _offset: int, _value: object) -> None:
        if is_ours():
            recorder.end("end")

    def fail(failed: "Any", _offset: int, _error: BaseException) -> None:
        if failed is code and is_ours():
            recorder.end("fail")

    events = monitoring.events
    monitoring.register_callback(tool, events.PY_START, begin)
    monitoring.register_callback(tool, events.PY_RETURN, end)
    monitoring.register_callback(tool, events.PY_UNWIND, fail)
    monitoring.set_local_events(tool, code, events.PY_START | events.PY_RETURN)
    monitoring.set_events(tool, events.PY_UNWIND)


def measure(folder: str, statements: "Sequence[str]", *, graph: bool = False, padding: int = 0) -> int:
    """Execute statements one after the other as a program would, recorded; the exit status.

    ``padding`` moves the place where the interpreter's stack needs its next chunk: where a hot frame happens to lie
    across it, each call costs a page fault, and what is measured is that.
    """
    names = {"__name__": "__main__", "__builtins__": sys.modules["builtins"]}
    error: BaseException | None = None
    codes = []
    try:
        codes = [compile(text, STATEMENT_FILE, "exec", dont_inherit=True) for text in statements]
    except SyntaxError as failure:
        error = failure
    recorder = Recorder(folder, graph=graph)
    recorder.start()

    def run() -> None:
        for text, code in zip(statements, codes):
            recorder.note("step", text)
            exec(code, names)

    try:
        _deeper(padding * _FRAMES_A_PAD, run)
    except SystemExit as failure:
        error = None if failure.code in (None, 0) else failure
    except BaseException as failure:  # noqa: BLE001 - a result, not a crash
        error = failure
    recorder.stop("" if error is None else type(error).__name__)
    if error is not None:
        error.__traceback__ = _of_the_statement(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
    return 0 if error is None else EXIT_STATUS


def watch(asked: str) -> None:
    """Record all imports of this process from here on, until it exits: ``costs:FOLDER`` or ``graph:FOLDER``."""
    import atexit  # built in

    mode, _, folder = asked.partition(":")
    recorder = Recorder(folder, graph=mode == "graph")
    recorder.start()
    atexit.register(recorder.stop)


def main(arguments: "Sequence[str]") -> None:
    """``FOLDER PADDING GRAPH STATEMENT…``, in a fresh interpreter."""
    folder, padding, graph, *statements = arguments
    sys.argv[:] = ["-c"]
    status = measure(folder, statements, graph=graph == "graph", padding=int(padding))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    sys.modules["posix"]._exit(status)


def _caller() -> "FrameType | None":
    """The frame in which the import stands; C code imports before there is any (``python -m``)."""
    try:
        return sys._getframe(2)
    except ValueError:
        return None


def _of_the_statement(trace: "TracebackType | None") -> "TracebackType | None":
    """The same without our own frames above it."""
    while trace is not None and trace.tb_frame.f_code.co_filename != STATEMENT_FILE:
        trace = trace.tb_next
    return trace


def _deeper(n: int, run: "Callable[[], None]") -> None:
    if n:
        _deeper(n - 1, run)
    else:
        run()


def _escaped(name: str) -> bytes:
    raw = name.encode("utf-8", "surrogatepass")
    if b"\\" in raw or b"\n" in raw or b"\t" in raw or b"\r" in raw or b"\0" in raw:
        for plain, escaped in ESCAPES:
            raw = raw.replace(plain, escaped)
    return raw


def _high(posix: "Any", fd: int) -> int:
    """The same file at a descriptor above 2, which a program started without stdin leaves free."""
    if fd > 2:
        return fd
    high = _high(posix, posix.dup(fd))
    posix.close(fd)
    return high
