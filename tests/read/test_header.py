"""The zero of time is told by a whole header, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.errors import NotARunError
from diagtools.probes import records
from diagtools.read.header import CURRENT, HISTORY, Header, header_of, read_header
from tests.support.runs import START_NS, WALL_NS, Recording, flipped

KNOWN = Header(start_ns=START_NS, wall_ns=WALL_NS, root_pid=100, hz=100.0, recorder_pid=99)


def test_a_header_tells_start_root_and_rate() -> None:
    assert header_of(Recording().header().data) == KNOWN


def test_another_record_is_no_header() -> None:
    assert header_of(Recording().sample(0.0, 1).data) is None


def test_a_newer_layout_is_refused() -> None:
    with pytest.raises(NotARunError, match=rf"layout 2; .* reads up to {records.VERSION}"):
        header_of(Recording().header(version=2).data)


def test_any_file_of_the_recording_tells_it(tmp_path: Path) -> None:
    data = Recording().header().data
    (tmp_path / HISTORY).write_bytes(flipped(data, 300))
    (tmp_path / CURRENT).write_bytes(data)
    assert read_header(tmp_path) == KNOWN


@pytest.mark.parametrize(
    "data", [b"", b"x" * 64, Recording().sample(0.0, 1).data, Recording().header().data[:63]]
)
def test_no_whole_header_tells_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / CURRENT).write_bytes(data)
    assert read_header(tmp_path) is None
