"""The checks are said once: pre-commit and CI run the words of `make check` and `make test`."""

from __future__ import annotations

import re
from pathlib import Path

import yaml


def recipe(repository: Path, target: str) -> list[str]:
    """The commands of one target of the Makefile, with $(BIN) written out."""
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found, f"no target {target!r}"
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in found[1].splitlines()]


def test_pre_commit_runs_the_words_of_make_check(repository: Path) -> None:
    config = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook["entry"] for source in config["repos"] for hook in source["hooks"]]
    assert hooks == recipe(repository, "check")


def test_ci_runs_make_check_and_make_test_and_nothing_else(repository: Path) -> None:
    lines = (repository / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["make check", 'make test ARGS="-n 2"']
