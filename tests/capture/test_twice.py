"""Once plain, once tracked: two whole runs, of which the first tells the memory."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from diagtools.capture.runner import capture
from diagtools.capture.twice import TRACKED, capture_twice
from diagtools.errors import UnavailableError, UsageError
from diagtools.read.manifest import read_manifest
from diagtools.values import Limit, State, Target, Tool, Tracking
from tests.support.tracked import MIB, captures, notes_of, peak_sites, snapshots_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")

PYTHON = sys.executable
BARE = getattr(sys, "_base_executable", sys.executable)
KNOWN = "kept = bytearray(64 << 20)"


def target(
    code: str = KNOWN, tool: Tool = Tool.MEMRAY, python: str = PYTHON, limit: Limit | None = None
) -> Target:
    return Target(argv=(python, "-c", code), tracking=Tracking(tool=tool), limit=limit)


def test_a_tracked_run_keeps_its_capture_and_says_so(tmp_path: Path) -> None:
    captured = capture(target(), tmp_path / "run")

    manifest = read_manifest(captured.folder)
    assert manifest.tracking["tool"] == "memray"
    assert manifest.tracking["tracker"].startswith("memray ")
    assert [each.state for each in manifest.validity] == [State.UNDER_TRACKER]
    assert captured.warnings == ()
    (found,) = captures(captured.folder)
    assert manifest.artefacts[found.name].size_bytes == found.stat().st_size
    assert peak_sites(found, 8 * MIB) == {("<module>:1",): pytest.approx(64 * MIB, abs=4096)}


def test_a_kill_at_the_limit_leaves_what_was_allocated(tmp_path: Path) -> None:
    code = "kept = []\nwhile True: kept.append(b'x' * (1 << 20))"
    captured = capture(target(code, limit=Limit(memory_bytes=150 * MIB)), tmp_path / "run")

    assert captured.exit_status == 128 + signal.SIGKILL
    (found,) = captures(captured.folder)
    assert sum(peak_sites(found, 8 * MIB).values()) > 100 * MIB
    assert any("not closed" in warning for warning in captured.warnings)


def test_tracemalloc_takes_one_before_the_limit(tmp_path: Path) -> None:
    code = "import time\nkept = []\nwhile True:\n kept.append(b'x' * (1 << 20)); time.sleep(0.01)"
    limit = Limit(memory_bytes=150 * MIB)
    captured = capture(target(code, Tool.TRACEMALLOC, BARE, limit), tmp_path / "run")

    assert captured.exit_status == 128 + signal.SIGKILL
    last = snapshots_of(captured.folder)[-1]
    assert last.kind == "cap"
    assert max(site.size for site in last.sites) > 90 * MIB


def test_without_memray_it_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    for record in (capture, capture_twice):
        with pytest.raises(UnavailableError, match="cannot load memray"):
            record(target(python=BARE), tmp_path / "run")
        assert not (tmp_path / "run").exists()


def test_a_python_that_only_a_shell_starts_says_it_afterwards(tmp_path: Path) -> None:
    shell = Target(argv=("sh", "-c", f"{BARE} -s -c 1; true"), tracking=Tracking())
    captured = capture(shell, tmp_path / "run")

    assert [kind for kind, _, _ in notes_of(captured.folder)] == ["absent"]
    (warning,) = captured.warnings
    assert "1 process was not tracked: there is no memray in" in warning
    assert State.UNDER_TRACKER not in [each.state for each in read_manifest(captured.folder).validity]


def test_a_python_that_the_recorder_does_not_reach_is_said(tmp_path: Path) -> None:
    captured = capture(Target(argv=(PYTHON, "-I", "-c", "1"), tracking=Tracking()), tmp_path / "run")
    (warning,) = captured.warnings
    assert "tracked nothing" in warning


def test_twice_is_a_plain_run_and_a_tracked_one(tmp_path: Path) -> None:
    code = "import os, sys\nkept = bytearray(64 << 20)\nsys.exit(4 if 'DIAGTOOLS_ALLOCATIONS' in os.environ else 3)"
    both = capture_twice(target(code), tmp_path / "run")

    assert both.tracked is not None
    assert both.tracked.folder == both.plain.folder / TRACKED
    assert (both.plain.exit_status, both.tracked.exit_status) == (3, 4)
    plain, tracked = read_manifest(both.plain.folder), read_manifest(both.tracked.folder)
    assert (plain.tracking, plain.validity) == ({}, ())
    assert tracked.tracking["tool"] == "memray"
    assert captures(both.plain.folder) == []
    assert len(captures(both.tracked.folder)) == 1


def test_twice_needs_a_tracker(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a tracker"):
        capture_twice(Target(argv=(PYTHON, "-c", "1")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_first_run_that_the_user_stopped_stands_alone(tmp_path: Path) -> None:
    code = "import os, signal\nsignal.signal(2, signal.SIG_DFL)\nos.kill(os.getpid(), 2)"
    both = capture_twice(target(code), tmp_path / "run")
    assert both.plain.exit_status == 130
    assert both.tracked is None
    assert "stopped" in both.why_not
