"""One process that loads a model, recorded; and what is said where it could not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import DiagtoolsError, NoDataError, UnavailableError, UsageError
from diagtools.frames.models import ModelFailure, ModelLog
from diagtools.investigations.loaders import OPTIONAL_PACKAGES, Way
from diagtools.investigations.record import record
from diagtools.probes import models as probe
from diagtools.read.models import read_models
from diagtools.redact import redact_text
from diagtools.run import Run
from diagtools.values import Snapshots, Target

_MODEL_ERROR = "ModelError: "
_HINT_MARK = " Hint: "
_WRAP = "wrap it in a function without arguments that returns the model."
_INFER = (
    "a function of the model, and of a number of inputs if batches are to be measured: def infer(model, n=1)."
)
_NOT_FOUND = ("import", "missing", "uncallable")


class NotInstalled(Exception):
    """An optional way cannot be measured here, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The run of one process, and what it wrote."""

    run: Run
    log: ModelLog


def load_once(
    way: Way,
    mode: str,
    *,
    folder: Path,
    batches: Sequence[int] = (),
    timeout_s: float = 60.0,
    snapshots: Snapshots | None = None,
) -> Loaded:
    """Loads the model in a fresh process, for one of ``probes.models.MODES``.

    Raises ``NotInstalled`` where an optional way's packages are not there, ``UsageError`` for a loader that cannot be
    called so, ``UnavailableError`` where the program's own model is missing.
    """
    words = (
        mode,
        way.loader,
        way.infer or "-",
        way.search_path or "-",
        ",".join(map(str, batches)),
        f"{timeout_s:g}",
    )
    env = {"PYTHONPATH": os.pathsep.join(filter(None, (way.search_path, os.environ.get("PYTHONPATH"))))}
    target = Target(
        argv=(way.python, str(Path(probe.__file__).resolve()), *words),
        env=env if way.search_path else {},
        snapshots=snapshots,
    )
    run = record(target, folder=folder)
    return Loaded(run=run, log=_came_through(run, way, timeout_s))


def _came_through(run: Run, way: Way, timeout_s: float) -> ModelLog:
    try:
        log = read_models(run.path)
    except NoDataError as error:
        said = " ".join(run.last_log_lines(1))
        raise NoDataError(
            f"{way.name} ended with {run.exit_status} before it loaded anything. {said}".strip(),
            hint=f"diagtools show {run.path}",
        ) from error
    if log.failure is not None:
        raise _error(way, log.failure)
    if log.is_ended:
        return log
    last = log.phases["phase"][-1] if log.phases.height else "its first import"
    if (run.duration_s or 0.0) >= timeout_s:
        raise UsageError(
            f"{way.loader} did not come to its end within {timeout_s:g} s; it had last finished: {last}.",
            hint="-p timeout_s=600 gives it more time.",
        )
    raise UsageError(
        f"{way.loader} ended the process with exit status {run.exit_status}; it had last finished: {last}.",
        hint=f"diagtools show {run.path}",
    )


def _error(way: Way, failure: ModelFailure) -> DiagtoolsError | NotInstalled:
    text = redact_text(failure.text)
    at = f" (at {redact_text(failure.place)})" if failure.place else ""
    if failure.kind in _NOT_FOUND:
        return _not_found(way, failure.kind, *text.partition(": ")[::2], at)
    if text.startswith(_MODEL_ERROR) and way.search_path:
        fact, _, hint = text.removeprefix(_MODEL_ERROR).partition(_HINT_MARK)
        return UnavailableError(fact, hint=hint or None)
    if failure.kind == "inputs":
        return UsageError(f"{text} does not take a number of inputs.", hint=_INFER)
    is_load = failure.phase in (probe.LOAD, probe.SECOND_LOAD)
    who = way.loader if is_load else way.infer
    if failure.kind == "arguments":
        return UsageError(f"{who} could not be called: {text}.", hint=_WRAP if is_load else _INFER)
    verb = "ended the program" if failure.kind == "exited" else "raised"
    module, _, path = who.partition(":")
    call = f"import {module} as m; m.{path}({'' if is_load else 'model'})"
    return UsageError(
        f"{who} {verb} in the phase '{failure.phase}': {text}{at}.", hint=f"try it alone: python -c '{call}'"
    )


def _not_found(way: Way, kind: str, name: str, why: str, at: str) -> DiagtoolsError | NotInstalled:
    if kind == "missing":
        return UsageError(f"{name} cannot be found: {why}.", hint="see how the callable is written.")
    if kind == "uncallable":
        return UsageError(f"{name} is of type {why}, which cannot be called.", hint=_WRAP)
    if way.is_optional and any(f"No module named '{package}" in why for package in OPTIONAL_PACKAGES):
        return NotInstalled(f"not installed here: {why.partition(': ')[2]}")
    return UsageError(
        f"Module {name.partition(':')[0]!r} cannot be imported: {why}{at}.",
        hint="run it where `python -m` would find the module, or with -p python=… of its environment.",
    )
