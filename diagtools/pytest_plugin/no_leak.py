"""Does a test leave memory behind each time it runs?  Calls its function again and again, where it is marked so."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Generator, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from diagtools.probes import leaks as probe
from diagtools.pytest_plugin.aside import run_aside
from diagtools.pytest_plugin.measuring import Measuring
from diagtools.pytest_plugin.options import refuse, shown

NO_LEAK = "no_leak"
_N_WARM = 200
_STAGES = (400, 800, 1600)
_BUDGET_S = 30.0
_PATIENCE_S = 60.0
_NOT_CALLED = (
    "no_leak calls functions, and methods of plain classes; unittest calls this one. "
    "Hint: mark a function that does the same."
)
_COUNTS_TOO = (
    "What its fixtures keep of each call (monkeypatch, a Mock) counts too: make them within the test."
)
_NO_ARGUMENTS = "no_leak takes no arguments, it was given {}. Hint: @pytest.mark.no_leak"
_JUDGE = "diagtools.investigations.counted_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the counters say: the verdict, and why."""

    verdict: str
    text: str


class NoLeak:
    """Checks the tests that are marked ``no_leak``; is there with or without ``--diag``.

    The function is called with the values that its fixtures made once: fixtures are not made again.  What pytest
    itself keeps of each call (log records, warnings) is kept from it meanwhile.
    """

    def __init__(self, measuring: Measuring | None) -> None:
        self._measuring = measuring

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """What cannot be called again is told before the first test runs."""
        marked = [item for item in items if item.get_closest_marker(NO_LEAK) is not None]
        mistakes = [f"{item.nodeid}: {_NOT_CALLED}" for item in marked if not _can_be_called(item)]
        markers = (marker for item in marked for marker in item.iter_markers(NO_LEAK))
        mistakes += [_NO_ARGUMENTS.format(shown(one)) for one in markers if one.args or one.kwargs]
        if mistakes:
            refuse(config, items, NO_LEAK, "\n".join(mistakes))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
        """Once as always; where that passes, some three thousand times more."""
        result = yield
        is_repeating = self._measuring is not None and self._measuring.is_repeating
        if pyfuncitem.get_closest_marker(NO_LEAK) is not None and not is_repeating:
            judged = _check(pyfuncitem)
            if judged.verdict == "leak":
                pytest.fail(f"{judged.text} {_COUNTS_TOO}", pytrace=False)
            pyfuncitem.user_properties.append((NO_LEAK, judged.verdict))
        return result


def _can_be_called(item: pytest.Item) -> bool:
    """Methods of a ``unittest.TestCase`` are called by that, not by pytest."""
    unittest = sys.modules.get("unittest")
    case = getattr(item, "cls", None)
    is_of_unittest = unittest is not None and case is not None and issubclass(case, unittest.TestCase)
    return isinstance(item, pytest.Function) and not is_of_unittest


def _check(item: pytest.Function) -> Judged:
    names = item._fixtureinfo.argnames  # what pytest itself calls the function with
    function = partial(item.obj, **{name: item.funcargs[name] for name in names})
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        _count(function, folder, item.nodeid)
        return _judged(folder)


def _count(function: Any, folder: str, name: str) -> None:
    log = probe.Log(folder)
    log.write("start", log.now_ns(), os.getpid(), sys.version.split()[0], "measure", name)
    steps = probe.load("leak_stages")
    check = steps.Check(function, log, probe.load, n_warm=_N_WARM, budget_s=_BUDGET_S, is_alone=False)
    stopped = None
    try:
        with (
            _nothing_kept(),
            Path(os.devnull).open("w") as nowhere,
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
        ):
            check.run("measure", list(_STAGES))
    except steps.Stop as stop:
        stopped = stop.args
    finally:
        log.close()
    if stopped is not None:
        kind, place, text = stopped
        at = f" at {place}" if place else ""
        pytest.fail(
            f"{NO_LEAK}: the test passed once; called again, it {kind}{at}: {text}. "
            "Hint: what it needs anew each time it must make itself, fixtures are not made again.",
            pytrace=False,
        )


@contextlib.contextmanager
def _nothing_kept() -> Iterator[None]:
    """Neither log records nor warnings are kept by pytest meanwhile."""
    root = logging.getLogger()
    keeping = [one for one in root.handlers if type(one).__module__.startswith("_pytest.")]
    for one in keeping:
        root.removeHandler(one)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one in keeping:
            root.addHandler(one)


def _judged(folder: str) -> Judged:
    try:
        said = json.loads(run_aside(_JUDGE, folder, patience_s=_PATIENCE_S))
        return Judged(verdict=str(said["verdict"]), text=str(said["text"]))
    except (OSError, ValueError, KeyError) as error:
        problem = f"{NO_LEAK}: nobody could judge what was counted: {error}"
    pytest.fail(problem, pytrace=False)
