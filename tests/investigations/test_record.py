"""``record`` runs a command once, or plain and tracked, from a notebook or a script."""

from __future__ import annotations

import sys
from pathlib import Path

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
