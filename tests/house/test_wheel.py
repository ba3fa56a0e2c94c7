"""The wheel carries the package, the programs under study, the notebooks and the small data, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

IN_THE_WHEEL = {
    "diagtools": "diagtools",
    "workloads": "workloads",
    "notebooks": "diagtools/_notebooks",
    "data": "diagtools/_data",
}
MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree, by the backend itself: no network, no other environment."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def carried(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_it_carries_every_kept_file_of_its_four_folders_and_nothing_else(
    carried: set[str], kept_files: list[Path]
) -> None:
    wanted = {
        "/".join([IN_THE_WHEEL[path.parts[0]], *path.parts[1:]])
        for path in kept_files
        if path.parts[0] in IN_THE_WHEEL
    }
    assert carried == wanted


def test_its_version_is_the_one_diagtools_says(wheel: Path, repository: Path) -> None:
    said = (repository / "diagtools" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{wheel.name.split("-")[1]}"' in said


def test_it_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    command = [sys.executable, "-m", "diagtools", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "investigate" in done.stdout


def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_BYTES


def test_it_installs_the_command_and_says_its_licence(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        said = {
            Path(name).name: archive.read(name).decode()
            for name in archive.namelist()
            if ".dist-info/" in name
        }
    assert "diagtools = diagtools.cli:main" in said["entry_points.txt"]
    assert "License-Expression: MIT" in said["METADATA"]
    assert "diagtools contributors" in said["LICENSE"]
