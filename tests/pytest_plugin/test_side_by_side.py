"""The plugin beside those that suites use most, each as it is released: in an overlay, not in this environment.

They would be loaded into every suite that is studied here, and one of them loads memray.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.capture.overlay import overlay
from diagtools.run import Run

PEERS = ("pytest-asyncio==1.5.0", "pytest-cov==7.1.0", "pytest-memray==1.11.0")
MIB = 1 << 20
SUITE = """
import asyncio
import unittest
import pytest
import pytest_asyncio

@pytest_asyncio.fixture
async def made():
    yield bytearray(1 << 20)

@pytest.mark.asyncio
async def test_awaits(made):
    held = bytearray(100 << 20)
    await asyncio.sleep(0.03)
    assert len(held) == 100 << 20

@pytest.mark.limit_memory("200 MB")
def test_with_a_limit_of_memray():
    assert len(bytearray(50 << 20)) == 50 << 20

class TestOld(unittest.TestCase):
    def test_unit(self):
        self.assertEqual(len(bytearray(30 << 20)), 30 << 20)

@pytest.mark.asyncio
@pytest.mark.no_leak
async def test_leaves_nothing():
    await asyncio.sleep(0)
"""
NEEDED = {"test_awaits": 100, "test_with_a_limit_of_memray": 50, "test_unit": 30}


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--memray"], ["-n", "2"]], ids=["alone", "memray", "xdist"])
def test_beside_asyncio_cov_memray_and_xdist_each_does_its_work(tmp_path: Path, options: list[str]) -> None:
    """Every test passes, coverage and memray report, and the peaks are those of the tests."""
    peers = overlay(PEERS, python=sys.executable)
    (tmp_path / "test_peers.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8"
    )
    words = ["--diag", f"--diag-dir={tmp_path / 'run'}", "--cov=test_peers", "-p", "no:cacheprovider"]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(peers.folder)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "4 passed" in told.stdout
    assert "test_peers.py" in told.stdout.split("tests coverage")[1]
    assert ("MEMRAY REPORT" in told.stdout) == (options == ["--memray"])
    tests = Run.open(tmp_path / "run").test_session.tests
    demands = dict(tests.select("test", "demand_bytes").iter_rows())
    for name, mib in NEEDED.items():
        found = next(demand for test, demand in demands.items() if test.endswith(name))
        assert found == pytest.approx(mib * MIB, rel=0.05, abs=2 * MIB), name
    assert set(tests["outcome"]) == {"passed"}
