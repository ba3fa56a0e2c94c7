"""``snapshots.notes``: when did each process stand still for a snapshot of itself?"""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import DamagedError
from diagtools.probes import moments
from diagtools.probes.tracker_notes import Notes
from diagtools.read.snapshot_times import read_snapshot_times
from tests.support.runs import START_NS, at


def note(t_s: float, text: str, *, kind: str = "taken", pid: int = 7) -> bytes:
    """One line as a process writes it."""
    body = b"%d\t%d\t%b\t\t%b" % (at(t_s), pid, kind.encode(), text.encode())
    return b"%b\t%08x\n" % (body, zlib.crc32(body))


def times(folder: Path, data: bytes) -> list[tuple[object, ...]]:
    (folder / moments.NOTES).write_bytes(data)
    return read_snapshot_times(folder, START_NS).rows()


def test_the_time_of_a_note_is_the_end_of_its_snapshot(tmp_path: Path) -> None:
    lines = [note(2.5, "holders: 1 1500000000"), note(0.75, "ledger: 0 250000000", pid=8)]
    assert times(tmp_path, b"".join(lines)) == [(8, "ledger", 0, 0.5, 0.75), (7, "holders", 1, 1.0, 2.5)]


def test_what_the_probe_writes_is_read(tmp_path: Path) -> None:
    Notes(str(tmp_path), moments.NOTES).write("taken", "ledger: 3 10")
    ((_, name, index, begin_s, end_s),) = read_snapshot_times(tmp_path, START_NS).rows()
    assert (name, index) == ("ledger", 3)
    assert end_s >= begin_s


@pytest.mark.parametrize(
    "line",
    [
        note(1.0, "ledger", kind="begun"),
        note(1.0, "ledger: 0"),
        note(1.0, "ledger: 0 -5"),
        note(1.0, "ledger: 0 " + "9" * 5000),
        note(1.0, "ledger: 0 5")[:-9] + b"00000000\n",
        note(1.0, "ledger: 0 5")[7:],
        b"\xff\x00\n",
    ],
)
def test_other_notes_and_lines_that_are_not_whole_are_left_out(tmp_path: Path, line: bytes) -> None:
    assert times(tmp_path, line + note(2.0, "ledger: 0 1000000000")) == [(7, "ledger", 0, 1.0, 2.0)]


def test_without_notes_nothing_is_known(tmp_path: Path) -> None:
    assert read_snapshot_times(tmp_path, START_NS).is_empty()


def test_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "elsewhere").write_bytes(note(2.0, "ledger: 0 1"))
    (run / moments.NOTES).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamagedError):
        read_snapshot_times(run, START_NS)


@given(data=st.binary(max_size=200), bit=st.integers(0, 8 * 40))
def test_no_bytes_raise_anything(tmp_path_factory: pytest.TempPathFactory, data: bytes, bit: int) -> None:
    folder = tmp_path_factory.mktemp("notes")
    whole = bytearray(note(1.0, "ledger: 0 5"))
    whole[bit // 8 % len(whole)] ^= 1 << bit % 8
    assert times(folder, data + b"\n" + bytes(whole)) == []
