"""constraints.txt makes an install repeatable: everything in it is one release, and it meets every bound."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

LINE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[\w.]+( ; .+)?")


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def constraints(repository: Path) -> list[Requirement]:
    return [Requirement(line) for line in lines_of(repository / "constraints.txt")]


def version(constraint: Requirement) -> str:
    return next(iter(constraint.specifier)).version


def pinned(constraints: list[Requirement], python: dict[str, str]) -> dict[NormalizedName, str]:
    """The release of each package on one Python; a package named twice for it is a mistake."""
    valid = [c for c in constraints if c.marker is None or c.marker.evaluate(python)]
    releases = {canonicalize_name(c.name): version(c) for c in valid}
    assert len(releases) == len(valid)
    return releases


def test_each_line_is_a_name_and_a_release_and_no_address(repository: Path) -> None:
    assert [line for line in lines_of(repository / "constraints.txt") if not LINE.fullmatch(line)] == []


def test_every_bound_is_met_on_each_python(
    constraints: list[Requirement],
    requirements: dict[str, list[Requirement]],
    pythons: list[dict[str, str]],
) -> None:
    for python in pythons:
        releases = pinned(constraints, python)
        unmet = [
            f"{requirement} on {python['python_version']}"
            for asked in requirements.values()
            for requirement in asked
            if requirement.marker is None or requirement.marker.evaluate(python)
            if not requirement.specifier.contains(releases.get(canonicalize_name(requirement.name), "0"))
        ]
        assert unmet == []


def test_the_releases_that_the_corpus_is_made_of_are_pinned(
    constraints: list[Requirement], repository: Path, pythons: list[dict[str, str]]
) -> None:
    pins = [Requirement(line) for line in lines_of(repository / "scripts" / "corpus-pins.txt")]
    releases = pinned(constraints, pythons[0])
    assert {pin.name: version(pin) for pin in pins} == {
        pin.name: releases[canonicalize_name(pin.name)] for pin in pins
    }


def test_what_the_requirements_bring_along_is_pinned_too(
    constraints: list[Requirement], requirements: dict[str, list[Requirement]]
) -> None:
    """As far as it is installed here: pip would pick any release of a package that is not named."""
    here = {name: str(value) for name, value in default_environment().items()}
    releases = pinned(constraints, here)
    asked = {canonicalize_name(requirement.name) for extra in requirements.values() for requirement in extra}
    if any(is_installed(name) and metadata.version(name) != releases.get(name) for name in asked):
        pytest.skip("other releases are installed than those of constraints.txt")
    assert installed_closure(requirements) <= releases.keys()


def installed_closure(requirements: dict[str, list[Requirement]]) -> set[NormalizedName]:
    """Every installed package that the requirements lead to."""
    seen: set[tuple[NormalizedName, str]] = set()
    waiting = [requirement for asked in requirements.values() for requirement in asked]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ["", *requirement.extras]:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += brought_along(name, extra)
    return {name for name, _ in seen if is_installed(name)}


def brought_along(name: NormalizedName, extra: str) -> list[Requirement]:
    """What one package asks for on this system, with one of its extras; nothing where it is not installed."""
    asked = [Requirement(text) for text in (metadata.requires(name) if is_installed(name) else None) or []]
    return [r for r in asked if r.marker is None or r.marker.evaluate({"extra": extra})]


def is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True
