"""Where does the program allocate its memory?  memray's tracker, started before the program's first line.

It writes ``allocations.<pid>.memray`` (``allocations.<pid>-2.memray`` where the process executes another Python), and
``allocations.<pid>.memray.<child>`` for each child that is forked.  What is asked for is ``memray`` and any of these
words, with blanks between::

    native  python_allocators  follow_fork  aggregated  interval_ms=N

The capture is closed as the last of the program's ``atexit`` functions, so that what the others allocate is in it.  A
kill and ``os._exit`` leave one that was not closed, which can be read all the same, unless it is ``aggregated``: that
leaves nothing then.  The frames that start the program (`site`, files of this folder) are the outermost only of what
comes before its first line: they have been left when it runs.  Where it imports memray, they stand in between.

A profiler of the program's own takes the place of memray's (measured with 1.20 on 3.9 to 3.13): what that thread
allocates from there on has no stack, also when the profiler is gone again, but the right size.  Other threads keep
theirs, but for ``threading.setprofile``: those that start after it have none.  cProfile does no harm from 3.12 on.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

CAPTURE_GLOB = "allocations.*.memray"
_DEFAULT_INTERVAL_MS = 10


def watch(asked: str, folder: str, load: "Callable[[str], ModuleType]") -> None:
    """Track all allocations of this process from here on, until it exits."""
    notes = load("tracker_notes").Notes(folder)
    try:
        extension = load("memray_alone").load()
    except ModuleNotFoundError as error:
        kind = "absent" if error.name == "memray" else "failed"
        notes.write(kind, sys.executable if kind == "absent" else str(error))
        return
    except Exception as error:  # noqa: BLE001 - the program goes on without, and the run says so
        notes.write("failed", f"{type(error).__name__}: {error}")
        return
    _Tracking(asked.split()[1:], folder, extension, notes, load("workers")).start()


class _Tracking:
    """The tracker of this process, and what the program does to it."""

    def __init__(
        self, words: "list[str]", folder: str, extension: "Any", notes: "Any", workers: "ModuleType"
    ) -> None:
        self._extension, self._notes, self._workers = extension, notes, workers
        self._follows = "follow_fork" in words
        self._path = os.path.join(folder, CAPTURE_GLOB.replace("*", str(os.getpid())))
        self._options = _options(words, vars(extension.module)["FileFormat"])
        self._tracker: Any = None
        self._pid = os.getpid()
        self._thread_start = vars(extension.module)["start_thread_trace"]

    def start(self) -> None:
        """Track, or note why not."""
        import atexit

        try:
            self._tracker = self._extension.tracker(self._free_path(), **self._options)
        except Exception as error:  # noqa: BLE001 - a full disk, a removed folder, a version of other options
            self._notes.write("failed", f"{type(error).__name__}: {error}")
            return
        self._extension.give_to_program(self._let_no_second_begin)
        vars(self._extension.module)["print_greenlet_warning"] = self._note_greenlet
        os.register_at_fork(after_in_child=self._go_on_in_child)
        atexit.register(self.close)
        problem = _in_a_thread(self._tracker.__enter__)
        if problem is None:
            self._notes.write("begun", f"memray {self._extension.version}")
            sys.addaudithook(self._hear)
        else:
            self._tracker = None
            self._notes.write("failed", f"{type(problem).__name__}: {problem}")

    def close(self) -> None:
        """Close the capture; once."""
        tracker, self._tracker = self._tracker, None
        if tracker is None:
            return
        try:
            tracker.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 - the program has ended
            self._notes.write("failed", f"{type(error).__name__}: {error}")
        else:
            self._notes.write("closed")

    def _free_path(self) -> str:
        """A process that executes another program keeps its pid, and its first capture."""
        path, n = self._path, 1
        while os.path.lexists(path):
            n += 1
            path = self._path.replace(".memray", f"-{n}.memray")
        return path

    # --- what the program does -----------------------------------------------------------------------

    def _go_on_in_child(self) -> None:
        if self._tracker is None:
            return
        if not self._follows:
            self._tracker = None  # it is the parent's to close
            self._notes.write("forked", str(os.getpid()))
            return
        self._pid = os.getpid()
        self._notes.write("begun", f"memray {self._extension.version}")
        self._workers.call_at_end(self, self.close)

    def _hear(self, event: str, _: "tuple[Any, ...]") -> None:
        if event != "sys.setprofile" or self._tracker is None:
            return
        try:
            self._note_profiler()
        except Exception:  # noqa: BLE001 - it would fail the program's call
            pass

    def _note_profiler(self) -> None:
        if sys.getprofile() is self._thread_start or os.getpid() != self._pid:
            return  # memray's own: its second step in a new thread, its first one in a forked child
        frame = sys._getframe(2)
        threading = sys.modules.get("threading")
        if threading is not None and frame.f_code.co_filename == threading.__file__:
            hook = threading._profile_hook
            if hook is self._thread_start:
                return
            code = getattr(hook, "__code__", None)
            place = f"{code.co_filename}:{code.co_firstlineno}" if code else ""
            self._notes.write_once("profiler", "threading.setprofile", place)
        else:
            self._notes.write_once("profiler", "sys.setprofile", self._notes.place_of(frame))

    def _note_greenlet(self) -> None:
        """Instead of memray's own words on the program's stderr."""
        self._notes.write_once("greenlet")

    def _let_no_second_begin(self) -> None:
        """The program imports memray: one of its trackers would be refused without saying whose the first is."""
        names = vars(self._extension.module)
        plain, notes = names["Tracker"], self._notes

        class Tracker(plain):  # type: ignore[valid-type,misc]
            def __enter__(tracker) -> "Any":  # noqa: N805
                if self._tracker is None:
                    return plain.__enter__(tracker)
                notes.write_once("second", "memray.Tracker", notes.place_of(sys._getframe(1)))
                raise RuntimeError(
                    "No more than one Tracker instance can be active at the same time: "
                    "this program is being recorded by `diagtools record --memray`"
                )

        Tracker.__module__, Tracker.__doc__ = plain.__module__, plain.__doc__
        names["Tracker"] = Tracker


def _in_a_thread(call: "Callable[[], object]") -> "BaseException | None":
    """Call it where there are no frames above; the exception it ended with.

    memray notes how many frames stand above its beginning, and its readers cut as many from every stack of that thread.
    Here they would be those of `site`, which the program's own stacks do not have.
    """
    import _thread

    ended, errors = _thread.allocate_lock(), []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - it is handed on
            errors.append(error)
        finally:
            ended.release()

    ended.acquire()
    try:
        _thread.start_new_thread(run, ())
    except RuntimeError as error:
        return error
    ended.acquire()
    return errors[0] if errors else None


def _options(words: "list[str]", formats: "Any") -> "dict[str, Any]":
    given = {word.partition("=")[0]: word.partition("=")[2] for word in words}
    aggregated = "aggregated" in given
    return {
        "native_traces": "native" in given,
        "trace_python_allocators": "python_allocators" in given,
        "follow_fork": "follow_fork" in given,
        "memory_interval_ms": int(given.get("interval_ms") or _DEFAULT_INTERVAL_MS),
        "file_format": formats.AGGREGATED_ALLOCATIONS if aggregated else formats.ALL_ALLOCATIONS,
    }
