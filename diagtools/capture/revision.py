"""Another revision of one's own code, as a folder of its own: the checkout one works in is not touched."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from diagtools.capture.cache import cache_folder
from diagtools.capture.environment import environment
from diagtools.capture.git import GitRefused, checkout_of, commit_of, git, is_tracked
from diagtools.capture.interpreter import interpreter_of
from diagtools.errors import DiagtoolsError, UnavailableError, UsageError
from diagtools.redact import redact_path, redact_text
from diagtools.values import Target

_KEPT_S = 14 * 86_400.0
_SUBMODULE = "160000"


def revision(rev: str, *, cwd: Path) -> Path:
    """Which folder holds this revision of the repository that ``cwd`` is in?  Made once, then taken from the cache.

    A detached worktree; no hook and no filter runs.  One that nobody asked for in two weeks is removed.  Raises
    ``UsageError`` outside of a checkout and for an unknown revision, ``UnavailableError`` for one that a worktree has
    not whole: with submodules, or files that a filter makes (git-lfs).
    """
    root = checkout_of(cwd)
    commit = commit_of(root, rev)
    _must_be_whole(root, commit, rev)
    place = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    home = cache_folder("revisions") / f"{place}-{commit[:16]}"
    with _alone(home.with_suffix(".lock")):
        _remove_old(root, home)
        if not _is_clean(home, commit):
            _add(root, home, commit)
        os.utime(home)
    return home


def at_revision(target: Target, rev: str) -> Target:
    """The same command, run on this revision of its own code.

    Its working folder, the paths in the repository that it names, ``PYTHONPATH`` and what an editable install puts on
    the path are those of the revision.  What git does not know (an environment, data) stays where it is.  Raises as
    ``revision``, and ``UsageError`` for what does not exist at that revision.
    """
    cwd = (target.cwd or Path.cwd()).resolve()
    root = checkout_of(cwd)
    there = _Moved(root=root, to=revision(rev, cwd=cwd), rev=rev)
    env = {**os.environ, **target.env}
    python = interpreter_of(target.argv[0], env, cwd)
    listed = [place for place in env.get("PYTHONPATH", "").split(os.pathsep) if place]
    roots = [str(path) for path in _import_roots(python, there)] if python else []
    path = dict.fromkeys([*roots, *(there.word(place, cwd) for place in listed)])
    changed = {"PYTHONPATH": os.pathsep.join(path)} if path else {}
    return dataclasses.replace(
        target,
        cwd=there.folder(cwd),
        argv=tuple(there.word(word, cwd) for word in target.argv),
        env={**target.env, **changed},
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """The checkout at ``root`` as it was at ``rev``, in the folder ``to``."""

    root: Path
    to: Path
    rev: str

    def folder(self, path: Path) -> Path:
        """The same folder there.  Raises ``UsageError`` where there is none."""
        found = self.to / path.relative_to(self.root)
        if found.is_dir():
            return found
        raise self._missing(path)

    def word(self, word: str, cwd: Path) -> str:
        """A word of a command line, or the path after its ``=``, with the path of the revision."""
        name, sign, value = word.partition("=")
        if sign and os.sep in value and os.sep not in name:
            return f"{name}={self.word(value, cwd)}"
        path = _plain(cwd / word)
        if word.startswith("-") or not path.is_relative_to(self.root) or not os.path.lexists(path):
            return word
        is_absolute = Path(word).is_absolute()
        found = self.to / path.relative_to(self.root)
        if os.path.lexists(found):
            return str(found) if is_absolute else word
        if is_tracked(self.root, path):
            raise self._missing(path)
        return word if is_absolute else str(path)

    def _missing(self, path: Path) -> UsageError:
        return UsageError(
            f"'{path.relative_to(self.root)}' does not exist at the revision '{redact_text(self.rev)}'.",
            hint="name a revision that has it.",
        )


def _plain(path: Path) -> Path:
    """Without links in its folders; one at its end stays: a link is the python of an environment."""
    path = Path(os.path.normpath(path))
    return path.parent.resolve() / path.name


def _import_roots(python: str, there: _Moved) -> list[Path]:
    """Folders of the revision that stand for those of the checkout on the interpreter's path.

    A project that is installed to be edited may be found by a hook instead: then its ``src`` or its own folder.
    """
    try:
        known = environment(python)
    except DiagtoolsError:
        return []
    projects = [src if (src := project / "src").is_dir() else project for project in known.projects]
    inside = [
        path.resolve() for path in (*known.path, *projects) if path.resolve().is_relative_to(there.root)
    ]
    moved = [there.to / path.relative_to(there.root) for path in dict.fromkeys(inside)]
    return [path for path in moved if path.is_dir()]


# --- the worktree ------------------------------------------------------------------------------------


def _must_be_whole(root: Path, commit: str, rev: str) -> None:
    listed = git(root, "ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
    modules = [line.partition("\t")[2] for line in listed if line.startswith(_SUBMODULE)]
    if modules:
        named = ", ".join(modules[:3])
        raise UnavailableError(
            f"The revision '{redact_text(rev)}' has submodules ({named}), which a worktree leaves empty.",
            hint="clone that revision with --recurse-submodules, and compare commands in both folders.",
        )


def _add(root: Path, home: Path, commit: str) -> None:
    """A new worktree in the place of whatever is there."""
    _remove(root, home)
    filters = _filters(root)
    try:
        git(root, "worktree", "add", "--detach", "--force", str(home), commit, without=filters)
        made = _made_by(home, filters)
    except GitRefused as error:
        _remove(root, home)
        raise UnavailableError(
            f"git cannot check out {commit[:12]}: {error}", hint="see `git worktree list`."
        ) from error
    if made:
        _remove(root, home)
        raise UnavailableError(
            f"Files of {commit[:12]} are made by the filter '{made}', which is not run for a worktree.",
            hint="check that revision out yourself, and compare commands in both folders.",
        )


def _filters(root: Path) -> tuple[str, ...]:
    """The filters that the user's settings name."""
    try:
        listed = git(root, "config", "--name-only", "--get-regexp", r"^filter\..*\.(smudge|process)$")
    except GitRefused:  # none is
        return ()
    return tuple(dict.fromkeys(line.partition(".")[2].rpartition(".")[0] for line in listed.splitlines()))


