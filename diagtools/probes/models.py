"""What does it take to load a model, to run it once, to load it again, to let it go, and to have it in two processes?

Run as a script, by any CPython from 3.9 on, in a recording (``DIAGTOOLS_RUN``)::

    models.py MODE LOADER INFER FOLDER BATCHES TIMEOUT_S

``LOADER`` is ``module:callable`` without arguments, which returns the model; ``INFER`` (``-`` for none) one that takes
the model and runs it once, and, where it can, a number of inputs too.  ``FOLDER`` is where their modules may lie
besides the working folder (``-`` for nowhere), ``BATCHES`` numbers of inputs with commas between.  ``MODE`` is

- ``alone``: import, load, first inference, the same again, load a second one, run that, let go of both, trim;
- ``held``: the same up to the first inference, and the model is held until the process ends: for the ledger;
- ``batches``: load, one input, then each number of inputs;
- ``fork after load``: load and run, then fork; both processes run it once more, and are looked at while both live;
- ``load after fork``: fork first; then each process loads and runs its own, one after the other.

What is measured stands in ``models.log``, see `model_readings`: a line a phase, written at once and only added to,
with a CRC-32 at its end.
"""

# No "from __future__": it would be an import of the program.

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from types import ModuleType, TracebackType
    from typing import Any

MODES = ("alone", "held", "batches", "fork after load", "load after fork")
FAILURES = ("import", "missing", "uncallable", "arguments", "raised", "exited", "inputs")
IMPORT, LOAD, FIRST, AGAIN = "import", "load", "first inference", "inference"
SECOND_LOAD, SECOND_FIRST = "second load", "inference of the second"
DROP_SECOND, DROP, TRIM = "drop the second", "drop the model", "malloc_trim"
BATCH = "batch"
PARENT, CHILD = "parent", "child"

_PROBES = os.path.dirname(os.path.abspath(__file__))
_HELD: "list[Any]" = []


class Stop(Exception):
    """It cannot go on: which kind of FAILURES, where, and why?

    The text of the first three kinds begins with the name that was asked for.
    """


class Study:
    """One process that loads one model."""

    def __init__(self, log: "Any", meter: "Any", loader: str, infer: str, batches: "list[int]") -> None:
        self._log, self._meter = log, meter
        self._loader, self._infer = loader, infer
        self._batches = batches
        self._load: Any = None
        self._run: Any = None

    def run(self, mode: str) -> None:
        """Do what the mode asks for; raises ``Stop``."""
        if mode == MODES[4]:
            self._apart()
            return
        models = [self._prepared()]
        if mode == MODES[0]:
            self._alone(models)
        elif mode == MODES[1]:
            _HELD.append(models)
        elif mode == MODES[2]:
            self._batched(models[0])
        else:
            self._forked(models[0])

    def _prepared(self) -> "Any":
        """The model, loaded and run once."""
        self._phase(IMPORT, self._imported)
        model = self._phase(LOAD, self._load)
        self._inferred(FIRST, model, keeps=True)
        return model

    def _imported(self) -> None:
        self._load = _found(self._loader)
        self._run = None if self._infer == "-" else _found(self._infer)

    def _alone(self, models: "list[Any]") -> None:
        self._inferred(AGAIN, models[0])
        models.append(self._phase(SECOND_LOAD, self._load))
        self._inferred(SECOND_FIRST, models[1])
        self._phase(DROP_SECOND, lambda: _let_go(models))
        self._phase(DROP, lambda: _let_go(models))
        trim = _trim()
        if trim is not None:
            self._phase(TRIM, lambda: trim(0))

    def _batched(self, model: "Any") -> None:
        if self._run is None or not _takes_two(self._run):
            raise Stop("inputs", "", self._infer)
        self._inferred(BATCH, model, 1)
        for n in self._batches:
            self._inferred(BATCH, model, n)

    def _inferred(self, phase: str, model: "Any", n: int = 0, *, keeps: bool = False) -> None:
        if self._run is None:
            return
        run = self._run
        given = (model, n) if n else (model,)
        answer = self._phase(phase, lambda: run(*given), n or -1)
        if keeps:
            self._log.write_output(answer)

    def _phase(self, name: str, call: "Any", n_inputs: int = -1) -> "Any":
        """One phase of the log; raises ``Stop`` where the call fails."""
        try:
            return self._meter.measured(name, call, n_inputs)
        except Stop:
            raise
        except SystemExit as error:
            raise Stop("exited", place_of(error.__traceback__), "SystemExit: %s" % (error,)) from None
        except BaseException as error:  # noqa: BLE001 - whatever a loader ends with is told
            place = place_of(error.__traceback__)
            is_call = isinstance(error, TypeError) and not place
            kind = "arguments" if is_call else "raised"
            raise Stop(kind, place, "%s: %s" % (type(error).__name__, error)) from None

    def _forked(self, model: "Any") -> None:
        """The model, loaded and run, in a process and its fork."""
        alone = self._together(os.getpid())
        self._both(lambda: model, lambda: model, alone)

    def _apart(self) -> None:
        """Two processes of which each loads for itself, the second after the first: what that adds is the second's."""
        self._both(self._prepared, self._prepared, None)

    def _both(self, first: "Any", second: "Any", alone: "int | None") -> None:
        """Two processes that both have the model and have run it, looked at while both live.

        ``alone`` is what there was before; without it that is looked up when only the first has the model.
        """
        ready, to_parent = os.pipe()
        turn, to_child = os.pipe()
        child = os.fork()
        if child == 0:
            self._child(second, (turn, to_parent), (ready, to_child))
        os.close(to_parent)
        os.close(turn)
        model = first()
        if alone is None:
            alone = self._together(os.getpid(), child)
        os.write(to_child, b"1")
        is_ready = os.read(ready, 1) == b"1"
        self._inferred(AGAIN, model)
        if is_ready:
            for role, pid in ((PARENT, os.getpid()), (CHILD, child)):
                self._log.write("process", role, *self._meter.shared(pid), alone)
        os.close(to_child)
        os.waitpid(child, 0)

    def _child(self, prepared: "Any", ours: "tuple[int, int]", others: "tuple[int, int]") -> None:
        turn, to_parent = ours
        for fd in others:
            os.close(fd)
        self._log = self._meter = Quiet()
        try:
            if os.read(turn, 1) == b"1":
                model = prepared()
                if self._run is not None:
                    self._run(model)
                os.write(to_parent, b"1")
                os.read(turn, 1)
        finally:
            os._exit(0)

    def _together(self, *pids: int) -> int:
        """What these processes take, each page counted once; -1 where the kernel does not say."""
        shares = [self._meter.shared(pid)[1] for pid in pids]
        return -1 if -1 in shares else sum(shares)


