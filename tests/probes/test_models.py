"""A process that loads a model of a known size, run once, twice, in batches and beside another one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from diagtools.frames.models import ModelLog
from diagtools.probes import models as probe
from diagtools.read.models import read_models
from tests.support.interpreters import every_python

MIB = 2**20
SLACK = 3 * MIB
INTERPRETER = 20 * MIB  #: more than a fork's own pages of it, once both went on

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what the kernel of Linux says")

PROGRAM = """
import mmap

def pages(mib):
    made = mmap.mmap(-1, mib << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    made.write(b"x" * 4096 * (mib << 8))
    return made

class Model:
    def __init__(self):
        self.weights = pages(64)

def load():
    pages(32).close()
    return Model()

def infer(model, n=1):
    pages(4 * n).close()
    return [[1.0, 2.0], [3.0, 4.5]]

def words(model):
    return "four words of text"

def needs(path):
    return path

def raises():
    raise ValueError("no weights")

def exits():
    raise SystemExit(3)

broken = 7
"""


def run(
    folder: Path,
    mode: str,
    loader: str = "load",
    infer: str = "infer",
    batches: str = "",
    python: str = sys.executable,
) -> ModelLog:
    (folder / "mine.py").write_text(PROGRAM)
    out = folder / "run"
    out.mkdir()
    names = [f"mine:{loader}", f"mine:{infer}" if infer else "-"]
    subprocess.run(
        [python, str(Path(probe.__file__)), mode, *names, "-", batches, "60"],
        cwd=folder,
        env={**os.environ, "DIAGTOOLS_RUN": str(out)},
        check=True,
        timeout=120,
    )
    return read_models(out)


def phase(log: ModelLog, name: str) -> dict[str, int]:
    return log.phases.filter(pl.col("phase") == name).row(0, named=True)


@every_python
def test_what_a_model_holds_and_what_lived_for_a_moment_is_seen(tmp_path: Path, python: str) -> None:
    """64 MiB are held; 64 MiB of bytes to be written into them, and 32 MiB before, come and go unseen by samples."""
    log = run(tmp_path, "alone", python=python)
    load = phase(log, probe.LOAD)
    assert abs(load["rss_after_bytes"] - load["rss_before_bytes"] - 64 * MIB) < SLACK
    assert abs(load["peak_bytes"] - load["rss_before_bytes"] - 128 * MIB) < SLACK
    parts = load["anon_bytes"] + load["file_bytes"] + load["shmem_bytes"]
    assert abs(parts - load["rss_after_bytes"]) < MIB
    assert log.is_ended
    assert log.failure is None
    assert log.phases["phase"].to_list() == [
        "import",
        "load",
        "first inference",
        "inference",
        "second load",
        "inference of the second",
        "drop the second",
        "drop the model",
        "malloc_trim",
    ]


def test_a_second_model_is_held_beside_the_first_and_both_are_let_go(tmp_path: Path) -> None:
    log = run(tmp_path, "alone")
    second, drop, last = (phase(log, name) for name in (probe.SECOND_LOAD, probe.DROP_SECOND, probe.DROP))
    assert abs(second["rss_after_bytes"] - second["rss_before_bytes"] - 64 * MIB) < SLACK
    for one in (drop, last):
        assert abs(one["rss_before_bytes"] - one["rss_after_bytes"] - 64 * MIB) < SLACK


def test_each_batch_has_a_peak_of_its_own(tmp_path: Path) -> None:
    log = run(tmp_path, "batches", batches="2,8")
    rows = log.phases.filter(pl.col("phase") == probe.BATCH).to_dicts()
    assert [row["n_inputs"] for row in rows] == [1, 2, 8]
    rises = [row["peak_bytes"] - row["rss_before_bytes"] for row in rows]
    for rise, n in zip(rises, (1, 2, 8), strict=True):
        assert abs(rise - 2 * 4 * n * MIB) < SLACK  # the bytes, and the pages that they are written to


def test_two_processes_share_what_was_loaded_before_the_fork(tmp_path: Path) -> None:
    log = run(tmp_path, "fork after load")
    assert log.processes["role"].to_list() == ["parent", "child"]
    assert int(log.processes["private_bytes"].sum()) < 20 * MIB
    added = int(log.processes["pss_bytes"].sum()) - log.processes["alone_bytes"][0]
    assert added < INTERPRETER


def test_two_processes_that_load_after_the_fork_share_nothing_of_it(tmp_path: Path) -> None:
    log = run(tmp_path, "load after fork")
    assert int(log.processes["private_bytes"].min()) >= 64 * MIB
    assert int(log.processes["pss_bytes"].sum()) >= 128 * MIB
    added = int(log.processes["pss_bytes"].sum()) - log.processes["alone_bytes"][0]
    assert 64 * MIB - SLACK < added < 64 * MIB + INTERPRETER
    assert log.phases["phase"].to_list() == ["import", "load", "first inference", "inference"]


def test_the_answer_is_kept_for_comparison(tmp_path: Path) -> None:
    answer = run(tmp_path, "held").answer
    assert answer is not None
    assert (answer.n_rows, answer.n_columns) == (2, 2)
    assert answer.values.to_list() == [1.0, 2.0, 3.0, 4.5]


def test_an_answer_without_numbers_is_none(tmp_path: Path) -> None:
    log = run(tmp_path, "held", infer="words")
    assert log.answer is None
    assert log.failure is None


def test_without_infer_it_is_loaded_alone(tmp_path: Path) -> None:
    log = run(tmp_path, "alone", infer="")
    assert "first inference" not in log.phases["phase"].to_list()
    assert log.answer is None


@pytest.mark.parametrize(
    ("loader", "kind", "text"),
    [
        ("lod", "missing", "mine:lod: module 'mine' has no attribute 'lod'"),
        ("broken", "uncallable", "mine:broken: int"),
        ("needs", "arguments", "needs() missing 1 required positional argument: 'path'"),
        ("raises", "raised", "ValueError: no weights"),
        ("exits", "exited", "SystemExit: 3"),
    ],
)
def test_a_wrong_loader_is_told_apart(tmp_path: Path, loader: str, kind: str, text: str) -> None:
    failure = run(tmp_path, "alone", loader=loader).failure
    assert failure is not None
    assert failure.kind == kind
    assert text in failure.text
    assert ("mine.py:" in failure.place) == (kind in ("raised", "exited"))


def test_a_module_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    words = ["alone", "nowhere.models:load", "-", "-", "", "60"]
    environment = {**os.environ, "DIAGTOOLS_RUN": str(tmp_path / "run")}
    subprocess.run([sys.executable, probe.__file__, *words], env=environment, check=True, timeout=60)
    failure = read_models(tmp_path / "run").failure
    assert failure is not None
    assert (failure.kind, failure.phase) == ("import", "import")
    assert failure.text == "nowhere.models:load: ModuleNotFoundError: No module named 'nowhere'"


def test_batches_need_a_number_of_inputs(tmp_path: Path) -> None:
    failure = run(tmp_path, "batches", infer="words", batches="2").failure
    assert failure is not None
    assert (failure.kind, failure.text) == ("inputs", "mine:words")
