"""No file outside a run folder is ever opened, whatever its names and links say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagtools.errors import DamagedError
from diagtools.read.artefact import find_artefact, is_inside, name_of, read_artefact


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "stdout.log").write_bytes(b"said")
    (tmp_path / "secret").write_bytes(b"not yours")
    return folder


def test_a_file_of_the_folder_is_read(folder: Path) -> None:
    assert read_artefact(folder, "stdout.log") == b"said"
    assert read_artefact(folder, "stdout.log", max_bytes=2) == b"sa"


def test_an_absent_file_is_none(folder: Path) -> None:
    assert read_artefact(folder, "stderr.log") is None


@pytest.mark.parametrize(
    "name", ["../secret", "a/../../secret", "/etc/hostname", "..", "", ".", "a\0b", "\ud800"]
)
def test_a_name_that_leads_out_is_refused(folder: Path, name: str) -> None:
    assert not is_inside(name)
    with pytest.raises(DamagedError, match="not the name of a file inside"):
        find_artefact(folder, name)


def test_a_link_that_leads_out_is_refused(folder: Path) -> None:
    (folder / "stderr.log").symlink_to(folder.parent / "secret")
    with pytest.raises(DamagedError, match="link that leads out"):
        read_artefact(folder, "stderr.log")


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "stderr.log").symlink_to("stdout.log")
    assert read_artefact(folder, "stderr.log") == b"said"


def test_a_run_folder_may_be_a_link_itself(folder: Path) -> None:
    link = folder.parent / "latest"
    link.symlink_to(folder)
    assert read_artefact(link, "stdout.log") == b"said"


@pytest.mark.parametrize("target", ["nowhere", "stderr.log"], ids=["to nothing", "to itself"])
def test_a_link_that_ends_nowhere_is_one_clear_error(folder: Path, target: str) -> None:
    (folder / "stderr.log").symlink_to(target)
    with pytest.raises(DamagedError, match=r"stderr\.log"):
        read_artefact(folder, "stderr.log")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_plain_file_is_refused(folder: Path, make: object) -> None:
    assert callable(make)
    make(folder / "stderr.log")
    with pytest.raises(DamagedError, match="not a plain file"):
        read_artefact(folder, "stderr.log")


def test_odd_bytes_of_a_name_are_escaped() -> None:
    assert name_of(b"caf\xc3\xa9 \xff\n") == "café \\xff\n"
