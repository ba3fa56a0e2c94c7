r"""Which modules does a process import, and what does it hold before and after each?

Runs in the process under study, on any CPython from 3.9 on.  It imports nothing that a bare interpreter has not loaded
already, and writes each event before the import goes on, so that a kill, ``os._exit`` and a crash lose nothing::

    imports.<pid>.log, one line an event, its fields separated by tabs

    kind t_ns cpu_ns tid name statm

``t_ns`` is CLOCK_MONOTONIC, ``cpu_ns`` the CPU time of the whole process.  ``statm`` is what the kernel said then in
``/proc/self/statm``, in pages: seven numbers separated by blanks, of which the second is resident and the third shared;
what is resident and not shared is anonymous memory.  ``kind`` is one of KINDS::

    start   what is measured begins; the name is START_FIELDS, joined by ``\v``: the version of this Python, its command
            and its path, the bytes of a page, and how many pages were faulted in so far
    step    the next of several statements begins; the name is its text
    begin   a module is about to be found and loaded; the name is the module's
    end     the innermost ``begin`` of its thread that is still open has ended well; no name
    fail    the same, with an exception
    edge    an import statement was executed (only where ``graph`` is asked for); its numbers are 0 and it has no statm:
            it is written with the next event; the name is EDGE_FIELDS, joined likewise
    stop    what is measured has ended; the name is STOP_FIELDS, joined likewise: the type of the exception that ended
            it, or nothing, and the pages faulted in
    module  a module that was not there at the start, and where it came from; the name is MODULE_FIELDS, joined likewise

Names are escaped like those of ``markers.log``.  An empty line says nothing: what stands before it may be torn.

Every import that is not answered from ``sys.modules`` passes through ``_find_and_load`` of the frozen import system,
also one that C code makes.  A function takes its place that looks to tracebacks and to warnings like a part of that
system.  ``sys.monitoring`` of 3.12 would need none, but takes time and memory for each code object that is executed.

An event costs 4.6 µs in a loop, of which the kernel takes 3: to read statm 1.1, to write 0.9, for the CPU clock 0.6, to
see that the log is still ours 0.25.  In an import it is up to twice that, for the caches are cold.  A shared mapping
would save the write, 1 to 2 % of an import of small modules, but kill the program where the disk is full, and need
``mmap``, which the program may want to pay for; to write into a preallocated file was no faster.
"""

# No "from __future__": it would be an import.

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Sequence
    from types import FrameType, TracebackType
    from typing import Any

LOG_GLOB = "imports.*.log"
KINDS = ("start", "step", "begin", "end", "fail", "edge", "stop", "module")
#: What stands in the name of a start, of a stop, of an edge, and of a module.
START_FIELDS = ("python", "command", "executable", "page_bytes", "faults")
STOP_FIELDS = ("error", "faults")
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
#: Of 8 bytes.  With the thousand that the interpreter adds it is above 128 KiB, and so gets a piece of 256, of which
#: half is left; a copy of the frame, for who looks at it, is below what malloc asks of the kernel each time.
_SLOTS_ASKED = 15_500
_SLOTS_A_TOUCH, _N_TOUCHES = 256, 60  # half a page each; together they fill the other half
_MOST_OF_A_COMMAND = 4096
_STATM_BYTES = 192
_STATM_END = b" 0\n"  # of every statm: its last number is unused since Linux 2.6


