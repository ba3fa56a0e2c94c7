"""A command against itself: what is printed for people and for scripts, and when a gate closes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.investigations import changes
from diagtools.investigations.ab import AbCase, ab
from diagtools.investigations.changes import Change
from diagtools.values import Moved, Target, Verdict

#: Two holders of the same 40 MiB: either alone keeps it.
HOLDERS = """
import os
def first(held): return None if os.environ.get("FIRST") else held
def second(held): return None if os.environ.get("SECOND") else held
held = b"x" * (40 << 20)
kept = first(held), second(held)
del held
b = b"y" * (40 << 20)
print("done")
"""


def program(mebibytes: str) -> Target:
    code = f"kept = b'x' * ({mebibytes} << 20); import time; time.sleep(0.03); print('done')"
    return Target(argv=(sys.executable, "-c", f"import os; {code}"))


def case(folder: Path, target: Target, *found: Change, **more: object) -> AbCase:
    return AbCase(target, found, folder=folder / "runs", **more)  # type: ignore[arg-type]


SIZED = "int(os.environ.get('SIZE', '40'))"


def test_a_script_gets_what_the_contract_names(tmp_path: Path) -> None:
    broken = changes.patch("replace('nowhere:x', 1)", name="fix.py")
    found = case(tmp_path, program(SIZED), changes.env("SIZE=4"), broken)
    found.try_quickly(3)
    told = json.loads(json.dumps(found.as_json()))
    small, patch = told["variants"]
    assert (small["variant"], small["applied"], small["outcome"], small["same_output"]) == (
        "SIZE=4",
        True,
        "finished",
        True,
    )
    (metric,) = small["metrics"]
    assert metric["metric"] == "peak_rss_bytes"
    assert metric["verdict"] == "confirmed"
    assert metric["pairs"] == 3
    assert metric["low"] <= metric["effect"] <= metric["high"] < -0.5
    assert metric["value"] < metric["baseline"]
    assert (patch["applied"], patch["why_not"]) == (False, "fix.py: nowhere was never imported")
    assert patch["metrics"][0]["verdict"] == "inconclusive"


def test_two_holders_are_found_by_taking_both_away(tmp_path: Path) -> None:
    target = Target(argv=(sys.executable, "-c", HOLDERS))
    found = case(tmp_path, target, changes.env("FIRST=1"), changes.env("SECOND=1"), both=True)
    found.try_quickly(3)
    verdicts = [effect.verdict for effect in found.effects]
    assert verdicts == [Verdict.REFUTED, Verdict.REFUTED, Verdict.CONFIRMED]
    assert "both together free it: FIRST=1 alone" in " ".join(found.as_text().split())


def test_the_gate_closes_where_a_change_raises_a_metric(tmp_path: Path) -> None:
    found = case(tmp_path, program(SIZED), changes.env("SIZE=41"), changes.env("SIZE=40"))
    found.try_until_clear()
    more, same = found.effects
    assert more.moved is Moved.HIGHER
    assert same.moved is Moved.SAME
    assert same.n_pairs >= 10
    with pytest.raises(BudgetBreached, match="SIZE=41"):
        found.check_gate()


def test_the_gate_opens_where_nothing_moved(tmp_path: Path) -> None:
    found = case(tmp_path, program(SIZED), changes.env("SIZE=40"))
    found.try_until_clear(most_pairs=10)
    assert str(found.check_gate()) == "No change raised a metric."


def test_a_gate_does_not_open_where_nothing_is_known(tmp_path: Path) -> None:
    found = case(tmp_path, program(SIZED), changes.patch("replace('nowhere:x', 1)", name="fix.py"))
    found.try_until_clear(most_pairs=10)
    with pytest.raises(NoDataError, match="fix"):
        found.check_gate()


def test_a_change_that_cannot_be_made_is_said_and_the_others_run(tmp_path: Path) -> None:
    nowhere = Change(name="elsewhere", apply=changes.instead("no-such-command-at-all").apply)
    found = case(tmp_path, program(SIZED), nowhere, changes.env("SIZE=4"))
    found.try_quickly(2)
    assert [effect.verdict for effect in found.effects] == [Verdict.INCONCLUSIVE, Verdict.CONFIRMED]
    assert found.as_json()["variants"][0]["outcome"] == "cannot run"


def test_changes_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    same = changes.patch("import gc", name="fix.py")
    found = case(tmp_path, program("1"), same, same)
    assert list(found.experiment.variants) == ["as it was", "fix.py", "fix.py (2)"]


def test_nothing_to_compare_with_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to compare"):
        case(tmp_path, program("1"))


def test_one_call_from_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path))
    found = ab(program(SIZED), changes.env("SIZE=4"), pairs=2)
    assert found.effects[0].verdict is Verdict.CONFIRMED
    assert found.question.startswith("What lowers peak_rss_bytes of `")
    assert found.chart().to_dict()
    assert found.pairs_chart().to_dict()
    with pytest.raises(NoDataError, match="No such variant"):
        found.pairs_chart("other")
