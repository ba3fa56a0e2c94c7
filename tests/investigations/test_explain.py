"""What a recording with snapshots says: the program's own memory first, and what is ours is called so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools.analyse.items import items as all_items
from diagtools.capture.runner import capture
from diagtools.investigations.explain import Explanation, explain
from diagtools.investigations.record import record
from diagtools.run import Run
from diagtools.values import Changes, Patch, Snapshots, Target

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the ledger of Linux")

MIB = 2**20

ITEMS = """
import os, signal, time
from diagtools import mark

kept = []
for n in range(40):
    with mark.item(f"f{n:03}.py"):
        kept.append([f"{n}-{m}" * 4 for m in range(12_000)])
        if n in (20, 30):
            os.kill(os.getpid(), signal.SIGRTMIN + 9)
        time.sleep(0.02)
"""
NATIVE = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
for _ in range(600):
    ctypes.memset(libc.malloc(100_000), 1, 100_000)
"""
WORKERS = """
import multiprocessing

def work(n):
    kept = [str(m) for m in range(100_000)]
    return len(kept)

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(work, range(4))
        pool.close()
        pool.join()
"""


def explained(folder: Path, program: str, snapshots: Snapshots) -> Explanation:
    (folder / "app.py").write_text(program)
    target = Target(argv=(sys.executable, "app.py"), cwd=folder, snapshots=snapshots)
    return explain(Run.open(capture(target, folder / "run").folder))


def test_a_snapshot_that_falls_into_an_item_is_not_what_the_item_asked_for(tmp_path: Path) -> None:
    """Each item keeps 1 MiB of texts; a snapshot of objects takes many times that."""
    found = explained(tmp_path, ITEMS, Snapshots(ledger=True, holders=True))
    times, items = found.run.snapshot_times, found.run.items
    within = [
        items.filter((pl.col("begin_s") < row["begin_s"]) & (pl.col("end_s") > row["begin_s"])).height
        for row in times.filter(pl.col("instrument") == "holders").to_dicts()
    ]
    assert sum(within) == 2
    as_sampled = all_items(found.run.markers, found.run.timeline, end_s=99.0)
    assert (
        as_sampled.filter(pl.col("demand_bytes") >= 10 * MIB).height >= 1
    )  # the second finds what the first left
    assert items.filter((pl.col("demand_bytes") >= 4 * MIB) | (pl.col("delta_bytes") >= 4 * MIB)).is_empty()
    assert found.by_item["delta_bytes"].sum() + (found.unattributed_bytes or 0) == found.growth_bytes
    peak = found.findings[0].sentence
    outside = re.search(
        r", while a snapshot of objects was taken; (\d+(?:\.\d)?) MiB outside of snapshots", peak
    )
    assert outside is not None, peak
    assert float(outside[1]) * MIB < (found.run.peak_rss_bytes or 0)


def test_what_c_code_holds_is_said_before_what_could_be_had_back(tmp_path: Path) -> None:
    found = explained(tmp_path, NATIVE, Snapshots(ledger=True, holders=True))
    sentences = found.as_json()["findings"]
    (at,) = [at for at, text in enumerate(sentences) if "belongs to no Python object" in text]
    assert sentences[at - 1].startswith("RSS of ")
    lines = found.as_text().splitlines()
    place = next(at for at, line in enumerate(lines) if "belongs" in line)
    assert place < 18


def test_a_snapshot_says_how_long_the_program_stood_still(tmp_path: Path) -> None:
    found = explained(tmp_path, "kept = list(range(1000))", Snapshots(ledger=True, holders=True))
    said = found.as_json()
    assert said["holders_snapshot"]["pause_s"] > 0
    assert said["ledger_snapshot"]["pause_s"] > 0
    assert said["holders_snapshot"]["pid"] == said["ledger_snapshot"]["pid"]
    assert said["ledger_snapshot"]["moment"] == "exit"
    assert re.search(
        r"^Who holds the objects of process \d+: .* \(the program stood still for .*\)$",
        found.as_text(),
        re.MULTILINE,
    )


def test_of_several_processes_it_says_which_one_and_how_many_others(tmp_path: Path) -> None:
    found = explained(tmp_path, WORKERS, Snapshots(ledger=True))
    (whole,) = [text for text in found.as_json()["findings"] if text.startswith("RSS of ")]
    others = found.run.ledger["pid"].n_unique() - 1
    pid = found.as_json()["ledger_snapshot"]["pid"]
    assert f" of process {pid} (" in whole
    assert others >= 2
    assert whole.endswith(f"; {others} other processes have ledgers of their own.")
    assert ("the command itself" in whole) == (pid == found.run.root_pid)


def test_what_was_changed_about_the_program_is_said(tmp_path: Path) -> None:
    patches = (Patch(name="fix.py", code="pass"), Patch(name="other.py", code="replace('nowhere:x', 1)"))
    target = Target(argv=(sys.executable, "-c", "pass"), changes=Changes(patches=patches))
    told = [str(finding) for finding in explain(record(target, folder=tmp_path / "run")).changed()]
    assert told == [
        "Not as it is: fix.py.",
        "Not as it is: other.py, which was not applied: nowhere was never imported.",
    ]
