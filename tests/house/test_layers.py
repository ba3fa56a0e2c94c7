"""The contracts of `make check` name what there is, and the ground floor stands on the standard library alone."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OLDEST_TARGET = (3, 9)
STANDARD = sys.stdlib_module_names | {"sitecustomize"}  # the hook that Python looks for by this name


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def third_party(folder: Path) -> set[str]:
    """The top-level packages under a folder's imports that are neither ours nor Python's."""
    names = {name.split(".")[0] for path in modules(folder) for name in imported(path)}
    return names - STANDARD - {"diagtools", "workloads"}


def undeclared(folder: Path, declared: list[Requirement]) -> set[str]:
    """Which third-party packages does the folder import without asking for them?"""
    allowed = {canonicalize_name(requirement.name) for requirement in declared}
    distributions = metadata.packages_distributions()
    return {
        name
        for name in third_party(folder)
        if not {canonicalize_name(found) for found in distributions.get(name, [name])} & allowed
    }


def test_the_layers_name_every_module_of_diagtools(repository: Path, pyproject: dict[str, Any]) -> None:
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = {name for layer in layers for name in re.findall(r"\w+", layer)}
    there = {path.stem for path in (repository / "diagtools").glob("*.py")}
    there |= {path.parent.name for path in (repository / "diagtools").glob("*/__init__.py")}
    assert there - {"__init__"} <= named


def test_what_runs_inside_the_target_needs_only_an_old_standard_library(repository: Path) -> None:
    """Python 3.9 can parse it, and it imports nothing of ours from above the ground, nor of anybody else."""
    ground = [repository / "diagtools" / "mark.py", *modules(repository / "diagtools" / "probes")]
    for path in ground:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=OLDEST_TARGET)
        foreign = [
            name
            for name in imported(path)
            if name.split(".")[0] not in STANDARD and not name.startswith("diagtools.probes")
        ]
        assert foreign == [], path


@pytest.mark.parametrize(
    ("folder", "extras"), [("diagtools", ["core", "pytest"]), ("workloads", ["core", "workloads"])]
)
def test_every_package_that_is_imported_is_asked_for(
    repository: Path, requirements: dict[str, list[Requirement]], folder: str, extras: list[str]
) -> None:
    declared = [requirement for extra in extras for requirement in requirements[extra]]
    assert undeclared(repository / folder, declared) == set()
