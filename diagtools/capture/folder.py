"""Where runs are kept: ``./runs`` unless ``DIAGTOOLS_STORE`` names another folder, one folder a run."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from diagtools.errors import RecorderError, UsageError
from diagtools.redact import redact_argv

STORE_VARIABLE = "DIAGTOOLS_STORE"
_TRIES = 10


def store() -> Path:
    """Which folder holds the recorded runs?"""
    return Path(os.environ.get(STORE_VARIABLE) or "runs")


def new_run_folder(argv: Sequence[str], wanted: Path | None = None) -> Path:
    """Makes the folder of a new run, readable by its owner only.

    ``wanted`` must not exist yet or be an empty folder.  Raises ``UsageError`` where something is there
    already and ``RecorderError`` where the place cannot be written.
    """
    place = wanted or store()
    try:
        folder = _new_in_store(place, argv) if wanted is None else _take(wanted)
        (folder / "run.json").touch(mode=0o600)
        return folder.resolve()
    except OSError as error:
        what = "store" if wanted is None else "run folder"
        raise RecorderError(
            f"The {what} '{place}' cannot be written: {error.strerror}.",
            hint=f"name a writable folder with -o, or set {STORE_VARIABLE}.",
        ) from error


def _take(wanted: Path) -> Path:
    if os.path.lexists(wanted) and (not wanted.is_dir() or any(wanted.iterdir())):
        raise UsageError(
            f"'{wanted}' exists already; a recording never overwrites anything.",
            hint="name another folder with -o, or remove that one first.",
        )
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    return wanted


def _new_in_store(place: Path, argv: Sequence[str]) -> Path:
    for _ in range(_TRIES):
        folder = place / _name(argv)
        try:
            folder.mkdir(mode=0o700, parents=True)
            return folder
        except FileExistsError:
            if not place.is_dir():
                raise
    raise FileExistsError(17, "no name is free")


def unused(folder: Path) -> Path:
    """The first of ``FOLDER-1``, ``FOLDER-2``, … that does not exist yet: for a group of runs."""
    number = 1
    while (found := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return found


def discard(folder: Path, *, keep_folder: bool) -> None:
    """Removes what a run that never began has left; the folder too, unless it was there before."""
    import shutil  # here: the target waits for what this module imports

    if not keep_folder:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _name(argv: Sequence[str]) -> str:
    """A name that tells runs apart in a list, and no secret of the command line."""
    words = [Path(word).name for word in redact_argv(argv[:4]) if re.fullmatch(r"[A-Za-z0-9./_]+", word)]
    label = re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(words)).strip("-.")[:40] or "run"
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{label}-{os.urandom(2).hex()}"