class Recorder:
    """Writes the events of one process; a forked child gets a log of its own with its first event."""

    def __init__(self, folder: str, *, graph: bool = False, has_room: bool = False) -> None:
        self._folder, self._graph = folder, graph
        self._posix = posix = sys.modules["posix"]
        time = sys.modules["time"]
        self._wall_ns, self._cpu_ns = time.monotonic_ns, time.process_time_ns
        self._seek, self._read_at, self._append = posix.lseek, posix.pread, posix.write
        self._ident = sys.modules["_thread"].get_ident
        self._before = frozenset(sys.modules)
        self._threads: dict[int, list[str]] = {}  # what each is importing
        self._seen: set[tuple[Any, ...]] = set()
        self._log = self._statm = -1
        self._length = 0
        self._file: tuple[int, int] | None = None  # that the log is
        self._edges: list[str] = []  # for the next event
        posix.register_at_fork(after_in_child=self._forget)
        self._watch(has_room)

    # --- one event ---------------------------------------------------------------------------------

    def note(self, kind: str, name: str = "") -> None:
        """Write one event; nothing here is the program's concern."""
        try:
            self._write(kind, name)
        except Exception:  # noqa: BLE001 - a full disk, a removed folder
            pass

    def start(self) -> None:
        """From here on it counts."""
        posix = self._posix
        command = self._read("/proc/self/cmdline", _MOST_OF_A_COMMAND).replace(b"\0", b" ").strip()
        version, text = sys.version.split()[0], command.decode("utf-8", "backslashreplace")
        page = posix.sysconf("SC_PAGE_SIZE")
        fields = [version, text, str(sys.executable or ""), str(page), self._faults()]
        self._write("start", SEPARATOR.join([field.replace(SEPARATOR, " ") for field in fields]))

    def stop(self, error: str = "") -> None:
        """Until here it counted."""
        try:
            self._write("stop", SEPARATOR.join((error, self._faults())))
            self._tell_modules()
        except Exception:  # noqa: BLE001
            pass

    def _write(self, kind: str, name: str) -> None:
        t_ns, cpu_ns = self._wall_ns(), self._cpu_ns()
        text = f"{kind}\t{t_ns}\t{cpu_ns}\t{self._ident()}\t{_escaped(name)}\t"
        try:
            position, statm = self._seek(self._log, 0, 1), self._read_at(self._statm, _STATM_BYTES, 0)
        except OSError:
            position, statm = -1, b""
        is_ours = 0 < position == self._length and statm[-3:] == _STATM_END
        if not is_ours:
            statm = self._reopened(kind)
        if self._edges and kind != "start":  # a log begins with its start
            edges, self._edges = self._edges, []
            text = "".join(edges) + text
        if not is_ours and self._length:  # what stands before may be torn
            text = "\n" + text
        line = text.encode("utf-8", "surrogatepass") + statm
        self._append(self._log, line)
        self._length += len(line)

    def _reopened(self, kind: str) -> bytes:
        """The statm; then all descriptors are ours.  At first, and where the program has closed them.

        Others may have taken their numbers since.  A log that stands where our last event has ended is ours; one that
        stands elsewhere is looked at here, for another thread may have written meanwhile, or a disk was full.
        """
        posix = self._posix
        if self._log < 0 or self._file != self._at(self._log):
            path = self._folder + "/" + LOG_GLOB.replace("*", str(posix.getpid()))
            flags = posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC
            self._log = _high(posix, posix.open(path, flags, 0o600))
            self._file = self._at(self._log)
        self._length = posix.fstat(self._log).st_size
        if self._length == 0 and kind != "start":
            self.start()
        try:
            statm: bytes = self._read_at(self._statm, _STATM_BYTES, 0)
        except OSError:
            statm = b""
        if statm[-3:] != _STATM_END:
            self._statm = _high(posix, posix.open("/proc/self/statm", posix.O_RDONLY | posix.O_CLOEXEC))
            statm = self._read_at(self._statm, _STATM_BYTES, 0)
        return statm

    def _at(self, fd: int) -> "tuple[int, int] | None":
        """Which file is open there?"""
        try:
            status = self._posix.fstat(fd)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _forget(self) -> None:
        """In a forked child."""
        self._log = self._statm = -1
        self._edges = []  # they are the parent's to write

    def _faults(self) -> str:
        fields = self._read("/proc/self/stat", 1024).rpartition(b")")[2].split()
        return str(int(fields[7]))  # minflt; what reads numbers is in memory then, as in other programs

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
                fields = str(name), origin if isinstance(origin, str) else ""
                self._write("module", SEPARATOR.join(fields))

    # --- what is watched ---------------------------------------------------------------------------

    def _watch(self, has_room: bool) -> None:
        """Every import that is not cached; with the graph, every import statement too."""
        builtins: Any = sys.modules["builtins"]
        system: Any = sys.modules["_frozen_importlib"]
        find = system._find_and_load
        if not has_room and sys.version_info >= (3, 11):
            find = _with_room_each(find, self._ident)
        system._find_and_load = _recorded(find, self)
        if self._graph:
            builtins.__import__ = _recorded_statement(builtins.__import__, self)
            system._gcd_import = _recorded_call(system._gcd_import, self)

    def begin(self, name: str) -> None:
        """A module is about to be found; what this thread executes from here on initialises it."""
        if self._graph:
            self._threads.setdefault(self._ident(), []).append(name)
        self.note("begin", name)

    def end(self, kind: str) -> None:
        """It was, or could not be."""
        if self._graph:
            self._threads[self._ident()].pop()
        self.note(kind)

    def edge(self, frame: "FrameType | None", name: str, names: "Any", level: int, package: "Any") -> None:
        """An import statement is executed in this frame; each counts once a place and module being initialised."""
        if frame is None:
            return
        try:
            self._note_edge(frame, name, names, level, package)
        except Exception:  # noqa: BLE001 - arguments of another type, which are the import's to refuse
            pass

    def _note_edge(self, frame: "FrameType", name: str, names: "Any", level: int, package: "Any") -> None:
        stack = self._threads.get(self._ident())
        initialising = stack[-1] if stack else ""
        code, line = frame.f_code, frame.f_lineno
        # The code itself would be a costly key: all its constants are hashed, and those of the functions in it.
        key = (code.co_filename, line, frame.f_lasti, initialising, name)
        if key in self._seen:
            return
        self._seen.add(key)
        is_listed = isinstance(names, (tuple, list))
        listed = ",".join([each for each in names if isinstance(each, str)]) if is_listed else ""
        if not isinstance(package, str):
            package = ""
        place = f"{initialising}\v{code.co_filename}\v{line}\v{code.co_name}"
        text = _escaped(f"{place}\v{name}\v{listed}\v{level}\v{package}")
        self._edges.append(f"edge\t0\t0\t0\t{text}\t\n")


