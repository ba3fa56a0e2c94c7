"""Where notebooks and data are: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

from diagtools.errors import UnavailableError

_PACKAGE = Path(__file__).resolve().parents[1]


def notebooks() -> Path:
    """Which folder holds the investigations' notebooks?"""
    return _found("notebooks")


def data() -> Path:
    """Which folder holds recorded runs and corpora?"""
    return _found("data")


def _found(name: str) -> Path:
    for folder in (_PACKAGE.parent / name, _PACKAGE / f"_{name}"):
        if folder.is_dir() and (
            folder.parent != _PACKAGE.parent or (_PACKAGE.parent / "pyproject.toml").exists()
        ):
            return folder
    raise UnavailableError(
        f"This installation of diagtools has no '{name}' folder.",
        hint="install the wheel, or work in a checkout.",
    )
