"""What a command's processes are asked for, and what is said where they did not do it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture import snapshots
from diagtools.capture.runner import capture
from diagtools.errors import UsageError
from diagtools.probes import moments
from diagtools.probes.tracker_notes import Notes
from diagtools.run import Run
from diagtools.values import Enforcer, Limit, Snapshots, State, Target

BOTH = Snapshots(ledger=True, trim=True, holders=True, every_s=2.5)


def test_each_instrument_is_told_when() -> None:
    limit = Limit(memory_bytes=1000)
    assert snapshots.asked(BOTH, limit) == {
        "ledger": "ledger signal every_s=2.5 cap=1000 trim",
        "holders": "holders signal every_s=2.5 cap=1000",
    }
    assert snapshots.asked(Snapshots(holders=True), None) == {"holders": "holders signal"}


def test_an_address_space_is_no_cap_of_what_is_resident() -> None:
    limit = Limit(memory_bytes=1000, enforcer=Enforcer.RLIMIT_AS)
    assert snapshots.asked(Snapshots(ledger=True), limit) == {"ledger": "ledger signal"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No snapshots are asked for"),
        ({"trim": True, "holders": True}, "malloc_trim"),
        ({"ledger": True, "every_s": 0.0}, "some time between"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, bool], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Snapshots(**given)


def test_a_command_without_python_took_none(tmp_path: Path) -> None:
    captured = capture(Target(argv=("sleep", "0.1"), snapshots=Snapshots(ledger=True)), tmp_path / "run")
    (said,) = [one for one in Run.open(captured.folder).validity if one.what == "ledger"]
    assert said.state is State.SKIPPED
    assert "no Python process" in said.note


def test_what_was_left_out_is_said_with_its_reason_and_its_instrument(tmp_path: Path) -> None:
    notes = Notes(str(tmp_path), moments.NOTES)
    notes.write("begun", "ledger")
    notes.write("begun", "holders")
    notes.write_once("skipped", "holders, cap: MemoryError: ")
    assert snapshots.validity(tmp_path, {"ledger": ""}) == ()
    said, *observed = snapshots.validity(tmp_path, {"ledger": "", "holders": ""})
    assert "holders, cap: MemoryError" in said.note
    assert [(one.what, one.state) for one in observed] == [
        ("memory", State.UNDER_TRACKER),
        ("ledger", State.UNDER_TRACKER),
    ]


def test_the_run_says_what_was_asked_for(tmp_path: Path) -> None:
    target = Target(argv=(sys.executable, "-c", ""), snapshots=Snapshots(ledger=True, trim=True))
    run = Run.open(capture(target, tmp_path / "run").folder)
    assert run.manifest.snapshots == {"ledger": "signal trim"}
