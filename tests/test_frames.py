"""A frame leaves a layer exactly as it is declared, or not at all."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.frames import Frame

TWO = Frame("TWO", {"name": pl.String(), "size_bytes": pl.Int64()})


def test_an_empty_frame_has_the_declared_columns() -> None:
    assert TWO.empty().schema == pl.Schema({"name": pl.String, "size_bytes": pl.Int64})
    assert TWO.empty().height == 0


def test_columns_may_come_in_any_order() -> None:
    frame = TWO.from_columns({"size_bytes": [1, None], "name": ["a", "b"]})
    assert frame.columns == ["name", "size_bytes"]
    assert frame.rows() == [("a", 1), ("b", None)]


def test_a_frame_as_declared_is_given_back() -> None:
    frame = TWO.empty()
    assert TWO.check(frame) is frame


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"name": ["a"]}),
        pl.DataFrame({"name": ["a"], "size_bytes": [1.0]}),
        pl.DataFrame({"name": ["a"], "size_bytes": [1], "more": [1]}),
        pl.DataFrame(),
    ],
    ids=["missing", "other dtype", "one more", "none"],
)
def test_another_frame_is_refused_by_name(frame: pl.DataFrame) -> None:
    with pytest.raises(DamagedError, match="A TWO frame has other columns than declared"):
        TWO.check(frame)


@pytest.mark.parametrize("frame", frames.ALL, ids=lambda frame: frame.name)
def test_every_frame_is_declared_under_its_own_name(frame: Frame) -> None:
    assert getattr(frames, frame.name) is frame
    assert frame.check(frame.empty()).columns == list(frame.columns)


def test_all_names_every_frame() -> None:
    declared = [value for value in vars(frames).values() if isinstance(value, Frame)]
    assert sorted(frame.name for frame in declared) == sorted(frame.name for frame in frames.ALL)


@pytest.mark.parametrize("frame", frames.ALL, ids=lambda frame: frame.name)
def test_bytes_are_integers_and_time_is_in_seconds(frame: Frame) -> None:
    by_ending = {"bytes": pl.Int64(), "s": pl.Float64(), "share": pl.Float64()}
    for name, dtype in frame.columns.items():
        ending = name.rpartition("_")[2]
        if ending in by_ending and name != "intercept_bytes":  # fitted, not counted
            assert dtype == by_ending[ending], name
        if name.startswith("n_"):
            assert dtype == pl.Int64(), name
