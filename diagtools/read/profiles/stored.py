"""A profile kept as Parquet beside its capture, and read again as long as the capture is the same.

One file holds all frames of a profile one below the other: ``section`` names the frame that a row belongs to, and the
columns of the others are null there.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.call_tree import DEEPEST
from diagtools.values import State, Validity

LAYOUT = "1"
SUFFIX = ".parquet"

_KEY = "diagtools"
_SECTIONS = (frames.ALLOCATIONS, frames.STACKS, frames.LOCATIONS, frames.LIFETIMES, frames.TRACKED)
_OPTIONAL = ("LIFETIMES", "TRACKED")


def write_profile(profile: Profile, path: Path, *, origin: Mapping[str, str] | None = None) -> None:
    """Writes this profile as one Parquet file, whole or not at all; ``origin`` says what it was made from.

    Raises ``OSError``.
    """
    parts = dict(zip((section.name for section in _SECTIONS), _frames(profile), strict=True))
    rows = pl.concat(
        [frame.with_columns(section=pl.lit(name)) for name, frame in parts.items() if frame is not None],
        how="diagonal",
    )
    about = {
        "layout": LAYOUT,
        "name": profile.name,
        "source": profile.source,
        "view": profile.view,
        "unit": profile.unit,
        "sections": [name for name, frame in parts.items() if frame is not None],
        "validity": [[one.what, one.state, one.note] for one in profile.validity],
        "origin": dict(origin or {}),
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        rows.write_parquet(temporary, metadata={_KEY: json.dumps(about)}, compression_level=1)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_stored(path: Path) -> Profile:
    """Which profile was written here?  Raises ``DamagedError`` where it is none that ``write_profile`` wrote."""
    try:
        about = json.loads(pl.read_parquet_metadata(path)[_KEY])
        if about["layout"] != LAYOUT:
            raise DamagedError(
                f"'{path.name}' is of layout {about['layout']!r}; this version reads {LAYOUT}."
            )
        rows = pl.read_parquet(path)
        parts = {section.name: _section(rows, section) for section in _SECTIONS}
        return Profile(
            name=str(about["name"]),
            source=Source(about["source"]),
            view=View(about["view"]),
            unit=Unit(about["unit"]),
            allocations=parts["ALLOCATIONS"],
            stacks=_checked(parts["STACKS"], parts["LOCATIONS"]),
            locations=parts["LOCATIONS"],
            lifetimes=parts["LIFETIMES"] if "LIFETIMES" in about["sections"] else None,
            tracked=parts["TRACKED"] if "TRACKED" in about["sections"] else None,
            validity=tuple(Validity(what=w, state=State(s), note=n) for w, s, n in about["validity"]),
        )
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError, TypeError) as error:
        raise DamagedError(
            f"'{path.name}' is not a profile that diagtools wrote, or it is damaged.",
            hint="get it again; one that lies beside its capture can be removed: it is made again.",
        ) from error


def origin_of(path: Path) -> Mapping[str, str] | None:
    """What was this stored profile made from?  ``None`` where there is none that can be read."""
    with contextlib.suppress(pl.exceptions.PolarsError, OSError, KeyError, ValueError, TypeError):
        about = json.loads(pl.read_parquet_metadata(path)[_KEY])
        if about["layout"] == LAYOUT:
            return dict(about["origin"])
    return None


def _frames(profile: Profile) -> tuple[pl.DataFrame | None, ...]:
    return (profile.allocations, profile.stacks, profile.locations, profile.lifetimes, profile.tracked)


def _section(rows: pl.DataFrame, section: frames.Frame) -> pl.DataFrame:
    missing = [name for name in section.columns if name not in rows.columns]
    if missing and section.name in _OPTIONAL:
        return section.empty()
    return section.check(rows.filter(pl.col("section") == section.name).select(list(section.columns)))


def _checked(stacks: pl.DataFrame, locations: pl.DataFrame) -> pl.DataFrame:
    """The same tree, if it is one: whoever wrote the file, no walk along it may run in circles."""
    numbers = pl.int_range(stacks.height)
    is_tree = (
        (pl.col("stack_id") == numbers)
        & pl.col("location_id").is_between(0, locations.height - 1)
        & (
            (pl.col("parent_id").is_null() & (pl.col("depth") == 0))
            | (
                pl.col("parent_id").is_between(0, numbers - 1)
                & (
                    pl.col("depth")
                    == pl.col("depth").gather(pl.col("parent_id").clip(0, stacks.height - 1)) + 1
                )
            )
        )
    )
    depth = stacks["depth"].max() or 0
    if not stacks.select(is_tree.fill_null(value=False).all()).item() or int(str(depth)) >= DEEPEST:
        raise DamagedError("The stored calls are not a tree.", hint="remove the file: it is made again.")
    if not locations["location_id"].equals(pl.Series("location_id", range(locations.height), dtype=pl.Int64)):
        raise DamagedError("The stored places are not numbered.", hint="remove the file: it is made again.")
    return stacks
