"""A profile as other tools read it: folded stacks for flamegraph.pl and its kin, JSON for speedscope."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from diagtools.profile import Profile, Unit

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
#: What ``read.profiles.folded`` knows our own files by.
FOLDED_HEADER = "# diagtools:"
_EXPORTER = "diagtools"  # `read.profiles.speedscope` knows it by this name
_UNITS = {Unit.BYTES: "bytes", Unit.NS: "nanoseconds", Unit.SAMPLES: "none"}
#: What the format takes for itself: a semicolon ends a frame, a newline ends a stack.
_RESERVED = str.maketrans({";": ",", "\n": " ", "\r": " "})

_Place = tuple[str, str, int]


def folded_text(profile: Profile) -> str:
    """Which size has each stack?  A line a stack: ``function (file:line);… size``, outermost first.

    The first line is a comment that names the unit and the view: the format has no place for them.

    The sizes sum to the profile's total; threads, processes and allocators are merged, stacks of size 0 left out.  A
    semicolon in a name becomes a comma.
    """
    lines = (
        f"{';'.join(_frame(place) for place in places)} {size}\n" for places, size in _sized_stacks(profile)
    )
    return "".join([f"{FOLDED_HEADER} {profile.unit} {profile.view}\n", *lines])


def speedscope_json(profile: Profile) -> str:
    """The same for https://www.speedscope.app: one sampled profile, named as the view, its weights in the unit."""
    frames: dict[_Place, int] = {}
    samples, weights = [], []
    for places, size in _sized_stacks(profile):
        samples.append([frames.setdefault(place, len(frames)) for place in places])
        weights.append(size)
    return json.dumps(
        {
            "$schema": _SCHEMA,
            "exporter": _EXPORTER,
            "name": profile.name,
            "activeProfileIndex": 0,
            "shared": {"frames": [_shared_frame(place) for place in frames]},
            "profiles": [
                {
                    "type": "sampled",
                    "name": str(profile.view),
                    "unit": _UNITS[profile.unit],
                    "startValue": 0,
                    "endValue": sum(weights),
                    "samples": samples,
                    "weights": weights,
                }
            ],
        }
    )


def _sized_stacks(profile: Profile) -> Iterator[tuple[list[_Place], int]]:
    """Each stack that has a size, outermost frame first."""
    sized = (
        profile.allocations.group_by("stack_id", maintain_order=True)
        .agg(pl.col("size").sum())
        .filter(pl.col("size") > 0)
    )
    stacks = profile.stacks.select("stack_id", "parent_id", "location_id")
    nodes = {stack_id: (parent, location) for stack_id, parent, location in stacks.iter_rows()}
    named = profile.locations.select("location_id", "function", "file", "line").iter_rows()
    places = {location: (function, file, line) for location, function, file, line in named}
    for stack_id, size in sized.iter_rows():
        path: list[_Place] = []
        at = stack_id
        while at is not None:
            at, location = nodes[at]
            path.append(places[location])
        yield path[::-1], size


def _frame(place: _Place) -> str:
    function, file, line = place
    where = f"{file}:{line}" if line else file
    return (f"{function} ({where})" if file else function).translate(_RESERVED) or "?"


def _shared_frame(place: _Place) -> dict[str, Any]:
    function, file, line = place
    found: dict[str, Any] = {"name": function}
    if file:
        found["file"] = file
    if line:
        found["line"] = line
    return found