def _recorded(find_and_load: "Any", recorder: "Recorder") -> "Any":
    modules, begin, end = sys.modules, recorder.begin, recorder.end

    def _find_and_load(name: str, import_: "Any") -> "Any":
        if name in modules:
            return find_and_load(name, import_)
        begin(name)
        try:
            module = find_and_load(name, import_)
        except BaseException:
            end("fail")
            raise
        end("end")
        return module

    return _of_the_system(_find_and_load)


def _recorded_statement(import_: "Any", recorder: "Recorder") -> "Any":
    edge = recorder.edge

    def __import__(  # noqa: A001, N807 - its names
        name: str,
        globals: "Any" = None,  # noqa: A002
        locals: "Any" = None,  # noqa: A002
        fromlist: "Any" = (),
        level: int = 0,
    ) -> "Any":
        package = ""
        if level and isinstance(globals, dict):
            package = globals.get("__package__") or globals.get("__name__") or ""
        edge(_caller(), name, fromlist, level, package)
        return import_(name, globals, locals, fromlist, level)

    return _of_the_system(__import__)


def _recorded_call(gcd_import: "Any", recorder: "Recorder") -> "Any":
    """Of ``importlib.import_module``."""
    edge = recorder.edge

    def _gcd_import(name: str, package: "Any" = None, level: int = 0) -> "Any":
        frame = _caller()
        if frame is not None and frame.f_code.co_filename != _IMPORT_FILE:
            while frame.f_back is not None and frame.f_globals.get("__name__") == "importlib":
                frame = frame.f_back
            edge(frame, name, (), level, package)
        return gcd_import(name, package, level)

    return _of_the_system(_gcd_import)


