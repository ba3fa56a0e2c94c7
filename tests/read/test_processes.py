"""Each process of the tree has one row, also where only its end was seen or its number was used again."""

from __future__ import annotations

from pathlib import Path

from diagtools.read.header import CURRENT
from diagtools.read.timeline import read_timeline
from tests.support.runs import Recording


def processes(folder: Path, recording: Recording) -> list[tuple[object, ...]]:
    (folder / CURRENT).write_bytes(recording.data)
    return read_timeline(folder).processes.rows()


def test_a_process_is_seen_from_begin_to_end(tmp_path: Path) -> None:
    recording = Recording().header().process(0.0, ppid=99).exit(1.5, 137)
    assert processes(tmp_path, recording) == [(100, 99, "python", 0.0, 1.5, 137)]


def test_the_first_end_tells_when_and_the_collected_one_how(tmp_path: Path) -> None:
    recording = Recording().header().process(0.0).exit(1.5).exit(1.6, 3)
    assert processes(tmp_path, recording) == [(100, 99, "python", 0.0, 1.5, 3)]


def test_a_process_that_still_runs_has_no_end(tmp_path: Path) -> None:
    assert processes(tmp_path, Recording().header().process(0.0)) == [(100, 99, "python", 0.0, None, None)]


def test_a_number_that_is_used_again_is_another_process(tmp_path: Path) -> None:
    recording = Recording().header().process(0.0, 200).exit(0.1, 0, pid=200).process(0.5, 200, name=b"sh")
    assert processes(tmp_path, recording) == [
        (200, 99, "python", 0.0, 0.1, 0),
        (200, 99, "sh", 0.5, None, None),
    ]


def test_a_process_that_stands_twice_counts_once(tmp_path: Path) -> None:
    recording = Recording().header().process(0.0).process(0.0)
    assert len(processes(tmp_path, recording)) == 1


def test_a_process_of_which_only_the_end_was_seen_is_kept(tmp_path: Path) -> None:
    recording = Recording().header().exit(0.4, 1, pid=300)
    assert processes(tmp_path, recording) == [(300, None, None, None, 0.4, 1)]


def test_a_process_begins_after_one_of_which_only_the_end_was_seen(tmp_path: Path) -> None:
    recording = Recording().header().exit(0.4, 1, pid=300).process(0.5, 300).exit(0.75, 0, pid=300)
    assert processes(tmp_path, recording) == [
        (300, None, None, None, 0.4, 1),
        (300, 99, "python", 0.5, 0.75, 0),
    ]


def test_a_name_may_hold_any_bytes(tmp_path: Path) -> None:
    recording = Recording().header().process(0.0, name=b"caf\xc3\xa9 \xff" + b"x" * 30)
    assert processes(tmp_path, recording)[0][2] == "café \\xff" + "x" * 17
