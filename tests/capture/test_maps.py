"""A ledger from outside: what the kernel says of a process that runs, is stopped, or has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from diagtools.analyse.ledger import ledger
from diagtools.analyse.ledger_story import ledger_validity
from diagtools.capture.maps import take
from diagtools.errors import NoDataError, RecorderError, UnavailableError
from diagtools.probes import heap_maps
from diagtools.read.ledger import read_ledgers

MIB = 2**20
HOLDER = """
import mmap, sys
private = b"x" * (48 << 20)
shared = mmap.mmap(-1, 16 << 20)
shared.write(b"y" * (16 << 20))
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds 48 MiB of its own and 16 MiB that could be shared, until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def sizes(folder: Path) -> dict[str, float]:
    """The components of the only snapshot in a folder, in MiB."""
    files = read_ledgers(folder, 0)
    found = ledger(files.snapshots, files.mappings, files.claims, files.pools)
    assert found["bytes"].sum() == files.mappings["rss_bytes"].sum()
    (doubt,) = ledger_validity(found, files.snapshots)
    assert doubt.note.startswith("read from outside")
    return dict(found.select("component", pl.col("bytes") / MIB).iter_rows())


def test_files_and_shared_memory_are_told_apart_the_rest_is_not(
    holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    path = take(holder.pid, tmp_path, 3)
    assert path.name == f"heap.{holder.pid}.3.json"
    found = sizes(tmp_path)
    assert found["shared memory"] == pytest.approx(16, abs=0.5)
    assert 48 <= found["anonymous memory"] < 60
    assert found["file code"] > 1
    assert not {"Python used", "C used", "C mmapped"} & set(found)


def test_a_stopped_process_can_be_looked_at(holder: subprocess.Popen[bytes], tmp_path: Path) -> None:
    os.kill(holder.pid, signal.SIGSTOP)
    take(holder.pid, tmp_path, 0)
    assert sizes(tmp_path)["anonymous memory"] >= 48


def test_a_process_that_has_ended_is_an_error_with_a_hint(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie until it is waited for
    with pytest.raises(NoDataError, match=r"has ended\. Hint: ps"):
        take(process.pid, tmp_path, 0)
    process.wait()
    with pytest.raises(NoDataError, match=rf"There is no process {process.pid}\. Hint: ps"):
        take(process.pid, tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied"), r"may not be looked at: Permission denied\. Hint: run as"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
    ],
)
def test_what_may_not_be_read_is_said(
    error: OSError, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pid: int) -> bytes:
        raise error

    monkeypatch.setattr(heap_maps, "read", refuse)
    with pytest.raises(UnavailableError, match=message):
        take(1, tmp_path, 0)


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecorderError, match="cannot be written: No such file or directory"):
        take(os.getpid(), tmp_path / "missing", 0)
