"""The captures of a run are read together, on the run's clock, and nothing outside its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.profile import Source, View
from diagtools.read.profiles.recorded import Recorded, has_captures, read_recorded
from diagtools.values import Artefact, State
from tests.support.captures import HELD, capture


def recorded(folder: Path, **artefacts: Artefact) -> Recorded:
    return Recorded(folder=folder, start_ns=None, wall_ns=None, artefacts=artefacts)


def test_the_processes_are_named_by_their_files(tmp_path: Path) -> None:
    for name in ("allocations.11.memray", "allocations.11-2.memray", "allocations.11.memray.12"):
        shutil.copy(capture(), tmp_path / name)
    (tmp_path / "allocations.13.memray").touch()  # aggregated, and killed
    profile = read_recorded(recorded(tmp_path))
    assert sorted(profile.allocations["pid"].unique()) == [11, 12]
    assert profile.total > 3 * HELD
    assert (tmp_path / "allocations.peak.parquet").exists()


def test_seconds_count_from_the_start_of_the_run(tmp_path: Path) -> None:
    shutil.copy(capture(), tmp_path / "allocations.11.memray")
    begun = read_recorded(recorded(tmp_path), over_time=True)
    assert begun.tracked is not None
    assert begun.tracked["t_s"].min() == pytest.approx(0, abs=0.1)
    later = Recorded(folder=tmp_path, start_ns=None, wall_ns=1_000_000_000, artefacts={})
    shifted = read_recorded(later, over_time=True)
    assert shifted.tracked is not None
    assert shifted.tracked["t_s"].min() > 1e9  # type: ignore[operator]  # from one second after 1970 on


def test_a_capture_that_is_not_what_was_closed_is_said_to_be(tmp_path: Path) -> None:
    shutil.copy(capture(), tmp_path / "allocations.11.memray")
    closed = {"allocations.11.memray": Artefact(size_bytes=1, sha256="0" * 64)}
    profile = read_recorded(recorded(tmp_path, **closed))
    assert "its bytes are not those that were closed" in str(profile.validity)


def test_a_link_out_of_the_run_is_not_read(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "allocations.11.memray").symlink_to(capture())
    with pytest.raises(DamagedError, match="leads out of the folder"):
        read_recorded(recorded(run))


def test_a_run_without_a_tracker_says_how_to_get_one(tmp_path: Path) -> None:
    assert not has_captures(tmp_path)
    with pytest.raises(NoDataError, match="recorded without a tracker") as raised:
        read_recorded(recorded(tmp_path))
    assert raised.value.hint == "diagtools record --memray -- CMD"


def test_of_tracemalloc_logs_the_largest_process_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    small, large = (
        _log(tmp_path / f"allocations.{pid}.tracemalloc", size) for pid, size in ((1, 100), (2, 900))
    )
    assert small.exists()
    assert large.exists()
    profile = read_recorded(recorded(tmp_path))
    assert (profile.source, profile.view, profile.total) == (Source.TRACEMALLOC, View.LIVE, 900)
    assert [one.state for one in profile.validity if one.what == "allocations"] == [State.SKIPPED]
    assert "100 bytes" in str(profile.validity)
    assert profile.name == f"{tmp_path.name}, snapshot 1 of 1 (point of exit '')"
    assert profile.allocations.select(pl.col("pid").first()).item() == 2


def test_what_tracemalloc_does_not_record_is_refused(tmp_path: Path) -> None:
    _log(tmp_path / "allocations.1.tracemalloc", 100)
    for asked in ({"view": View.PEAK}, {"over_time": True}):
        with pytest.raises(UsageError, match="tracemalloc recorded snapshots"):
            read_recorded(recorded(tmp_path), **asked)  # type: ignore[arg-type]


def _log(path: Path, size: int) -> Path:
    """A log of one snapshot with one allocation, as ``probes.snapshots`` declares it."""
    import zlib

    pid = path.name.split(".")[1]
    block = "\n".join(
        [
            f"begin\t0\t1000\texit\tpoint\t{size}\t{size}\t0\t0\t",
            "file\t0\t/app/run.py",
            "frame\t0\t0\t3",
            "stack\t0\t1\t0",
            f"site\t0\t0\t{size}\t1",
            "",
        ]
    ).encode()
    end = f"end\t0\t4\t{zlib.crc32(block):08x}\n".encode()
    path.write_bytes(f"start\t900\t{pid}\t3.11.7\t10\n".encode() + block + end)
    return path
