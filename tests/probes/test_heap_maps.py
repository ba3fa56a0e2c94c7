"""The text of smaps as rows, without a module of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.probes import heap_maps as maps
from diagtools.probes.heap_calls import Calls


def test_rows_of_this_process_cover_its_code_and_its_stack() -> None:
    rows = maps.rows(maps.read())
    assert all(len(row) == len(maps.FIELDS) for row in rows)
    names = {row[maps.NAME] for row in rows}
    assert {"[heap]", "[stack]"} <= names
    address = id(maps)
    (row,) = [row for row in rows if row[maps.START] <= address < row[maps.END]]
    assert row[maps.PERMS] == "rw-p"
    assert row[maps.RSS] > 0


def test_what_lies_above_the_processs_memory_is_left_out() -> None:
    assert all(row[maps.END] < 1 << 63 for row in maps.rows(maps.read()))


def test_rss_is_about_what_smaps_sums_to() -> None:
    rss = sum(row[maps.RSS] for row in maps.rows(maps.read()))
    assert maps.rss_bytes() == pytest.approx(rss, rel=0.05)


def test_a_long_text_is_read_whole() -> None:
    code = """
import mmap, os, sys
kept = [mmap.mmap(-1, 4096, prot=mmap.PROT_READ if n % 2 else mmap.PROT_READ | mmap.PROT_WRITE)
        for n in range(3000)]
print(flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        rows = maps.rows(maps.read(process.pid))
        process.kill()
    assert sum("/dev/zero" in str(row[maps.NAME]) for row in rows) == 3000


def test_a_process_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match="No such"):
        maps.read(2**22 + 1)
    assert maps.memory_devices(2**22 + 1) == []


@pytest.mark.skipif(not Path("/dev/shm").is_mount(), reason="no /dev/shm")
def test_file_systems_in_memory_are_known_by_their_device() -> None:
    device = Path("/dev/shm").stat().st_dev
    assert f"{os.major(device):02x}:{os.minor(device):02x}" in maps.memory_devices()
    here = Path(maps.__file__).stat().st_dev
    assert f"{os.major(here):02x}:{os.minor(here):02x}" not in maps.memory_devices()


def test_a_library_of_this_process_says_where_it_is_zero_at_first() -> None:
    rows = maps.rows(maps.read())
    files = [
        row[maps.START]
        for row in rows
        if str(row[maps.NAME]).endswith("/libc.so.6") and not row[maps.OFFSET] and row[maps.INODE]
    ]
    ((start, end),) = maps.zeroed(Calls(), files, 4096)
    (after,) = [row for row in rows if row[maps.START] == start]
    assert (after[maps.INODE], after[maps.PERMS], after[maps.END] >= end) == (0, "rw-p", True)
