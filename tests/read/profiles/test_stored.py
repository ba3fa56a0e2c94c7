"""A stored profile is what was written, or it is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.stored import origin_of, read_stored, write_profile
from diagtools.values import State, Validity


def example(*, over_time: bool = False) -> Profile:
    gathered = Gathered()
    gathered.add([("main", "/app/run.py", 3), ("load", "/app/io.py", 7)], 100, n=2, allocator="malloc", pid=7)
    gathered.add([("main", "/app/run.py", 3)], 50, allocator="mmap", thread="worker")
    lifetimes = pl.DataFrame(
        [(1, 0.1, None, 100, 2, "malloc", 7, "")], schema=frames.LIFETIMES.columns, orient="row"
    )
    tracked = pl.DataFrame([(0.1, 7, 4096, 100)], schema=frames.TRACKED.columns, orient="row")
    return gathered.profile(
        name="x.bin",
        source=Source.MEMRAY,
        view=View.PEAK,
        unit=Unit.BYTES,
        lifetimes=lifetimes if over_time else None,
        tracked=tracked if over_time else None,
        validity=(Validity(what="x.bin", state=State.TRUNCATED, note="cut"),),
    )


@pytest.mark.parametrize("over_time", [False, True])
def test_a_profile_comes_back_whole(over_time: bool, tmp_path: Path) -> None:
    profile = example(over_time=over_time)
    write_profile(profile, tmp_path / "p.parquet", origin={"captures": "abc"})
    found = read_stored(tmp_path / "p.parquet")
    assert repr(found) == repr(profile)
    for name in ("allocations", "stacks", "locations", "lifetimes", "tracked"):
        before, after = getattr(profile, name), getattr(found, name)
        assert (before is None) == (after is None), name
        if before is not None:
            assert_frame_equal(after, before)
    assert origin_of(tmp_path / "p.parquet") == {"captures": "abc"}
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


@pytest.mark.parametrize(
    "change",
    [
        pl.col("parent_id") + 5,  # leads forward: a walk along it would run in circles
        pl.lit(None, dtype=pl.Int64),
        pl.col("parent_id") - 9,
    ],
    ids=["forward", "none", "before the first"],
)
def test_calls_that_are_no_tree_are_refused(change: pl.Expr, tmp_path: Path) -> None:
    profile = example()
    bent = profile.stacks.with_columns(
        parent_id=pl.when(pl.col("depth") > 0).then(change).otherwise("parent_id")
    )
    write_profile(_with(profile, stacks=bent), tmp_path / "p.parquet")
    with pytest.raises(DamagedError, match="not a tree"):
        read_stored(tmp_path / "p.parquet")


def test_places_that_are_not_numbered_are_refused(tmp_path: Path) -> None:
    profile = example()
    moved = profile.locations.with_columns(pl.col("location_id") + 1)
    write_profile(_with(profile, locations=moved), tmp_path / "p.parquet")
    with pytest.raises(DamagedError, match="not numbered"):
        read_stored(tmp_path / "p.parquet")


def test_every_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_profile(example(over_time=True), path, origin={"captures": "abc"})
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        path.write_bytes(whole[:at])
        assert origin_of(path) is None
        with pytest.raises(DamagedError):
            read_stored(path)


def test_another_parquet_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "p.parquet")
    assert origin_of(tmp_path / "p.parquet") is None
    with pytest.raises(DamagedError, match="is not a profile that diagtools wrote"):
        read_stored(tmp_path / "p.parquet")


def _with(profile: Profile, **changes: pl.DataFrame) -> Profile:
    import dataclasses

    return dataclasses.replace(profile, **changes)
