"""Writes the allocations of a run as a profile that names no folder of this machine: RUN PROFILE."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import polars as pl

from diagtools import Run
from diagtools.read.profiles.stored import write_profile

#: Folders of this machine, and what stands for them: the interpreter's, the environment's, the project's.
_FOLDERS = {
    f"{sys.prefix}/": "/venv/",
    f"{sys.base_prefix}/": "/usr/",
    f"{Path(__file__).resolve().parents[1]}/": "/project/",
}


def main(run: Path, target: Path) -> None:
    """Reads the run's peak, tidies it and writes it."""
    profile = Run.open(run).allocations
    file = pl.col("file")
    for folder, neutral in _FOLDERS.items():
        file = file.str.replace(folder, neutral, literal=True)
    tidied = dataclasses.replace(
        profile, name=target.stem, locations=profile.locations.with_columns(file), tracked=None
    )
    write_profile(tidied, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
