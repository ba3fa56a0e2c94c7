"""A session as tables, sentences and one page, from lines written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.errors import NoDataError
from diagtools.investigations.suite_report import SuiteReport
from diagtools.run import Run
from tests.support.runs import MIB, ROOT, START_NS, Recording, make_run
from tests.support.suite_logs import MS, begun_test, ended, line, measured, phase, process

T0_MS = START_NS // MS
HOSTILE = "a.py::t[<script>alert(1)</script> password=hunter2 **bold** <img src=http://x.invalid/x>]"


def test_lines(number: int, test: str, demand: int, kept: int) -> list[bytes]:
    """A test from ``number`` * 100 ms of the run on."""
    t_ms = T0_MS + number * 100
    span = measured(t_ms, t_ms + 90, 50, 50 + kept, 50 + demand)
    return [
        begun_test(number, test, t_ms=t_ms, rss=50),
        phase(number, "call", span=span),
        line("test end", number=number, **span),
    ]


test_lines.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's


def report(folder: Path, *lines: bytes, is_ended: bool = True) -> SuiteReport:
    """Of a run with these lines."""
    recording = Recording().start().ramp([50] * 100).close()
    run = make_run(folder, recording)
    first = process(pid=ROOT, t_ms=T0_MS)
    last = [ended(t_ms=T0_MS + 900)] * is_ended
    (run / "tests.100.jsonl").write_bytes(b"".join([first, *lines, *last]))
    return SuiteReport(Run.open(run))


def fixture(number: int, name: str, scope: str, kept: int) -> bytes:
    """A fixture of 10 ms."""
    t_ms = T0_MS + 10
    span = measured(t_ms, t_ms + 10, 50, 50 + kept, 50 + 2 * kept)
    return line("fixture", fixture_number=number, fixture=name, scope=scope, number=1, **span)


def test_the_sentences_are_those_of_the_measurements(tmp_path: Path) -> None:
    breach = line(
        "breach", number=1, limit="limit_rss", allowed=1, found=2, text="a.py::heavy was too heavy."
    )
    found = report(
        tmp_path / "run", *test_lines(1, "a.py::heavy", 64, 1), *test_lines(2, "a.py::keeps", 40, 32), breach
    )
    assert [str(one) for one in found.findings()] == [
        "main (pid 100) held 50.0 MiB before the first of its 2 tests and at most 114 MiB, in a.py::heavy.",
        "a.py::heavy needed most: 64.0 MiB.",
        "a.py::keeps left most behind: 32.0 MiB.",
        "All tests together left 33.0 MiB behind in the processes that ran them.",
        "a.py::heavy was too heavy.",
    ]
    assert [one.value for one in found.findings()][1:4] == [64 * MIB, 32 * MIB, 33 * MIB]


def test_a_process_that_was_killed_is_named(tmp_path: Path) -> None:
    lines = [*test_lines(1, "a.py::t", 64, 0), begun_test(2, "a.py::in_flight", t_ms=T0_MS + 400, rss=50)]
    found = report(tmp_path / "run", *lines, is_ended=False)
    sentences = [str(one) for one in found.findings()]
    assert "main (pid 100) did not come to its end." in sentences
    assert "was killed" in str(
        found.said().data if hasattr(found.said(), "data") else found.said()._repr_mimebundle_()
    )


def test_fixtures_by_name_and_by_scope(tmp_path: Path) -> None:
    lines = [
        *test_lines(1, "a.py::t", 64, 0),
        fixture(1, "model", "session", 30),
        fixture(2, "client", "function", 1),
        fixture(3, "client", "function", 5),
    ]
    found = report(tmp_path / "run", *lines)
    by_name = found.fixtures().rows
    assert [row[:5] for row in by_name] == [
        ["model", "session", "1", "60.0", "30.0"],
        ["client", "function", "2", "10.0", "5.00"],
    ]
    assert [row[:3] for row in found.scopes().rows] == [
        ["function", "2", "6.00"],
        ["session", "1", "30.0"],
    ]


def test_without_a_test_there_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="'run' has no test that was measured"):
        report(tmp_path / "run").findings()


def test_the_page_holds_everything_and_runs_nothing_of_others(tmp_path: Path) -> None:
    lines = [
        *test_lines(1, HOSTILE, 64, 0),
        line("file", what="module", path="<b>a.py</b>", **measured(T0_MS, T0_MS + 9, 40, 50, 60)),
        fixture(1, "<i>f</i>", "<u>scope</u>", 30),
        line("remark", text="<script>remark()</script>"),
        line("repeat", number=1, phase="call", capture="tests.7-1.memray"),
    ]
    page = report(tmp_path / "run", *lines).save(tmp_path / "page.html")
    html = page.read_text()
    for part in ("<script>alert(1)", "<img src=http", "<b>a.py", "<i>f</i>", "<u>scope", "<script>remark"):
        assert part not in html
    assert "hunter2" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "tests.7-1.memray" in html  # it is not there: said
    for title in ("Tests by their own peak", "Fixtures by scope", "Imports of conftests and test modules"):
        assert title in html
