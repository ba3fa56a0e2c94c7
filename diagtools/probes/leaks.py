r"""Does a function keep memory at each call?  Calls it again and again in a process of its own, and counts.

Run as a script, by any CPython from 3.9 on, in a recording (``DIAGTOOLS_RUN``)::

    leaks.py MODE MOD:FUNC FOLDER N_WARM STAGES BUDGET_S TIMEOUT_S

``FOLDER`` is where the module may lie besides the working folder (``-`` for nowhere), ``STAGES`` numbers of calls with
commas between.  ``MODE`` is ``measure``, or why it is done again: ``memray`` calls within one marked phase, ``holders``
between two snapshots of the objects, ``lines`` under a trace function, ``traces`` under tracemalloc.

``leaks.log`` in the run folder, one line a fact, its fields separated by tabs, is written at once and only added to::

    start    t_ns pid python mode target
    warm     n_calls call_ns is_async is_cut
    stage    stage n_calls is_clearing
    reading  stage block n_calls t_ns and COUNTERS of `leak_counters`
    cache    stage name n_before n_entries most is_cleared
    line     bytes n_calls stack, see `leak_lines.words`
    failed   n_calls kind place text
    end      n_calls n_forks

``n_calls`` counts from the first call after the warm-up, that of ``warm`` and ``failed`` from the first of all.  A
stage has the reading 0 before its first call, and one at the end of each of its ``leak_stages.BLOCKS`` blocks.  Nothing
of a reading is kept in the process.  ``most`` is -1 for a cache without a limit.  After the fields comes the CRC-32 of
what is before the last tab, 8 hexadecimal digits.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from types import ModuleType
    from typing import Any

NAME = "leaks.log"
MODES = ("measure", "memray", "holders", "lines", "traces")
FAILURES = (
    "import",
    "missing",
    "uncallable",
    "arguments",
    "generator",
    "raised",
    "exited",
)
#: The fields of each line, after the first, which says what it is; of a reading the counters follow.
FIELDS = {
    "start": ("t_ns", "pid", "python", "mode", "target"),
    "warm": ("n_calls", "call_ns", "is_async", "is_cut"),
    "stage": ("stage", "n_calls", "is_clearing"),
    "reading": ("stage", "block", "n_calls", "t_ns"),
    "cache": ("stage", "name", "n_before", "n_entries", "most", "is_cleared"),
    "line": ("bytes", "n_calls", "stack"),
    "failed": ("n_calls", "kind", "place", "text"),
    "end": ("n_calls", "n_forks"),
}
ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"))

_PROBES = os.path.dirname(os.path.abspath(__file__))
_MOST_TEXT = 2000


def load(name: str) -> "ModuleType":
    """A module beside this one that the program does not see."""
    path = os.path.join(_PROBES, name + ".py")
    full = "diagtools.probes." + name
    code = sys.modules["_frozen_importlib_external"].SourceFileLoader(full, path).get_code(full)
    module = type(sys)(full)
    module.__file__ = path
    exec(code, vars(module))
    return module


class Log:
    """Writes ``leaks.log``, a line at a time."""

    def __init__(self, folder: str) -> None:
        from binascii import crc32  # extension modules, both
        from time import monotonic_ns

        self._crc32, self.now_ns = crc32, monotonic_ns
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(os.path.join(folder, NAME), flags, 0o600)

    def write(self, kind: str, *fields: "int | str") -> None:
        """One line."""
        line = b"\t".join([_escaped(str(field)) for field in (kind, *fields)])
        os.write(self._fd, b"%b\t%08x\n" % (line, self._crc32(line)))

    def close(self) -> None:
        """No more lines: the process goes on with other work."""
        os.close(self._fd)


def _escaped(text: str) -> bytes:
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        raw = text.encode("utf-8", "backslashreplace")
    raw = raw[:_MOST_TEXT]
    for plain, escaped in ESCAPES:
        raw = raw.replace(plain, escaped)
    return raw


def _found(target: str, steps: "Any") -> "Any":
    """The function of that name; raises ``Stop``."""
    module, _, path = target.partition(":")
    try:
        __import__(module)
        found = sys.modules[module]
    except BaseException as error:  # noqa: BLE001 - whatever an import ends with is told
        text = f"{type(error).__name__}: {error}"
        raise steps.Stop("import", steps.place_of(error.__traceback__), text) from None
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise steps.Stop("missing", "", str(error)) from None
    if not callable(found):
        raise steps.Stop("uncallable", "", type(found).__name__)
    return found


def main(words: "list[str]") -> None:
    """Checks what the command line names; what goes wrong is written."""
    mode, target, folder, n_warm, stages, budget_s, timeout_s = words
    if sys.path and sys.path[0] == _PROBES:
        del sys.path[0]
    sys.path.insert(0, os.getcwd())  # as `python -m` has it
    if folder != "-" and folder not in sys.path:
        sys.path.insert(1, folder)
    sys.argv[:] = [target]
    log = Log(os.environ["DIAGTOOLS_RUN"])
    log.write("start", log.now_ns(), os.getpid(), sys.version.split()[0], mode, target)
    _end_after(float(timeout_s))
    check = None
    steps = load("leak_stages")
    try:
        function = _found(target, steps)
        check = steps.Check(function, log, load, n_warm=int(n_warm), budget_s=float(budget_s))
        check.run(mode, [int(n) for n in stages.split(",")])
    except steps.Stop as stop:
        log.write("failed", check.n_calls if check else 0, *stop.args)
    _leave()


def _end_after(timeout_s: float) -> None:
    """Where it hangs is said on stderr as the process is ended."""
    import faulthandler

    faulthandler.dump_traceback_later(timeout_s, exit=True)


def _leave() -> None:
    """At once where threads of the function would be waited for, else as any program."""
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        return
    import atexit

    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
