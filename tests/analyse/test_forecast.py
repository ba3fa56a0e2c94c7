"""At which item, or when, is the limit reached, and how large a limit does the job need?"""

from __future__ import annotations

import polars as pl
import pytest

from diagtools import frames
from diagtools.analyse.forecast import forecast, forecast_finding
from diagtools.errors import DamagedError, UsageError
from diagtools.run import Run

MIB = 2**20
SIZES = [1000.0 + at * 7919 % 5000 for at in range(100)]


@pytest.fixture
def job(build):
    """100 items that each keep 2 MiB on 100 MiB and take half a second."""
    rows = [
        {
            "item": f"f{at}",
            "begin_s": at / 2,
            "end_s": at / 2 + 0.5,
            "delta_bytes": 2 * MIB,
            "demand_bytes": 2 * MIB,
            "peak_bytes": (102 + 2 * at) * MIB,
            "features": {"size_bytes": SIZES[at]},
        }
        for at in range(100)
    ]
    return build.items(*rows)


@pytest.fixture
def to_come():
    """What was still to come after 30 items."""
    return pl.DataFrame({"item": [f"f{at}" for at in range(30, 100)], "size_bytes": SIZES[30:]})


def test_the_item_the_time_and_the_need_by_hand(job, to_come) -> None:
    """200 MiB are reached by item 50, which ends after 25 s; the last one stands at 300 MiB."""
    found = forecast(job, limit_bytes=200 * MIB, to_come=to_come, now=15.0)
    assert (found.reaches_limit_at, found.item, found.n_seen) == (50, "f49", 30)
    assert found.reaches_limit_s == pytest.approx(25.0, rel=0.01)
    assert found.needed_limit_bytes == pytest.approx(300 * MIB, rel=1e-3)
    assert found.needed_low_bytes <= 300 * MIB <= found.needed_high_bytes
    assert found.is_sure
    assert not found.extrapolates_far
    assert found.sentence.startswith("Memory reaches the limit of 200 MiB at item 50 of 100 ('f49')")
    assert "The whole job needs 300 MiB" in found.sentence


def test_the_later_the_forecast_the_same_the_answer(job, to_come) -> None:
    for n in (30, 40, 45):
        found = forecast(job, limit_bytes=200 * MIB, to_come=to_come.slice(n - 30), now=n / 2)
        assert (found.n_seen, found.reaches_limit_at) == (n, 50)


def test_a_limit_that_holds(job, to_come) -> None:
    found = forecast(job, limit_bytes=400 * MIB, to_come=to_come, now=15.0)
    assert (found.reaches_limit_at, found.item, found.reaches_limit_s) == (None, None, None)
    assert found.sentence.startswith("Memory does not reach the limit of 400 MiB by the end of the job.")


def test_a_limit_that_was_passed(job, to_come) -> None:
    found = forecast(job, limit_bytes=120 * MIB, to_come=to_come, now=15.0)
    assert found.sentence.startswith("Memory has passed the limit of 120 MiB already.")
    assert found.reaches_limit_at is None


def test_without_what_is_to_come_the_need_is_not_known(job) -> None:
    found = forecast(job, limit_bytes=200 * MIB, now=15.0)
    assert found.reaches_limit_at == 50
    assert (found.needed_limit_bytes, found.needed_low_bytes, found.item) == (None, None, None)
    assert found.sentence.startswith("If what is to come is like what was seen, memory reaches the limit")


def test_without_a_limit_it_says_what_the_job_needs(job, to_come) -> None:
    found = forecast(job, to_come=to_come, now=15.0)
    assert found.sentence.startswith("The whole job needs 300 MiB")
    assert not found.is_sure


def test_too_few_items_claim_nothing(job) -> None:
    found = forecast(job, limit_bytes=200 * MIB, now=3.0)
    assert found.sentence == "There is no forecast: 6 items have ended, and it takes 12 whose peak is known."
    assert found.points.is_empty()
    assert forecast(frames.ITEMS.empty(), limit_bytes=MIB).needed_limit_bytes is None
    assert forecast(frames.TREE.empty(), limit_bytes=MIB, by="time").reaches_limit_at is None


def test_a_feature_that_is_not_known_of_what_is_to_come_is_left_out_and_said(job, to_come) -> None:
    unknown = to_come.with_columns(pl.lit(float("nan")).alias("size_bytes"))
    for rest in (unknown, to_come.drop("size_bytes")):
        found = forecast(job, limit_bytes=200 * MIB, to_come=rest, now=15.0)
        assert "feature size_bytes: truncated (not known of every item to come, left out)" in map(
            str, found.validity
        )
        assert found.reaches_limit_at == 50


def test_items_of_several_processes_are_doubted(job, to_come) -> None:
    two = job.with_columns(pid=pl.col("index") % 2)
    found = forecast(two, limit_bytes=200 * MIB, to_come=to_come, now=15.0)
    assert "peaks are of each item's own process" in str(found.validity[0])


def test_the_points_are_what_was_seen_and_then_what_is_expected(job, to_come) -> None:
    points = forecast(job, limit_bytes=200 * MIB, to_come=to_come, now=15.0).points
    assert points["to_come"].to_list() == [False] * 30 + [True] * 70
    assert points["peak_bytes"].drop_nulls().to_list() == [(102 + 2 * at) * MIB for at in range(30)]
    ahead = points.filter("to_come")
    assert ahead["forecast_bytes"].is_sorted()
    assert (ahead["low_bytes"] <= ahead["forecast_bytes"]).all()
    assert (ahead["forecast_bytes"] <= ahead["high_bytes"]).all()


def test_by_time(build) -> None:
    """1 MiB a second on 100 MiB: 400 MiB after 300 s."""
    tree = build.tree(*((at / 10, 100 * MIB + at * MIB // 10) for at in range(1000)))
    found = forecast(tree, limit_bytes=400 * MIB, by="time")
    assert found.reaches_limit_at == pytest.approx(300, rel=0.02)
    assert "of the run" in found.sentence
    assert found.needed_limit_bytes is None


def test_bad_requests_are_refused(job) -> None:
    with pytest.raises(UsageError, match="is none"):
        forecast(job, limit_bytes=0)
    with pytest.raises(DamagedError, match="ITEMS"):
        forecast(frames.TREE.empty(), limit_bytes=1)


def test_the_finding_has_the_sentence_and_the_points(job, to_come) -> None:
    found = forecast(job, limit_bytes=200 * MIB, to_come=to_come, now=15.0)
    finding = forecast_finding(found)
    assert (finding.sentence, finding.value) == (found.sentence, found.needed_limit_bytes)
    assert finding.evidence is found.points


def test_the_incidents_killer_is_named_at_a_quarter_of_it_with_a_range(repository) -> None:
    """It was killed at 2 GiB; without the limit it needed 4,178 MiB."""
    items = Run.open(repository / "data" / "runs" / "incident-killed").items
    wide = items.select("item", "features").explode("features").unnest("features")
    features = wide.pivot(on="name", index="item", values="value")
    found = forecast(items, limit_bytes=2 * 2**30, to_come=features.slice(49), now=items["end_s"][48])
    assert found.item == "widgetsnbextension/static/extension.js"
    assert found.reaches_limit_at == 196
    assert found.extrapolates_far
    assert found.needed_low_bytes <= 4178 * MIB <= found.needed_high_bytes
    assert "The whole job needs between" in found.sentence
