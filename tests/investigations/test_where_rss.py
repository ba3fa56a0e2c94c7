"""Where the RSS of known programs goes, told by ledger and holders together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.analyse.growth_models import GrowthClass
from diagtools.errors import NoDataError, UsageError
from diagtools.investigations.explain import explain
from diagtools.investigations.record import record
from diagtools.investigations.where_rss import WhereDidRssGo
from diagtools.present.shown import CASE_KEY

MIB = 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> WhereDidRssGo:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("where"))
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
        made = WhereDidRssGo(programs="fragments, weights, registry", mib=48)
        assert list(made.runs) == list(made.held_runs) == ["fragments", "weights", "registry"]
        return made


def test_each_program_is_explained_by_what_it_does(case: WhereDidRssGo) -> None:
    fragments, weights, registry = case.headlines()
    assert "is Python retained" in fragments or "is C free" in fragments
    assert "is file data" in weights
    assert "held by" not in weights
    assert "is C used" in registry
    assert "held by workloads.holding.registry.Session.registered" in registry


def test_the_parts_sum_to_the_rss_and_hardly_anything_is_unexplained(case: WhereDidRssGo) -> None:
    for name in case.names:
        ledger = case.ledger(name).ledger
        sizes = dict(ledger.select("component", "bytes").iter_rows())
        assert sizes["unexplained"] <= max(3 * 10**6, 0.02 * int(ledger["bytes"].sum()))


def test_programs_are_found_by_what_is_odd_about_them(case: WhereDidRssGo) -> None:
    assert case.loosest == "fragments"
    assert case.tightest == "registry"
    assert case.first == "fragments"


def test_what_was_measured_of_a_trim_is_said(case: WhereDidRssGo) -> None:
    said = str(case.said("fragments"))
    assert "went back with malloc_trim (measured)" in said
    assert "half-empty pymalloc arenas" in said


def test_it_shows_itself(case: WhereDidRssGo) -> None:
    assert "Session.registered" in str(case.overview())
    assert "Session.registered" in str(case.conclusion())
    assert case.waterfall("weights").to_dict()
    assert case.paths("registry").to_dict()
    assert case.icicle("registry").to_dict()
    assert "Session.registered" in str(case.grown("registry"))
    text, metadata = case._repr_mimebundle_()
    assert "registry" in text["text/plain"]
    assert metadata[CASE_KEY]["headlines"] == case.headlines()


def test_a_command_without_markers_has_one_snapshot_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    case = WhereDidRssGo(command=f"{sys.executable} -c 'kept = [bytes(500) for _ in range(100_000)]'")
    assert case.tightest == "command"
    assert "There is one snapshot" in str(case.grown())
    assert "__main__.kept" in case.headlines()[0]


def test_a_run_says_the_same_in_its_own_explanation(case: WhereDidRssGo) -> None:
    ledger = explain(case.runs["fragments"])
    assert "malloc_trim" in ledger.as_text()
    shown = ledger.as_json()
    assert shown["holders"] is None
    assert sum(row["bytes"] for row in shown["ledger"]) == case.ledger("fragments").ledger["bytes"].sum()
    held = explain(case.held_runs["registry"])
    assert "Session.registered" in held.as_text()
    first = held.as_json()["holders"][0]
    assert first["root"] == "workloads.holding.registry.Session.registered"
    assert first["retained_bytes"] > 48 * MIB
    assert shown["growth"]["class"]


def test_snapshots_are_listed_and_compared(case: WhereDidRssGo) -> None:
    report = case.ledger("fragments")
    assert "phase begin" in str(report.snapshots())
    assert "RSS changed by +" in str(report.growth())
    assert report.confirms_fragmentation() is True
    assert case.ledger("registry").confirms_fragmentation() is False
    with pytest.raises(NoDataError, match="no such snapshot"):
        type(report)(report.run, index=999)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"programs": "nothing"}, "no program 'nothing'"),
        ({"programs": ""}, "No program"),
        ({"mib": 0}, "mib=0"),
    ],
)
def test_wrong_parameters_are_refused_at_once(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        WhereDidRssGo(**given)  # type: ignore[arg-type]


def test_growth_and_forecast_of_a_run_are_drawn(tmp_path: Path) -> None:
    code = """
import time
from diagtools import mark
kept = []
for n in range(40):
    with mark.item(n, n_rows=n % 7 + 1):
        kept.append(b"x" * 1_000_000)
        time.sleep(0.03)
"""
    (tmp_path / "app.py").write_text(code)
    run = record([sys.executable, "app.py"], cwd=tmp_path, folder=tmp_path / "run")
    explained = explain(run)
    assert explained.growth is not None
    assert explained.growth.growth_class is GrowthClass.LEAK
    assert explained.growth.bytes_per_unit == pytest.approx(1_000_000, rel=0.05)
    assert "an item" in explained.as_text()
    assert explained.growth_chart().to_dict()
    half = run.items["end_s"].sort()[20]
    assert explained.forecast(now=half).n_seen >= 15
    assert explained.forecast_chart(now=half).to_dict()
