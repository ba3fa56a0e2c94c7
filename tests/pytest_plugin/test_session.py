"""A session is a run, whatever its tests do to their process and however it ends."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from diagtools.run import Run
from diagtools.values import State
from diagtools.values.suite import FILE_GLOB
from tests.support.suites import MIB, Done, Suite, loaded

ONE = {"test_a.py": "def test_one():\n    pass\n"}

HOSTILE = """
    import os
    import sys
    import unittest

    import pytest

    def test_descriptors():
        os.closerange(3, 256)

    def test_forks():
        pid = os.fork()
        if not pid:
            os._exit(3)
        assert os.waitpid(pid, 0)[1]

    def test_environment():
        os.environ.clear()

    def test_peaks():
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        kept = bytearray(64 << 20)
        with open("/proc/self/clear_refs", "w") as file:
            file.write("1")

    @pytest.mark.parametrize("text", ["a\\nb", "nul\\0", "<script>alert(1)</script>", "Größe | *x*", "\\udc80"])
    def test_odd(text):
        pass

    class TestUnit(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.held = bytearray(64 << 20)

        def test_unit(self):
            with self.subTest("x"):
                bytearray(64 << 20)

    def test_modules():
        heavy = {"polars", "altair", "pandas", "networkx", "psutil", "nbformat", "jinja2", "memray", "diagtools.run"}
        assert not heavy & set(sys.modules)

    def test_folder(tmp_path):
        (tmp_path / "here").mkdir()
        os.chdir(tmp_path / "here")
        (tmp_path / "here").rmdir()

    def test_the_child_of_a_fork_raises():
        pid = os.fork()
        if not pid:
            raise SystemExit(3)
        assert os.waitpid(pid, 0)[1]
"""
DOCTESTED = """
    def double(number):
        '''
        >>> double(2)
        4
        '''
        return 2 * number
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """One session of tests that take away what a plugin may rely on."""
    # pytest's own capture and faulthandler do not outlive that descriptors are closed.
    suite = Suite(
        tmp_path_factory.mktemp("hostile") / "suite", {"test_hostile.py": HOSTILE, "doubled.py": DOCTESTED}
    )
    return suite.run("--diag", "--doctest-modules", "--capture=no", "-p", "no:faulthandler")


def test_tests_that_harm_their_process_are_measured(hostile: Done) -> None:
    assert (hostile.status, hostile.n("passed"), hostile.n("failed")) == (0, 14, 0), hostile.text
    tests = hostile.run.test_session.tests
    assert set(tests["outcome"]) == {"passed"}
    names = [name.partition("::")[2] for name in tests["test"]]
    assert len(set(names)) == len(names) == 14
    assert {"doubled.double", "TestUnit::test_unit"} <= set(names)
    assert hostile.run.test_session.validity == ()


def test_a_test_that_resets_the_peak_hides_nothing_that_was_there_after(hostile: Done) -> None:
    demand = dict(hostile.run.test_session.tests.select("test", "demand_bytes").iter_rows())
    assert demand["test_hostile.py::test_peaks"] == pytest.approx(64 * MIB, rel=0.01)
    assert demand["test_hostile.py::TestUnit::test_unit"] == pytest.approx(128 * MIB, rel=0.01)


def test_the_run_of_such_a_session_is_whole(hostile: Done) -> None:
    said = json.loads((hostile.run.path / "run.json").read_text())
    assert (said["state"], said["exit_status"]) == ("finished", 0)
    assert {one.state for one in hostile.run.validity} <= {
        State.SHARED_N_TIMES,
        State.STARVED,
    }  # on a busy machine
    assert len(list(hostile.run.path.glob(FILE_GLOB))) == 1


# --- killed ----------------------------------------------------------------------------------------------------


KILLED = """
    import os, signal, time

    def test_before():
        bytearray(64 << 20)

    def test_in_flight():
        held = bytearray(80 << 20)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_sigkill_loses_nothing_that_was_written(tmp_path: Path) -> None:
    done = Suite(tmp_path / "suite", {"test_a.py": KILLED}).run("--diag")
    assert done.status == -signal.SIGKILL
    _wait_for_the_end_of_the_timeline(done)
    before, in_flight = done.run.test_session.tests.to_dicts()
    assert before["demand_bytes"] == pytest.approx(64 * MIB, rel=0.01)
    assert (in_flight["test"], in_flight["outcome"]) == ("test_a.py::test_in_flight", "died")
    assert (in_flight["kept_bytes"], in_flight["end_rss_bytes"]) == (None, None)
    assert 0.95 * 80 * MIB < in_flight["demand_bytes"] < 82 * MIB
    (told,) = done.run.test_session.validity
    assert (told.state, "was killed" in told.note) == (State.TRUNCATED, True)
    in_marks = done.run.items.filter(pl.col("status") == "in_flight")
    assert in_marks["item"].to_list() == ["test_a.py::test_in_flight"]


def _wait_for_the_end_of_the_timeline(done: Done) -> None:
    """The sampler ends by itself; how long that takes is asserted nowhere."""
    for _ in range(100):
        run = Run.open(done.run_folders[0])
        if not any("recording" in str(one) for one in run.validity) and run.timeline.height:
            return
        time.sleep(0.1)


def test_a_worker_that_is_killed_takes_only_its_own_test_with_it(tmp_path: Path) -> None:
    more = "def test_after():\n    pass\n"
    files = {"test_a.py": KILLED, "test_b.py": more, "test_c.py": more}
    done = Suite(tmp_path / "suite", files).run("--diag", "-n", "2", "--dist=load", "--diag-html=page.html")
    assert done.status == 1, done.text
    session = done.run.test_session
    outcome = dict(session.tests.select("test", "outcome").iter_rows())
    assert outcome == {
        "test_a.py::test_before": "passed",
        "test_a.py::test_in_flight": "died",
        "test_b.py::test_after": "passed",
        "test_c.py::test_after": "passed",
    }
    died = session.tests.filter(pl.col("outcome") == "died").row(0, named=True)
    assert 0.95 * 80 * MIB < died["demand_bytes"] < 82 * MIB
    assert len(done.lines("did not come to its end: it was killed in test_a.py::test_in_flight")) == 1
    assert [one.worker for one in session.costs.killed] == [died["worker"]]
    assert "did not come to its end" in (done.folder / "page.html").read_text()


# --- other ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "n_tests"),
    [
        (["-x"], 1, 2),
        (["--maxfail=2"], 1, 3),
        (["-k", "interrupts"], 2, 1),
        (["-k", "exits"], 7, 1),
    ],
    ids=["-x", "--maxfail", "interrupt", "exit"],
)
def test_a_session_that_is_cut_short_is_whole(
    tmp_path: Path, words: list[str], status: int, n_tests: int
) -> None:
    text = """
        import pytest

        def test_passes():
            pass

        @pytest.mark.parametrize("n", [1, 2])
        def test_fails(n):
            raise AssertionError

        def test_interrupts():
            raise KeyboardInterrupt

        def test_exits():
            pytest.exit("enough", returncode=7)
    """
    done = Suite(tmp_path / "suite", {"test_a.py": text}).run("--diag", *words)
    assert done.status == status, done.text
    assert done.run.test_session.tests.height == n_tests
    assert "died" not in done.run.test_session.tests["outcome"].to_list()
    assert done.run.manifest.state == "finished"
    assert done.run.manifest.exit_status == status
    assert len(done.lines("All of it: diagtools show")) == (status != 7)  # pytest has no summary then


def test_files_that_cannot_be_imported_are_in_the_run(tmp_path: Path) -> None:
    files = {
        "sub/conftest.py": "raise LookupError('of the conftest')",
        "sub/test_a.py": "",
        "test_b.py": "bytearray(64 << 20)\nraise LookupError('of the module')",
        "test_c.py": "def test_c(): pass",
    }
    suite = Suite(tmp_path / "suite", files)
    done = suite.run("--diag", "--continue-on-collection-errors")
    assert (done.status, done.n("errors"), done.n("passed")) == (1, 2, 1), done.text
    files_read = dict(done.run.test_session.files.select("path", "demand_bytes").iter_rows())
    assert files_read["test_b.py"] == pytest.approx(64 * MIB, rel=0.02)
    assert "sub/conftest.py" in files_read
    early = suite.run("--diag", "sub/test_a.py")  # before there is a session
    assert early.status == 4
    assert len(early.run_folders) == 1


# --- where nothing is recorded ---------------------------------------------------------------------------------


LEAN = """
    import sys

    def test_modules():
        ours = {name for name in sys.modules if name.startswith("diagtools.")}
        asked = {"session", "repeats", "summary"}
        assert not {f"diagtools.pytest_plugin.{name}" for name in asked} & ours
        assert not {name for name in ours if name.startswith(("diagtools.capture", "diagtools.read", "diagtools.run"))}
        assert not {"polars", "numpy", "altair", "tracemalloc"} & set(sys.modules)
"""


def test_without_an_option_nothing_is_recorded(tmp_path: Path) -> None:
    done = Suite(tmp_path / "suite", {"test_a.py": LEAN}).run()
    assert (done.status, done.n("passed")) == (0, 1), done.text
    assert sorted(path.name for path in done.folder.iterdir()) == ["pytest.ini", "test_a.py"]
    assert "memory (diagtools)" not in done.text


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["--markers"], 0),
        (["--fixtures"], 0),
        (["--collect-only"], 0),
        (["--setup-plan"], 0),
        (["no_such_file.py"], 4),
        (["--no-such-option"], 4),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_what_runs_no_test_leaves_no_run(tmp_path: Path, words: list[str], status: int) -> None:
    done = Suite(tmp_path / "suite", ONE).run("--diag", *words)
    assert done.status == status, done.text
    assert len(done.run_folders) == (words == ["no_such_file.py"])  # known when the session has begun
    for folder in done.run_folders:
        assert Run.open(folder).manifest.state == "finished"
        assert Run.open(folder).test_session.tests.is_empty()
    assert "Traceback (most recent" not in done.text


# --- other plugins ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", ["terminal", "xdist", "capture", "logging", "warnings", "unittest"])
def test_without_a_plugin_of_pytest(tmp_path: Path, absent: str) -> None:
    done = Suite(tmp_path / "suite", ONE).run("--diag", "-p", f"no:{absent}")
    assert done.status == 0, done.text
    assert done.run.test_session.tests["outcome"].to_list() == ["passed"]


def test_the_tests_that_failed_last_alone(tmp_path: Path) -> None:
    suite = Suite(
        tmp_path / "suite", {"test_a.py": "def test_a(): pass\ndef test_b(): raise AssertionError\n"}
    )
    with_cache = [sys.executable, "-m", "pytest", *loaded(), "--diag", "--lf"]
    for _ in range(2):
        done = suite.finish(suite.start_command(with_cache))
    assert done.n("failed") == 1, done.text
    assert Run.open(done.run_folders[-1]).test_session.tests["test"].to_list() == ["test_a.py::test_b"]


# --- sessions in runs, and in sessions -------------------------------------------------------------------------


def test_a_recording_around_it_has_everything(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "suite", {"test_a.py": "def test_a():\n    bytearray(64 << 20)\n"})
    recorded = [sys.executable, "-m", "diagtools", "record", "--", *suite.command("--diag")]
    done = suite.finish(suite.start_command(recorded))
    assert done.status == 0, done.text
    (row,) = done.run.test_session.tests.to_dicts()
    assert row["demand_bytes"] == pytest.approx(64 * MIB, rel=0.01)
    assert done.run.items["item"].to_list() == ["test_a.py::test_a"]
    assert row["pid"] in set(done.run.timeline["pid"])
    assert 0 <= row["begin_s"] < row["end_s"] <= done.run.timeline["t_s"].max()


def test_a_session_within_a_test_records_itself(tmp_path: Path) -> None:
    text = """
        import os, subprocess, sys
        pytest_plugins = ["pytester"]

        def test_in_this_process(pytester):
            pytester.makepyfile("def test_inner(): pass")
            found = pytester.inline_run({loaded}"--diag", "--diag-dir=" + str(pytester.path / "inner"))
            found.assertoutcome(passed=1)
            assert list((pytester.path / "inner").glob("tests.*.jsonl"))

        def test_in_another(pytester):
            pytester.makepyfile("def test_inner(): pass")
            found = pytester.runpytest_subprocess({loaded}"--diag", "--diag-dir=" + str(pytester.path / "inner"))
            found.assert_outcomes(passed=1)
            assert list((pytester.path / "inner").glob("tests.*.jsonl"))

        def test_after():
            bytearray(64 << 20)
    """
    words = "".join(f"{word!r}, " for word in loaded())
    suite = Suite(tmp_path / "suite", {"test_a.py": text.replace("{loaded}", words)})
    done = suite.run("--diag", "-p", "pytester")
    assert (done.status, done.n("passed")) == (0, 3), done.text
    tests = done.run.test_session.tests
    assert [name.partition("::")[2] for name in tests["test"]] == [
        "test_in_this_process",
        "test_in_another",
        "test_after",
    ]
    assert tests["demand_bytes"].to_list()[-1] == pytest.approx(64 * MIB, rel=0.01)
    assert len(list(done.run.path.glob(FILE_GLOB))) == 1


def test_a_test_that_removes_the_run_costs_the_figures_and_nothing_else(tmp_path: Path) -> None:
    text = """
        import os, shutil

        def test_removes():
            shutil.rmtree("runs")

        def test_after():
            os.closerange(512, 4096)
    """
    done = Suite(tmp_path / "suite", {"test_a.py": text}).run("--diag", "--diag-html")
    assert (done.status, done.n("passed")) == (0, 2), done.text
    assert done.lines("could not be completed: No such file or directory.")
    assert done.lines("Some lines were not written: No such file or directory.")
    (aside,) = done.lines("Parquet, page and lines were not made: ")
    assert not aside.endswith("..")
    assert "Traceback" not in done.text


# --- bad places ------------------------------------------------------------------------------------------------


def test_a_place_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "suite", {**ONE, "taken/file.txt": "", "file.txt": ""})
    for words, env, expected in [
        (["--diag-dir=taken"], {}, "exists already; a recording never overwrites anything."),
        (["--diag-dir=file.txt"], {}, "exists already"),
        (["--diag-dir=file.txt/run"], {}, "The run folder"),
        (["--diag"], {"DIAGTOOLS_STORE": str(suite.folder / "file.txt")}, "The store"),
    ]:
        done = suite.run(*words, env=env)
        assert done.status == 4, done.text
        assert expected in done.text
        assert done.text.count("ERROR") == 1
        assert "--diag-dir" in done.text
        assert "Traceback" not in done.text
        assert done.run_folders == []
    assert [path.name for path in (suite.folder / "taken").iterdir()] == ["file.txt"]


def test_an_empty_folder_is_taken_and_nothing_else_is_made(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "suite", ONE)
    (suite.folder / "mine").mkdir()
    done = suite.run("--diag-dir=mine")
    assert done.status == 0, done.text
    assert done.run_folders == []
    assert Run.open(suite.folder / "mine").test_session.tests.height == 1
