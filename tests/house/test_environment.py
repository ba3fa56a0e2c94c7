"""environment.yml and pyproject.toml name the same packages, bounds and Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONDA_NAME = {
    "jupyter-core": "jupyter_core",
    "nbconvert": "nbconvert-core",
}  # where conda-forge calls it otherwise
CONDA_ONLY = {"python", "pip"}


@pytest.fixture(scope="module")
def environment(repository: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((repository / "environment.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def conda(environment: dict[str, Any]) -> dict[str, Requirement]:
    return {entry.name: entry for entry in map(Requirement, environment["dependencies"])}


def test_packages_and_bounds_are_those_of_core_and_test(
    conda: dict[str, Requirement], requirements: dict[str, list[Requirement]]
) -> None:
    wanted = {
        CONDA_NAME.get(name, name): requirement.specifier
        for requirement in requirements["core"] + requirements["test"]
        for name in [canonicalize_name(requirement.name)]
    }
    found = {name: entry.specifier for name, entry in conda.items() if name not in CONDA_ONLY}
    assert found == wanted


def test_the_floor_of_python_agrees(conda: dict[str, Requirement], pyproject: dict[str, Any]) -> None:
    assert str(conda["python"].specifier) == pyproject["project"]["requires-python"]


def test_everything_comes_from_conda_forge(environment: dict[str, Any]) -> None:
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert all(isinstance(entry, str) for entry in environment["dependencies"]), "a pip section"
