"""What tests, phases, fixtures and imports cost: suites whose answer is known, each session a process of its own.

A peak may be wrong by one per cent; every temporary here is gone again before anybody could sample it twice.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from diagtools.values import State
from tests.support.suites import MIB, Done, Suite

CONFTEST = """
    import pytest

    ballast = bytearray(48 << 20)

    def holds(scope, mib):
        @pytest.fixture(scope=scope, name=f"{scope}_held")
        def make():
            held = [bytearray(mib << 20)]
            yield held
            held.clear()
        return make

    of_session, of_package = holds("session", 70), holds("package", 60)
    of_module, of_class, of_function = holds("module", 50), holds("class", 40), holds("function", 34)

    @pytest.fixture
    def temporary():
        bytearray(200 << 20)

    @pytest.fixture
    def leaving():
        yield
        bytearray(200 << 20)

    @pytest.fixture
    def failing():
        bytearray(64 << 20)
        raise LookupError("nothing there")
"""
KNOWN = """
    import threading

    import numpy
    import pytest

    imported = bytearray(80 << 20)
    kept = []

    def test_first():
        pass

    @pytest.mark.parametrize("mib", [64, 200])
    def test_bytearray(mib):
        bytearray(mib << 20)

    @pytest.mark.parametrize("mib", [64, 200])
    def test_numpy(mib):
        numpy.ones(mib << 17)

    @pytest.mark.parametrize("mib", [64, 200])
    def test_the_gil_is_held(mib):
        b"x" * (mib << 20)

    @pytest.mark.parametrize("mib", [64, 200])
    def test_thread(mib):
        thread = threading.Thread(target=bytearray, args=[mib << 20])
        thread.start()
        thread.join()

    def test_setup(temporary):
        pass

    def test_teardown(leaving):
        pass

    def test_kept():
        kept.append(bytearray(64 << 20))

    def test_given_back():
        kept.clear()

    def test_fails():
        bytearray(64 << 20)
        raise AssertionError

    def test_fixture_fails(failing):
        pass

    def test_skips():
        bytearray(64 << 20)
        pytest.skip("after it")

    @pytest.mark.skip(reason="at once")
    def test_skipped():
        raise AssertionError

    @pytest.mark.xfail(strict=True)
    def test_expected_to_fail():
        raise AssertionError
"""
SCOPES = """
    class TestClass:
        def test_all(self, session_held, package_held, module_held, class_held, function_held):
            pass

        def test_again(self, session_held, package_held, module_held, class_held, function_held):
            pass

    def test_alone(module_held):
        pass
