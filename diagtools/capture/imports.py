"""Runs statements in a fresh interpreter, or a command, while every import is recorded."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from diagtools.capture import folder as run_folder
from diagtools.capture import manifest as manifests
from diagtools.capture.failures import start_failure
from diagtools.errors import UsageError
from diagtools.probes import boot, imports
from diagtools.values import State, Target, Validity

_PROBE = Path(imports.__file__)
#: Executed with ``-c``: the probe itself is no import, and the program's own folder stays first on the path.  It comes
#: compiled: what compiling takes and gives back an import would find, and seem to cost a MiB less.
_BOOTSTRAP = (
    "import sys, marshal; names = {'__name__': 'diagtools.probes.imports'}; "
    "exec(marshal.loads(open(sys.argv[1], 'rb').read()), names); names['main'](sys.argv[2:])"
)
_COMPILE = (
    "import sys, marshal; path = sys.argv[1]; "
    "sys.stdout.buffer.write(marshal.dumps(compile(open(path, 'rb').read(), path, 'exec')))"
)
_COMPILED = "probe.bin"  # in the run folder
_ASK = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
_OLDEST = (3, 9)
_KEPT_BYTES = 1 << 20
_PATIENCE_S = 20


def capture_imports(
    statements: Sequence[str],
    folder: Path | None = None,
    *,
    python: str = sys.executable,
    graph: bool = False,
    padding: int = 0,
    timeout_s: float = 300.0,
) -> Path:
    """Executes the statements one after the other in one fresh interpreter; the run folder.

    ``graph`` records every import statement too, which costs time: costs are to be taken from a run without it.
    ``padding`` moves the interpreter's stack a little (see ``probes.imports.measure``).  An import that fails is a
    result; so is one that takes longer than ``timeout_s``: it is ended, and the run says so.
    Raises ``StartError`` where ``python`` cannot be started and ``UsageError`` where it is no CPython from 3.9 on.
    """
    target = Target(argv=(python, "-c", "; ".join(statements)))
    path = run_folder.new_run_folder(("imports", *statements), folder)
    mode = "graph" if graph else ""
    argv = interpreter_command(statements, path, python=python, mode=mode, padding=padding)
    return _run(path, target, argv, timeout_s)


def capture_command_imports(
    target: Target, folder: Path | None = None, *, graph: bool = False, timeout_s: float = 3600.0
) -> Path:
    """Runs a command, in every Python process of which the imports are recorded; the run folder.

    Raises ``StartError`` where the command cannot be started.
    """
    path = run_folder.new_run_folder(target.argv, folder)
    existing = {**os.environ, **target.env}
    env = {**existing, **boot.imports_environment(existing, str(path), "graph" if graph else "costs")}
    return _run(path, target, target.argv, timeout_s, env)


def interpreter_command(
    statements: Sequence[str],
    folder: Path,
    *,
    python: str = sys.executable,
    mode: str = "",
    padding: int = 0,
) -> list[str]:
    """Which command line executes these statements, recorded into this folder?  ``mode`` is ``graph``, or empty."""
    compiled = folder / _COMPILED
    compiled.write_bytes(_compiled(python))
    return [python, "-c", _BOOTSTRAP, str(compiled), str(folder), str(padding), mode, *statements]


@functools.cache
def _compiled(python: str) -> bytes:
    """The probe as this interpreter compiles it; empty where it cannot, which its start will tell."""
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", _COMPILE, str(_PROBE)],
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout


def check_python(python: str) -> str:
    """Which version is this interpreter (``"3.11"``)?  Raises ``UsageError`` where it cannot be measured."""
    hint = "name a CPython from 3.9 on: --python /usr/bin/python3"
    try:
        answer = subprocess.run(
            [python, "-I", "-S", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"'{python}' cannot be started: {reason}.", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"'{python}' did not answer: it is no Python.", hint=hint) from error
    words = answer.stdout.split()
    if answer.returncode or len(words) != 3 or not (words[1] + words[2]).isdigit():
        raise UsageError(f"'{python}' is no Python.", hint=hint)
    version = int(words[1]), int(words[2])
    if words[0] != "cpython" or version < _OLDEST:
        raise UsageError(f"'{python}' is {words[0]} {words[1]}.{words[2]}.", hint=hint)
    return f"{words[1]}.{words[2]}"


def _run(
    path: Path, target: Target, argv: Sequence[str], timeout_s: float, env: Mapping[str, str] | None = None
) -> Path:
    manifest = manifests.begun(path, target, pid=None, hz=0.0, backend="imports")
    manifests.write(manifest, path)
    began = time.monotonic()
    validity: list[Validity] = []
    with (path / "stdout.log").open("ab") as stdout, (path / "stderr.log").open("ab") as stderr:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=target.cwd,
                env=env,
                start_new_session=True,
            )
        except OSError as error:
            run_folder.discard(path, keep_folder=False)
            raise start_failure(target, "exec", error.errno or 0) from error
        with _ended_with_us(process):
            end = began + timeout_s
            while process.poll() is None:
                if time.monotonic() > end:
                    note = f"it was ended after {timeout_s:g} s"
                    validity.append(Validity(what="imports", state=State.TRUNCATED, note=note))
                    break
                _bound(path)
                time.sleep(0.01)
    status = process.wait()
    (path / _COMPILED).unlink(missing_ok=True)
    manifests.write(
        manifests.closed(
            manifest,
            path,
            exit_status=status if status >= 0 else 128 - status,
            duration_s=round(time.monotonic() - began, 3),
            validity=tuple(validity),
        ),
        path,
    )
    return path


def _bound(path: Path) -> None:
    """A target that prints without end must not fill the disk: what it prints is not what is measured."""
    for name in ("stdout.log", "stderr.log"):
        if (path / name).stat().st_size > _KEPT_BYTES:
            os.truncate(path / name, 0)


@contextlib.contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever of its process group is left in the end is ended."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
