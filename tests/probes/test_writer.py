"""Records reach the file whole or not at all, and a file that is full gives way to the next one."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from diagtools.probes import records
from diagtools.probes.writer import CURRENT, HISTORY, WAITING, Writer
from tests.capture.processes import GENEROUS_S, PYTHON, REPOSITORY
from tests.capture.recorded import Recorded

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

NOW = 1_000_000_000


def begun(folder: Path, segment_bytes: int = 1 << 20) -> Writer:
    writer = Writer(str(folder), segment_bytes)
    writer.header(NOW, 7, (records.VERSION, 4096, 0, 100_000, 1))
    return writer


def closed(writer: Writer) -> None:
    writer.event(NOW, "closed")
    writer.flush(NOW)
    writer.finish()


def test_records_are_numbered_and_written_in_order(tmp_path: Path) -> None:
    writer = begun(tmp_path)
    writer.process(NOW, 7, 1, 99, b"a name of more than twenty-four bytes")
    writer.add(records.SAMPLE, NOW, 7, (1, 2, 3))
    assert (tmp_path / CURRENT).stat().st_size == 0
    closed(writer)

    recorded = Recorded(tmp_path)
    recorded.check_whole()
    assert [record.kind for record in recorded.records] == [
        records.HEADER,
        records.PROCESS,
        records.SAMPLE,
        records.EVENT,
    ]
    assert recorded.names() == {7: "a name of more than twen"}
    assert recorded.samples()[0].payload == (1, 2, 3, 0, 0)
    assert (tmp_path / CURRENT).stat().st_mode & 0o777 == 0o600


def test_without_room_the_newest_records_wait_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    """RLIMIT_FSIZE cuts a write in the middle of a record, as a full disk does."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = begun(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10 * records.SIZE + 17, old[1]))
    try:
        for value in range(9):
            writer.event(NOW, "signal", value=value)
        writer.flush(NOW)
        assert writer.lost == 0
        for value in range(9, 6009):
            writer.event(NOW, "signal", value=value)
            if value % 100 == 0:
                writer.flush(NOW)
        writer.flush(NOW)
        assert (tmp_path / CURRENT).stat().st_size == 10 * records.SIZE
        assert writer.lost == 6000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    writer.flush(NOW)
    closed(writer)

    recorded = Recorded(tmp_path)
    values = [record.payload[0] for record in recorded.events("signal")]
    dropped = recorded.event("disk_full").payload[0]
    assert values == [*range(9), *range(9 + dropped, 6009)]
    assert dropped == 6000 - 4096
    assert recorded.n_damaged == 0
    assert writer.lost == 0


