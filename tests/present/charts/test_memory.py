"""The panel of memory over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.present.charts.memory import Panel, memory_ticks, points, tick_format

MIB = 2**20


def panel(peak_mib: int, limit_mib: int | None = None) -> Panel:
    limit = None if limit_mib is None else limit_mib * MIB
    return Panel(width=800, height=300, end_s=10.0, peak_bytes=peak_mib * MIB, limit_bytes=limit)


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (2048, [0, 512, 1024, 1536, 2048]),
        (661, [0, 128, 256, 384, 512, 640]),
        (3, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
    ],
)
def test_ticks_are_multiples_of_a_power_of_two(top: float, ticks: list[float]) -> None:
    assert memory_ticks(top) == ticks


@given(st.floats(0.01, 1e7))
def test_there_are_a_few_ticks_up_to_the_top(top: float) -> None:
    ticks = memory_ticks(top)
    assert 4 <= len(ticks) <= 7
    assert ticks[-1] <= top * (1 + 1e-6)
    assert tick_format(top)


def test_the_highest_of_peak_and_limit_lies_below_the_headroom() -> None:
    assert panel(500, 2048).y_px(2048 * MIB) == 46
    assert panel(3000, 2048).y_px(3000 * MIB) == 46
    assert panel(500).y_px(0) == 300


def test_a_far_limit_does_not_set_the_scale() -> None:
    assert panel(100, 801).limit_is_far
    assert not panel(100, 800).limit_is_far
    assert panel(100, 801).top_mib == 100


def test_points_hold_time_and_mib(tree_of) -> None:
    assert points(tree_of(1, 2.5), 100) == [{"t_s": 0.0, "mib": 1.0}, {"t_s": 1.0, "mib": 2.5}]
