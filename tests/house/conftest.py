"""What the tests of the repository itself read."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="session")
def pyproject(repository: Path) -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def requirements(pyproject: dict[str, Any]) -> dict[str, list[Requirement]]:
    """What each extra asks for, and "core"; references of one extra to another resolved."""
    project = pyproject["project"]
    written = {"core": project["dependencies"], **project["optional-dependencies"]}
    return {name: sorted(resolved(name, written), key=str) for name in written}


def resolved(name: str, written: dict[str, list[str]]) -> set[Requirement]:
    """The requirements under one name, with those of the extras it refers to."""
    found: set[Requirement] = set()
    for requirement in map(Requirement, written[name]):
        if canonicalize_name(requirement.name) == "diagtools":
            found |= {r for extra in requirement.extras for r in resolved(extra, written)}
        else:
            found.add(requirement)
    return found


@pytest.fixture(scope="session")
def kept_files(repository: Path) -> list[Path]:
    """The files that git keeps, or would with the next commit; relative to the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    paths = [Path(name) for name in sorted(set(listed.split("\0"))) if name]
    return [path for path in paths if (repository / path).is_file()]


@pytest.fixture(scope="session")
def pythons() -> list[dict[str, str]]:
    """The marker environments that constraints.txt must serve: this system, and the CPythons we name."""
    here = {name: str(value) for name, value in default_environment().items()}
    return [
        here | {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.5"}
        for minor in (11, 12, 13)
    ]