def _made_by(home: Path, filters: tuple[str, ...]) -> str | None:
    """Which of these filters would have made files of this worktree?"""
    for name in filters:
        if git(home, "ls-files", "-z", "--", f":(attr:filter={name})", without=filters):
            return name
    return None


def _is_clean(home: Path, commit: str) -> bool:
    """Does the worktree hold this commit, and no file of it changed?"""
    try:
        is_there = git(home, "rev-parse", "HEAD").strip() == commit if (home / ".git").is_file() else False
        return is_there and not git(
            home, "status", "--porcelain", "--untracked-files=no", without=_filters(home)
        )
    except GitRefused:
        return False


def _remove_old(root: Path, home: Path) -> None:
    """Other worktrees of this repository that were not asked for lately."""
    for path in home.parent.glob(f"{home.name.partition('-')[0]}-*"):
        with contextlib.suppress(OSError):  # somebody else removed it
            if path != home and path.is_dir() and time.time() - path.stat().st_mtime > _KEPT_S:
                _remove(root, path)


def _remove(root: Path, home: Path) -> None:
    with contextlib.suppress(GitRefused):  # it is none, or a broken one
        git(root, "worktree", "remove", "--force", "--force", str(home))
    shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Nobody else makes the same worktree at the same time."""
    try:
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        where = redact_path(lock.parent)
        raise UnavailableError(
            f"The cache '{where}' cannot be written: {error.strerror}.", hint="see its disk."
        ) from error
