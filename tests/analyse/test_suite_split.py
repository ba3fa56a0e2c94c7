"""Which part of a suite is heavy, by sessions whose figures are written by hand?"""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.suite_split import suite_split
from diagtools.frames import FIXTURES, TEST_FILES, TESTS, Frame

MIB = 2**20


class Session:
    """A process of 50 MiB that imports and tests one thing after the other; sizes in MiB."""

    def __init__(self, pid: int = 1) -> None:
        self.pid, self.rss, self.t = pid, 50, 0.0
        self.rows: dict[str, list[dict[str, object]]] = {"tests": [], "files": [], "fixtures": []}

    def load(self, path: str, kept: int = 0, kind: str = "module") -> None:
        self.rows["files"].append({"path": path, "kind": kind, **self._span(kept, kept)})

    def test(self, test: str, *, kept: int = 0, demand: int = 0) -> None:
        span = self._span(kept, max(kept, demand))
        self.rows["tests"].append(
            {"test": test, "file": test.split("::", maxsplit=1)[0], "outcome": "passed", **span}
        )

    def fixture(self, name: str, test: str, *, kept: int) -> None:
        begin = self.rss
        span = self._span(kept, kept)
        self.rss = begin  # its test, which comes next, has that in its own figures
        self.rows["fixtures"].append({"fixture": name, "scope": "session", "test": test, **span})

    def _span(self, kept: int, demand: int) -> dict[str, object]:
        begin, self.t, self.rss = self.rss, self.t + 1, self.rss + kept
        sizes = {
            "begin_rss": begin,
            "end_rss": self.rss,
            "kept": kept,
            "peak": begin + demand,
            "demand": demand,
        }
        return {
            "pid": self.pid,
            "worker": "main",
            "begin_s": self.t,
            "end_s": self.t + 0.5,
            **{f"{name}_bytes": size * MIB for name, size in sizes.items()},
        }


def _split(*sessions: Session, **uses: set[str]):
    def frame(declared: Frame, name: str) -> pl.DataFrame:
        rows = [row for session in sessions for row in session.rows[name]]
        return declared.from_columns(
            {column: [row.get(column) for row in rows] for column in declared.columns}
        )

    known = {name: frozenset(tests) for name, tests in uses.items()}
    return suite_split(
        frame(TESTS, "tests"), frame(FIXTURES, "fixtures"), frame(TEST_FILES, "files"), uses=known
    )


def _light(session: Session, n: int = 8) -> None:
    for number in range(n):
        session.test(f"test_light.py::test_{number}")


def test_a_file_whose_import_keeps_much_is_heavy() -> None:
    session = Session()
    session.load("test_a.py", kept=150)
    session.load("test_light.py")
    session.test("test_a.py::test_one")
    _light(session)

    split = _split(session)

    (heavy,) = split.heavy
    assert (heavy.name, heavy.is_file, heavy.n_tests) == ("test_a.py", True, 1)
    assert heavy.import_kept_bytes == 150 * MIB
    assert (split.peak_bytes, split.predicted_bytes) == (200 * MIB, 50 * MIB)


def test_one_test_with_a_high_peak_is_heavy_and_its_file_is_not() -> None:
    session = Session()
    session.load("test_light.py")
    _light(session, 4)
    session.test("test_light.py::test_big", demand=200)
    _light(session, 4)

    split = _split(session)

    (heavy,) = split.heavy
    assert (heavy.name, heavy.is_file, heavy.demand_bytes) == ("test_light.py::test_big", False, 200 * MIB)
    assert split.predicted_bytes == 50 * MIB


def test_two_tests_with_the_same_peak_are_both_taken() -> None:
    session = Session()
    session.load("test_light.py")
    session.test("test_light.py::test_big", demand=200)
    _light(session)
    session.test("test_light.py::test_great", demand=200)

    assert {one.name for one in _split(session).heavy} == {
        "test_light.py::test_big",
        "test_light.py::test_great",
    }


