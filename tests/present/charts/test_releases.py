"""The metric by release, drawn."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.frames.releases import RELEASES
from diagtools.present.charts.releases import releases_chart

MIB = 2**20
PEAK = "peak_rss_bytes"
TITLE = "shop 1.2 is the first bad release"


def releases(*rows):
    """RELEASES of (release, side or nothing, MiB or nothing, killed runs)."""
    columns = {name: [] for name in RELEASES.columns}
    for step, (release, side, mib, n_killed) in enumerate(rows):
        value = None if mib is None else mib * MIB
        row = {
            "release": release,
            "step": step if side else None,
            "side": side,
            "value": value,
            "low_value": value and value * 0.9,
            "high_value": value and value * 1.1,
            "n_runs": 2 if side else 0,
            "n_killed": n_killed,
            "note": "",
        }
        for name, one in row.items():
            columns[name].append(one)
    return RELEASES.from_columns(columns)


FOUND = releases(("1.0", "good", 10, 0), ("1.1", None, None, 0), ("1.2", "bad", 40, 0), ("1.3", "bad", 41, 0))
LEFT = releases(
    ("1.0", "good", 10, 0), ("1.1", "cannot run", None, 0), ("1.2", "unclear", 20, 0), ("1.3", "bad", None, 2)
)


def points(chart, rows_of):
    return {row["release"]: row for row in rows_of(chart) if "is" in row}


def test_each_release_is_what_it_was_found_to_be(rows_of, drawn) -> None:
    chart = releases_chart(FOUND, metric=PEAK, title=TITLE, candidates=["1.2"])
    drawn(chart)
    found = points(chart, rows_of)
    assert {release: row["is"] for release, row in found.items()} == {
        "1.0": "good",
        "1.1": "not tried",
        "1.2": "bad",
        "1.3": "bad",
    }
    assert (found["1.2"]["y"], found["1.1"]["y"]) == (40, 0)
    assert (found["1.2"]["low"], found["1.1"]["low"]) == (36, None)


def test_the_first_bad_one_is_marked(words) -> None:
    said = words(releases_chart(FOUND, metric=PEAK, title=TITLE, candidates=["1.2"]))
    assert {"the first bad one", TITLE, "peak RSS, MiB", "1.1", "not tried"} <= set(said)


def test_of_a_range_all_are_marked_and_none_is_called_the_first(rows_of, words, drawn) -> None:
    chart = releases_chart(LEFT, metric=PEAK, title=TITLE, candidates=["1.1", "1.2", "1.3"])
    drawn(chart)
    assert [row["release"] for row in rows_of(chart) if set(row) == {"release"}] == ["1.1", "1.2", "1.3"]
    assert not any("the first bad one" in word for word in words(chart))


def test_a_killed_one_stands_above_all_others(rows_of) -> None:
    found = points(releases_chart(LEFT, metric=PEAK, title=TITLE), rows_of)
    assert found["1.3"]["is"] == "killed at the limit"
    assert found["1.3"]["y"] > max(found[release]["y"] for release in ("1.0", "1.1", "1.2"))


def test_of_many_releases_those_that_were_tried_are_named(words, drawn) -> None:
    many = [(f"1.{number}", None, None, 0) for number in range(1, 60)]
    chart = releases_chart(
        releases(("1.0", "good", 10, 0), *many, ("1.60", "bad", 40, 0)), metric=PEAK, title=TITLE
    )
    drawn(chart)
    said = words(chart)
    assert {"1.0", "1.60"} <= set(said)
    assert "1.30" not in said


def test_other_metrics_have_their_own_unit(words) -> None:
    assert "duration, s" in words(releases_chart(FOUND, metric="duration_s", title=TITLE))


def test_names_from_others_are_only_names(hostile, words, drawn) -> None:
    chart = releases_chart(releases((hostile, "good", 1, 0)), metric=hostile, title=hostile)
    drawn(chart)
    assert not any("\x1b" in word or "\n" in word or "\u202e" in word for word in words(chart))


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(NoDataError, match="no releases to draw"):
        releases_chart(RELEASES.empty(), metric=PEAK, title=TITLE)
