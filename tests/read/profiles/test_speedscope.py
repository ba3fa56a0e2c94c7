"""Speedscope files: every weight is counted once, in whole units that sum to the rounded sum."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.profile import Source, Unit, View
from diagtools.read.profiles.speedscope import UNITS, read_speedscope
from diagtools.read.profiles.whole_units import RunningWhole
from tests.support.damage import CAPTURES, cuts, flips, outcome

FRAMES = [
    {"name": "main", "file": "/app/run.py", "line": 3},
    {"name": "load"},
    {"name": "parse", "line": None, "col": 4},
]
SAMPLED = {
    "type": "sampled",
    "name": "one",
    "unit": "seconds",
    "startValue": 0,
    "endValue": 1.0,
    "samples": [[0], [0, 1], [0, 1], []],
    "weights": [0.25, 0.5, 0.125, 0.125],
}
EVENTED = {
    "type": "evented",
    "name": "two",
    "unit": "milliseconds",
    "startValue": 10,
    "endValue": 20,
    "events": [
        {"type": "O", "frame": 0, "at": 10},
        {"type": "O", "frame": 1, "at": 12.5},
        {"type": "C", "frame": 1, "at": 15},
        {"type": "C", "frame": 0, "at": 16},
        {"type": "O", "frame": 2, "at": 18},
        {"type": "C", "frame": 2, "at": 20},
    ],
}


def written(folder: Path, *profiles: dict[str, Any], **top: Any) -> Path:
    path = folder / "profile.speedscope.json"
    path.write_text(json.dumps({"shared": {"frames": FRAMES}, "profiles": profiles, **top}))
    return path


def event(kind: str, frame: int, at: float) -> dict[str, Any]:
    return {"type": kind, "frame": frame, "at": at}


def test_a_sampled_profile(tmp_path: Path) -> None:
    found = read_speedscope(written(tmp_path, SAMPLED))
    assert (found.total, found.unit, found.view, found.source) == (
        10**9,
        Unit.NS,
        View.CPU,
        Source.SPEEDSCOPE,
    )
    assert found.allocations.select("stack_id", "size", "n_allocations").rows() == [
        (0, 250_000_000, 1),
        (1, 625_000_000, 2),
        (2, 125_000_000, 1),
    ]
    assert found.locations.select("function", "file", "line").rows() == [
        ("main", "/app/run.py", 3),
        ("load", "", 0),
        ("[no Python stack]", "", 0),
    ]
    assert found.validity == ()


def test_an_evented_profile(tmp_path: Path) -> None:
    """Nothing is open from 16 to 18 ms: that time is nobody's."""
    found = read_speedscope(written(tmp_path, EVENTED))
    assert found.allocations.select("stack_id", "size").rows() == [
        (0, 3_500_000),
        (1, 2_500_000),
        (2, 2_000_000),
    ]
    assert found.stacks.rows() == [(0, None, 0, 0), (1, 0, 1, 1), (2, None, 0, 2)]


def test_profiles_of_one_unit_are_threads_of_one(tmp_path: Path) -> None:
    found = read_speedscope(written(tmp_path, SAMPLED, EVENTED))
    assert found.total == 10**9 + 8 * 10**6
    assert set(found.allocations["thread"]) == {"one", "two"}


def test_another_unit_is_left_out_and_said(tmp_path: Path) -> None:
    path = written(tmp_path, SAMPLED, {**EVENTED, "unit": "none"}, activeProfileIndex=0)
    assert read_speedscope(path).total == 10**9
    assert "1 of 2 count samples" in read_speedscope(path).validity[0].note
    assert (read_speedscope(path, profile="two").total, read_speedscope(path, profile=1).total) == (8, 8)
    assert read_speedscope(path, profile=1).validity == ()
    with pytest.raises(UsageError, match="no profile 'three'"):
        read_speedscope(path, profile="three")


@pytest.mark.parametrize("unit", sorted(UNITS))
def test_every_unit(unit: str, tmp_path: Path) -> None:
    found = read_speedscope(
        written(tmp_path, {**SAMPLED, "unit": unit, "weights": [1, 2, 3, 4], "endValue": 10})
    )
    assert (found.unit, found.total) == (UNITS[unit][0], 10 * UNITS[unit][1])


def test_bytes_are_of_the_peak_unless_somebody_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, {**SAMPLED, "unit": "bytes", "weights": [1, 2, 3, 4], "endValue": 10})
    assert (read_speedscope(path).view, [doubt.what for doubt in read_speedscope(path).validity]) == (
        View.PEAK,
        ["view"],
    )
    assert (
        read_speedscope(path, view=View.LEAKED).view,
        read_speedscope(path, view=View.LEAKED).validity,
    ) == (
        View.LEAKED,
        (),
    )


