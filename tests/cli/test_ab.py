"""``diagtools ab`` and ``diagtools sweep``, as somebody at a terminal or a script calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CODE = "import os; kept = b'x' * (int(os.environ.get('SIZE', '40')) << 20); print('rows =', 3)"


def diagtools(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "diagtools", *words]
    env = {name: value for name, value in os.environ.items() if not name.startswith("DIAGTOOLS_")}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)


def told(*words: str, cwd: Path) -> Any:
    done = diagtools(*words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_variants_stand_in_the_order_in_which_they_were_named(tmp_path: Path) -> None:
    (tmp_path / "fix.py").write_text("replace('nowhere:x', 1)\n")
    words = ["--args=-v", "--env", "SIZE=4", "--patch", "fix.py", "--without", "numpy", "--metric", "peak"]
    found = told("ab", "--json", "--pairs", "2", *words, "--", sys.executable, "-c", CODE, cwd=tmp_path)
    variants = found["variants"]
    assert [one["variant"] for one in variants] == ["-v", "SIZE=4", "fix.py", "without numpy"]
    assert [one["applied"] for one in variants] == [True, True, False, False]
    assert [one["metrics"][0]["verdict"] for one in variants[:3]] == ["refuted", "confirmed", "inconclusive"]
    assert {one["outcome"] for one in variants} == {"finished"}
    assert (tmp_path / "runs").is_dir()


def test_a_person_reads_a_table_and_sentences(tmp_path: Path) -> None:
    done = diagtools(
        "ab", "--env", "SIZE=4", "--png", "ab.png", "--", sys.executable, "-c", CODE, cwd=tmp_path
    )
    assert "confirmed" in done.stdout
    assert "CONFIRMED (SIZE=4): SIZE as it is costs memory." in done.stdout
    assert (tmp_path / "ab.png").read_bytes().startswith(b"\x89PNG")


def test_a_sweep_for_a_script(tmp_path: Path) -> None:
    words = ["--over", "SIZE=10,20,40,80", "--repeat", "1", "--json"]
    found = told("sweep", *words, "--", sys.executable, "-c", CODE, cwd=tmp_path)
    assert found["sweeps"][0]["cost"] == pytest.approx(2**20, rel=0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ab", "--", "python"], "nothing to compare"),
        (["ab", "--env", "A=1"], "no command"),
        (["ab", "--env", "A", "--", "python"], "no environment variable"),
        (["ab", "--stock", "magic", "--", "python"], "no stock theory"),
        (["ab", "--metric", "rss", "--env", "A=1", "--", "python"], "no metric"),
        (["ab", "--pairs", "0", "--env", "A=1", "--", "python"], "whole number"),
        (["ab", "--patch", "none.py", "--", "python"], "cannot be read"),
        (["ab", "--env", "A=1", "--", "no-such-command-at-all"], "no-such-command-at-all"),
        (["ab", "--env", "A=1", "--limit", "4", "--", "python"], "no unit"),
        (["sweep", "--over", "n=1", "--", "python"], "no sweep"),
        (["sweep", "--", "python"], "--over"),
    ],
)
def test_wrong_use_is_one_clear_error(words: list[str], said: str, tmp_path: Path) -> None:
    done = diagtools(*words, cwd=tmp_path)
    assert done.returncode in (2, 127)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").rglob("timeline.bin"))


def test_a_gate_that_cannot_judge_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "fix.py").write_text("replace('nowhere:x', 1)\n")
    done = diagtools("ab", "--gate", "--patch", "fix.py", "--", sys.executable, "-c", "pass", cwd=tmp_path)
    assert done.returncode == 1
    assert "The gate cannot judge 'fix.py'" in done.stderr