"""
FILES = {"conftest.py": CONFTEST, "test_known.py": KNOWN, "test_scopes.py": SCOPES}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """One session of all of it."""
    return Suite(tmp_path_factory.mktemp("known") / "suite", FILES).run("--diag")


def mib(size: float) -> object:
    """So many MiB, within one per cent."""
    return pytest.approx(size * MIB, rel=0.01)


def one(frame: pl.DataFrame, **values: str) -> dict[str, object]:
    """The one row with these values."""
    return frame.row(by_predicate=pl.all_horizontal(pl.col(n) == v for n, v in values.items()), named=True)


def of(name: str) -> str:
    """The id of a test of the known answers."""
    return f"test_known.py::test_{name}"


def test_the_session_is_a_run_with_every_test(done: Done) -> None:
    assert (done.status, done.n("passed"), done.n("failed"), done.n("error")) == (1, 16, 1, 1), done.text
    tests = done.run.test_session.tests
    assert tests.height == 21
    outcomes = dict(tests.filter(pl.col("outcome") != "passed").select("test", "outcome").iter_rows())
    assert outcomes == {
        of("fails"): "failed",
        of("fixture_fails"): "error",
        of("skips"): "skipped",
        of("skipped"): "skipped",
        of("expected_to_fail"): "skipped",
    }
    assert set(tests["worker"]) == {"main"}
    assert done.run.test_session.validity == ()
    assert set(tests["test"]) <= set(done.run.items["item"])


@pytest.mark.parametrize("name", ["bytearray", "numpy", "the_gil_is_held", "thread"])
def test_peaks_of_temporaries_are_right_to_one_per_cent(done: Done, name: str) -> None:
    session = done.run.test_session
    for size in (64, 200):
        found = one(session.tests, test=of(f"{name}[{size}]"))
        assert found["demand_bytes"] == mib(size)
        assert found["peak_bytes"] == found["begin_rss_bytes"] + found["demand_bytes"]
        assert found["kept_bytes"] < MIB
        phases = session.phases.filter(pl.col("test") == of(f"{name}[{size}]"))
        assert phases["phase"].to_list() == ["setup", "call", "teardown"]
        demands = dict(phases.select("phase", "demand_bytes").iter_rows())
        assert demands["call"] == mib(size)
        assert max(demands["setup"], demands["teardown"]) < MIB


def test_each_phase_has_its_own_peak(done: Done) -> None:
    phases = done.run.test_session.phases
    for name in ("setup", "teardown"):
        for phase in ("setup", "call", "teardown"):
            found = one(phases, test=of(name), phase=phase)
            assert found["demand_bytes"] == mib(200) if phase == name else found["demand_bytes"] < MIB
    assert one(phases, test=of("fixture_fails"), phase="setup")["demand_bytes"] == mib(64)
    assert one(phases, test=of("fails"), phase="call")["demand_bytes"] == mib(64)
    assert one(phases, test=of("skips"), phase="call")["demand_bytes"] == mib(64)


def test_what_a_test_keeps_and_gives_back(done: Done) -> None:
    tests = done.run.test_session.tests
    assert one(tests, test=of("kept"))["kept_bytes"] == mib(64)
    assert one(tests, test=of("given_back"))["kept_bytes"] == mib(-64)
    assert one(tests, test=of("given_back"))["demand_bytes"] < MIB


def test_fixtures_of_every_scope_have_their_cost_once(done: Done) -> None:
    fixtures = done.run.test_session.fixtures
    expected = {
        ("session_held", "test_scopes.py::TestClass::test_all"): 70,
        ("package_held", "test_scopes.py::TestClass::test_all"): 60,
        ("module_held", "test_scopes.py::TestClass::test_all"): 50,
        ("class_held", "test_scopes.py::TestClass::test_all"): 40,
        ("function_held", "test_scopes.py::TestClass::test_all"): 34,
        ("function_held", "test_scopes.py::TestClass::test_again"): 34,
    }
    held = fixtures.filter(pl.col("fixture").str.ends_with("_held"))
    assert {(row["fixture"], row["test"]) for row in held.to_dicts()} == set(expected)
    for (fixture, test), size in expected.items():
        found = one(held, fixture=fixture, test=test)
        assert found["scope"] == fixture.removesuffix("_held")
        assert (found["kept_bytes"], found["freed_bytes"]) == (mib(size), mib(size))
        assert found["setup_s"] > 0
        assert found["teardown_s"] > 0
    assert one(fixtures, fixture="temporary")["demand_bytes"] == mib(200)
    assert one(fixtures, fixture="failing")["demand_bytes"] == mib(64)


def test_what_importing_each_file_keeps(done: Done) -> None:
    files = done.run.test_session.files
    assert one(files, path="conftest.py", kind="conftest")["kept_bytes"] == mib(48)
    known = one(files, path="test_known.py", kind="module")
    assert known["kept_bytes"] > 80 * MIB  # and numpy
    assert one(files, path="test_scopes.py", kind="module")["kept_bytes"] < MIB
    collection = one(files, path=".", kind="collection")
    assert collection["kept_bytes"] >= known["kept_bytes"]


def test_what_the_terminal_says(done: Done) -> None:
    assert done.lines("conftest.py")
    (process,) = [line for line in done.lines("as pytest began") if line.startswith("main (pid ")]
    assert "before the first of 21 tests" in process
    assert any(
        "session_held (session) for test_scopes.py::TestClass::test_all" in line
        for line in done.lines("_held")
    )
    assert done.lines(f"All of it: diagtools show runs/{done.run_folders[0].name}")


def test_every_frame_is_written_as_parquet(done: Done) -> None:
    session = done.run.test_session
    for name in ("tests", "phases", "fixtures", "files"):
        written = pl.read_parquet(done.run.path / f"tests.{name}.parquet")
        assert written.equals(getattr(session, name))


def test_every_worker_measures_its_own_tests(tmp_path: Path) -> None:
    """Also what was allocated before the workers' processes knew where to write."""
    files = {name: FILES[name] for name in ("conftest.py", "test_known.py")}
    done = Suite(tmp_path / "suite", files).run("--diag", "-n", "2", "--dist=load")
    assert (done.status, done.n("passed")) == (1, 13), done.text
    session = done.run.test_session
    assert set(session.tests["worker"]) == {"gw0", "gw1"}
    assert session.tests.height == session.tests["test"].n_unique() == 18
    for name in ("bytearray", "numpy", "the_gil_is_held", "thread"):
        for size in (64, 200):
            assert one(session.tests, test=of(f"{name}[{size}]"))["demand_bytes"] == mib(size)
    assert session.tests.group_by("worker").agg(n=pl.col("pid").n_unique())["n"].to_list() == [1, 1]
    imported = session.files.filter(pl.col("path") == "conftest.py")
    assert {row["worker"]: row["kept_bytes"] for row in imported.to_dicts()} == {
        worker: mib(48) for worker in ("main", "gw0", "gw1")
    }
    sampled = set(done.run.timeline["pid"])
    assert set(session.tests["pid"]) <= sampled
    assert len(done.lines("ran no test itself")) == 1


def test_the_traced_peak_is_that_of_python_alone(tmp_path: Path) -> None:
    text = """
        import mmap, tracemalloc

        def test_python():
            bytearray(64 << 20)

        def test_mapped():
            mapped = mmap.mmap(-1, 64 << 20)
            mapped.write(b"x" * (32 << 20))
            mapped.close()

        def test_stops_it():
            tracemalloc.stop()
            bytearray(64 << 20)
    """
    done = Suite(tmp_path / "suite", {"test_a.py": text}).run("--diag-trace")
    assert done.n("passed") == 3, done.text
    session = done.run.test_session
    traced = dict(session.tests.select("test", "traced_peak_bytes").iter_rows())
    assert traced["test_a.py::test_python"] == pytest.approx(
        64 * MIB, abs=4 * MIB
    )  # on top of what Python held
    assert traced["test_a.py::test_mapped"] == pytest.approx(32 * MIB, abs=4 * MIB)
    phases = session.phases.filter(pl.col("test") == "test_a.py::test_stops_it")
    assert phases["traced_peak_bytes"].to_list()[1:] == [None, None]
    assert [one.state for one in session.validity] == [State.UNDER_TRACKER]