def test_what_a_conftest_keeps_is_in_no_heavy_set() -> None:
    session = Session()
    session.load("conftest.py", kept=300, kind="conftest")
    session.load("test_light.py")
    _light(session)

    split = _split(session)

    assert (split.heavy, split.peak_bytes, split.predicted_bytes) == ((), 350 * MIB, None)
    assert (split.conftest, split.conftest_bytes) == ("conftest.py", 300 * MIB)


def test_a_fixture_that_others_use_too_stays_when_its_first_test_goes() -> None:
    session = Session()
    session.load("test_a.py")
    session.load("test_light.py")
    session.fixture("model", "test_a.py::test_one", kept=200)
    session.test("test_a.py::test_one", kept=200)
    _light(session)

    alone = _split(session, model={"test_a.py::test_one"})
    shared = _split(session, model={"test_a.py::test_one", *(f"test_light.py::test_{n}" for n in range(8))})

    assert [(one.name, one.fixture, one.fixture_bytes) for one in alone.heavy] == [
        ("test_a.py", "model", 200 * MIB)
    ]
    assert alone.predicted_bytes == 50 * MIB
    assert shared.heavy == ()


def test_the_worker_that_holds_most_decides() -> None:
    heavy, light = Session(pid=1), Session(pid=2)
    for session in (heavy, light):
        session.load("test_light.py")
    heavy.test("test_light.py::test_big", demand=300)
    _light(light)

    split = _split(heavy, light)

    assert [one.name for one in split.heavy] == ["test_light.py::test_big"]
    assert (split.peak_bytes, split.predicted_bytes) == (350 * MIB, 50 * MIB)


def test_a_set_of_more_than_half_of_the_tests_is_none() -> None:
    session = Session()
    session.load("test_light.py")
    for number in range(5):
        session.test(f"test_light.py::test_big{number}x", demand=200)
    _light(session, 4)

    assert _split(session).heavy == ()


def test_names_that_begin_alike_go_together_as_deselect_takes_them() -> None:
    session = Session()
    session.load("test_light.py")
    session.test("test_light.py::test_big", demand=200)
    session.test("test_light.py::test_bigger")
    _light(session)

    assert {one.name for one in _split(session).heavy} == {
        "test_light.py::test_big",
        "test_light.py::test_bigger",
    }


def test_a_file_outside_of_the_root_is_known_by_the_end_of_its_path() -> None:
    session = Session()
    session.load("/somewhere/package/tests/test_a.py", kept=150)
    session.test("tests/test_a.py::test_one")
    _light(session)

    (heavy,) = _split(session).heavy
    assert (heavy.name, heavy.path) == ("tests/test_a.py", "/somewhere/package/tests/test_a.py")


def test_a_session_without_tests_has_nothing_to_split() -> None:
    assert _split(Session()).heavy == ()


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=12))
def test_a_heavy_set_is_of_at_most_half_and_lowers_by_a_quarter(sizes: list[tuple[int, int]]) -> None:
    session = Session()
    session.load("test_a.py")
    for number, (kept, demand) in enumerate(sizes):
        session.test(f"test_a.py::test_{number:02}", kept=kept, demand=demand)

    split = _split(session)

    if split.heavy:
        assert split.predicted_bytes is not None
        assert split.predicted_bytes <= 0.75 * split.peak_bytes
        assert sum(one.n_tests for one in split.heavy) <= len(sizes) / 2
    else:
        assert split.predicted_bytes is None


@pytest.mark.parametrize("n", [2, 6])
def test_none_of_a_heavy_set_can_be_left_out(n: int) -> None:
    session = Session()
    session.load("test_light.py")
    for number in range(n):
        session.test(f"test_light.py::test_keeps{number}", kept=60)
    _light(session, 20)
    split = _split(session)

    kept = sum(one.kept_bytes for one in split.heavy)

    assert kept >= 0.25 * split.peak_bytes > kept - 60 * MIB
