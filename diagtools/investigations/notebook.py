"""Finds an investigation's notebook, executes it with parameters, and makes one page of it."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diagtools.errors import (
    BudgetBreached,
    DamagedError,
    DiagtoolsError,
    NoDataError,
    NotARunError,
    RecorderError,
    UnavailableError,
    UsageError,
)
from diagtools.investigations import places
from diagtools.investigations.progress import VARIABLE

_LONGEST_SOCKET_FOLDER = 80  # a socket's path has at most 103 bytes on some systems, and its name takes 14
_CRITICAL = "--log-level=50"
_OURS = (BudgetBreached, DamagedError, NoDataError, NotARunError, RecorderError, UnavailableError, UsageError)


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
    full = _fitting(source, {**template.metadata.get("diagtools", {}).get("full", {}), **parameters})
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
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        with _kernel_config() as config:
            papermill.execute_notebook(
                str(source),
                str(executed),
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                cwd=".",
                config=config,
            )
    except PapermillExecutionError as failure:
        return _as_ours(failure.ename, failure.evalue)
    except DeadKernelError:
        return RecorderError(
            "The kernel that ran the notebook was ended from outside, most likely for want of memory.",
            hint="free some, or lift the limit under which this runs; what was shown before is kept.",
        )
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


@contextlib.contextmanager
def _kernel_config() -> Iterator[Any]:
    """How is the kernel started?  With sockets in a folder of its own, where they fit, and a quiet log.

    TCP ports can be reached by anybody on the machine, and the kernel warns of that.  When it is shut down it is
    interrupted first, and logs an error where that comes while it still tidies up after the last reply.  What goes
    wrong in a cell does not go through this log.
    """
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="diagtools-", ignore_cleanup_errors=True) as folder:
        config = {"NotebookClient": {"extra_arguments": [_CRITICAL]}}
        if os.name == "posix" and len(os.fsencode(folder)) < _LONGEST_SOCKET_FOLDER:
            sockets = {"transport": "ipc", "connection_file": str(Path(folder) / "kernel.json")}
            yield Config({**config, "KernelManager": sockets})
        else:
            yield Config(config)


def _fitting(notebook: Path, parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters, each of the kind that its default has in the notebook.

    A number is text where the default is text: ``limit=2`` is then a size without a unit.  Raises ``UsageError``
    for a parameter that the notebook does not have, and for one that is no number where the default is one.
    """
    import papermill

    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise UsageError(
            f"The notebook '{notebook.name}' has no parameter {unknown[0]!r}.",
            hint=f"it has: {', '.join(known)}.",
        )
    return {name: _like(known[name]["default"], name, value) for name, value in parameters.items()}


def _like(default: str, name: str, value: object) -> object:
    """This value of a parameter, of the kind of its default, which is Python source."""
    try:
        kind = type(ast.literal_eval(default))
    except (ValueError, SyntaxError):  # computed: any value will do
        return value
    if kind is str and value is not None and not isinstance(value, str):
        return json.dumps(value)
    if kind in (int, float) and type(value) not in (int, float):
        raise UsageError(f"{name}={value!r} is not a number.", hint=f"for instance -p {name}={default}")
    return value


def _as_ours(kind: str, message: str) -> DiagtoolsError:
    text, _, hint = re.sub(r"\x1b\[[0-9;]*m", "", message).partition(" Hint: ")
    known: dict[str, type[DiagtoolsError]] = {error.__name__: error for error in _OURS}
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