def _of_the_system(function: "Any") -> "Any":
    """The same function, which looks like one of the import system."""
    looks: dict[str, Any] = {"co_filename": _IMPORT_FILE}
    if sys.version_info >= (3, 11):
        looks["co_qualname"] = function.__name__
    function.__code__ = function.__code__.replace(**looks)
    return function


def measure(folder: str, statements: "Sequence[str]", *, graph: bool = False) -> int:
    """Execute statements one after the other as a program would, recorded; the exit status."""
    names = {"__name__": "__main__", "__builtins__": sys.modules["builtins"]}
    error: BaseException | None = None
    codes = []
    try:
        codes = [compile(text, STATEMENT_FILE, "exec", dont_inherit=True) for text in statements]
    except SyntaxError as failure:
        error = failure
    recorder = Recorder(folder, graph=graph, has_room=True)
    recorder.start()

    def run() -> None:
        for text, code in zip(statements, codes):
            recorder.note("step", text)
            exec(code, names)

    try:
        _with_room(run)
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
    import atexit  # built in; taken out of sys.modules again, it would crash 3.9

    mode, _, folder = asked.partition(":")
    recorder = Recorder(folder, graph=mode == "graph")
    try:
        recorder.start()
    except Exception:  # noqa: BLE001 - it is no command of ours that could not start
        pass
    atexit.register(recorder.stop)


def main(arguments: "Sequence[str]") -> None:
    """``FOLDER MODE STATEMENT…``, in a fresh interpreter; the mode is ``graph``, or empty."""
    folder, mode, *statements = arguments
    sys.argv[:] = ["-c"]
    status = measure(folder, statements, graph=mode == "graph")
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


def _with_room(run: "Callable[[], None]") -> None:
    """Call it with its stack in memory already, and in one piece (see ``_ask``)."""
    if sys.version_info < (3, 11):
        run()
        return

    def touch(n: int) -> None:
        if n:
            touch(n - 1)

    def roomy() -> None:
        touch(_N_TOUCHES)
        run()

    _ask(touch, _SLOTS_A_TOUCH)
    _ask(roomy, _SLOTS_ASKED)
    roomy()


def _with_room_each(find_and_load: "Any", ident: "Callable[[], int]") -> "Any":
    """The same function; a thread's outermost import, and so all within it, has its stack in one piece."""
    importing: set[int] = set()

    def roomy(name: str, import_: "Any") -> "Any":
        return find_and_load(name, import_)

    def _find_and_load(name: str, import_: "Any") -> "Any":
        thread = ident()
        if thread in importing:
            return find_and_load(name, import_)
        importing.add(thread)
        try:
            return roomy(name, import_)
        finally:
            importing.discard(thread)

    _ask(_of_the_system(roomy), _SLOTS_ASKED)
    return _of_the_system(_find_and_load)


def _ask(function: "Any", n_slots: int) -> None:
    """Let its frame take so much of the interpreter's stack, whether it needs it or not.

    From CPython 3.11 on that stack grows by pieces of 16 KiB, or of the next power of two that a frame needs, which go
    back to the kernel at once: a function that is called over and over at the end of one costs page faults each time.
    Which one that is depends on every frame above it, ours too.  An import was 3.3 × slower in the worst place.
    """
    function.__code__ = function.__code__.replace(co_stacksize=n_slots)


def _escaped(name: str) -> str:
    if "\\" in name or "\n" in name or "\t" in name or "\r" in name or "\0" in name:
        raw = name.encode("utf-8", "surrogatepass")
        for plain, escaped in ESCAPES:
            raw = raw.replace(plain, escaped)
        return raw.decode("utf-8", "surrogatepass")
    return name


def _high(posix: "Any", fd: int) -> int:
    """The same file at a descriptor above 2, which a program started without stdin leaves free."""
    if fd > 2:
        return fd
    high = _high(posix, posix.dup(fd))
    posix.close(fd)
    return high
