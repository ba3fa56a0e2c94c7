"""Where what can be made again is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagtools.capture.cache import UNFINISHED, cache_folder
from diagtools.errors import UnavailableError


def test_the_folder_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("DIAGTOOLS_CACHE", raising=False)
    assert cache_folder("overlays") == tmp_path / "xdg" / "diagtools" / "overlays"
    monkeypatch.setenv("DIAGTOOLS_CACHE", str(tmp_path / "own"))
    assert cache_folder("overlays") == tmp_path / "own" / "overlays"
    assert cache_folder("overlays").stat().st_mode & 0o077 == 0


def test_what_somebody_left_unfinished_goes_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIAGTOOLS_CACHE", str(tmp_path))
    folder = cache_folder("overlays")
    old, new, whole = folder / f"{UNFINISHED}old", folder / f"{UNFINISHED}new", folder / "abc"
    for path in (old, new, whole):
        path.mkdir()
    for path in (old, whole):
        os.utime(path, (0, 0))
    cache_folder("overlays")
    assert (old.exists(), new.exists(), whole.exists()) == (False, True, True)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DIAGTOOLS_CACHE", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match=r"cannot be written.*Hint: set DIAGTOOLS_CACHE"):
        cache_folder("overlays")