class Quiet:
    """Measures and notes nothing: the parent does."""

    phase = ""

    def measured(self, name: str, call: "Any", n_inputs: int = -1) -> "Any":
        """What the call gives."""
        return call()

    def write(self, kind: str, *fields: "int | str") -> None:
        """Nothing."""

    def write_output(self, output: "Any") -> None:
        """Nothing."""


def place_of(trace: "TracebackType | None") -> str:
    """Which line raised, innermost?  Empty where none but ours did."""
    place = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((_PROBES, "<frozen ")):
            place = "%s:%d" % (file, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _found(target: str) -> "Any":
    """The callable of that name; raises ``Stop``."""
    module, _, path = target.partition(":")
    try:
        __import__(module)
        found: Any = sys.modules[module]
    except BaseException as error:  # noqa: BLE001 - whatever an import ends with is told
        text = "%s: %s: %s" % (target, type(error).__name__, error)
        raise Stop("import", place_of(error.__traceback__), text) from None
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise Stop("missing", "", "%s: %s" % (target, error)) from None
    if not callable(found):
        raise Stop("uncallable", "", "%s: %s" % (target, type(found).__name__))
    return found


def _takes_two(function: "Any") -> bool:
    """Can it be called with a model and a number of inputs?"""
    import inspect

    try:
        inspect.signature(function).bind(None, 1)
    except (TypeError, ValueError):
        return False
    return True


def _let_go(models: "list[Any]") -> None:
    del models[-1]
    gc.collect()


def _trim() -> "Any":
    """What gives the C library's free memory back to the kernel; null where there is no such call."""
    try:
        import ctypes

        return ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, AttributeError):
        return None


def _beside(name: str) -> "ModuleType":
    """A module beside this one that the program does not see."""
    path = os.path.join(_PROBES, name + ".py")
    full = "diagtools.probes." + name
    code = sys.modules["_frozen_importlib_external"].SourceFileLoader(full, path).get_code(full)
    module = type(sys)(full)
    module.__file__ = path
    exec(code, vars(module))
    return module


def main(words: "list[str]") -> None:
    """Does what the command line asks for; what goes wrong is written."""
    mode, loader, infer, folder, batches, timeout_s = words
    if sys.path and sys.path[0] == _PROBES:
        del sys.path[0]
    sys.path.insert(0, os.getcwd())  # as `python -m` has it
    if folder != "-" and folder not in sys.path:
        sys.path.insert(1, folder)
    sys.argv[:] = [loader]
    readings = _beside("model_readings")
    log = readings.Log(os.environ["DIAGTOOLS_RUN"])
    log.write("start", log.now_ns(), os.getpid(), sys.version.split()[0], mode, loader, infer)
    _end_after(float(timeout_s))
    meter = readings.Meter(log)
    try:
        Study(log, meter, loader, infer, [int(n) for n in batches.split(",") if n]).run(mode)
        log.write("end", meter.n_phases)
    except Stop as stop:
        log.write("failed", meter.phase, *stop.args)


def _end_after(timeout_s: float) -> None:
    """Where it hangs is said on stderr as the process is ended."""
    import faulthandler

    faulthandler.dump_traceback_later(timeout_s, exit=True)


if __name__ == "__main__":
    main(sys.argv[1:])
