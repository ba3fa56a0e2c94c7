"""What is thinned out, what stays, and that a crash at any point loses nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.probes import decimate as decimating
from diagtools.probes import records
from diagtools.probes.decimate import decimate
from diagtools.probes.records import Record
from diagtools.probes.writer import CURRENT, HISTORY, WAITING
from tests.capture.recorded import Recorded

MS = 1_000_000
UNKNOWN = records.UNKNOWN
ROOM = 40 * records.SIZE


class Segment:
    """Records as a sampler writes them, numbered from ``seq``."""

    def __init__(self, seq: int = 0) -> None:
        self.seq = seq
        self.data = b""

    def add(self, kind: int, t_ms: int, pid: int, *payload: int, small: int = 0) -> None:
        numbers = (*payload, 0, 0, 0, 0, 0)[:5]
        self.data += records.pack(kind, t_ms * MS, pid, self.seq, numbers, small)
        self.seq += 1

    def sample(
        self, t_ms: int, pid: int, rss: int, hwm: int = UNKNOWN, cpu: int = UNKNOWN, pss: int = UNKNOWN
    ) -> None:
        self.add(records.SAMPLE, t_ms, pid, rss, 1, hwm, cpu, pss)

    def write(self, path: Path) -> int:
        path.write_bytes(self.data)
        return self.seq


def recording(folder: Path, n_ticks: int = 1000, seq: int = 0) -> Segment:
    """A tree of two whose first process has one high tick, as timeline.1.bin."""
    segment = Segment(seq)
    segment.add(records.HEADER, 0, 7, records.VERSION)
    segment.add(records.PROCESS, 0, 7, 1, 99)
    for tick in range(n_ticks):
        segment.sample(10 * tick, 7, 5000 if tick == n_ticks // 3 else 100 + tick % 7, cpu=tick)
        segment.sample(10 * tick, 8, 50, hwm=9000 if tick == n_ticks // 2 else 60)
        if tick % 10 == 0:
            segment.add(
                records.SYSTEM, 10 * tick, 3, tick, 10_000 - tick, 5 | 7 << 32, tick, tick, small=tick % 50
            )
            segment.add(records.OUTPUT, 10 * tick, 7, tick, small=1)
    segment.add(records.EXIT, 10 * n_ticks, 8, 0)
    segment.write(folder / WAITING)
    return segment


def decimated(folder: Path) -> list[Record]:
    data = (folder / HISTORY).read_bytes()
    raw = [data[at : at + records.SIZE] for at in range(0, len(data), records.SIZE)]
    assert all(map(records.is_whole, raw))
    return [records.unpack(piece) for piece in raw]


def of(found: list[Record], kind: int) -> list[Record]:
    return [record for record in found if record.kind == kind]


def test_it_fits_the_room_and_keeps_the_maxima(tmp_path: Path) -> None:
    recording(tmp_path)

    decimate(str(tmp_path), HISTORY, WAITING, ROOM)

    found = decimated(tmp_path)
    samples = of(found, records.SAMPLE)
    assert len(samples) * records.SIZE <= ROOM
    assert max(record.payload[0] for record in samples if record.pid == 7) == 5000
    assert max(record.payload[2] for record in samples if record.pid == 8) == 9000
    assert max(record.payload[3] for record in samples if record.pid == 7) == 999
    assert all(record.flags == records.DECIMATED_FLAG for record in samples)
    assert not (tmp_path / WAITING).exists()


def test_whole_ticks_stay(tmp_path: Path) -> None:
    """The sum over a tree at one time is a sum of what was measured then."""
    recording(tmp_path)

    decimate(str(tmp_path), HISTORY, WAITING, ROOM)

    samples = of(decimated(tmp_path), records.SAMPLE)
    by_time = {record.t_ns: {r.pid for r in samples if r.t_ns == record.t_ns} for record in samples}
    assert set(map(frozenset, by_time.values())) == {frozenset({7, 8})}
    assert len(samples) == 2 * len(by_time)


def test_figures_of_the_system_keep_their_extremes_and_output_its_last_size(tmp_path: Path) -> None:
    recording(tmp_path)

    decimate(str(tmp_path), HISTORY, WAITING, ROOM)

    found = decimated(tmp_path)
    system, output = of(found, records.SYSTEM), of(found, records.OUTPUT)
    assert max(record.payload[0] for record in system) == 990
    assert min(record.payload[1] for record in system) == 10_000 - 990
    assert {record.payload[2] for record in system} == {5 | 7 << 32}
    assert max(record.small for record in system) == 40
    assert output[-1].payload[0] == 990
    assert len(system) + len(output) <= 2 * len(of(found, records.SAMPLE))


def test_what_is_unknown_stays_unknown_and_hides_nothing(tmp_path: Path) -> None:
    segment = Segment()
    for tick in range(200):
        segment.sample(tick, 7, 100)
        known = tick == 50
        cgroup = 5 if known else UNKNOWN
        halves = 3 | 4 << 32 if known else 0xFFFF_FFFF | 0xFFFF_FFFF << 32
        segment.add(
            records.SYSTEM, tick, 1, cgroup, 9, halves, UNKNOWN, 1, small=2 if known else records.NO_SMALL
        )
    segment.write(tmp_path / WAITING)

    decimate(str(tmp_path), HISTORY, WAITING, records.SIZE)

    found = decimated(tmp_path)
    (system,) = of(found, records.SYSTEM)
    assert (system.payload, system.small) == ((5, 9, 3 | 4 << 32, UNKNOWN, 1), 2)
    assert of(found, records.SAMPLE)[0].payload == (100, 1, UNKNOWN, UNKNOWN, UNKNOWN)


def test_processes_exits_and_events_all_stay(tmp_path: Path) -> None:
    segment = Segment()
    for number in range(300):
        segment.sample(number, 7, 100)
        segment.add(records.PROCESS, number, number, 7, number)
        segment.add(records.EXIT, number, number, 0)
        segment.add(records.EVENT, number, 7, number, small=3)
    segment.write(tmp_path / WAITING)

    decimate(str(tmp_path), HISTORY, WAITING, records.SIZE)

    found = decimated(tmp_path)
    assert [len(of(found, kind)) for kind in (records.PROCESS, records.EXIT, records.EVENT)] == [
        300,
        300,
        301,
    ]


def test_the_mark_says_what_was_done(tmp_path: Path) -> None:
    segment = recording(tmp_path)

    decimate(str(tmp_path), HISTORY, WAITING, ROOM)

    mark = decimated(tmp_path)[-1]
    assert Recorded.name(mark) == "decimated"
    bucket_ns, highest = mark.payload[:2]
    assert highest == segment.seq - 1
    samples = of(decimated(tmp_path), records.SAMPLE)
    assert len(samples) <= 2 * (10_000 * MS // bucket_ns + 1)


def test_again_and_again_it_stays_in_its_room(tmp_path: Path) -> None:
    """A recording of days: each segment is merged into the history."""
    seq, sizes = 0, []
    for part in range(12):
        segment = Segment(seq)
        segment.add(records.HEADER, 0, 7, records.VERSION)
        for tick in range(500):
            t_ms = 10 * (500 * part + tick)
            segment.sample(t_ms, 7, 100_000 + part if tick == 77 else 100 + tick % 7)
            segment.add(records.SYSTEM, t_ms, 1, tick, 1, 0, 0, 0)
        seq = segment.write(tmp_path / WAITING)
        decimate(str(tmp_path), HISTORY, WAITING, ROOM)
        sizes.append((tmp_path / HISTORY).stat().st_size)

    found = decimated(tmp_path)
    assert max(sizes) <= 2 * ROOM
    assert max(record.payload[0] for record in of(found, records.SAMPLE)) == 100_011
    assert len(of(found, records.HEADER)) == 1
    assert [Recorded.name(record) for record in of(found, records.EVENT)] == ["decimated"]
    assert [record.seq for record in found if record.kind == records.SAMPLE] == sorted(
        record.seq for record in found if record.kind == records.SAMPLE
    )


@pytest.mark.parametrize("step", ["os.fsync", "os.rename", "os.unlink"])
def test_a_crash_at_any_step_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    segment = recording(tmp_path)
    (tmp_path / CURRENT).write_bytes(
        records.pack(records.EVENT, 20_000 * MS, 7, segment.seq, (1, 0, 0, 0, 0), 3)
    )

    with monkeypatch.context() as crash:
        crash.setattr(decimating, "os", _Crashing(step.removeprefix("os.")))
        with pytest.raises(KeyboardInterrupt):
            decimate(str(tmp_path), HISTORY, WAITING, ROOM)
    first = Recorded(tmp_path)
    decimate(str(tmp_path), HISTORY, WAITING, ROOM)
    second = Recorded(tmp_path)

    for recorded in (first, second):
        seen = [(record.t_ns, record.pid) for record in recorded.samples()]
        assert len(seen) == len(set(seen))
        assert recorded.peak_rss() == 5000
        assert len(recorded.of(records.PROCESS)) == len(recorded.of(records.EXIT)) == 1
        assert recorded.events("signal")
    assert not (tmp_path / WAITING).exists()


class _Crashing:
    """The module ``os`` up to one call, which never returns: as a SIGKILL does, nothing is tidied up."""

    def __init__(self, step: str) -> None:
        self._step = step

    def __getattr__(self, name: str) -> object:
        import os

        if name == self._step:
            raise KeyboardInterrupt
        return getattr(os, name)


def test_damaged_and_torn_records_are_left_out(tmp_path: Path) -> None:
    recording(tmp_path)
    data = bytearray((tmp_path / WAITING).read_bytes())
    data[10 * records.SIZE + 30] ^= 1
    (tmp_path / WAITING).write_bytes(data[:-17])

    decimate(str(tmp_path), HISTORY, WAITING, 1 << 20)

    found = decimated(tmp_path)
    assert max(record.payload[0] for record in of(found, records.SAMPLE)) == 5000
    assert of(found, records.EXIT) == []


@given(
    ticks=st.lists(st.lists(st.integers(1, 10**12), min_size=1, max_size=4), min_size=1, max_size=200),
    step_ms=st.integers(1, 1000),
    room=st.integers(1, 4096),
)
def test_the_largest_sum_of_a_tree_always_survives(
    tmp_path_factory: pytest.TempPathFactory, ticks: list[list[int]], step_ms: int, room: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    segment = Segment()
    for number, sizes in enumerate(ticks):
        for pid, rss in enumerate(sizes):
            segment.sample(step_ms * number, pid + 1, rss, hwm=rss)
    segment.write(folder / WAITING)

    decimate(str(folder), HISTORY, WAITING, room)

    samples = of(decimated(folder), records.SAMPLE)
    sums = {t: sum(r.payload[0] for r in samples if r.t_ns == t) for t in {r.t_ns for r in samples}}
    assert max(sums.values()) == max(map(sum, ticks))
    assert all(sums[t] == sum(ticks[t // MS // step_ms]) for t in sums)
    shutil.rmtree(folder)
