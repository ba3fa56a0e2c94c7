"""``%%record``: runs a cell in a fresh process and records it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.error import UsageError as ShownInOneLine

from diagtools.capture.folder import store
from diagtools.errors import DiagtoolsError, UsageError
from diagtools.investigations.record import record
from diagtools.notebook import cell_source
from diagtools.notebook.cell_arguments import CellArguments, parse
from diagtools.notebook.output import Shown
from diagtools.run import Run
from diagtools.values import Target

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(ipython: InteractiveShell) -> None:
    """Gives this shell the magic ``%%record``."""
    ipython.magics_manager.register_function(RecordMagic(ipython).record, "cell", "record")


class RecordMagic:
    """The magic of one shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

    def record(self, line: str, cell: str) -> Run:
        """Runs this cell in a fresh process, records its memory, and binds the Run to NAME.

        %%record NAME [--memray [--native] | --tracemalloc] [--limit SIZE] [--hz N] [--python PY] [-p VAR]… [-o RUN]
        [--echo | --quiet]

        The cell knows nothing of this notebook: it imports what it uses.  ``-p VAR`` passes a variable (None, bool,
        int, float, str, path, lists and dicts of them).  It may ``await``, and start processes that find what it
        defines.  Tracebacks call it "cell NAME".  ``--limit 400MB`` ends it when it takes more; ``--quiet`` shows
        only what it prints on stderr, if it fails.  The stop button ends it and keeps the run.
        """
        __tracebackhide__ = True  # after an interrupt
        try:
            arguments = parse(line)
            text = cell_source.plain_python(cell, self._shell.input_transformer_manager.transform_cell)
            script = cell_source.script(arguments.name, text, self._given(arguments))
            return self._recorded(arguments, script)
        except DiagtoolsError as error:
            raise ShownInOneLine(str(error)) from None

    def _given(self, arguments: CellArguments) -> dict[str, object]:
        known = self._shell.user_ns
        for name in arguments.passed:
            if name not in known:
                raise UsageError(
                    f"-p {name}: there is no such variable.", hint="run the cell that sets it first."
                )
        return {name: known[name] for name in arguments.passed}

    def _recorded(self, arguments: CellArguments, script: str) -> Run:
        __tracebackhide__ = True
        folder = (arguments.folder or _new_folder(arguments.name)).absolute()
        _check_free(folder)
        is_shown = not arguments.is_quiet
        with _written(arguments.name, script) as path:
            try:
                with Shown(folder, stdout=is_shown, stderr=is_shown):
                    run = record(_target(arguments, path), folder=folder, hz=arguments.hz)
            except KeyboardInterrupt:
                self._keep_interrupted(arguments.name, folder)
                raise KeyboardInterrupt from None  # the cells below are not run; where it struck is of no interest
        self._shell.user_ns[arguments.name] = run
        _say_failure(run, is_shown=is_shown)
        return run

    def _keep_interrupted(self, name: str, folder: Path) -> None:
        with contextlib.suppress(DiagtoolsError):
            run = self._shell.user_ns[name] = Run.open(folder)
            print(f"Interrupted; {name} is the run until then. {run}", file=sys.stderr)


def _target(arguments: CellArguments, path: Path) -> Target:
    return Target(
        argv=cell_source.command(arguments.python, path),
        limit=arguments.limit,
        env=_environment(),
        tracking=arguments.tracking,
    )


def _environment() -> dict[str, str]:
    """A kernel's backend draws into its notebook, and need not be installed where the cell runs."""
    backend = os.environ.get("MPLBACKEND", "")
    return {"MPLBACKEND": "agg"} if backend.startswith("module://") else {}


def _new_folder(name: str) -> Path:
    return store() / f"{time.strftime('%Y%m%d-%H%M%S')}-cell-{name}-{os.urandom(2).hex()}"


def _check_free(folder: Path) -> None:
    """Before anything is shown: what lies in another run's logs is not this cell's."""
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"'{folder}' exists already; a recording never overwrites anything.",
            hint="name another folder with -o.",
        )


@contextlib.contextmanager
def _written(name: str, script: str) -> Iterator[Path]:
    """The script as a file that only its owner reads, as long as the cell runs."""
    with tempfile.TemporaryDirectory(prefix="diagtools-cell-", ignore_cleanup_errors=True) as folder:
        path = Path(folder).resolve() / f"cell_{name}.py"
        path.write_text(script, encoding="utf-8")
        yield path


def _say_failure(run: Run, *, is_shown: bool) -> None:
    if run.exit_status == 0:
        return
    if not is_shown:
        with Shown(run.path, stdout=False):
            pass
    status = "unknown" if run.exit_status is None else run.exit_status
    why = f": {run.death.evidence[0]}" if run.death is not None and run.death.evidence else ""
    print(f"The cell did not end well (exit status {status}){why}.", file=sys.stderr)
