"""What grew from one to the other, by line and below one's own code, in figures that add up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from diagtools.errors import BudgetBreached, NoDataError, NotARunError, UsageError
from diagtools.investigations.compare import compare, peaks_compared
from diagtools.investigations.profile_report import ProfileReport
from diagtools.investigations.profiles import export_profile, open_profile
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from tests.support.runs import MIB, Recording, make_run

CAPTURES = Path(__file__).resolve().parents[2] / "data" / "captures"
MAIN, LOAD, READ = (
    ("main", "/app/run.py", 3),
    ("load", "/app/io.py", 7),
    ("read", "/lib/site-packages/fast/io.py", 9),
)


def profile(*sizes: int, unit: Unit = Unit.BYTES) -> Profile:
    """Sizes asked for by ``read`` for ``load``, by ``load`` itself, and by ``main``."""
    gathered = Gathered()
    for stack, size in zip(([MAIN, LOAD, READ], [MAIN, LOAD], [MAIN]), sizes, strict=False):
        gathered.add(stack, size)
    return gathered.profile(name="p", source=Source.FOLDED, view=View.PEAK, unit=unit)


def test_the_change_is_told_by_who_asked_and_by_own_code() -> None:
    found = compare(profile(100 * MIB, 10, 5), profile(40 * MIB, 10, 5))
    sentences = [str(one) for one in found.findings()]
    assert sentences[0] == "The total shrank by 60.0 MiB (100 MiB → 40.0 MiB)."
    assert sentences[1].startswith("read in fast/io.py:9 shrank by 60.0 MiB (100 MiB → 40.0 MiB)")
    assert sentences[2].startswith("Below one's own code: load in io.py:7 shrank by 60.0 MiB")


def test_a_capture_compared_with_itself_is_empty() -> None:
    found = compare(profile(7, 8, 9), profile(7, 8, 9))
    assert found.difference.frame.is_empty()
    assert "The total is the same before and after" in found.as_text()
    assert "how sure" not in found.as_text(), "a table without rows"
    assert found.as_json()["sites"] == []
    assert found.as_json()["delta_bytes"] == 0


def test_json_keeps_the_contract_and_adds_up() -> None:
    found = compare(profile(100, 10, 5), profile(40, 30, 5)).as_json()
    assert (found["before_bytes"], found["after_bytes"], found["delta_bytes"]) == (115, 75, -40)
    assert sum(site["delta_bytes"] for site in found["sites"]) == -40
    assert {"function", "file", "line", "before_bytes", "after_bytes", "delta_bytes", "certainty"} <= set(
        found["sites"][0]
    )
    json.dumps(found)


def test_repeats_say_what_is_noise() -> None:
    before = [profile(100, 10, 500), profile(101, 30, 500), profile(99, 20, 500)]
    after = [profile(300, 12, 500), profile(301, 28, 500), profile(299, 22, 500)]
    sure = {
        row["function"]: row["certainty"]
        for row in compare(before, after).difference.frame.iter_rows(named=True)
    }
    assert sure["read"] == "certain"
    assert sure["load"] == "within noise"


def test_a_budget_is_for_the_growth_and_in_bytes() -> None:
    grown = compare(profile(100), profile(2 * MIB))
    grown.check("3 MiB")
    compare(profile(2 * MIB), profile(100)).check("1 kB")
    with pytest.raises(BudgetBreached, match=r"growth is 2\.00 MiB, above its budget of 1\.00 MiB"):
        grown.check("1 MiB")
    with pytest.raises(UsageError, match="these sizes are in ns"):
        compare(profile(1, unit=Unit.NS), profile(2, unit=Unit.NS)).check("1 MiB")


def test_two_sides_that_count_differently_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        compare(profile(1), profile(2, unit=Unit.NS)).findings()
    with pytest.raises(NoDataError, match="nothing to compare"):
        compare([], profile(1))


def test_the_same_run_twice_is_no_repeat() -> None:
    one = CAPTURES / "rag-before-1.parquet"
    with pytest.raises(UsageError, match="is given twice: the same run is no repeat"):
        compare([one, str(one)], CAPTURES / "rag-after-1.parquet")


def test_counts_that_a_source_does_not_have_are_not_made_up() -> None:
    report = ProfileReport(profile(100, 10, 5))  # folded stacks: sizes alone
    assert {site["n"] for site in report.as_json()["sites"]} == {None}
    assert "—" in str(report.table())


def test_peaks_of_several_processes_are_called_what_they_are() -> None:
    gathered = Gathered()
    for pid in (1, 2):
        gathered.add([MAIN], 50 * MIB, pid=pid)
    both = gathered.profile(name="p", source=Source.MEMRAY, view=View.PEAK, unit=Unit.BYTES)
    assert "100 MiB (the peaks of 2 processes, each at its own time, summed; memray capture)" in str(
        ProfileReport(both)
    )


def test_captures_of_different_programs_are_said_to_be() -> None:
    gathered = Gathered()
    gathered.add([("other", "/srv/else.py", 1)], 100)
    other = gathered.profile(name="q", source=Source.FOLDED, view=View.PEAK, unit=Unit.BYTES)
    found = compare(profile(1, 2, 3), other)
    assert not found.difference.is_one_program
    assert found.difference.doubts
    assert [one["what"] for one in found.as_json()["validity"]] == ["comparison"]


def test_charts_compile_and_the_indexer_names_its_line() -> None:
    before, after = CAPTURES / "rag-before-1.parquet", CAPTURES / "rag-after-1.parquet"
    found = compare(before, str(after), by="function")
    assert found.bars().to_dict()["$schema"]
    assert found.icicle().to_dict()["$schema"]
    assert "workloads/rag/embedding.py" in str(found.findings()[-1])


def test_peaks_of_two_runs_are_compared_too(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / name, Recording().start().ramp([10, peak, 10]).close(0.03))
        for name, peak in (("a", 100), ("b", 60))
    ]
    found = peaks_compared(*runs)
    assert str(found) == "Peak RSS shrank by 40.0 MiB (100 MiB → 60.0 MiB)."
    assert peaks_compared(runs[0], CAPTURES / "memray.csv") is None
    with pytest.raises(NoDataError, match="recorded without a tracker"):
        compare(*runs)


def test_what_is_no_run_and_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotARunError, match="is a folder, and no run"):
        open_profile(tmp_path)
    with pytest.raises(UsageError, match="There is no view 'top'"):
        open_profile(CAPTURES / "memray.csv", view="top")
    with pytest.raises(UsageError, match="There is no unit 'pages'"):
        open_profile(CAPTURES / "memray.csv", unit="pages")


def test_a_report_names_places_allocators_and_what_it_cannot_show() -> None:
    report = ProfileReport(open_profile(CAPTURES / "temporal.html", over_time=True))
    text = report.as_text()
    assert "program.py" in text
    assert report.icicle().to_dict()["$schema"]
    assert report.over_time().to_dict()["$schema"]
    assert "program.py" in str(report.table("function", origin="own"))
    assert sum(site["self_bytes"] for site in report.as_json()["sites"]) == report.profile.total
    with pytest.raises(NoDataError, match="knows no time"):
        ProfileReport(open_profile(CAPTURES / "flamegraph.html")).over_time()
    with pytest.raises(UsageError, match="There is no origin 'mine'"):
        report.table(origin="mine")


@pytest.mark.parametrize("name", ["x.folded", "x.speedscope.json", "x.parquet"])
def test_an_export_is_read_again_with_the_same_total(tmp_path: Path, name: str) -> None:
    whole = open_profile(CAPTURES / "flamegraph.html")
    export_profile(whole, tmp_path / name)
    found = open_profile(tmp_path / name)
    assert (found.total, found.unit, found.view, found.validity) == (whole.total, whole.unit, whole.view, ())


def test_an_export_of_no_kind_is_refused(tmp_path: Path) -> None:
    whole = open_profile(CAPTURES / "memray.csv")
    with pytest.raises(UsageError, match="does not say which kind"):
        export_profile(whole, tmp_path / "x.txt")
    with pytest.raises(UsageError, match="cannot be written"):
        export_profile(whole, tmp_path / "no" / "x.folded")


def test_source_lines_are_shown_only_when_asked(tmp_path: Path) -> None:
    code = tmp_path / "app.py"
    code.write_text("import os\nkept = bytearray(9)  # the line\n")
    gathered = Gathered()
    gathered.add([("<module>", str(code), 2)], 9)
    gathered.add([("<module>", "/etc/passwd", 1)], 8)
    report = ProfileReport(gathered.profile(name="p", source=Source.FOLDED, view=View.PEAK, unit=Unit.BYTES))
    assert "the line" not in str(report.table())
    shown = str(report.table(source=True))
    assert "kept = bytearray(9)  # the line" in shown
    assert "root" not in shown, "only Python's source is read"


def test_what_lived_when_is_a_report_of_its_own(tmp_path: Path) -> None:
    report = ProfileReport(open_profile(shutil.copy(CAPTURES / "program.memray", tmp_path), over_time=True))
    assert report.profile.tracked is not None
    ends_s = float(report.profile.tracked["t_s"].max())  # type: ignore[arg-type]
    most = report.during(0, ends_s)
    assert 0 < report.at(ends_s).profile.total <= most.profile.total
    assert report.during(0, ends_s, "mean").profile.total <= most.profile.total
    made, kept = (report.during(0, ends_s, what).profile.total for what in ("allocated", "kept"))  # type: ignore[arg-type]
    assert 0 < kept <= made
    assert "own" in str(report.around("program.py block", "function"))
