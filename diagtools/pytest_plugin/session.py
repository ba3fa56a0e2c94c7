"""One session of pytest as a run: its folder, its recording, and what it says at its end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diagtools import mark
from diagtools.capture.beside import BesideRecording
from diagtools.errors import DiagtoolsError
from diagtools.pytest_plugin.aside import run_aside
from diagtools.pytest_plugin.measuring import Measuring
from diagtools.pytest_plugin.options import Settings
from diagtools.pytest_plugin.summary import Summary
from diagtools.values.suite import Remark

#: Set while a session is measured: one that a test starts records itself, not into the folder of this one.
SESSION_VARIABLE = "DIAGTOOLS_TESTS"
PAGE = "report.html"
REPEATED = (
    "The timeline ends with heavy tests run once more, under memray: no figure of a test is from there."
)
_WORKER_INPUT = "diagtools_run"


class MeasuredSession:
    """The session of a process that was asked for, or that hands out the tests to workers."""

    def __init__(self, config: pytest.Config, settings: Settings, measuring: Measuring) -> None:
        self._config, self._settings, self._measuring = config, settings, measuring
        self._recording: BesideRecording | None = None
        self._nested_in = os.environ.get(SESSION_VARIABLE)
        self._summary: Summary | None = None
        self._pid = os.getpid()
        self.folder = Path()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """The recording begins; raises ``pytest.UsageError`` where it cannot."""
        outer = os.environ.get(mark.RUN_VARIABLE)
        if outer and not self._nested_in and self._settings.folder is None and Path(outer).is_dir():
            self.folder = Path(outer)
        else:
            self._record()
        os.environ[SESSION_VARIABLE] = str(self._pid)
        self._measuring.record_into(self.folder, self._config.rootpath)

    def _record(self) -> None:
        argv = ("pytest", *map(str, self._config.invocation_params.args))
        try:
            self._recording = BesideRecording(argv, self._settings.folder)
        except DiagtoolsError as error:
            message = str(error).replace("with -o", "with --diag-dir")
            raise pytest.UsageError(message) from error
        self.folder = self._recording.folder

    def stop_sampling(self) -> None:
        """What comes is not to be in the timeline; where another process records, it is, and that is said."""
        if self._recording is not None:
            self._recording.stop()
        else:
            self._measuring.journal.write(Remark(text=REPEATED))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker of xdist is to write beside this process."""
        node.workerinput[_WORKER_INPUT] = str(self.folder)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """The recording ends; what is above what is normal makes the session fail."""
        if os.getpid() != self._pid:
            return
        self._measuring.ended()
        self._restore()
        if self._recording is not None:
            self._recording.stop()
        self._summary = Summary.read(self.folder, self._settings, self._config.rootpath)
        if self._summary.is_above_normal and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = exitstatus = pytest.ExitCode.TESTS_FAILED
        self._summary.problems += self._close(exitstatus)
        self._aside(self._summary)
        self._advise(self._summary, session, int(exitstatus))

    def _close(self, exitstatus: int) -> Iterator[str]:
        """Ends the recording, and tells what went wrong."""
        if self._recording is not None:
            try:
                self._recording.close(int(exitstatus))
            except DiagtoolsError as error:
                yield str(error)
        if self._measuring.journal.problem:
            yield f"Some lines were not written: {self._measuring.journal.problem}."

    def _aside(self, summary: Summary) -> None:
        html = self._settings.html
        words = [str(self.folder)]
        if html is not None:
            words += ["--page", str(Path(html).absolute() if html else self.folder / PAGE)]
        if summary.costs.repeats:
            words.append("--lines")
        if self._recording is None and len(words) == 1:
            return  # whoever records this process would see another one, larger than many a suite
        try:
            summary.notes += run_aside("diagtools.investigations.after_session", *words).splitlines()
        except OSError as error:
            summary.problems.append(f"Parquet, page and lines were not made: {str(error).rstrip('.')}.")

    def _advise(self, summary: Summary, session: pytest.Session, exit_status: int) -> None:
        if not self._settings.suggest:
            return
        if self._recording is None:  # the recording around this one would take the second runs for its own
            summary.problems.append(
                "No advice on a split under `diagtools record`: run pytest --diag-suggest alone."
            )
            return
        from diagtools.pytest_plugin.advice import advice  # here: most sessions do not ask for it

        began_ns = min((process.t_ns for process in summary.costs.processes), default=time.monotonic_ns())
        summary.notes += advice(session, self.folder, exit_status=exit_status, began_ns=began_ns)

    def _restore(self) -> None:
        if self._nested_in is None:
            os.environ.pop(SESSION_VARIABLE, None)
        else:
            os.environ[SESSION_VARIABLE] = self._nested_in

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What the session cost, in twenty lines."""
        if self._summary is not None:
            self._summary.write(terminalreporter, self.folder)


class WorkerSession:
    """The part of a session that a worker of xdist runs."""

    def __init__(self, config: pytest.Config, measuring: Measuring) -> None:
        self._config, self._measuring = config, measuring
        self.folder = Path()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Write where the process says that hands out the tests."""
        workerinput: dict[str, Any] = self._config.workerinput  # type: ignore[attr-defined]  # set by xdist
        folder = workerinput.get(_WORKER_INPUT)
        if folder:
            self.folder = Path(folder)
            self._measuring.record_into(self.folder, self._config.rootpath, str(workerinput["workerid"]))

    def stop_sampling(self) -> None:
        """The process that hands out the tests samples this one: what comes is in the timeline, and that is said."""
        self._measuring.journal.write(Remark(text=REPEATED))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """The last test has run."""
        self._measuring.ended()
