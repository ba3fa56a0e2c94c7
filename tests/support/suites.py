"""Test suites written by each test, run by a pytest of their own: a process, a folder, a time limit.

::

    suite = Suite(tmp_path, {"test_a.py": "def test_a(): pass"})
    done = suite.run("--diag")
    done.n("passed") == 1; done.run.test_session.tests
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

from diagtools.run import Run
from diagtools.values.suite import FILE_GLOB

MIB = 2**20
_TIME_LIMIT_S = 120
_OURS = ("DIAGTOOLS_", "PYTEST_", "COV_CORE_", "HYPOTHESIS")
_RUNS = "runs"
#: Plugins of this environment that import much, and no suite here needs.
LEAN = tuple(
    word for name in ("cacheprovider", "nbmake", "hypothesispytest") for word in ("-p", f"no:{name}")
)


def loaded() -> tuple[str, ...]:
    """What makes a pytest of this environment load the plugin: nothing where its entry point is installed."""
    is_installed = bool(entry_points(group="pytest11", name="diagtools"))
    return () if is_installed else ("-p", "diagtools.pytest_plugin")


@dataclass(frozen=True)
class Done:
    """One session that has ended: its exit status (below zero: a signal), all that it printed, and its folder."""

    status: int
    text: str
    folder: Path

    @property
    def run_folders(self) -> list[Path]:
        """The runs that it left, the oldest first."""
        found = (self.folder / _RUNS).glob("*/run.json")
        return sorted(
            (path.parent for path in found if not path.parent.is_symlink()), key=lambda path: path.name
        )

    @cached_property
    def run(self) -> Run:
        """The one run that it left."""
        (folder,) = self.run_folders
        return Run.open(folder)

    def n(self, outcome: str) -> int:
        """How many tests had this outcome, by its last line?"""
        counts = re.findall(rf"\b(\d+) {outcome}", self.text.rstrip().rpartition("\n")[2])
        return int(counts[0]) if counts else 0

    def lines(self, part: str) -> list[str]:
        """The lines with this in them."""
        return [line for line in self.text.splitlines() if part in line]


class Suite:
    """A folder of its own with these files; ``ini`` is what stands below ``[pytest]``."""

    def __init__(self, folder: Path, files: Mapping[str, str], ini: str = "") -> None:
        self.folder = folder
        for name, text in {"pytest.ini": f"[pytest]\n{dedent(ini)}", **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        """The command that runs it."""
        return [sys.executable, "-m", "pytest", *loaded(), *LEAN, *words]

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Begins a session, in a process group of its own, that prints into a file."""
        return self.start_command(self.command(*words), env=env)

    def start_command(
        self, command: list[str], env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """The same of any command."""
        with self._printed.open("wb") as out:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env={**plain_environment(), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Done:
        """Runs a whole session."""
        return self.finish(self.start(*words, env=env))

    def finish(self, process: subprocess.Popen[bytes]) -> Done:
        """Waits for the end of what was begun; what it left running is ended."""
        try:
            status = process.wait(_TIME_LIMIT_S)
        finally:
            with suppress(ProcessLookupError):  # all have ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return Done(status, self._printed.read_text("utf-8", "replace"), self.folder)

    def written(self) -> str:
        """What the processes of its runs wrote down until now."""
        logs = sorted((self.folder / _RUNS).glob(f"*/{FILE_GLOB}"))
        return "".join(path.read_text("utf-8", "replace") for path in logs if not path.parent.is_symlink())

    @property
    def _printed(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.printed")


def plain_environment() -> dict[str, str]:
    """The environment without what records, measures or changes the session that runs this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
