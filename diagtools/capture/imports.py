"""Runs statements in a fresh interpreter, or a command, while every import is recorded."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from diagtools.capture import folder as run_folder
from diagtools.capture import manifest as manifests
from diagtools.capture.bootstrap import call, interpreter_argv, remove_probes
from diagtools.capture.child import check_python, run_child
from diagtools.capture.failures import start_failure
from diagtools.probes import boot, imports, laziness
from diagtools.values import State, Target, Validity

#: What a run is doubted for that printed more than is kept.
OUTPUT = "output"


def capture_imports(
    statements: Sequence[str],
    folder: Path | None = None,
    *,
    python: str = sys.executable,
    graph: bool = False,
    lazy: str = "",
    timeout_s: float = 300.0,
) -> Path:
    """Executes the statements one after the other in one fresh interpreter; the run folder.

    ``graph`` records every import statement too, which costs time: costs are to be taken from a run without it.
    ``lazy`` names a file of ``capture.laziness`` beside the run folder: the statements chosen there are lazy.
    An import that fails is a result; so is one that takes longer than ``timeout_s``: it is ended, and the run says so.
    Raises ``StartError`` where ``python`` cannot be started and ``UsageError`` where it is no CPython from 3.9 on.
    """
    check_python(python)
    target = Target(argv=(python, "-c", "; ".join(statements)))
    path = run_folder.new_run_folder(("imports", *statements), folder)
    mode = "graph" if graph else ""
    argv = interpreter_command(statements, path, python=python, mode=mode, lazy=lazy)
    return _run(path, target, argv, timeout_s, was_there=folder is not None)


def capture_command_imports(
    target: Target,
    folder: Path | None = None,
    *,
    graph: bool = False,
    lazy: str = "",
    timeout_s: float = 3600.0,
) -> Path:
    """Runs a command, in every Python process of which the imports are recorded; the run folder.

    ``lazy`` is as in ``capture_imports``.  Raises ``StartError`` where the command cannot be started.
    """
    path = run_folder.new_run_folder(target.argv, folder)
    existing = {**os.environ, **target.env}
    mode = "graph" if graph else "costs"
    added = boot.imports_environment(existing, str(path), imports=mode, lazy=lazy)
    env = {**existing, **added}
    return _run(path, target, target.argv, timeout_s, was_there=folder is not None, env=env)


def interpreter_command(
    statements: Sequence[str],
    folder: Path,
    *,
    python: str = sys.executable,
    mode: str = "",
    lazy: str = "",
) -> list[str]:
    """Which command line executes these statements, recorded into this folder?  ``mode`` is ``graph``, or empty."""
    calls = [call(laziness, folder, python, "watch", f"{lazy}:{folder.resolve()}")] if lazy else []
    calls += [call(imports, folder, python, "main")]
    return interpreter_argv(python, calls, [str(folder), mode, *statements])


def _run(
    path: Path,
    target: Target,
    argv: Sequence[str],
    timeout_s: float,
    *,
    was_there: bool,
    env: Mapping[str, str] | None = None,
) -> Path:
    manifest = manifests.begun(path, target, pid=None, hz=0.0, backend="imports")
    manifests.write(manifest, path)
    began = time.monotonic()
    try:
        ended = run_child(argv, path, timeout_s=timeout_s, cwd=target.cwd, env=env)
    except OSError as error:
        run_folder.discard(path, keep_folder=was_there)
        raise start_failure(target, "exec", error.errno or 0) from error
    remove_probes(path)
    note = f"it was ended after {timeout_s:g} s"
    doubts = [] if ended.status is not None else [Validity(what="imports", state=State.TRUNCATED, note=note)]
    if ended.is_cut:
        doubts.append(Validity(what=OUTPUT, state=State.TRUNCATED, note="it printed more than is kept"))
    manifests.write(
        manifests.closed(
            manifest,
            path,
            exit_status=128 + 9 if ended.status is None else ended.status,
            duration_s=round(time.monotonic() - began, 3),
            validity=tuple(doubts),
        ),
        path,
    )
    return path
