"""Which releases of a package there are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture.releases import in_order, releases
from diagtools.errors import UnavailableError, UsageError
from tests.support.interpreters import installed
from tests.support.releases import index_pages, only_here, wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return only_here(tmp_path, monkeypatch)


def test_releases_are_in_order_without_what_does_not_fit(index: Path) -> None:
    for version in ("1.10", "1.9", "2.0rc1", "1.2.post1"):
        wheel(index, "madeup", version)
    wheel(index, "madeup", "4.0", tag="cp27-cp27m-win32")
    assert releases("madeup", python=sys.executable) == ["1.2.post1", "1.9", "1.10"]


def test_what_was_yanked_is_listed_and_another_interpreter_has_others(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"1.0": "", "1.1": 'data-yanked="leaks"', "1.2": 'data-requires-python="&gt;=3.11"'}
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", index_pages(tmp_path, "madeup", told))
    assert releases("madeup", python=sys.executable) == ["1.0", "1.1", "1.2"]
    for python in installed("3.9")[:1]:
        assert releases("madeup", python=python) == ["1.0", "1.1"]


def test_a_package_that_is_not_there_has_none(index: Path) -> None:
    assert releases("nosuch", python=sys.executable) == []


def test_an_index_that_cannot_be_reached_is_said(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the folder that is searched too has a release: a list that lacks some is none."""
    wheel(index, "madeup", "1.0")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/index")
    with pytest.raises(UnavailableError, match=r"The releases of madeup cannot be listed: .*refused.*Hint:"):
        releases("madeup", python=sys.executable)


@pytest.mark.parametrize("name", ["--index-url", "", "a b", "madeup==1.0", "../x"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a package"):
        releases(name, python=sys.executable)


def test_order_is_that_of_versions() -> None:
    assert in_order(["1.10", "1.9", "1.9.0", "nonsense", "2!0.1", "1.9rc1"]) == [
        "1.9rc1",
        "1.9",
        "1.10",
        "2!0.1",
    ]
