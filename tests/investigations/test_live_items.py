"""What has a command done so far, by files that are still being written?"""

from __future__ import annotations

from pathlib import Path

from diagtools.investigations.live_items import Levels, Progress, Tail, Tick
from tests.support.runs import MIB, ROOT, Recording, at, begin, end, marker


class Running:
    """A recording that goes on: what is added is appended to the files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recording = Recording().start()
        self.progress = Progress(folder)
        self._written = 0

    def flush(self, *lines: bytes) -> Progress:
        with (self.folder / "timeline.bin").open("ab") as file:
            file.write(self.recording.data[self._written :])
        self._written = len(self.recording.data)
        with (self.folder / "markers.log").open("ab") as file:
            file.write(b"".join(lines))
        self.progress.look()
        return self.progress


def test_items_get_the_highest_memory_while_they_ran(tmp_path: Path) -> None:
    run = Running(tmp_path)
    run.recording.sample(0.0, 100 * MIB).sample(0.1, 300 * MIB)
    assert run.flush(begin(0.05, "a", features="size=7.0")).ended == []
    run.recording.sample(0.2, 150 * MIB).sample(0.3, 500 * MIB)
    (item,) = run.flush(marker(0.15, "note", "a", features="n_chunks=3.0"), end(0.25, "a")).ended
    assert item.peak_bytes == 300 * MIB
    assert item.features == {"size": 7.0, "n_chunks": 3.0}
    assert item.end_ns == at(0.25)


def test_a_marker_waits_until_its_memory_is_known(tmp_path: Path) -> None:
    run = Running(tmp_path)
    run.recording.sample(0.0, 100 * MIB)
    assert run.flush(begin(0.05, "a"), end(0.25, "a")).ended == []
    run.recording.sample(0.2, 150 * MIB).sample(0.3, 99 * MIB)
    assert [item.peak_bytes for item in run.flush().ended] == [150 * MIB]


def test_an_item_between_two_samples_has_no_peak(tmp_path: Path) -> None:
    run = Running(tmp_path)
    run.recording.sample(0.0, MIB).sample(0.1, MIB)
    assert [item.peak_bytes for item in run.flush(begin(0.01, "a"), end(0.02, "a")).ended] == [None]


def test_what_markers_read_counts_with_what_other_processes_hold(tmp_path: Path) -> None:
    """Its own process by the markers, the other 50 MiB by the sample before; the higher of begin and end."""
    run = Running(tmp_path)
    run.recording.sample(0.0, 100 * MIB).sample(0.0, 50 * MIB, pid=ROOT + 1).sample(0.1, 100 * MIB)
    quick = begin(0.01, "a", rss=110 * MIB), marker(0.02, "end", "a", status="ok", rss=130 * MIB)
    (item,) = run.flush(*quick).ended
    assert (item.peak_bytes, item.read_bytes) == (None, 180 * MIB)


def test_what_no_marker_read_is_not_known(tmp_path: Path) -> None:
    """Neither where it has no reading, nor of a process that was not sampled yet."""
    run = Running(tmp_path)
    run.recording.sample(0.0, 100 * MIB).sample(0.1, 100 * MIB)
    mute = begin(0.01, "a"), end(0.02, "a")
    young = [
        marker(t_s, edge, "b", index=2, rss=70 * MIB, pid=ROOT + 1)
        for t_s, edge in ((0.03, "begin"), (0.04, "end"))
    ]
    assert [item.read_bytes for item in run.flush(*mute, *young).ended] == [None, None]


def test_processes_are_summed_as_a_limit_sums_them(tmp_path: Path) -> None:
    """Anonymous memory summed, shared memory once; a process that has ended holds nothing."""
    run = Running(tmp_path)
    run.recording.sample(0.0, 100 * MIB, shared=10 * MIB)
    run.recording.sample(0.0, 50 * MIB, shared=20 * MIB, pid=ROOT + 1)
    progress = run.flush()
    assert progress.last == Tick(t_ns=at(0.0), used_bytes=(90 + 30 + 20) * MIB)
    run.recording.exit(0.05, pid=ROOT + 1).sample(0.1, 100 * MIB, shared=10 * MIB)
    assert run.flush().last == Tick(t_ns=at(0.1), used_bytes=100 * MIB)


def test_what_a_phase_or_an_event_says_of_the_job_is_known(tmp_path: Path) -> None:
    run = Running(tmp_path)
    run.recording.sample(0.0, MIB).sample(1.0, MIB)
    phase = marker(0.1, "note", "index", kind="phase", features="n_items=262.0,total_size=9.0,other=1.0")
    event = marker(0.2, "point", "found more", kind="event", features="n_items=300.0")
    assert run.flush(phase, event).job == {"n_items": 300.0, "total_size": 9.0}


def test_half_a_line_and_half_a_record_wait_for_the_rest(tmp_path: Path) -> None:
    line = begin(0.0, "a")
    (tmp_path / "markers.log").write_bytes(line[:9])
    records = Recording().start().sample(0.5, 7 * MIB).data
    (tmp_path / "timeline.bin").write_bytes(records[:-20])
    progress = Progress(tmp_path)
    progress.look()
    assert progress.last is None
    (tmp_path / "markers.log").write_bytes(line + end(0.2, "a"))
    (tmp_path / "timeline.bin").write_bytes(records)
    progress.look()
    assert progress.last == Tick(t_ns=at(0.5), used_bytes=7 * MIB)
    assert len(progress.ended) == 1


def test_damaged_lines_and_records_are_passed_over(tmp_path: Path) -> None:
    run = Running(tmp_path)
    run.recording.sample(0.0, MIB).sample(0.1, 2 * MIB)
    run.recording.records[-2] = bytes(64)
    progress = run.flush(b"nonsense\n", begin(0.0, "a"), end(0.05, "a"))
    assert progress.last == Tick(t_ns=at(0.1), used_bytes=2 * MIB)
    assert len(progress.ended) == 1


def test_a_new_file_of_the_same_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "timeline.bin"
    path.write_bytes(b"x" * 100)
    tail = Tail(tmp_path, "timeline.bin")
    assert len(tail.read()) == 100
    tail.offset = 100
    assert tail.read() == b""
    path.rename(tmp_path / "timeline.1.bin")
    path.write_bytes(b"yy")
    assert tail.read() == b"yy"
    assert Tail(tmp_path, "nothing").read() == b""


def test_stretches_become_twice_as_long_and_keep_the_highest() -> None:
    levels = Levels()
    for second in range(500):
        levels.add(Tick(t_ns=second * 10**9, used_bytes=900 if second == 333 else second))
    assert len(levels.highest) <= 400
    assert max(level for level in levels.highest if level is not None) == 900
    assert levels.stretch_ns == 1_600_000_000
