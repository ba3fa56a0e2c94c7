"""Where runs are kept: ``./runs`` unless ``DIAGTOOLS_STORE`` names another folder, one folder a run."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from diagtools.errors import RecorderError, UsageError

STORE_VARIABLE = "DIAGTOOLS_STORE"


def store() -> Path:
    """Which folder holds the recorded runs?"""
    return Path(os.environ.get(STORE_VARIABLE) or "runs")


def new_run_folder(argv: Sequence[str], wanted: Path | None = None) -> Path:
    """Makes the folder of a new run, readable by its owner only.

    ``wanted`` must not exist yet or be an empty folder.  Raises ``UsageError`` where something is there
    already and ``RecorderError`` where the place cannot be written.
    """
    folder = wanted or store() / _name(argv)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"'{folder}' exists already; a recording never overwrites anything.",
            hint="name another folder with -o, or remove that one with `diagtools runs --remove`.",
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / "run.json"
        probe.touch()
    except OSError as error:
        raise RecorderError(
            f"The run folder '{folder}' cannot be written: {error.strerror}.",
            hint=f"name a writable folder with -o, or set {STORE_VARIABLE}.",
        ) from error
    return folder.resolve()


def discard(folder: Path) -> None:
    """Removes the folder of a run that never began."""
    shutil.rmtree(folder, ignore_errors=True)


def _name(argv: Sequence[str]) -> str:
    words = [os.path.basename(word) for word in argv[:4] if re.fullmatch(r"[A-Za-z0-9./_]+", word)]
    label = re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(words)).strip("-.")[:40] or "run"
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{label}-{secrets.token_hex(2)}"
