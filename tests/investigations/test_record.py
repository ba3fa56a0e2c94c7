"""``record`` runs a command once, or plain and tracked, from a notebook or a script."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools.errors import UsageError
from diagtools.investigations.record import record
from diagtools.read.manifest import read_manifest
from diagtools.run import Run
from diagtools.values import Target, Tool, Tracking
from tests.support.tracked import MIB, captures, peak_sites, snapshots_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")

COMMAND = (sys.executable, "-c", "kept = bytearray(64 << 20)")


@pytest.mark.parametrize("tracking", ["memray", Tool.MEMRAY, Tracking(native=True)])
def test_allocations_by_memray(tmp_path: Path, tracking: Tracking | Tool | str) -> None:
    run = record(COMMAND, tracking=tracking, folder=tmp_path / "run")
    (capture,) = captures(tmp_path / "run")
    assert sum(peak_sites(capture, 8 * MIB).values()) == pytest.approx(64 * MIB, abs=4096)
    assert run.exit_status == 0


def test_allocations_by_tracemalloc(tmp_path: Path) -> None:
    record(COMMAND, tracking="tracemalloc", folder=tmp_path / "run")
    (last,) = snapshots_of(tmp_path / "run")
    assert max(site.size for site in last.sites) == pytest.approx(64 * MIB, abs=4096)


def test_a_target_says_it_itself(tmp_path: Path) -> None:
    target = Target(argv=COMMAND, tracking=Tracking(tool=Tool.TRACEMALLOC, n_frames=3))
    record(target, folder=tmp_path / "run")
    assert read_manifest(tmp_path / "run").tracking["n_frames"] == "3"


def test_twice_gives_the_plain_run_and_keeps_the_tracked_one(tmp_path: Path) -> None:
    record(COMMAND, tracking="memray", twice=True, folder=tmp_path / "run")
    assert captures(tmp_path / "run") == []
    assert len(captures(tmp_path / "run" / "tracked")) == 1
    assert Run.open(tmp_path / "run" / "tracked").exit_status == 0


def test_another_tracker_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no tracker 'massif'"):
        record(COMMAND, tracking="massif", folder=tmp_path / "run")


def test_twice_without_a_tracker_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a tracker"):
        record(COMMAND, twice=True, folder=tmp_path / "run")


def test_a_peak_just_before_the_end_is_known(tmp_path: Path) -> None:
    """No sample falls into the last milliseconds; the kernel tells the peak of a process that was alone."""
    code = "kept = b'x' * (30 << 20)\nprint(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
    for number in range(4):
        run = record([sys.executable, "-c", code], folder=tmp_path / str(number))
        told = int(run.last_log_lines()[0]) * 1024
        assert run.peak_rss_bytes is not None
        assert abs(run.peak_rss_bytes - told) < MIB


def test_what_a_child_held_is_not_taken_for_the_program_s_own(tmp_path: Path) -> None:
    """The kernel's figure for a process includes those that it waited for."""
    inner = "kept = b'x' * (60 << 20); import time; time.sleep(0.3)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    run = record([sys.executable, "-c", code], folder=tmp_path / "run")
    by_process = run.timeline.group_by("pid").agg(pl.col("hwm_bytes").max())["hwm_bytes"].sort().to_list()
    assert len(by_process) == 2
    assert by_process[0] < 40 * MIB < by_process[1]