def test_without_room_from_the_start_the_header_waits_too(tmp_path: Path) -> None:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = begun(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, old[1]))
    try:
        for value in range(9999):
            writer.event(NOW, "signal", value=value)
        writer.flush(NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    writer.flush(NOW)

    assert Recorded(tmp_path).records[0].kind == records.HEADER


def test_when_the_numbers_run_out_records_are_lost_and_counted(tmp_path: Path) -> None:
    """After fifty days at a thousand records a second; it must not end the sampler, and the target with it."""
    writer = begun(tmp_path)
    writer.seq = 2**32 - 2
    for value in range(3):
        writer.event(NOW, "signal", value=value)
    writer.process(NOW, 7, 1, 99, b"late")
    writer.flush(NOW)

    assert writer.lost == 3
    assert [record.payload[0] for record in Recorded(tmp_path).events("signal")] == [0]


def test_a_full_segment_moves_on_and_its_successor_begins_with_the_header(tmp_path: Path) -> None:
    writer = begun(tmp_path, segment_bytes=100 * records.SIZE)
    for value in range(450):
        writer.event(NOW + value, "signal", value=value)
        writer.flush(NOW + value)
        _collect(writer)
    closed(writer)

    recorded = Recorded(tmp_path)
    recorded.check_whole()
    assert [record.payload[0] for record in recorded.events("signal")] == list(range(450))
    assert records.unpack((tmp_path / CURRENT).read_bytes()[: records.SIZE]).kind == records.HEADER
    assert {path.name for path in tmp_path.iterdir()} == {HISTORY, CURRENT}


def _collect(writer: Writer) -> None:
    """As the sampler does when a child of its has ended."""
    if writer.decimator:
        os.waitpid(writer.decimator, 0)
        assert writer.reaped(writer.decimator)


def test_a_copy_that_failed_is_followed_by_another(tmp_path: Path) -> None:
    writer = begun(tmp_path, segment_bytes=100 * records.SIZE)
    for value in range(1000):
        writer.event(NOW + value, "signal", value=value)
        writer.flush(NOW + value)
        if writer.decimator and value < 350:
            os.kill(writer.decimator, signal.SIGKILL)
        _collect(writer)
    closed(writer)

    recorded = Recorded(tmp_path)
    recorded.check_whole()
    assert [record.payload[0] for record in recorded.events("signal")] == list(range(1000))
    assert not (tmp_path / WAITING).exists()
    assert not list(tmp_path.glob("*.tmp"))


def test_a_folder_that_takes_no_new_file_loses_nothing(tmp_path: Path) -> None:
    """The file grows on; here a folder stands where the next segment would be made."""
    (tmp_path / "timeline.bin.new").mkdir()
    writer = begun(tmp_path, segment_bytes=10 * records.SIZE)
    for value in range(100):
        writer.event(NOW, "signal", value=value)
        writer.flush(NOW)
    closed(writer)

    recorded = Recorded(tmp_path)
    recorded.check_whole()
    assert len(recorded.events("signal")) == 100


def test_a_reader_finds_every_record_at_any_time(tmp_path: Path) -> None:
    """Newest file first, as a reader must: then a segment that moves on is read twice, never missed."""
    writer = begun(tmp_path, segment_bytes=50 * records.SIZE)
    for value in range(300):
        writer.event(NOW + value, "signal", value=value)
        writer.flush(NOW + value)
        seen = set()
        for name in (CURRENT, WAITING, HISTORY):
            data = _content(tmp_path / name)
            found = [records.unpack(data[at : at + 64]) for at in range(0, len(data), 64)]
            seen |= {record.payload[0] for record in found if Recorded.name(record) == "signal"}
        assert seen == set(range(value + 1))
        if writer.decimator and os.waitpid(writer.decimator, os.WNOHANG)[0]:
            writer.reaped(writer.decimator)
    closed(writer)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


WRITING = """
import sys; sys.path.append(sys.argv[1])
import os
from diagtools.probes.writer import Writer
writer = Writer(sys.argv[2], int(sys.argv[3]))
writer.header(1, 7, (1, 4096, 0, 0, 0))
value = 0
while True:
    for _ in range(value % 40):
        writer.event(value, 'signal', value=value)
        value += 1
    value += not value
    writer.flush(value)
    if writer.decimator and os.waitpid(writer.decimator, os.WNOHANG)[0]:
        writer.reaped(writer.decimator)
    os.write(1, b'%d\\n' % (value - 1))
"""


@pytest.mark.parametrize("segment_bytes", [1 << 30, 1 << 16], ids=["one file", "segments"])
def test_every_record_whose_write_returned_is_readable_after_a_kill(
    tmp_path: Path, segment_bytes: int
) -> None:
    """40 kills at random moments of a writer that says what it has written."""
    delays = [random.Random(number).uniform(0, 0.04) for number in range(20)]

    def kill_one(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        argv = [PYTHON, "-I", "-S", "-c", WRITING, str(REPOSITORY), str(folder), str(segment_bytes)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as writing:
            assert writing.stdout is not None
            first = writing.stdout.readline()
            time.sleep(delays[number])
            writing.kill()
            said = (first + writing.stdout.read()).splitlines(keepends=True)
            writing.wait(GENEROUS_S)
        acknowledged = max(int(line) for line in said if line.endswith(b"\n"))
        recorded = Recorded(folder)
        values = {record.payload[0] for record in recorded.events("signal")}
        assert recorded.n_damaged == 0
        assert {*range(1, acknowledged + 1)} <= values
        assert all((folder / name).stat().st_size % records.SIZE == 0 for name in _files(folder))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(kill_one, range(len(delays))))


def _files(folder: Path) -> list[str]:
    """The files of the recording; a copy that is still at work has another one."""
    return [name for name in (CURRENT, WAITING, HISTORY) if (folder / name).exists()]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_file_that_takes_nothing_keeps_everything_waiting(tmp_path: Path) -> None:
    (tmp_path / CURRENT).symlink_to("/dev/full")
    writer = begun(tmp_path)
    writer.event(NOW, "signal")
    writer.flush(NOW)

    assert writer.lost == 2


def test_a_torn_record_that_cannot_be_cut_off_holds_the_next_ones_back(tmp_path: Path) -> None:
    """Better nothing than records that stand askew.  A file that may only be appended to refuses the cut."""
    writer = begun(tmp_path)
    if subprocess.run(["chattr", "+a", str(tmp_path / CURRENT)], capture_output=True).returncode != 0:
        pytest.skip("no right to make a file append-only, or no such files here")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * records.SIZE + 17, old[1]))
        for value in range(4):
            writer.event(NOW, "signal", value=value)
        writer.flush(NOW)
        assert (tmp_path / CURRENT).stat().st_size == 2 * records.SIZE + 17
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        writer.flush(NOW)
        assert (tmp_path / CURRENT).stat().st_size == 2 * records.SIZE + 17
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        subprocess.run(["chattr", "-a", str(tmp_path / CURRENT)], check=True)
    closed(writer)

    recorded = Recorded(tmp_path)
    recorded.check_whole()
    assert [record.payload[0] for record in recorded.events("signal")] == [0, 1, 2, 3]
