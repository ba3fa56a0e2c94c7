"""Asks git about a checkout, without its hooks, filters, monitors and questions, and whoever's `GIT_DIR` is set."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from diagtools.errors import UnavailableError, UsageError
from diagtools.redact import redact_path, redact_text

_PATIENCE_S = 300
_OPTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false")
_HINT = "commit your code to a git repository, and name a revision of it: --rev HEAD~1"


class GitRefused(Exception):
    """git did not do what it was asked; the text is what it said."""


def git(folder: Path, *words: str, without: tuple[str, ...] = ()) -> str:
    """What does git print in this folder?  ``without`` are filters that must not run.

    Raises ``GitRefused`` where it fails, ``UnavailableError`` where it is not installed.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    off = [
        word
        for name in without
        for part in ("smudge=", "clean=", "process=", "required=false")
        for word in ("-c", f"filter.{name}.{part}")
    ]
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *_OPTIONS, *off, *words],
            env=env,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
        )
    except FileNotFoundError as error:
        raise UnavailableError("git is not installed here.", hint="install git.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(
            f"git does not work in '{redact_path(folder)}'.", hint="try `git status`."
        ) from error
    if done.returncode:
        raise GitRefused(" ".join(redact_text(done.stderr).split()) or f"exit status {done.returncode}")
    return done.stdout


def checkout_of(folder: Path) -> Path:
    """The top of the checkout that holds this folder.  Raises ``UsageError`` where none does."""
    try:
        return Path(git(folder, "rev-parse", "--show-toplevel").removesuffix("\n")).resolve()
    except GitRefused as error:
        why = "" if "not a git repository" in str(error) else f" ({error})"
        raise UsageError(
            f"'{redact_path(folder)}' is in no checkout of a git repository{why}.", hint=_HINT
        ) from error


def commit_of(root: Path, rev: str) -> str:
    """Which commit is this revision?  Raises ``UsageError`` where the repository has none of that name."""
    try:
        return git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}").strip()
    except GitRefused as error:
        is_shallow = git(root, "rev-parse", "--is-shallow-repository").strip() == "true"
        hint = (
            "this clone has only the newest commits: git fetch --unshallow"
            if is_shallow
            else "git log --oneline"
        )
        raise UsageError(f"The repository has no revision '{redact_text(rev)}'.", hint=hint) from error


def is_tracked(root: Path, path: Path) -> bool:
    """Does git know this path, as a file or as the folder of some?"""
    try:
        return bool(git(root, "ls-files", "-z", "--", f":(literal){path}"))
    except GitRefused:
        return False  # it is beyond the checkout, or in a submodule
