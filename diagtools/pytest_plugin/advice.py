"""``--diag-suggest``: the suite is run again, by a process of its own that says how to split it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diagtools.investigations.suite_split_asked import ADVISED_VARIABLE, Asked
from diagtools.pytest_plugin.aside import plain_environment
from diagtools.units import format_seconds

_MODULE = "diagtools.investigations.suite_split"
_RUNS = 2
_AROUND_S = 5.0  # until a session has begun, with workers, and its run is read
_PATIENCE_S = 3600.0
#: The options that name a file which a session writes, and where pytest and its plugins keep them.
_WRITING = {
    "--junitxml": "xmlpath",
    "--basetemp": "basetemp",
    "--html": "htmlpath",
    "--report-log": "report_log",
    "--json-report-file": "json_report_file",
}
_IN_PART = {
    "lf": "--lf",
    "looponfail": "--looponfail",
    "stepwise": "--stepwise",
    "usepdb": "--pdb",
    "trace": "--trace",
}


def advice(session: pytest.Session, folder: Path, *, exit_status: int, began_ns: int) -> list[str]:
    """How could this suite be split, and what would that give?  Runs it up to twice more, which it says first.

    ``folder`` is the run of the session, ``began_ns`` when it began, on CLOCK_MONOTONIC.  Where there is no advice, one
    line says why.
    """
    if ADVISED_VARIABLE in os.environ:
        return []
    if reason := _why_not(session, exit_status):
        return [f"No advice on a split: {reason}."]
    _announce(session.config, (time.monotonic_ns() - began_ns) / 1e9)
    try:
        return _asked_aside(_asked(session, folder)).splitlines()
    except OSError as error:
        return [f"No advice on a split: {error}."]


def _why_not(session: pytest.Session, exit_status: int) -> str:
    is_whole = exit_status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if not is_whole or session.shouldfail or session.shouldstop:
        return "the session did not come to its end, or had no test"
    option = session.config.option
    given = [shown for name, shown in _IN_PART.items() if getattr(option, name, False)]
    return f"{', '.join(given)} makes another session of the second" if given else ""


def _announce(config: pytest.Config, seconds: float) -> None:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    reporter.write_line("")  # the dots of the last tests stand on the line that is open
    reporter.write_line(
        f"--diag-suggest: the suite runs up to {_RUNS} times more, without its heaviest tests and with two workers: "
        f"about {format_seconds(_RUNS * (seconds + _AROUND_S))}."
    )


def _asked(session: pytest.Session, folder: Path) -> Asked:
    config = session.config
    has = config.pluginmanager.hasplugin
    return Asked(
        folder=str(folder),
        root=str(config.rootpath),
        cwd=str(config.invocation_params.dir),
        args=tuple(map(str, config.invocation_params.args)),
        is_module=Path(sys.argv[0]).name == "__main__.py",
        has_xdist=has("xdist"),
        has_coverage=has("_cov"),
        has_cache=has("cacheprovider"),
        redirected=tuple(option for option, name in _WRITING.items() if getattr(config.option, name, None)),
        uses=_uses(session),
    )


def _uses(session: pytest.Session) -> dict[str, tuple[str, ...]]:
    uses: dict[str, list[str]] = {}
    for item in getattr(session, "items", ()):
        for name in getattr(item, "fixturenames", ()):
            if _is_wide(item, name):
                uses.setdefault(name, []).append(item.nodeid)
    return {name: tuple(tests) for name, tests in uses.items()}


def _is_wide(item: pytest.Item, name: str) -> bool:
    return any(str(one.scope) != "function" for one in _definitions(item, name))


def _definitions(item: pytest.Item, name: str) -> Iterator[Any]:
    info = getattr(
        item, "_fixtureinfo", None
    )  # pytest has no public way to a fixture's scope before it is made
    yield from getattr(info, "name2fixturedefs", {}).get(name, ())


def _asked_aside(asked: Asked) -> str:
    """As ``run_aside``, with what is asked in a pipe."""
    told = subprocess.run(
        [sys.executable, "-P", "-m", _MODULE],
        input=asked.as_json(),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        env=plain_environment(),
        check=False,
    )
    if told.returncode != 0:
        raise OSError(
            next(reversed((told.stdout + told.stderr).split("\n")[:-1]), f"exit status {told.returncode}")
        )
    return told.stdout
