"""The frames of a session, from lines and samples written by hand."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from diagtools.errors import DamagedError, NoDataError
from diagtools.frames import FIXTURES, TEST_FILES, TEST_PHASES, TESTS
from diagtools.read.test_session import TestSession
from diagtools.run import Run
from diagtools.values import State
from tests.support.runs import MIB, ROOT, START_NS, Recording, make_run
from tests.support.suite_logs import MS, begun_test, ended, line, measured, phase, process, whole_test

T0_MS = START_NS // MS  # 5,000 ms


def session(folder: Path, *logs: bytes) -> TestSession:
    """Of a run whose main process held 120 MiB at 0.55 s."""
    recording = Recording().start().sample(0.1, 50 * MIB).sample(0.55, 120 * MIB).close()
    run = make_run(folder, recording)
    for number, data in enumerate(logs):
        (run / f"tests.{number}.jsonl").write_bytes(data)
    return Run.open(run).test_session


def span(begin_ms: int, end_ms: int, begin: int, end: int, peak: int) -> dict[str, object]:
    """Milliseconds of the run."""
    return measured(T0_MS + begin_ms, T0_MS + end_ms, begin, end, peak)


def test_every_column_is_what_was_written(tmp_path: Path) -> None:
    first = b"".join(
        [
            process(pid=ROOT, t_ms=T0_MS),
            line("file", what="module", path="a.py", **span(10, 60, 40, 45, 50)),
            begun_test(1, "a.py::test_a", t_ms=T0_MS + 100, rss=45),
            line(
                "fixture",
                fixture_number=1,
                fixture="f",
                scope="module",
                number=1,
                **span(110, 130, 45, 55, 65),
            ),
            phase(1, "setup", span=span(105, 135, 45, 55, 65), traced=3 * MIB),
            phase(1, "call", span=span(140, 180, 55, 56, 119)),
            line("fixture end", fixture_number=1, **span(185, 195, 56, 46, 56)),
            line("test end", number=1, **span(100, 200, 45, 46, 119)),
            begun_test(2, "a.py::test_b", t_ms=T0_MS + 500, rss=46),
        ]
    )
    found = session(tmp_path / "run", first)
    a, b = found.tests.to_dicts()
    assert a == {
        "test": "a.py::test_a", "file": "a.py", "line": 3, "pid": ROOT, "worker": "main", "outcome": "passed",
        "begin_s": 0.1, "end_s": 0.2, "begin_rss_bytes": 45 * MIB, "end_rss_bytes": 46 * MIB, "kept_bytes": MIB,
        "peak_bytes": 119 * MIB, "demand_bytes": 74 * MIB, "traced_peak_bytes": 3 * MIB, "children_peak_bytes": None,
    }  # fmt: skip
    assert (b["outcome"], b["end_s"], b["kept_bytes"]) == ("died", None, None)
    assert (b["peak_bytes"], b["demand_bytes"]) == (120 * MIB, 74 * MIB)  # what the sampler saw
    assert found.phases.select("phase", "begin_s", "demand_bytes", "traced_peak_bytes").rows() == [
        ("setup", 0.105, 20 * MIB, 3 * MIB),
        ("call", 0.14, 64 * MIB, None),
    ]
    (fixture,) = found.fixtures.to_dicts()
    assert (fixture["fixture"], fixture["scope"], fixture["test"]) == ("f", "module", "a.py::test_a")
    assert (fixture["setup_s"], fixture["teardown_s"]) == (pytest.approx(0.02), pytest.approx(0.01))
    assert (fixture["kept_bytes"], fixture["freed_bytes"]) == (10 * MIB, 10 * MIB)
    assert found.files.select("path", "kind", "begin_s", "kept_bytes").rows() == [
        ("a.py", "module", 0.01, 5 * MIB)
    ]


def test_the_frames_are_as_declared_and_add_up(tmp_path: Path) -> None:
    lines = [
        process(pid=ROOT, t_ms=T0_MS),
        *whole_test(1, "a.py::a", peak=90, end=70),
        *whole_test(2, "a.py::b"),
        ended(),
    ]
    found = session(tmp_path / "run", b"".join(lines))
    for frame, declared in (
        (found.tests, TESTS),
        (found.phases, TEST_PHASES),
        (found.fixtures, FIXTURES),
        (found.files, TEST_FILES),
    ):
        assert declared.check(frame) is frame
    for frame in (found.tests, found.phases):
        kept = frame["end_rss_bytes"] - frame["begin_rss_bytes"]
        demand = frame["peak_bytes"] - frame["begin_rss_bytes"]
        assert frame["kept_bytes"].equals(kept, check_names=False)
        assert frame["demand_bytes"].equals(demand, check_names=False)
    assert found.validity == ()


def test_what_is_not_to_be_trusted_is_said(tmp_path: Path) -> None:
    lines = [
        process(pid=ROOT, t_ms=T0_MS, is_exact=False, is_traced=True),
        b"torn {\n",
        line("remark", text="a remark"),
    ]
    found = session(tmp_path / "run", b"".join(lines))
    assert [(one.what, one.state) for one in found.validity] == [
        ("tests", State.TRUNCATED),
        ("tests", State.TRUNCATED),
        ("tests", State.CLAMPED),
        ("tests", State.UNDER_TRACKER),
        ("tests", State.SKIPPED),
    ]
    assert found.validity[0].note == f"main (pid {ROOT}) was killed"
    assert found.validity[1].note == "1 lines were not whole"
    assert found.tests.is_empty()


def test_numbers_at_their_limits_fit(tmp_path: Path) -> None:
    most = 2**62 - 1
    huge = {"begin_ns": -most, "end_ns": most, "begin_rss": -most, "end_rss": most, "peak": most}
    lines = [
        process(pid=ROOT, rss=0),
        line(
            "test", number=-most, test="\ud800<script>", file="", line=-5, markers="", t_ns=-most, rss=-most
        ),
        line("phase", number=-most, phase="call", outcome="odd", traced=-most, **huge),
        line("fixture", fixture_number=0, fixture="", scope="none", number=-most, **huge),
        line("file", what="odd", path="", **huge),
        line("test end", number=-most, **huge),
    ]
    found = session(tmp_path / "run", b"".join(lines))
    assert found.tests["demand_bytes"].to_list() == [2 * most]
    assert (found.phases.height, found.fixtures.height, found.files.height) == (1, 1, 1)


def test_the_same_test_may_run_twice_and_in_two_processes(tmp_path: Path) -> None:
    again = [*whole_test(1, "a.py::test_a"), *whole_test(2, "a.py::test_a")]
    logs = [
        b"".join([process(pid=pid, worker=worker, t_ms=T0_MS), *again, ended()])
        for pid, worker in ((1, "gw0"), (2, "gw1"))
    ]
    found = session(tmp_path / "run", *logs).tests
    assert found.group_by("worker", maintain_order=True).agg(n=pl.len()).rows() == [("gw0", 2), ("gw1", 2)]


def test_a_run_without_tests_has_no_session(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="'run' has no test session") as caught:
        session(tmp_path / "run")
    assert "Hint: pytest --diag" in str(caught.value)


def test_a_hostile_log_is_refused_and_the_rest_of_the_run_opens(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Recording().start().sample(0.1, 50 * MIB).close())
    os.mkfifo(run / "tests.1.jsonl")
    with pytest.raises(DamagedError):
        _ = Run.open(run).test_session
    assert Run.open(run).timeline.height == 1
