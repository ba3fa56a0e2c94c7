"""The frames of a recording hold what was written, null for what nobody knew, and never anything else."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

from diagtools import frames
from diagtools.errors import DamagedError, DiagtoolsError, NoDataError, NotARunError
from diagtools.probes import records
from diagtools.read.header import CURRENT
from diagtools.read.manifest import read_manifest
from diagtools.read.timeline import Timeline, nothing_recorded, read_timeline
from tests.support.runs import MIB, START_NS, WALL_NS, Recording, flipped, make_run

UNKNOWN = records.UNKNOWN


def read(recording: Recording | bytes) -> Timeline:
    with tempfile.TemporaryDirectory() as name:
        data = recording if isinstance(recording, bytes) else recording.data
        (Path(name) / CURRENT).write_bytes(data)
        return read_timeline(Path(name))


def test_samples_carry_what_was_measured() -> None:
    recording = Recording().start()
    recording.sample(0.01, 30 * MIB, shared=10 * MIB, hwm=32 * MIB, cpu_us=20_000, pss=25 * MIB)
    recording.sample(0.02, 31 * MIB, shared=10 * MIB, hwm=UNKNOWN, cpu_us=UNKNOWN)
    expected = pl.DataFrame(
        {
            "t_s": [0.01, 0.02],
            "pid": [100, 100],
            "rss_bytes": [30 * MIB, 31 * MIB],
            "shared_bytes": [10 * MIB, 10 * MIB],
            "anon_bytes": [20 * MIB, 21 * MIB],
            "hwm_bytes": [32 * MIB, None],
            "pss_bytes": [25 * MIB, None],
            "cpu_s": [0.02, None],
        },
        schema=frames.TIMELINE.columns,
    )
    assert_frame_equal(read(recording).samples, expected)


def test_the_recording_says_who_when_and_how_often() -> None:
    found = read(Recording().start(hz=250).close())
    assert (found.start_ns, found.wall_ns, found.root_pid, found.hz) == (START_NS, WALL_NS, 100, 250.0)
    assert found.closed


def test_samples_are_in_order_of_time_then_process() -> None:
    recording = Recording().start().sample(0.02, 1).sample(0.01, 2, pid=300).sample(0.01, 3, pid=200)
    assert read(recording).samples["rss_bytes"].to_list() == [3, 2, 1]


def test_samples_of_a_dying_process_are_left_out() -> None:
    recording = Recording().start().sample(0.01, 5).sample(0.02, 0)
    assert read(recording).samples["rss_bytes"].to_list() == [5]


def test_what_nobody_read_is_null_and_not_zero() -> None:
    """As the recorder for systems without /proc writes it."""
    recording = Recording().start().sample(0.01, 5, shared=UNKNOWN, hwm=UNKNOWN, cpu_us=UNKNOWN)
    recording.add(
        records.SYSTEM, 0.01, 0, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, small=records.NO_SMALL
    )
    found = read(recording)
    assert found.samples.row(0)[3:] == (None, None, None, None, None)
    assert found.system.row(0)[1:] == (None,) * 8


def test_shared_above_rss_is_no_negative_memory() -> None:
    assert read(Recording().start().sample(0.01, 5, shared=7)).samples["anon_bytes"].to_list() == [0]


def test_the_system_record_is_taken_apart() -> None:
    recording = Recording().start()
    recording.add(records.SYSTEM, 0.1, 12, 700 * MIB, 900 * MIB, 2048 | 33 << 32, 4096, 8192, small=250)
    expected = {
        "t_s": 0.1,
        "cgroup_bytes": 700 * MIB,
        "available_bytes": 900 * MIB,
        "swap_bytes": 2 * MIB,
        "psi_some": 0.025,
        "n_threads": 12,
        "n_fds": 33,
        "read_bytes": 4096,
        "write_bytes": 8192,
    }
    assert read(recording).system.row(0, named=True) == pytest.approx(expected)


def test_events_are_named() -> None:
    recording = Recording().start().event(0.5, "watchdog", 2**31, 2**30)
    recording.event(0.625, "cap", 2**30, 0).add(records.EVENT, 0.75, 7, 3, 4, small=999)
    assert read(recording).events.rows() == [
        (0.0, "started", 100, 10_000_000, None),
        (0.5, "watchdog", 100, 2**31, 2**30),
        (0.625, "cap", 100, 2**30, 0),
        (0.75, "unknown", 7, 3, None),
    ]


def test_the_growth_of_both_outputs_is_told_apart() -> None:
    recording = Recording().start().output(0.1, 10).output(0.2, 7, stream=2)
    assert read(recording).output.rows() == [(0.1, "stdout", 10), (0.2, "stderr", 7)]


def test_a_recording_without_samples_says_so() -> None:
    found = read(Recording().start().close(0.003))
    assert found.samples.is_empty()
    assert "no memory was sampled" in str(found.validity[0])


def test_without_its_header_a_recording_counts_from_the_start_in_run_json(tmp_path: Path) -> None:
    data = Recording().start().ramp([10, 20]).close().data
    folder = make_run(tmp_path / "run", flipped(data, 8 * 10))
    found = read_timeline(folder, read_manifest(folder))
    assert found.samples["t_s"].to_list() == [0.0, 0.01]
    assert (found.start_ns, found.wall_ns, found.root_pid, found.hz) == (START_NS, WALL_NS, 100, 100.0)
    assert "1 of 8 records damaged" in str(found.validity[0])
    assert "header" in str(found.validity[1])


def test_errors_are_the_three_that_are_promised(tmp_path: Path) -> None:
    with pytest.raises(NoDataError):
        read_timeline(tmp_path)
    with pytest.raises(DamagedError):
        read(b"x" * 640)
    with pytest.raises(NotARunError):
        read(Recording().header(version=2))


def test_what_stands_for_no_recording_is_empty_and_says_why(tmp_path: Path) -> None:
    manifest = read_manifest(make_run(tmp_path / "run"))
    found = nothing_recorded("It is gone.", manifest)
    assert found.samples.schema == pl.Schema(frames.TIMELINE.columns)
    assert [v.note for v in found.validity] == ["It is gone"]


@given(st.binary(max_size=64 * 12))
def test_no_bytes_are_anything_but_a_timeline_or_an_error(data: bytes) -> None:
    with contextlib.suppress(DiagtoolsError):
        read(Recording().header().data + data)


numbers = st.integers(0, 2**64 - 1)


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(0, 2**63), st.integers(0, 2**32 - 1), st.integers(0, 65535)),
        max_size=8,
    ),
    st.tuples(numbers, numbers, numbers, numbers, numbers),
)
def test_no_numbers_in_whole_records_break_a_frame(
    heads: list[tuple[int, int, int, int]], payload: tuple[int, ...]
) -> None:
    written = [records.pack(kind, t, pid, 0, payload, small) for kind, t, pid, small in heads]
    try:
        found = read(Recording().header().data + b"".join(written))
    except NotARunError:  # a header of a layout yet to come
        return
    assert found.samples.height <= len(written)
