"""Whatever happens to the files of a recording, what is left is as it was written and what is lost is counted."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from diagtools.errors import DamagedError, NoDataError
from diagtools.probes import records
from diagtools.read.header import CURRENT, HISTORY, WAITING
from diagtools.read.manifest import read_manifest
from diagtools.read.recording import Lost, Recording, read_recording
from tests.support import runs
from tests.support.runs import START_NS, flipped, make_run

WRITTEN = runs.Recording().start().ramp(range(1, 8)).close().records
DATA = b"".join(WRITTEN)
NONE = Lost(n_damaged=0, n_missing=0, n_foreign_bytes=0)


def read(data: bytes, **others: bytes) -> Recording:
    """The recording that these files make; ``others`` are named ``history`` and ``waiting``."""
    names = {"history": HISTORY, "waiting": WAITING}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / CURRENT).write_bytes(data)
        for which, content in others.items():
            (folder / names[which]).write_bytes(content)
        return read_recording(folder)


def as_written(recording: Recording) -> list[tuple[int, ...]]:
    columns = ("kind", "flags", "small", "t_ns", "pid", "seq", "p0", "p1", "p2", "p3", "p4")
    return [tuple(row) for row in recording.rows.select(columns).iter_rows()]


def expected(written: list[bytes]) -> list[tuple[int, ...]]:
    unpacked = [records.unpack(record) for record in written]
    return [(r.kind, r.flags, r.small, r.t_ns, r.pid, r.seq, *r.payload) for r in unpacked]


def test_a_whole_recording_comes_back_as_it_was_written() -> None:
    found = read(DATA)
    assert as_written(found) == expected(WRITTEN)
    assert found.lost == NONE
    assert found.header_is_whole
    assert found.header.start_ns == START_NS


@given(st.integers(64, len(DATA)))
def test_cut_anywhere_after_the_header(cut: int) -> None:
    found = read(DATA[:cut])
    assert as_written(found) == expected(WRITTEN[: cut // 64])
    assert found.lost == Lost(n_damaged=1 if cut % 64 else 0, n_missing=0, n_foreign_bytes=0)


@given(st.integers(8 * 64, 8 * len(DATA) - 1))
def test_any_bit_flipped_after_the_header(bit: int) -> None:
    number = bit // 8 // 64
    found = read(flipped(DATA, bit))
    assert as_written(found) == expected(WRITTEN[:number] + WRITTEN[number + 1 :])
    assert found.lost == Lost(n_damaged=1, n_missing=0, n_foreign_bytes=0)


@given(st.sets(st.integers(1, len(WRITTEN) - 2)))
def test_any_records_taken_out(out: set[int]) -> None:
    left = [record for i, record in enumerate(WRITTEN) if i not in out]
    found = read(b"".join(left))
    assert as_written(found) == expected(left)
    assert found.lost == Lost(n_damaged=0, n_missing=len(out), n_foreign_bytes=0)


@given(st.integers(0, len(WRITTEN)), st.integers(0, len(WRITTEN)))
def test_a_stretch_that_stands_twice_counts_once(first: int, last: int) -> None:
    found = read(DATA + b"".join(WRITTEN[first:last]))
    assert sorted(as_written(found)) == sorted(expected(WRITTEN))
    assert found.lost == NONE


def test_foreign_bytes_are_said() -> None:
    found = read(DATA[:128] + b"x" * 200 + DATA[128:])
    assert found.lost == Lost(n_damaged=0, n_missing=0, n_foreign_bytes=200)


@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), max_size=20))
def test_no_damage_changes_a_record_that_is_left(changes: list[tuple[int, int]]) -> None:
    data = bytearray(DATA)
    for at, value in changes:
        data[at] = value
    try:
        found = read(bytes(data))
    except DamagedError:  # the header was hit
        return
    intact = [WRITTEN[i] for i in range(len(WRITTEN)) if data[64 * i : 64 * i + 64] == WRITTEN[i]]
    assert as_written(found) == expected(intact)
    assert found.lost.n_damaged + found.lost.n_missing == len(WRITTEN) - len(intact)


def test_a_damaged_header_is_replaced_by_what_run_json_names(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", flipped(DATA, 100))
    found = read_recording(folder, read_manifest(folder))
    assert found.header.start_ns == START_NS
    assert not found.header_is_whole
    assert found.lost == Lost(n_damaged=1, n_missing=0, n_foreign_bytes=0)


def test_no_header_at_all_is_one_clear_error() -> None:
    with pytest.raises(DamagedError, match="no time can be told"):
        read(DATA[64:])


def test_an_empty_file_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="ended before its first record"):
        read(b"")
    with pytest.raises(NoDataError, match="nothing was recorded"):
        read_recording(tmp_path)


# --- a bounded recording: history, the segment that waits, the current one --------------------------------


def bounded() -> tuple[bytes, bytes, bytes]:
    """Three files as the recorder leaves them: ticks 0–3 decimated to one, 4–5 waiting, 6–7 current."""
    recording = runs.Recording().header().ramp(range(10, 18))
    first, *ticks = recording.records
    decimated = records.pack(
        records.SAMPLE, runs.at(0.03), runs.ROOT, 4, (13 * runs.MIB, 0, 13 * runs.MIB, 0, 0), flags=1
    )
    mark = records.pack(
        records.EVENT, runs.at(0.03), 0, 4, (10**9, 4, 0, 0, 0), records.EVENTS.index("decimated")
    )
    return first + decimated + mark, first + b"".join(ticks[4:6]), first + b"".join(ticks[6:])


def test_the_three_files_of_a_bounded_recording_are_read_in_order() -> None:
    history, waiting, current = bounded()
    found = read(current, history=history, waiting=waiting)
    assert found.rows.filter(kind=records.SAMPLE)["p0"].to_list() == [
        n * runs.MIB for n in (13, 14, 15, 16, 17)
    ]
    assert found.lost == NONE


def test_records_that_were_decimated_already_are_dropped() -> None:
    """The recorder was killed after the new history stood and before the old segment was removed."""
    history, _, current = bounded()
    older = runs.Recording().header().ramp(range(10, 16)).data
    found = read(current, history=history, waiting=older)
    assert found.rows.filter(kind=records.SAMPLE)["p0"].to_list() == [
        n * runs.MIB for n in (13, 14, 15, 16, 17)
    ]
    assert found.lost == NONE


def test_the_gaps_of_a_decimated_history_are_not_losses() -> None:
    history, _, current = bounded()
    assert read(current, history=history).lost == Lost(n_damaged=0, n_missing=2, n_foreign_bytes=0)


def test_damage_in_the_history_is_counted() -> None:
    history, waiting, current = bounded()
    found = read(current, history=flipped(history, 8 * 100), waiting=waiting)
    assert found.lost == Lost(n_damaged=1, n_missing=0, n_foreign_bytes=0)


def test_the_files_that_the_decimator_writes_are_read(tmp_path: Path) -> None:
    """With the real one: the highest sample of each bucket is left, and nothing counts as lost."""
    from diagtools.probes.decimate import decimate

    recording = runs.Recording().start().ramp([5, 9, 7, 3, 4, 8] * 50).records
    (tmp_path / WAITING).write_bytes(b"".join(recording[:200]))
    (tmp_path / CURRENT).write_bytes(recording[0] + b"".join(recording[200:]))
    decimate(str(tmp_path), HISTORY, WAITING, room_bytes=40 * 64)
    found = read_recording(tmp_path)
    samples = found.rows.filter(kind=records.SAMPLE)
    assert found.lost == NONE
    assert samples.height < 250
    assert samples.filter(flags=1)["p0"].max() == 9 * runs.MIB
    assert samples.filter(flags=0).height == len(recording) - 200
