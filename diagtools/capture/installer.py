"""Asks uv or pip for packages, with the settings that its user made for it.

What other versions need is asked without being installed: both keep whatever is installed and fits, so only what must
differ does.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from diagtools.capture.indexes import for_pip, for_uv, without_index
from diagtools.capture.refusals import Reason, Refusal, refusal
from diagtools.errors import UnavailableError

_PATIENCE_S = 900  # a release without a wheel may have to be compiled
_PIN = re.compile(r"^ [+~] ([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
#: `python -m pip` would take a pip.py in the folder we are in for pip.
_PIP = (
    "import runpy, sys; sys.path = [place for place in sys.path if place]; "
    "runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)
HINT = "install one of them: `python -m pip install uv`."

Pins = dict[str, str]  # versions by normalised name


class Refused(Exception):
    """uv or pip did not do what it was asked; ``refusal`` says why."""

    def __init__(self, told: Refusal) -> None:
        super().__init__(f"{told.reason}: {told.evidence}")
        self.refusal = told


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer(ABC):
    """A tool that installs packages for ``python``: the words that start it."""

    python: str
    words: tuple[str, ...]

    @abstractmethod
    def wanted(self, requirements: Sequence[str]) -> Pins:
        """What would have to be installed, and is not, for these?  Raises ``Refused``."""

    @abstractmethod
    def install(self, pins: Mapping[str, str], folder: Path) -> None:
        """Puts exactly these into a folder, compiled.  Raises ``Refused``."""


class Uv(Installer):
    """uv: a resolver and a cache of its own."""

    __slots__ = ()

    def wanted(self, requirements: Sequence[str]) -> Pins:
        """See ``Installer``; an environment that forbids to be installed into may be asked all the same."""
        done = self._run("--dry-run", "--break-system-packages", "--", *requirements)
        return {canonicalize_name(name): version for name, version in _PIN.findall(done)}

    def install(self, pins: Mapping[str, str], folder: Path) -> None:
        """See ``Installer``."""
        self._run("--target", str(folder), "--no-deps", "--compile-bytecode", "--", *_pinned(pins))

    def _run(self, *options: str) -> str:
        words = ["pip", "install", "--python", self.python, "--no-progress", "--color", "never"]
        no_index = ["--no-index"] if without_index(os.environ) else []
        return _done([*self.words, *words, *no_index, *options], for_uv(os.environ))


class Pip(Installer):
    """pip: its report says what it would do."""

    __slots__ = ()

    def wanted(self, requirements: Sequence[str]) -> Pins:
        """See ``Installer``."""
        with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
            report = Path(folder) / "report.json"
            self._run("--dry-run", "--quiet", "--report", str(report), "--", *requirements)
            listed: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
        found = [one["metadata"] for one in listed]
        return {canonicalize_name(one["name"]): str(one["version"]) for one in found}

    def install(self, pins: Mapping[str, str], folder: Path) -> None:
        """See ``Installer``."""
        self._run("--target", str(folder), "--no-deps", "--quiet", "--", *_pinned(pins))

    def _run(self, *options: str) -> str:
        shared = ["install", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"]
        return _done([*self.words, *shared, *options], for_pip(os.environ))


def installers(python: str) -> Iterator[Installer]:
    """uv, where it is found beside our interpreter or on the path, and then pip, with which pip's own settings hold.

    Raises ``UnavailableError`` where there is neither.
    """
    uv = uv_program()
    if uv:
        yield Uv(python=python, words=(uv,))
    pip = pip_words(python)
    if pip:
        yield Pip(python=python, words=pip)
    if not uv and not pip:
        raise UnavailableError("Neither uv nor pip is here to install other versions.", hint=HINT)


def uv_program() -> str | None:
    """Where is uv?"""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")


def pip_words(python: str) -> tuple[str, ...] | None:
    """How is pip started for this interpreter: its own, or ours, which can work for another?"""
    own = (python, "-c", _PIP)
    if said([*own, "--version"], os.environ).returncode == 0:
        return own
    return (sys.executable, "-c", _PIP, "--python", python) if importlib.util.find_spec("pip") else None


def said(words: Sequence[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What does a tool print, on both streams, and how does it end?  Raises ``Refused`` where it does not end."""
    try:
        return subprocess.run(
            words,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired as error:
        told = Refusal(reason=Reason.OTHER, evidence=f"it took longer than {_PATIENCE_S // 60} minutes")
        raise Refused(told) from error


def _done(words: Sequence[str], env: Mapping[str, str]) -> str:
    """What a tool prints.  Raises ``Refused`` where it fails."""
    done = said(words, env)
    if done.returncode:
        raise Refused(refusal(done.stdout))
    return done.stdout


def _pinned(pins: Mapping[str, str]) -> list[str]:
    return [f"{name}=={version}" for name, version in pins.items()]
