"""A capture that is not what its tracker wrote is recognised before memray opens it."""

from __future__ import annotations

import shutil
from pathlib import Path

import memray
import pytest

from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.read.profiles.capture_evidence import examine, sha256_of
from diagtools.read.profiles.memray_capture import read_memray
from tests.support.captures import capture


def copy_of(data: bytes, folder: Path) -> Path:
    path = folder / "copy.bin"
    path.write_bytes(data)
    return path


def test_a_closed_capture_is_whole_and_knows_its_records() -> None:
    found = examine(capture())
    assert (found.broken, found.is_closed, found.is_aggregated, found.is_native) == ("", True, False, False)
    assert found.n_records == memray.FileReader(capture()).metadata.total_allocations
    assert found.size_bytes == capture().stat().st_size
    assert found.sha256 == sha256_of(capture())


def test_flags_are_read_from_the_header() -> None:
    assert examine(capture("--native")).is_native
    aggregated = examine(capture("--aggregate"))
    assert aggregated.is_aggregated
    assert aggregated.is_closed
    assert aggregated.broken == ""


def test_a_capture_of_a_killed_process_was_never_closed() -> None:
    found = examine(capture(arguments=("kill",)))
    assert (found.is_closed, found.n_records, found.broken) == (False, 0, "")


def test_a_closed_capture_that_was_not_packed_is_whole_too() -> None:
    found = examine(capture("--no-compress"))
    assert (found.is_closed, found.broken) == (True, "")


@pytest.mark.parametrize(
    "options", [(), ("--no-compress",), ("--aggregate",)], ids=["packed", "plain", "aggregated"]
)
def test_a_cut_anywhere_is_recognised(options: tuple[str, ...], tmp_path: Path) -> None:
    whole = (
        capture(*options).read_bytes().rstrip(b"\0")
        if options == ("--no-compress",)
        else capture(*options).read_bytes()
    )
    for at in range(1, len(whole), max(len(whole) // 150, 1)):
        path = copy_of(whole[:at], tmp_path)
        try:
            found = examine(path)
            assert found.broken or read_memray([path]).validity, f"cut at {at} of {len(whole)} bytes"
        except (
            DamagedError,
            NoDataError,
        ):  # an error is no wrong number, also where nothing had been allocated yet
            continue


def test_what_follows_the_end_is_recognised(tmp_path: Path) -> None:
    path = copy_of(capture().read_bytes() + b"more", tmp_path)
    assert "goes on behind its end mark" in examine(path).broken


def test_an_empty_file_says_what_leaves_one(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="aggregated capture whose process was killed") as raised:
        examine(copy_of(b"", tmp_path))
    assert "--aggregated" in (raised.value.hint or "")


def test_a_later_layout_is_named(tmp_path: Path) -> None:
    whole = bytearray(capture("--no-compress").read_bytes())
    whole[7] = 99
    with pytest.raises(UsageError, match="memray's layout 99; known here: 11, 12, 13"):
        examine(copy_of(bytes(whole), tmp_path))


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n" + bytes(99), b"memra"])
def test_another_file_is_no_capture(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="is not a memray capture"):
        examine(copy_of(data, tmp_path))


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    shutil.copy(capture(), tmp_path / "there.bin")
    with pytest.raises(DamagedError, match="cannot be read"):
        sha256_of(tmp_path)


def test_a_packed_capture_of_which_nothing_can_be_unpacked_was_damaged(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="none of it can be unpacked"):
        examine(copy_of(capture().read_bytes()[:500], tmp_path))
