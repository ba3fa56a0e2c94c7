"""Above a threshold a test runs once more, and its top lines are printed; the figures are those of the first time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.suites import MIB, Suite

HEAVY = """
    import pytest

    ran = []

    def take(mib):
        return bytearray(mib << 20)

    @pytest.fixture
    def heavy():
        yield take(80)

    def test_light():
        pass

    def test_call():
        held = [take(64)]
        held += [take(32)]

    def test_setup(heavy):
        assert len(heavy) == 80 << 20

    def test_only_once():
        ran.append(1)
        held = take(70) if len(ran) == 1 else None

    def test_fails_then():
        ran.append(1)
        assert len(ran) < 4
        take(71)

    def test_skips():
        take(72)
        pytest.skip("after it")
"""


def test_the_lines_that_asked_are_printed(tmp_path: Path) -> None:
    pytest.importorskip("memray")
    files = {"test_a.py": HEAVY}
    done = Suite(tmp_path / "suite", files).run("--diag-threshold", "60 MiB", "-v")
    assert (done.status, done.n("passed"), done.n("skipped")) == (0, 5, 1), done.text
    assert len(done.lines("::test_call PASSED")) == 1  # reported once
    text = done.text.partition("memory (diagtools)")[2].splitlines()
    at = next(n for n, line in enumerate(text) if line.startswith("test_a.py::test_call needed 9"))
    assert "in its call, run once more, these lines held most at the peak:" in text[at]
    assert text[at + 1].split() == ["96.0", "MiB", "test_a.py:7", "take"]
    at = next(n for n, line in enumerate(text) if line.startswith("test_a.py::test_setup needed "))
    assert "in its setup" in text[at]
    assert text[at + 1].split() == ["80.0", "MiB", "test_a.py:7", "take"]
    (other,) = [line for line in text if line.startswith("test_a.py::test_only_once needed ")]
    assert other.endswith("MiB, but nothing when it ran once more: which lines asked is not known.")
    assert not [line for line in text if line.startswith("test_a.py::test_light needed")]
    session = done.run.test_session
    assert session.tests.height == 6  # a repeat is no test
    call = session.tests.filter(test="test_a.py::test_call").row(0, named=True)
    assert call["demand_bytes"] == pytest.approx(96 * MIB, rel=0.01)
    (began_s,) = done.run.phases.filter(phase="heavy tests run once more, under memray")["begin_s"]
    assert done.run.timeline["t_s"].max() < began_s + 0.1  # what the tracker takes is in no picture


@pytest.mark.parametrize("place", ["ini", "variable"])
def test_a_threshold_of_the_ini_or_the_environment_waits_for_diag(tmp_path: Path, place: str) -> None:
    pytest.importorskip("memray")
    text = "def test_a():\n    bytearray(64 << 20)\n"
    ini, env = ("diag_threshold = 60 MiB", {}) if place == "ini" else ("", {"DIAGTOOLS_THRESHOLD": "60 MiB"})
    suite = Suite(tmp_path / "suite", {"test_a.py": text}, ini)
    assert suite.run(env=env).run_folders == []
    done = suite.run("--diag", env=env)
    assert done.lines("64.0 MiB  test_a.py:2 test_a"), done.text


def test_the_five_heaviest_run_again_in_workers_too(tmp_path: Path) -> None:
    pytest.importorskip("memray")
    text = """
        import pytest

        @pytest.mark.parametrize("mib", [41, 42, 43, 44, 45, 46, 47])
        def test_a(mib):
            bytearray(mib << 20)
    """
    done = Suite(tmp_path / "suite", {"test_a.py": text}).run("--diag-threshold=40 MiB", "-n", "1")
    assert done.status == 0, done.text
    assert done.lines("7 tests needed more than 40.0 MiB: the 5 heaviest of them ran once more.")
    assert len(done.lines("run once more, these lines held most")) == 5
    assert not done.lines("test_a[41] needed")


def test_under_another_tracker_its_report_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pytest_memray")
    suite = Suite(tmp_path / "suite", {"test_a.py": "def test_a():\n    bytearray(64 << 20)\n"})
    done = suite.run("--diag-threshold=60 MiB", "--memray")
    assert (done.status, done.n("passed")) == (0, 1), done.text
    assert done.lines("Which lines asked for memory is in the report of --memray")


def test_a_mocked_test_is_mocked_when_it_runs_again_and_passes_no_cap_then(tmp_path: Path) -> None:
    """All that others do around a test is done around its repeat; no_leak calls nothing again there."""
    pytest.importorskip("memray")
    files = {
        "app.py": "def load():\n    raise RuntimeError('the real one')\n",
        "fakes.py": "def fake():\n    return bytearray(96 << 20)\n",
        "test_a.py": """
            import pytest
            import app

            CALLS = []

            @pytest.mark.no_leak
            def test_light():
                pass

            def test_mocked():
                CALLS.append(1)
                held = app.load() if len(CALLS) == 1 else [app.load() for _ in range(3)]
                assert held
        """,
    }
    ini = "pythonpath = .\ndiag_mocks = app:load = fakes:fake\n"
    done = Suite(tmp_path / "suite", files, ini).run("--diag-threshold=60 MiB", "--diag-cap=300 MiB")
    assert (done.status, done.n("passed")) == (0, 2), done.text
    (said,) = done.lines("fakes.py:2 fake")
    assert said.split()[:2] == ["288", "MiB"]
    assert done.run.test_session.costs.breaches == ()
