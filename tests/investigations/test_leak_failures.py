"""One clear error for what cannot be called as often as a leak check needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.frames import LEAK_READINGS
from diagtools.investigations.leak_failures import check_came_through
from diagtools.probes import leaks as probe
from diagtools.run import Run
from tests.support.leak_runs import failed, log
from tests.support.runs import Recording, make_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.open(make_run(tmp_path / "run", Recording().start().ramp([10, 20]).close(2.0, exit_status=7)))


@pytest.mark.parametrize(
    ("failure", "said", "hint"),
    [
        (failed("import", "ModuleNotFoundError: no x"), "Module 'app' cannot be imported", "--python"),
        (failed("missing", "no such"), "cannot be found: no such", "method"),
        (failed("uncallable", "int"), "is a int, which cannot be called", "name a function"),
        (failed("arguments", "f() missing"), "takes arguments: f() missing", "wrap it"),
        (failed("generator", "generator"), "is a generator function", "list(generator())"),
        (failed("exited", "3"), "ended the program (3)", "must return"),
        (failed("raised", "ValueError: x"), "raised at its first call: ValueError: x", "catch"),
        (
            failed("raised", "E: x", place="a.py:3", n_calls=699),
            "raised in call 700: E: x (at a.py:3)",
            "catch",
        ),
    ],
)
def test_every_failure_has_its_words_and_a_hint(failure, said: str, hint: str, run: Run) -> None:
    with pytest.raises(UsageError) as error:
        check_came_through(run, log(failure=failure, n_calls=0), timeout_s=300)
    assert said in error.value.message
    assert hint in str(error.value.hint)


def test_every_kind_that_the_probe_writes_has_its_words(run: Run) -> None:
    for kind in probe.FAILURES:
        with pytest.raises(UsageError) as error:
            check_came_through(run, log(failure=failed(kind, "x")), timeout_s=300)
        assert "could not be called" not in error.value.message, kind


def test_a_process_that_was_ended(run: Run) -> None:
    gone = log(is_ended=False, readings=LEAK_READINGS.empty(), n_calls=0)
    with pytest.raises(UsageError, match="ended the process in one of its first calls, with exit status 7"):
        check_came_through(run, gone, timeout_s=300)
    with pytest.raises(UsageError, match="did not come back within 1 s"):
        check_came_through(run, gone, timeout_s=1)


def test_two_stages_are_enough_to_be_judged(run: Run) -> None:
    half = log(is_ended=False)
    assert check_came_through(run, half, timeout_s=300) is half
