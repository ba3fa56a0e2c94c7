"""Finds an investigation's notebook, executes it with parameters, and makes one page of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diagtools.errors import BudgetBreached, DiagtoolsError, UnavailableError, UsageError
from diagtools.investigations import places
from diagtools.investigations.progress import VARIABLE

_LONGEST_SOCKET_FOLDER = 40  # a socket's path has at most 107 bytes, and the kernel's name takes 60 of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """One executed notebook: where it and its page are, what its case says, and the error that stopped it."""

    notebook: Path
    page: Path
    case: Mapping[str, Any]
    error: DiagtoolsError | None


def names() -> dict[str, Path]:
    """Which investigations are there?  Name (``indexing-oom``) to notebook (``02-indexing-oom.ipynb``)."""
    found = sorted(places.notebooks().glob("[0-9][0-9]-*.ipynb"))
    return {path.stem[3:]: path for path in found}


def find(name: str) -> Path:
    """Which notebook is the investigation of this name?  Raises ``UsageError``."""
    known = names()
    if name not in known:
        raise UsageError(f"There is no investigation {name!r}.", hint=f"choose one of: {', '.join(known)}.")
    return known[name]


def execute(
    name: str, parameters: Mapping[str, object], folder: Path, *, tell: Callable[[str], None]
) -> Executed:
    """Runs the notebook of this investigation into ``folder``; ``tell`` gets each line of progress.

    The notebook's own metadata say which parameters a full run has beside its quick defaults; ``parameters``
    override both.  What was executed is kept also where a cell failed, its outputs and metadata redacted.  Raises
    ``UsageError`` for parameters that the notebook does not have, and for those that it refused before it showed
    anything; nothing is left then.
    """
    import nbformat

    from diagtools.present.exporter import export_notebook

    source = find(name)
    template = nbformat.read(source, as_version=4)
    full = {**template.metadata.get("diagtools", {}).get("full", {}), **parameters}
    _check_parameters(source, full)
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    executed = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}.ipynb"
    with _progress(tell):
        try:
            error = _run(source, executed, full)
        finally:
            _make_shareable(executed)
    made = nbformat.read(executed, as_version=4)
    if isinstance(error, UsageError) and not _has_shown_anything(made):
        executed.unlink()
        if is_new:
            folder.rmdir()
        raise error
    return Executed(notebook=executed, page=export_notebook(executed), case=_case(made), error=error)


def _run(source: Path, executed: Path, parameters: Mapping[str, object]) -> DiagtoolsError | None:
    """Executes the notebook; the error that stopped it, if one did."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            str(source),
            str(executed),
            parameters=dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            cwd=".",
            config=_kernel_config(),
        )
    except PapermillExecutionError as failure:
        return _as_ours(failure.ename, failure.evalue)
    return None


def _make_shareable(executed: Path) -> None:
    """Redacts what the execution wrote into the notebook.  Its source stays: it is there to be run again."""
    import nbformat

    from diagtools.present.shareable import shareable

    if executed.exists():  # not where the first cell was never reached
        nbformat.write(shareable(nbformat.read(executed, as_version=4), working_folder=Path.cwd()), executed)


def _has_shown_anything(notebook: Any) -> bool:
    """Is there an output that is not the error which stopped the execution, nor what papermill says of it?"""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return any(output.output_type != "error" for output in outputs)


def parse_parameters(pairs: list[str]) -> dict[str, object]:
    """Which parameters do ``key=value`` words mean?  Values are JSON where they parse, else text."""
    parameters: dict[str, object] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key.isidentifier():
            raise UsageError(f"{pair!r} is not a parameter.", hint="write -p limit=2GiB")
        try:
            parameters[key] = json.loads(text)
        except json.JSONDecodeError:
            parameters[key] = text
    return parameters


def _kernel_config() -> Any:
    """Sockets of the file system instead of TCP ports that anybody on the machine can reach, where they fit."""
    from jupyter_core.paths import jupyter_runtime_dir
    from traitlets.config import Config

    is_short = sys.platform == "linux" and len(jupyter_runtime_dir()) < _LONGEST_SOCKET_FOLDER
    return Config({"KernelManager": {"transport": "ipc"}} if is_short else {})


def _check_parameters(notebook: Path, parameters: Mapping[str, object]) -> None:
    import papermill

    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise UsageError(
            f"The notebook '{notebook.name}' has no parameter {unknown[0]!r}.",
            hint=f"it has: {', '.join(known)}.",
        )


def _as_ours(kind: str, message: str) -> DiagtoolsError:
    text, _, hint = re.sub(r"\x1b\[[0-9;]*m", "", message).partition(" Hint: ")
    known = {error.__name__: error for error in (BudgetBreached, UsageError, UnavailableError)}
    if kind in known:
        return known[kind](text, hint=hint or None)
    return DiagtoolsError(
        f"A cell of the notebook failed with {kind}: {text}", hint=hint or "open the notebook."
    )


def _case(notebook: Any) -> Mapping[str, Any]:
    from diagtools.present.shown import CASE_KEY

    for cell in reversed(notebook.cells):
        for output in cell.get("outputs", []):
            found: Mapping[str, Any] = output.get("metadata", {}).get(CASE_KEY, {})
            if found:
                return found
    return {}


@contextlib.contextmanager
def _progress(tell: Callable[[str], None]) -> Iterator[None]:
    """Passes each line that the notebook's process writes to the progress file on to ``tell``."""
    with tempfile.TemporaryDirectory(prefix="diagtools-") as place:
        path = Path(place) / "progress"
        path.touch()
        old = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = str(path)
        over = threading.Event()
        reader = threading.Thread(target=_follow, args=(path, over, tell), daemon=True)
        reader.start()
        try:
            yield
        finally:
            over.set()
            reader.join()
            if old is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = old


def _follow(path: Path, over: threading.Event, tell: Callable[[str], None]) -> None:
    with path.open(encoding="utf-8") as file:
        while True:
            last_look = over.wait(0.1)
            for line in file:
                tell(line.rstrip("\n"))
            if last_look:
                return
