"""Does the suite of the knowledge base do what is studied of it: pay for imports, and keep what it keeps?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from diagtools.run import Run

LIBRARIES = {"altair", "networkx", "numpy", "onnx", "onnxruntime", "polars", "sqlalchemy", "tokenizers"}
MIB = 2**20
SUITE = "workloads/knowledge/tests"
_LOADED = "import json, sys; print('loaded =', json.dumps(sorted(sys.modules)))"


def ran(
    repository: Path, *words: str, expected: int = 0, **switches: str
) -> subprocess.CompletedProcess[str]:
    """The suite in a process of its own, with no plugin but those it needs."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "diagtools", SUITE, *words]
    usual = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "KNOWLEDGE_"))
    }
    environment = {**usual, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **switches}
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True)
    assert done.returncode == expected, done.stdout + done.stderr
    return done


def loaded_by_the_conftest(repository: Path, **switches: str) -> set[str]:
    """Which of the LIBRARIES a new interpreter has loaded once it has the conftest of the suite."""
    code = f"import workloads.knowledge.tests.conftest; {_LOADED}"
    environment = {**os.environ, "PYTHONPATH": str(repository), **switches}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return LIBRARIES & set(json.loads(done.stdout.partition("loaded =")[2]))


@pytest.mark.parametrize("twin", ["eager", "lazy"])
@pytest.mark.parametrize("fixtures", ["full", "thin"])
@pytest.mark.parametrize("mocks", ["on", "off"])
def test_the_same_tests_pass_whatever_is_switched(
    twin: str, fixtures: str, mocks: str, repository: Path
) -> None:
    done = ran(repository, KNOWLEDGE_TWIN=twin, KNOWLEDGE_FIXTURES=fixtures, KNOWLEDGE_MOCKS=mocks)
    assert "16 passed" in done.stdout


def test_thin_fixtures_load_no_library_though_the_twin_is_eager(repository: Path) -> None:
    assert loaded_by_the_conftest(repository, KNOWLEDGE_FIXTURES="thin") == set()
    assert loaded_by_the_conftest(repository, KNOWLEDGE_FIXTURES="full") == LIBRARIES


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("KNOWLEDGE_FIXTURES", "KNOWLEDGE_FIXTURES is 'some'. Hint: KNOWLEDGE_FIXTURES=full or"),
        ("KNOWLEDGE_MOCKS", "KNOWLEDGE_MOCKS is 'some'. Hint: KNOWLEDGE_MOCKS=on or KNOWLEDGE_MOCKS=off."),
    ],
)
def test_a_switch_that_is_none_is_refused(name: str, said: str, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", SUITE],
        cwd=repository,
        env={**os.environ, name: "some"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def measured(repository: Path, folder: Path, **switches: str) -> dict[str, int]:
    """How much memory did each test leave behind, by the file that it stands in?"""
    ran(repository, f"--diag-dir={folder}", **switches)
    session = Run.open(folder).test_session
    kept: Counter[str] = Counter()
    for row in session.tests.to_dicts():
        kept[Path(row["file"]).name] += row["kept_bytes"]
    return kept


def test_the_search_keeps_an_index_of_each_collection_and_the_others_keep_nothing(
    repository: Path, tmp_path: Path
) -> None:
    kept = measured(repository, tmp_path / "run")
    assert kept.pop("test_search.py") == pytest.approx(49 * MIB, rel=0.25)
    assert all(size < 2 * MIB for size in kept.values()), kept


def test_without_the_mocks_a_model_is_made_when_it_is_first_asked_for(
    repository: Path, tmp_path: Path
) -> None:
    kept = measured(repository, tmp_path / "run", KNOWLEDGE_MOCKS="off")
    assert kept["test_recall.py"] > 30 * MIB


def test_the_light_part_runs_without_the_skills(repository: Path) -> None:
    done = ran(repository, f"--ignore={SUITE}/skills", KNOWLEDGE_FIXTURES="thin")
    assert "7 passed" in done.stdout
