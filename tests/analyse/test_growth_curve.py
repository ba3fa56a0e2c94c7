"""What was held after each item, and as time went by?"""

from __future__ import annotations

import pytest

from diagtools.analyse.growth_curve import MOST_POINTS, curve_by_item, curve_by_time

MIB = 2**20


def row(begin_s, end_s, held, kept, peak, **more):
    return {
        "item": f"f{begin_s}",
        "begin_s": begin_s,
        "end_s": end_s,
        "delta_bytes": kept,
        "peak_bytes": peak,
        "demand_bytes": None if peak is None else peak - held,
        **more,
    }


def test_levels_are_those_after_each_item_also_what_was_kept_between_two(build) -> None:
    curve = curve_by_item(build.items(row(0.0, 1.0, 100, 10, 150), row(2.0, 3.0, 115, 5, 160)))
    assert (curve.levels, curve.positions, curve.asked) == ([110, 120], [1, 2], [40, 40])
    assert (curve.first_bytes, curve.warm_up_bytes, curve.n_items) == (100, 10, 2)
    assert (curve.sources, curve.levels_from) == (["sample", "sample"], "samples")
    assert curve.validity == ()


def test_levels_of_items_that_overlap_are_sums_and_that_is_said(build) -> None:
    curve = curve_by_item(build.items(row(0.0, 3.0, 100, 10, 150), row(2.0, 4.0, 105, 5, 160)))
    assert curve.levels == [110, 115]
    assert "items overlap" in str(curve.validity[0])


def test_items_too_short_for_a_sample_have_the_level_that_their_markers_read(build) -> None:
    curve = curve_by_item(
        build.items(
            row(0.0, 1.0, 100, 10, 150, begin_rss_bytes=100, end_rss_bytes=110),
            row(1.0, 1.001, 110, 0, None, begin_rss_bytes=112, end_rss_bytes=117),
            row(2.0, 3.0, 120, 9, 150),
        )
    )
    assert (curve.levels, curve.sources) == ([110, 117, 129], ["marker", "marker", "sample"])
    assert (curve.asked, curve.first_bytes) == ([40, None, 21], 100)
    assert curve.levels_from == "markers and samples"
    assert "no sample fell within 1 of 3" in str(curve.validity[0])


def test_what_markers_read_at_an_end_is_enough(build) -> None:
    """Its begin may be lost, and its process may never have been sampled."""
    curve = curve_by_item(build.items(row(0.0, 0.001, None, None, None, end_rss_bytes=90)))
    assert (curve.levels, curve.first_bytes, curve.warm_up_bytes) == ([90], 90, 0)
    assert curve.levels_from == "markers"


def test_of_items_that_overlap_one_that_was_not_measured_has_no_level(build) -> None:
    curve = curve_by_item(
        build.items(
            row(0.0, 3.0, 100, 10, 150),
            row(1.0, 3.5, 100, None, None, status="unknown"),
            row(2.0, 4.0, 105, 5, 160),
        )
    )
    assert (curve.levels, curve.positions) == ([110, 115], [1, 3])


def test_an_item_in_flight_has_no_level(build) -> None:
    curve = curve_by_item(
        build.items(row(0.0, 1.0, 100, 10, 150), row(2.0, 3.0, 110, 500, 900, status="in_flight"))
    )
    assert curve.levels == [110]


def test_an_item_without_a_level_still_counts_for_what_came_before(build) -> None:
    curve = curve_by_item(
        build.items(
            row(0.0, 1.0, 100, 10, 150, features={"n": 5.0}),
            row(1.0, 2.0, 110, None, None, features={"n": 70.0}),
            row(2.0, 3.0, 110, 10, 150, features={"n": 6.0}),
        )
    )
    assert (curve.levels, curve.positions) == ([110, 120], [1, 3])
    assert curve.features["n"].total == [5, 81]
    assert curve.features["n"].largest == [5, 70]


def test_many_items_become_fewer_points_that_lose_no_feature_and_no_spike(build) -> None:
    n = 3 * MOST_POINTS
    rows = [
        row(float(at), at + 0.5, 100, 0, 900 if at == 100 else 100, features={"n": float(at)})
        for at in range(n)
    ]
    curve = curve_by_item(build.items(*rows))
    assert len(curve.levels) == MOST_POINTS
    assert curve.features["n"].total[-1] == sum(range(n))
    assert max(curve.asked) == 800
    assert (curve.n_items, curve.positions[-1]) == (n, n)


def test_by_time_each_stretch_has_its_median_and_what_stood_above_it(build) -> None:
    """Of 100 s the first 5 are warm-up; a peak of one sample is what was asked for and given back."""
    levels = [(at / 10, (5 if at == 500 else 1) * MIB) for at in range(1001)]
    curve = curve_by_time(build.tree(*levels))
    assert set(curve.levels) == {MIB}
    assert max(curve.asked) == 4 * MIB
    assert curve.positions[0] == pytest.approx(5.2, abs=0.3)
    assert set(curve.sources) == {"sample"}
    assert (curve_by_time(build.tree()).levels, curve_by_time(build.tree()).levels_from) == ([], "")