def test_weights_that_do_not_sum_to_the_range_are_said(tmp_path: Path) -> None:
    note = read_speedscope(written(tmp_path, {**SAMPLED, "endValue": 1.5})).validity[0].note
    assert note == "'one' states 1500000000 ns, its samples sum to 1000000000"


@pytest.mark.parametrize(
    "profile",
    [
        {**SAMPLED, "unit": "parsecs"},
        {**SAMPLED, "unit": ["bytes"]},
        {**SAMPLED, "type": "other"},
        {**SAMPLED, "weights": [1, 2]},
        {**SAMPLED, "weights": [0.25, -0.5, 0.125, 0.125]},
        {**SAMPLED, "weights": [0.25, "0.5", 0.125, 0.125]},
        {**SAMPLED, "weights": [True, 0.5, 0.125, 0.125]},
        {**SAMPLED, "weights": [1e308, 0.5, 0.125, 0.125]},
        {**SAMPLED, "weights": [9e9, 9e9, 9e9, 9e9]},
        {**SAMPLED, "samples": [[0], [0, 3], [0, 1], []]},
        {**SAMPLED, "samples": [[0], [0, -1], [0, 1], []]},
        {**SAMPLED, "samples": None},
        {**EVENTED, "events": EVENTED["events"][:-1]},  # type: ignore[index]
        {**EVENTED, "events": [event("C", 0, 12)]},
        {**EVENTED, "events": [event("O", 0, 12), event("C", 1, 13)]},
        {**EVENTED, "events": [event("O", 0, 12), event("C", 0, 11)]},
        {**EVENTED, "events": [event("O", 0, 9), event("C", 0, 11)]},
        {**EVENTED, "events": [event("X", 0, 12)]},
        {**EVENTED, "events": [event("O", 9, 12)]},
        {**EVENTED, "events": [3]},
        {**EVENTED, "events": [event("O", 2, 10)] * 21_000},
    ],
)
def test_what_cannot_be_right_is_refused(profile: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_speedscope(written(tmp_path, profile))


def test_a_file_without_a_profile_has_no_data(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="no profile"):
        read_speedscope(written(tmp_path))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"shared": {"frames": [{"name": "\\ud800"}]}, "profiles": [', "{", "1", '"x"']
)
def test_what_is_no_whole_object_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    with pytest.raises(DamagedError):
        read_speedscope(path)


@given(
    st.lists(st.decimals(0, 10**6, places=12, allow_nan=False), max_size=30),
    st.sampled_from([1, 1000, 10**9]),
)
def test_whole_units_sum_to_the_rounded_sum(values: list[Decimal], scale: int) -> None:
    whole = RunningWhole(scale)
    parts = [whole.add(value) for value in values]
    assert sum(parts) == whole.total == round(sum(values, Decimal(0)) * scale)
    assert all(abs(part - value * scale) <= 1 for part, value in zip(parts, values, strict=True))


@cache
def drawn() -> Path:
    return Path(mkdtemp(prefix="diagtools-speedscope-"))


@given(st.data())
def test_events_of_any_nesting_count_every_moment_once(data: st.DataObject) -> None:
    events, opened, at = [], [], 0
    for _ in range(data.draw(st.integers(1, 30))):
        at += data.draw(st.integers(0, 5))
        if opened and data.draw(st.booleans()):
            events.append(event("C", opened.pop(), at))
        else:
            opened.append(data.draw(st.integers(0, 2)))
            events.append(event("O", opened[-1], at))
    while opened:
        events.append(event("C", opened.pop(), at))
    moments, depth = 0, 0
    for before, after in pairwise(events):
        depth += 1 if before["type"] == "O" else -1
        moments += after["at"] - before["at"] if depth else 0
    path = written(
        Path(mkdtemp(prefix="diagtools-speedscope-")), {**EVENTED, "events": events, "startValue": 0}
    )
    assert read_speedscope(path).total == moments * 10**6


def test_memrays_export_lacks_only_what_has_no_stack() -> None:
    found = read_speedscope(CAPTURES / "memray.speedscope")
    sums = json.loads((CAPTURES / "memray-sums.json").read_text())["high_watermark"]
    raw = json.loads((CAPTURES / "memray.speedscope").read_text())
    assert found.total == sum(raw["profiles"][0]["weights"]) <= sums["bytes"]
    assert "outside any Python code" in found.validity[-1].note


@pytest.mark.parametrize("name", ["memray.speedscope", "py-spy.speedscope"])
def test_a_file_that_was_cut_or_changed_gives_no_wrong_sum(name: str, tmp_path: Path) -> None:
    data, path = (CAPTURES / name).read_bytes(), tmp_path / name
    whole = read_speedscope(CAPTURES / name)
    assert {outcome(read_speedscope, path, cut, whole) for cut in cuts(data.rstrip())} == {"refused"}
    for bit, flipped in flips(data, n=200):
        assert not outcome(read_speedscope, path, flipped, whole).startswith("WRONG"), bit
