"""Which unit, reach and ticks suit a metric?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.present.charts.scales import Scale

MIB = 2**20


@pytest.mark.parametrize(
    ("metric", "values", "title", "per"),
    [
        ("peak_rss_bytes", [200 * MIB], "peak RSS, MiB", MIB),
        ("bytes_per_call_bytes", [900.0], "bytes per call, KiB", 1024),
        ("duration_s", [3.0], "duration, s", 1),
        ("miss_share", [0.4], "miss share, %", 0.01),
        ("n_rows", [7.0], "n rows", 1),
    ],
)
def test_the_metric_says_the_unit(metric, values, title, per) -> None:
    scale = Scale.of(metric, values)
    assert (scale.title, scale.per) == (title, per)


def test_sizes_have_ticks_at_powers_of_two() -> None:
    assert Scale.of("peak_rss_bytes", [0, 500 * MIB]).ticks() == [0, 128, 256, 384, 512]
    assert Scale.of("n_rows", [0, 500]).ticks() == [0, 100, 200, 300, 400, 500]


def test_what_stays_far_from_zero_is_drawn_from_there() -> None:
    assert Scale.of("n_rows", [90, 100]).low > 80
    assert Scale.of("n_rows", [10, 100]).low == 0
    assert Scale.of("n_rows", [-5, 100]).low < -5


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=5), st.sampled_from(["a_bytes", "b_s", "c"]))
def test_every_value_is_inside_and_ticks_are_few(values, metric) -> None:
    scale = Scale.of(metric, values)
    assert scale.low <= min(values) / scale.per
    assert max(values) / scale.per <= scale.high
    assert len(scale.ticks()) <= 8
