"""Every benchmark runs in its smallest form and writes what a reader and a script can use."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import NAMES, main, run
from benchmarks.results import Size

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks read /proc")


@pytest.mark.parametrize("name", NAMES)
def test_runs_in_its_smallest_form_and_writes_results(name: str, tmp_path: Path) -> None:
    found = run([name], Size.TINY)

    report.write(found, tmp_path)

    (section,) = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["sections"]
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert section["failure"] == ""
    assert section["question"].endswith("?")
    assert section["outcome"]["series"] or section["outcome"]["notes"]
    assert all(series["values"] for series in section["outcome"]["series"])
    assert f"## {name}: {section['question']}" in text
    assert str(tmp_path.parent) not in text


def test_what_fails_is_said_and_the_rest_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(bench: object) -> None:
        raise OSError("nothing works in '/home/somebody/today'")

    monkeypatch.setattr("benchmarks.gil.run", fail)
    monkeypatch.setattr("benchmarks.marker._PLANS", dict.fromkeys(Size, _tiny_plan()))

    status = main(["--quick", "--only", "gil", "--only", "marker", "--output", str(tmp_path)])

    failed, done = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["sections"]
    assert status == 1
    assert failed["failure"] == "OSError: nothing works in '…/today'"
    assert done["outcome"]["series"]


def test_a_part_never_replaces_the_record_of_a_whole_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("benchmarks.__main__._RESULTS", tmp_path / "whole")
    monkeypatch.setattr("benchmarks.__main__._PARTIAL", tmp_path / "part")
    monkeypatch.setattr("benchmarks.marker._PLANS", dict.fromkeys(Size, _tiny_plan()))

    main(["--only", "marker"])

    assert not (tmp_path / "whole").exists()
    assert (tmp_path / "part" / "results.json").exists()


def _tiny_plan() -> object:
    from benchmarks import marker

    return marker._PLANS[Size.TINY]
