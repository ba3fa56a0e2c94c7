"""Whatever makes a figure less than it seems is said, in words and with its size."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.probes import records
from diagtools.read.header import CURRENT
from diagtools.read.timeline import read_timeline
from diagtools.values import State
from tests.support.runs import Recording, flipped


def said(folder: Path, data: bytes) -> list[tuple[State, str]]:
    (folder / CURRENT).write_bytes(data)
    return [(validity.state, validity.note) for validity in read_timeline(folder).validity]


def whole() -> Recording:
    return Recording().start().ramp([1, 2, 3]).close()


def test_nothing_is_said_of_a_whole_recording(tmp_path: Path) -> None:
    assert said(tmp_path, whole().data) == []


def test_damaged_records_are_counted(tmp_path: Path) -> None:
    data = flipped(flipped(whole().data, 8 * 200), 8 * 330)
    assert said(tmp_path, data) == [(State.TRUNCATED, "2 of 9 records damaged and left out")]


def test_missing_records_are_counted(tmp_path: Path) -> None:
    data = whole().data
    assert said(tmp_path, data[:192] + data[320:]) == [(State.TRUNCATED, "2 of 9 records missing")]


def test_records_that_found_no_room_are_not_called_missing_as_well(tmp_path: Path) -> None:
    recording = Recording().start().ramp([1, 2])
    recording.seq += 40
    data = recording.event(0.5, "disk_full", 40).close().data
    assert said(tmp_path, data) == [(State.TRUNCATED, "40 records found no room on the disk")]


def test_foreign_bytes_are_told(tmp_path: Path) -> None:
    data = whole().data
    assert said(tmp_path, data[:192] + bytes(1000) + data[192:]) == [
        (State.TRUNCATED, "at least 1,000 bytes in the files are no part of any record")
    ]


def test_a_recording_that_was_not_closed_is_told(tmp_path: Path) -> None:
    data = Recording().start().ramp([1]).data
    assert said(tmp_path, data) == [
        (State.TRUNCATED, "the recorder did not close the run: it was killed, or still records")
    ]


@pytest.mark.parametrize(
    ("missed", "expected"),
    [(1, []), (10, [(State.STARVED, "10 of 110 samples (9.1 %) were due and not taken")])],
)
def test_more_than_one_percent_of_missed_samples_is_told(
    tmp_path: Path, missed: int, expected: list[tuple[State, str]]
) -> None:
    data = Recording().start().ramp([1]).event(0.3, "missed", missed).close(ticks=100).data
    assert said(tmp_path, data) == expected


def test_missed_samples_are_told_of_a_recording_that_was_not_closed(tmp_path: Path) -> None:
    data = Recording().start().ramp([1, 2, 3]).event(0.3, "missed", 1).data
    assert said(tmp_path, data)[1] == (State.STARVED, "1 of 4 samples (25 %) were due and not taken")


def test_a_decimated_stretch_is_told(tmp_path: Path) -> None:
    recording = Recording().start().ramp([1])
    recording.add(records.EVENT, 90.0, 0, 2 * 10**9, 3, small=records.EVENTS.index("decimated"))
    assert said(tmp_path, recording.close(91.0).data) == [
        (State.DECIMATED, "up to 90.0 s only the largest sample of every 2.0 s was kept")
    ]
