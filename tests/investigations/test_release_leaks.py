"""A search by the leak check of one function."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.investigations.bisect import bisect
from diagtools.investigations.release_leaks import by_leak
from tests.support.releases import only_here, wheel

CLEAN = "def call(kept=[]): return bytes(1000)\n"
LEAKS = "def call(kept=[]): kept.append(bytes(1000))\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))
    return only_here(tmp_path, monkeypatch)


def test_the_first_release_that_leaks_is_found(index: Path) -> None:
    for version, code in (
        ("1.0", CLEAN),
        ("1.1", "raise ImportError('broken')\n"),
        ("1.2", LEAKS),
        ("1.3", LEAKS),
    ):
        wheel(index, "madeup", version, code)
    found = bisect("madeup", "madeup:call", good="1.0", bad="1.3", metric="leak")
    sides = {one.release: str(one.judged.side) for one in found.tried}
    assert sides == {"1.0": "good", "1.3": "bad", "1.1": "cannot run", "1.2": "bad"}
    assert found.candidates == ("1.1", "1.2")
    per_call = found.frame.filter(found.frame["release"] == "1.2")["value"].item()
    assert 1000 <= per_call <= 1100  # the bytes, their header of 33, and a place in the list


def test_a_leak_is_looked_for_in_one_function() -> None:
    with pytest.raises(UsageError, match="looked for in one function"):
        by_leak(["python", "app.py"], python=sys.executable)
