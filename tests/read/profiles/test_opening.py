"""Any file that is known is opened as what it is, and what it does not hold is refused with what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, DiagtoolsError, UsageError
from diagtools.profile import Source, Unit, View
from diagtools.read.profiles.opening import read_profile
from diagtools.read.profiles.stored import write_profile

CAPTURES = Path(__file__).resolve().parents[3] / "data" / "captures"
KINDS = {
    "program.memray": (Source.MEMRAY, Unit.BYTES),
    "aggregated.memray": (Source.MEMRAY, Unit.BYTES),
    "flamegraph.html": (Source.MEMRAY_FLAMEGRAPH, Unit.BYTES),
    "temporal.html": (Source.MEMRAY_FLAMEGRAPH, Unit.BYTES),
    "table.html": (Source.MEMRAY_TABLE, Unit.BYTES),
    "memray.csv": (Source.MEMRAY_CSV, Unit.BYTES),
    "memray.speedscope": (Source.SPEEDSCOPE, Unit.BYTES),
    "py-spy.speedscope": (Source.SPEEDSCOPE, Unit.NS),
    "py-spy.folded": (Source.FOLDED, Unit.SAMPLES),
    "austin-memory.folded": (Source.FOLDED, Unit.BYTES),
    "program.pstats": (Source.PSTATS, Unit.NS),
    "rag-before-1.parquet": (Source.MEMRAY, Unit.BYTES),
}


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    """Copies: what is read of a capture is kept beside it."""
    return Path(shutil.copytree(CAPTURES, tmp_path / "captures"))


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_recognised_and_counts_its_own_unit(captures: Path, name: str) -> None:
    profile = read_profile(captures / name)
    assert (profile.source, profile.unit) == KINDS[name]
    assert profile.total > 0


def test_what_is_one_program_has_one_peak_in_every_export_of_it(captures: Path) -> None:
    names = ["program.memray", "flamegraph.html", "temporal.html", "table.html", "memray.csv"]
    totals = {read_profile(captures / name).total for name in names}
    assert totals == {json.loads((captures / "memray-sums.json").read_text())["high_watermark"]["bytes"]}


def test_a_capture_has_more_than_one_view(captures: Path) -> None:
    sums = json.loads((captures / "memray-sums.json").read_text())
    for view, name in ((View.LEAKED, "leaked"), (View.TEMPORARY, "temporary")):
        assert read_profile(captures / "program.memray", view=view).total == sums[name]["bytes"]


def test_an_export_holds_one_view(captures: Path) -> None:
    assert read_profile(captures / "flamegraph.html", view=View.PEAK).view is View.PEAK
    with pytest.raises(UsageError, match="holds one view, 'peak', not 'leaked'") as raised:
        read_profile(captures / "flamegraph.html", view=View.LEAKED)
    assert "the capture that it was made from" in (raised.value.hint or "")


def test_only_what_knows_time_is_opened_over_time(captures: Path) -> None:
    assert read_profile(captures / "temporal.html", over_time=True).lifetimes is not None
    assert read_profile(captures / "program.memray", over_time=True).lifetimes is not None
    with pytest.raises(UsageError, match="knows no time"):
        read_profile(captures / "flamegraph.html", over_time=True)


def test_folded_stacks_count_what_the_reader_says(captures: Path) -> None:
    assert read_profile(captures / "fil.folded", unit=Unit.BYTES).unit is Unit.BYTES
    with pytest.raises(UsageError, match="counts bytes, not ns"):
        read_profile(captures / "program.memray", unit=Unit.NS)


def test_a_profile_that_was_kept_is_read_as_it_was(captures: Path) -> None:
    profile = read_profile(captures / "memray.csv")
    write_profile(profile, captures / "kept.parquet")
    assert repr(read_profile(captures / "kept.parquet")) == repr(profile)


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"rag-before-1.parquet"}))
@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\x80\x04\x95", b"PAR1"], ids=["empty", "png", "pickle", "parquet"]
)
def test_another_file_under_a_known_name_is_refused(captures: Path, name: str, data: bytes) -> None:
    (captures / name).write_bytes(data)
    with pytest.raises(DiagtoolsError):
        read_profile(captures / name)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises((DamagedError, UsageError), match=r"none\.bin"):
        read_profile(tmp_path / "none.bin")
