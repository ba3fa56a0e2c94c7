"""What the processes noted is what the run says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from diagtools.capture import tracked
from diagtools.probes import tracker_notes
from diagtools.values import State, Tool, Tracking, Validity

MEMRAY = Tracking()
TRACEMALLOC = Tracking(tool=Tool.TRACEMALLOC)
BEGUN = ("begun", "memray 1.20.0", "")
CLOSED = ("closed", "", "")


def said(folder: Path, notes: Sequence[tuple[str, str, str]], tracking: Tracking = MEMRAY) -> list[Validity]:
    writer = tracker_notes.Notes(str(folder))
    for kind, text, place in notes:
        writer.write(kind, text, place)
    return list(tracked.validity(tracked.read_notes(folder), tracking))


def test_a_tracked_run_says_that_it_was(tmp_path: Path) -> None:
    (found,) = said(tmp_path, [BEGUN, CLOSED])
    assert (found.what, found.state) == ("memory", State.UNDER_TRACKER)
    assert found.note == "RSS was observed under memray 1.20.0: it includes the tracker's own"


def test_nothing_tracked_is_said(tmp_path: Path) -> None:
    (found,) = said(tmp_path, [])
    assert (found.what, found.state) == ("allocations", State.SKIPPED)
    assert found.note.startswith("memray was asked for and tracked nothing: no Python process of the command")


@pytest.mark.parametrize(
    ("notes", "tracking", "state", "words"),
    [
        (
            [("absent", "/opt/py/bin/python", "")],
            MEMRAY,
            State.SKIPPED,
            "1 process was not tracked: there is no memray in",
        ),
        ([("failed", "OSError: full", "")], MEMRAY, State.SKIPPED, "OSError: full"),
        ([("forked", "7", "")], MEMRAY, State.SKIPPED, "forked, and forks are not followed"),
        ([("skipped", "no room", "")], TRACEMALLOC, State.SKIPPED, "a snapshot of process"),
        ([("second", "memray.Tracker", "a.py:3")], MEMRAY, State.SKIPPED, "refused at a.py:3"),
        ([("second", "tracemalloc was on", "")], TRACEMALLOC, State.TRUNCATED, "is the program's choice"),
        (
            [("profiler", "sys.setprofile", "a.py:3")],
            MEMRAY,
            State.TRUNCATED,
            "allocates after a.py:3 has no stack",
        ),
        (
            [("profiler", "threading.setprofile", "a.py:3")],
            MEMRAY,
            State.TRUNCATED,
            "once a.py:3 was their profiler",
        ),
        ([("stopped", "it was stopped", "")], TRACEMALLOC, State.TRUNCATED, "no snapshot after that"),
        ([("greenlet", "", "")], MEMRAY, State.TRUNCATED, "uses greenlets"),
    ],
)
def test_each_note_is_said(
    tmp_path: Path, notes: list[tuple[str, str, str]], tracking: Tracking, state: State, words: str
) -> None:
    memory, *rest = said(tmp_path, [BEGUN, *notes, CLOSED], tracking)
    assert memory.state is State.UNDER_TRACKER
    (found,) = rest
    assert (found.what, found.state) == ("allocations", state)
    assert words in found.note


@pytest.mark.parametrize(
    ("tracking", "words"),
    [
        (MEMRAY, "it holds what was allocated until then"),
        (Tracking(aggregated=True), "an aggregated one is empty then"),
        (TRACEMALLOC, "there is no snapshot of its end"),
    ],
)
def test_a_capture_that_was_not_closed_is_said(tmp_path: Path, tracking: Tracking, words: str) -> None:
    _, found = said(tmp_path, [BEGUN], tracking)
    assert found.state is State.TRUNCATED
    assert found.note.startswith("1 of 1 captures was not closed")
    assert words in found.note


def test_places_are_redacted(tmp_path: Path) -> None:
    home = f"{Path.home()}/app/x.py:3"
    _, found = said(tmp_path, [BEGUN, ("profiler", "sys.setprofile", home), CLOSED])
    assert "~/app/x.py:3" in found.note
    assert str(Path.home()) not in found.note


def test_damaged_notes_are_left_out(tmp_path: Path) -> None:
    said(tmp_path, [BEGUN, CLOSED])
    path = tmp_path / tracker_notes.NAME
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert len(tracked.read_notes(tmp_path)) < 2
    path.write_bytes(data[:-3])
    assert [note.kind for note in tracked.read_notes(tmp_path)] == ["begun"]


def test_odd_text_comes_back(tmp_path: Path) -> None:
    said(tmp_path, [("failed", "a\tb\nc\\d", "x\udcff.py:1")])
    (note,) = tracked.read_notes(tmp_path)
    assert (note.text, note.place) == ("a\tb\nc\\d", "x\udcff.py:1")
