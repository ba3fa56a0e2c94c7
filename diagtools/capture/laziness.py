"""Runs statements in fresh interpreters, or a command, in turn plainly and with chosen import statements lazy."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.capture import folder as run_folder
from diagtools.capture.bootstrap import Call, call, interpreter_argv
from diagtools.capture.child import check_python, run_child
from diagtools.capture.failures import start_failure
from diagtools.capture.imports import capture_command_imports, capture_imports
from diagtools.capture.installed import blocked
from diagtools.errors import RecorderError, UsageError
from diagtools.probes import boot, patches
from diagtools.probes import laziness as probe
from diagtools.values import Target

_PROBE = Path(probe.__file__)
#: The helper executes the probe from its source, and compiles it for the children.
_HELPER = (
    "import sys; names = {'__name__': 'diagtools.probes.laziness'}; path = sys.argv[1]; "
    "exec(compile(open(path, 'rb').read(), path, 'exec'), names); names['main'](sys.argv[2:])"
)
_PATIENCE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """An import statement to make lazy: the file, as the interpreter names it, and a line of the statement."""

    file: str
    line: int


def capture_lazily(
    program: Sequence[str] | Target,
    cuts: Sequence[Cut],
    folder: Path,
    *,
    python: str = sys.executable,
    pairs: int = 3,
    even_in_try: bool = False,
    timeout_s: float = 300.0,
) -> Path:
    """Executes statements in fresh interpreters, or a command, in turn plainly and with the cuts lazy; the folder.

    It holds ``places.json`` (which cuts were refused, and why: ``read.laziness.read_places``) and one sub-folder a
    child, ``plain-N`` and ``lazy-N``; without a cut that is allowed no child is run.  One more child before them is
    not kept: it may have to write ``__pycache__``.  A cut is lazy in every process of a command that ``python``
    executes, or one of the same version.  In a ``try`` PEP 810 allows no lazy import; ``even_in_try`` measures it there
    too, as an import within the functions that use it, which is what could be done by hand.
    Raises ``UsageError`` where ``python`` cannot be measured, the folder holds something, or the program does not end,
    and ``StartError`` where a command cannot be started.
    """
    if pairs < 1:
        raise UsageError(f"pairs={pairs} measures nothing.", hint="pairs=3 shows the spread too.")
    check_python(python)
    refused = compile_cuts(cuts, _made(folder), python, even_in_try=even_in_try)
    if len(refused) < len(cuts):
        _pairs(program, folder, python, pairs, timeout_s)
    return folder.resolve()


def capture_without(
    program: Sequence[str] | Target,
    packages: Sequence[str],
    folder: Path,
    *,
    python: str = sys.executable,
    pairs: int = 3,
    timeout_s: float = 300.0,
) -> Path:
    """Executes statements or a command, in turn as they are and where packages are not installed; the folder.

    It is like that of ``capture_lazily``, and so are the errors: nothing is lazy in it, and the packages are not to be
    found in the children ``lazy-N``.
    """
    if pairs < 1:
        raise UsageError(f"pairs={pairs} measures nothing.", hint="pairs=3 shows the spread too.")
    check_python(python)
    compile_cuts((), _made(folder), python, even_in_try=False)
    _pairs(program, folder, python, pairs, timeout_s, blocked(packages, python))
    return folder.resolve()


def _pairs(
    program: Sequence[str] | Target,
    folder: Path,
    python: str,
    pairs: int,
    timeout_s: float,
    without: str = "",
) -> None:
    if not _child(program, folder / "warm-up", probe.EAGER, python, timeout_s):
        raise UsageError(f"It did not end within {timeout_s:g} s.", hint="pass a larger timeout_s.")
    shutil.rmtree(folder / "warm-up")
    for number in range(1, pairs + 1):
        _child(program, folder / f"plain-{number}", probe.EAGER, python, timeout_s)
        _child(program, folder / f"lazy-{number}", probe.LAZY, python, timeout_s, without)


def _made(folder: Path) -> Path:
    """An empty folder of one's own."""
    run_folder.new_run_folder((), folder)
    (folder / "run.json").unlink()  # it is no run itself: each child is
    return folder


def compile_cuts(cuts: Sequence[Cut], folder: Path, python: str, *, even_in_try: bool) -> list[str]:
    """The interpreter that is measured compiles the files: each has a bytecode of its own.

    They lie in the folder, with ``places.json`` beside them.  Why which of the cuts were refused, a sentence each.
    """
    files: dict[str, list[int]] = {}
    for cut in cuts:
        lines = files.setdefault(os.path.abspath(cut.file), [])  # noqa: PTH100 - a link is kept as it is
        lines += [cut.line] if cut.line not in lines else []
    try:
        answer = subprocess.run(
            [python, "-c", _HELPER, str(_PROBE), "compile", str(folder)],
            input=json.dumps({"probe": str(_PROBE), "files": files, "even_in_try": even_in_try}),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        failure = answer.stderr.strip().splitlines()[-1:] if answer.returncode else []
    except subprocess.TimeoutExpired:
        failure = [f"it took longer than {_PATIENCE_S} s"]
    if failure or not (folder / probe.PLACES).exists():
        raise RecorderError(
            f"'{python}' could not compile the chosen files: {''.join(failure) or 'no answer'}."
        )
    places = json.loads((folder / probe.PLACES).read_text("ascii"))
    return [f"{place['file']}:{place['line']}: {place['refused']}" for place in places if place["refused"]]


def _child(
    program: Sequence[str] | Target,
    folder: Path,
    compiled: str,
    python: str,
    timeout_s: float,
    without: str = "",
) -> bool:
    """One run; did it end?  Where it takes too long it is ended, and its log has no end."""
    folder.mkdir(mode=0o700)
    place = folder.resolve()
    if isinstance(program, Target):
        existing = {**os.environ, **program.env}
        env = {**existing, **boot.imports_environment(existing, str(place), lazy=compiled, without=without)}
        try:
            ended = run_child(program.argv, place, timeout_s=timeout_s, cwd=program.cwd, env=env)
        except OSError as error:
            raise start_failure(program, "exec", error.errno or 0) from error
    else:
        calls = [call(patches, place, python, "block", without)] if without else []
        calls += [Call(probe=place.parent / probe.PROBE, name=probe.__name__, function="main")]
        code = str(place.parent / compiled)
        argv = interpreter_argv(python, calls, ["measure", str(place), code, *program])
        ended = run_child(argv, place, timeout_s=timeout_s)
    (place / probe.OUTCOME).write_text(json.dumps(dataclasses.asdict(ended)), encoding="ascii")
    return ended.status is not None


def capture_lazy_imports(
    program: Sequence[str] | Target, folder: Path, *, python: str = sys.executable, timeout_s: float = 300.0
) -> Path:
    """One more lazy run, of which every import is recorded, into a folder of ``capture_lazily``; its run folder."""
    place = folder / probe.TRACED
    if isinstance(program, Target):
        return capture_command_imports(program, place, graph=True, lazy=probe.LAZY, timeout_s=timeout_s)
    return capture_imports(program, place, python=python, graph=True, lazy=probe.LAZY, timeout_s=timeout_s)
