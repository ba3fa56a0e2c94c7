"""Runs statements in fresh interpreters, in turn as they are and with chosen import statements lazy."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.capture import folder as run_folder
from diagtools.capture.imports import check_python
from diagtools.errors import RecorderError, UsageError
from diagtools.probes import laziness as probe

_PROBE = Path(probe.__file__)
#: The helper executes the probe from its source, and compiles it for the children.
_HELPER = (
    "import sys; names = {'__name__': 'diagtools.probes.laziness'}; path = sys.argv[1]; "
    "exec(compile(open(path, 'rb').read(), path, 'exec'), names); names['main'](sys.argv[2:])"
)
_CHILD = (
    "import sys; names = {'__name__': 'diagtools.probes.laziness'}; file = open(sys.argv.pop(1), 'rb'); "
    "exec(sys.modules['marshal'].load(file), names); file.close(); names['main'](sys.argv[1:])"
)
_PATIENCE_S = 60
_KEPT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """An import statement to make lazy: the file, as the interpreter names it, and a line of the statement."""

    file: str
    line: int


def capture_lazily(
    statements: Sequence[str],
    cuts: Sequence[Cut],
    folder: Path,
    *,
    python: str = sys.executable,
    pairs: int = 3,
    even_in_try: bool = False,
    timeout_s: float = 300.0,
) -> Path:
    """Executes the statements in fresh interpreters, in turn plainly and with the cuts lazy; the folder.

    It holds ``places.json`` (which cuts were refused, and why: ``read.laziness.read_places``) and one sub-folder a
    child, ``plain-N`` and ``lazy-N``; without a cut that is allowed no child is run.  One more child before them is
    not kept: it may have to write ``__pycache__``.  In a ``try`` PEP 810 allows no lazy import; ``even_in_try``
    measures it there too, as an import within the functions that use it, which is what could be done by hand.
    Raises ``UsageError`` where ``python`` cannot be measured, the folder holds something, or the statements do not end.
    """
    if pairs < 1:
        raise UsageError(f"pairs={pairs} measures nothing.", hint="pairs=3 shows the spread too.")
    check_python(python)
    _compile(cuts, _made(folder), python, even_in_try=even_in_try)
    places = json.loads((folder / probe.PLACES).read_text("ascii"))
    if any(not place["refused"] for place in places):
        has_ended = _child(statements, folder / "warm-up", probe.EAGER, python, timeout_s)
        shutil.rmtree(folder / "warm-up")
        if not has_ended:
            raise UsageError(
                f"The statements did not end within {timeout_s:g} s.", hint="pass a larger timeout_s."
            )
        for number in range(1, pairs + 1):
            _child(statements, folder / f"plain-{number}", probe.EAGER, python, timeout_s)
            _child(statements, folder / f"lazy-{number}", probe.LAZY, python, timeout_s)
    return folder.resolve()


def _made(folder: Path) -> Path:
    """An empty folder of one's own."""
    run_folder.new_run_folder((), folder)
    (folder / "run.json").unlink()  # it is no run itself: each child is
    return folder


def _compile(cuts: Sequence[Cut], folder: Path, python: str, *, even_in_try: bool) -> None:
    """The interpreter that is measured compiles the files: each has a bytecode of its own."""
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


def _child(statements: Sequence[str], folder: Path, compiled: str, python: str, timeout_s: float) -> bool:
    """One process; did it end?  Where it takes too long it is ended, and its log has no end."""
    folder.mkdir(mode=0o700)
    place = folder.resolve()
    code = str(place.parent / compiled)
    argv = [python, "-c", _CHILD, str(place.parent / probe.PROBE), "measure", str(place), code, *statements]
    with (folder / "stdout.log").open("ab") as stdout, (folder / "stderr.log").open("ab") as stderr:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
        )
        try:
            return _ends(process, folder, time.monotonic() + timeout_s)
        finally:  # whatever of its process group is left
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ends(process: subprocess.Popen[bytes], folder: Path, end_s: float) -> bool:
    """Does it end before that?  What it prints is not what is measured, and does not fill the disk."""
    while process.poll() is None:
        if time.monotonic() > end_s:
            return False
        for name in ("stdout.log", "stderr.log"):
            if (folder / name).stat().st_size > _KEPT_BYTES:
                os.truncate(folder / name, 0)
        time.sleep(0.01)
    return True
