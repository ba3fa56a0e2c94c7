"""What had been done when a forecast is made, and what was still to come?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.forecast_work import seen_by_item, seen_by_time

MIB = 2**20


def rows(n: int) -> list[dict]:
    return [
        {
            "item": f"f{at}",
            "begin_s": float(at),
            "end_s": at + 0.5,
            "peak_bytes": MIB,
            "features": {"n": at + 1.0},
        }
        for at in range(n)
    ]


def test_only_what_had_ended_was_seen(build) -> None:
    seen = seen_by_item(build.items(*rows(10)), None, 4.5)
    assert (seen.work.n_seen, seen.names[:5], seen.ends_s[-1]) == (5, ["f0", "f1", "f2", "f3", "f4"], 4.5)


def test_an_item_in_flight_was_not(build) -> None:
    items = build.items(
        *rows(3), {"item": "dying", "begin_s": 9.0, "status": "in_flight", "peak_bytes": 9 * MIB}
    )
    assert seen_by_item(items, None, None).peaks == [MIB] * 3


def test_quick_items_have_what_their_markers_read_and_what_is_usually_asked_for(build) -> None:
    """A sample fell within every fifth, which asked for 3 MiB on top: so may the others have."""
    made = [
        each
        | {"begin_rss_bytes": at * MIB, "end_rss_bytes": (at + 1) * MIB}
        | {"peak_bytes": (at + 4) * MIB if at % 5 == 0 else None}
        for at, each in enumerate(rows(20))
    ]
    seen = seen_by_item(build.items(*made), None, None)
    assert seen.peaks == [(at + (4 if at % 5 == 0 else 1)) * MIB for at in range(20)]
    assert seen.fitted == [(at + 4) * MIB for at in range(20)]
    assert seen.peaks_from == "markers and samples"
    assert "no sample fell within 16 of 20: their peaks are what markers read, and 3.00 MiB" in str(
        seen.validity
    )


def test_items_that_were_sampled_go_by_their_samples(build) -> None:
    seen = seen_by_item(build.items(*rows(20)), None, None)
    assert (seen.fitted, seen.peaks_from, seen.validity) == ([MIB] * 20, "samples", ())


def test_what_is_to_come_follows_what_was_seen(build) -> None:
    to_come = pl.DataFrame({"path": ["x", "y"], "n": [7, 9], "other": ["a", "b"]})
    seen = seen_by_item(build.items(*rows(3)), to_come, None)
    assert seen.names == ["f0", "f1", "f2", "x", "y"]
    assert seen.work.features == {"n": [1.0, 2.0, 3.0, 7.0, 9.0]}
    assert (seen.work.n, seen.knows_end, seen.at) == (5, True, [1.0, 2.0, 3.0, 4.0, 5.0])


def test_where_nobody_knows_what_is_to_come_no_feature_is_used(build) -> None:
    seen = seen_by_item(build.items(*rows(3)), None, None)
    assert (seen.work.features, seen.work.n, seen.knows_end) == ({}, 24, False)


def test_time_goes_on_as_it_was_cut(build) -> None:
    seen = seen_by_time(build.tree(*((float(at), MIB) for at in range(101))), 50.0)
    assert seen.ends_s[-1] <= 50.0 < seen.at[seen.work.n_seen]
    assert len(seen.at) == seen.work.n == 8 * seen.work.n_seen
