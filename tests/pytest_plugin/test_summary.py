"""What the terminal says of a session, from lines written by hand."""

from __future__ import annotations

import os
from pathlib import Path

from diagtools.pytest_plugin.options import Expected, Settings
from diagtools.pytest_plugin.summary import Summary
from diagtools.read.suite_samples import SuiteSamples
from diagtools.read.suite_tests import suite_costs
from tests.support.suite_logs import MIB, MS, begun_test, line, log, measured, phase, process, whole_test

SETTINGS = Settings(
    is_on=True,
    folder=None,
    is_traced=False,
    threshold=None,
    cap=None,
    delta_cap=None,
    html=None,
    suggest=False,
    expected=(),
)


def said(tmp_path: Path, *logs: object, samples: SuiteSamples | None = None) -> list[str]:
    """Its lines."""
    costs = suite_costs(logs, samples)  # type: ignore[arg-type]  # logs of `log`
    return list(Summary(costs, SETTINGS, tmp_path).lines(tmp_path / "run"))


def test_each_process_its_baseline_and_its_highest(tmp_path: Path) -> None:
    worker = [
        *whole_test(1, "a.py::a", begin=50, peak=80, end=51),
        *whole_test(2, "a.py::b", begin=51, peak=70, end=52),
    ]
    lines = said(tmp_path, log(), log(*worker, first=process(pid=8, worker="gw0", t_ms=1001)))
    assert lines[0] == "main (pid 7): 40.0 MiB as pytest began; ran no test itself."
    assert lines[1] == (
        "gw0 (pid 8): 40.0 MiB as pytest began, 50.0 MiB before the first of 2 tests, 52.0 MiB after the last; "
        "highest 80.0 MiB in a.py::a"
    )
    assert lines[2:5] == [
        "",
        "    needed        kept     highest     seconds  test: the 2 of 2 that needed most",
        "  30.0 MiB    1.00 MiB    80.0 MiB        0.10  a.py::a [gw0]",
    ]


def test_the_ten_that_needed_most_with_what_they_started(tmp_path: Path) -> None:
    tests = [one for n in range(1, 13) for one in whole_test(n, f"a.py::t{n}", peak=60 + n)]
    samples = SuiteSamples([(1150 * MS, 9, 500 * MIB)], {9: 7})
    lines = said(tmp_path, log(*tests), samples=samples)
    at = lines.index(
        "    needed        kept     highest    children     seconds  test: the 10 of 12 that needed most"
    )
    rows = [row.split() for row in lines[at + 1 : at + 11]]
    assert [row[-1] for row in rows] == ["a.py::t1", *(f"a.py::t{n}" for n in range(12, 3, -1))]
    assert rows[0][6:8] == ["500", "MiB"]
    assert rows[1][6] == "-"


def test_a_test_that_died_has_a_lower_bound_and_is_named(tmp_path: Path) -> None:
    samples = SuiteSamples([(1200 * MS, 7, 120 * MIB)], {})
    lines = said(tmp_path, log(begun_test(1, "a.py::t"), phase(1, "setup"), is_ended=False), samples=samples)
    row = next(one for one in lines if one.endswith("a.py::t (died)"))
    assert row.split() == ["≥", "70.0", "MiB", "?", "≥", "120", "MiB", "?", "a.py::t", "(died)"]
    assert "main (pid 7) did not come to its end: it was killed in a.py::t." in lines


def test_fixtures_and_files_that_are_worth_saying(tmp_path: Path) -> None:
    span = measured(1000, 1500, 40, 60, 70)
    tiny = {**span, "end_rss": 40 * MIB + 1, "peak": 40 * MIB + 1}
    lines = said(
        tmp_path,
        log(
            begun_test(1, "a.py::t"),
            line("fixture", fixture_number=1, fixture="big", scope="session", number=1, **span),
            line("fixture", fixture_number=2, fixture="tiny", scope="session", number=1, **tiny),
            line("file", what="conftest", path="conftest.py", **span),
            line("file", what="module", path="tiny.py", **tiny),
            line("file", what="collection", path=".", **span),
        ),
    )
    assert "  30.0 MiB    20.0 MiB  big (session) for a.py::t" in lines
    assert "  20.0 MiB      500 ms  conftest.py" in lines
    assert not [one for one in lines if "tiny" in one]
    assert not [one for one in lines if one.endswith("  .")]


def test_breaches_remarks_and_problems_stand_at_its_end(tmp_path: Path) -> None:
    breach = line("breach", number=1, limit="diag-cap", allowed=1, found=2, text="too much in a.py::t")
    costs = suite_costs([log(*whole_test(1, "a.py::t"), breach, line("remark", text="a remark"))])
    summary = Summary(costs, SETTINGS, tmp_path)
    summary.notes.append("a note")
    summary.problems.append("a problem")
    end = list(summary.lines(tmp_path / "run"))[-5:]
    assert end == [
        "too much in a.py::t",
        "a remark",
        "a note",
        "a problem",
        f"All of it: diagtools show {tmp_path / 'run'}",
    ]


def test_a_run_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tests.1.jsonl")
    expected = Expected(name=".", size=1)
    settings = Settings(
        **{name: getattr(SETTINGS, name) for name in SETTINGS.__slots__} | {"expected": (expected,)}
    )
    summary = Summary.read(tmp_path, settings, tmp_path)
    assert "not a plain file" in summary.problems[0]
    assert not summary.is_above_normal
    assert any(one.endswith("no test  .") for one in summary.lines(tmp_path))
