"""What grew and what shrank, drawn."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
import vl_convert

from diagtools.errors import NoDataError
from diagtools.frames import DIFFERENCE, DIFFERENCE_ICICLE
from diagtools.present import renderer
from diagtools.present.charts.profile_difference import difference_bars, difference_icicle

MIB = 2**20


def icicle(*rows):
    """DIFFERENCE_ICICLE of (name, depth, left, before, after) in MiB."""
    rights = [(row[2] + max(row[3:])) * MIB for row in rows]
    return DIFFERENCE_ICICLE.from_columns(
        {
            "node_id": list(range(len(rows))),
            "parent_id": [None, *([0] * (len(rows) - 1))],
            "depth": [row[1] for row in rows],
            "name": [row[0] for row in rows],
            "function": [row[0].partition(" ")[2] for row in rows],
            "file": [row[0].partition(":")[0] for row in rows],
            "package": [row[0].partition("/")[0] for row in rows],
            "origin": ["own"] * len(rows),
            "left": [row[2] * MIB for row in rows],
            "right": [max(rights), *rights[1:]],
            "before_size": [row[3] * MIB for row in rows],
            "after_size": [row[4] * MIB for row in rows],
            "delta_size": [(row[4] - row[3]) * MIB for row in rows],
            "unit": ["bytes"] * len(rows),
        }
    )


BOTH = icicle(
    ("all", 0, 0, 100, 150),
    ("a/new.py:1 born", 1, 0, 0, 60),
    ("a/old.py:2 gone", 1, 60, 40, 0),
    ("a/b.py:3 bigger", 1, 100, 10, 30),
    ("a/c.py:4 smaller", 1, 130, 20, 10),
    ("a/d.py:5 alike", 1, 150, 50, 51),
)


def difference(*rows, unit="bytes"):
    """DIFFERENCE of (key, before, after, certainty) in MiB."""
    n = len(rows)
    return DIFFERENCE.from_columns(
        {
            "key": [row[0] for row in rows],
            "function": ["f"] * n,
            "file": ["a.py"] * n,
            "line_before": [1] * n,
            "line_after": [2] * n,
            "module": ["a"] * n,
            "package": ["a"] * n,
            "origin": ["own"] * n,
            "before_size": [row[1] * MIB for row in rows],
            "after_size": [row[2] * MIB for row in rows],
            "delta_size": [(row[2] - row[1]) * MIB for row in rows],
            "before_n": [1] * n,
            "after_n": [1] * n,
            "low_size": [None if row[3] == "one run each" else (row[2] - row[1] - 1) * MIB for row in rows],
            "high_size": [None if row[3] == "one run each" else (row[2] - row[1] + 1) * MIB for row in rows],
            "certainty": [row[3] for row in rows],
            "unit": [unit] * n,
        }
    )


PLACES = difference(
    ("a.py:1 f", 10, 40, "certain"),
    ("b.py:1 g", 50, 30, "likely"),
    ("c.py:1 h", 5, 8, "within noise"),
    ("d.py:1 i", 5, 5, "certain"),
    ("e.py:1 j", 1, 3, "one run each"),
)


def vega(chart):
    """The chart as Vega sees it: its scales have their final domains."""
    return vl_convert.vegalite_to_vega(chart.to_dict())


def test_the_title_says_both_wholes(title_of) -> None:
    assert title_of(difference_icicle(BOTH)) == "The whole grew: 100 MiB before, 150 MiB after (+50.0 MiB)"
    same = icicle(("all", 0, 0, 5, 5), ("a.py:1 f", 1, 0, 5, 5))
    assert title_of(difference_icicle(same)).startswith("The whole is as large as before")


def test_what_became_of_a_node_is_its_colour(drawn) -> None:
    svg = drawn(difference_icicle(BOTH))
    colors = vega(difference_icicle(BOTH))["scales"]
    (scale,) = [one for one in colors if one["name"] == "color"]
    by_change = dict(zip(scale["domain"], scale["range"], strict=True))
    assert list(by_change) == ["only before", "shrank", "within 5 %", "grew", "only after"]
    root = ElementTree.fromstring(svg)
    fills = [one.get("fill") for one in root.iter("{http://www.w3.org/2000/svg}path") if one.get("fill")]
    for change, n in {"only before": 1, "shrank": 1, "only after": 1, "grew": 2, "within 5 %": 1}.items():
        assert fills.count(by_change[change]) == n + 1, change  # and the legend


def test_zoom_search_and_tooltip_are_those_of_the_icicle(words) -> None:
    spec = difference_icicle(BOTH).to_dict()
    assert {"zoom", "search"} <= {param["name"] for param in spec["params"]}
    assert '\\"before\\"' in json.dumps(spec)
    assert "a/new.py:1 born" in words(difference_icicle(BOTH))


def test_the_bars_sum_to_the_change_of_the_whole(rows_of, drawn) -> None:
    chart = difference_bars(PLACES, n=2)
    drawn(chart)
    rows = [row for row in rows_of(chart) if "words" in row]
    named = {row["name"]: row for row in rows}
    assert list(named)[:3] == ["a.py:1 f", "b.py:1 g", "2 other places"]
    assert sum(row["delta"] for row in named.values()) == 30 - 20 + 3 + 2
    assert named["a.py:1 f"]["words"] == "10.0 MiB → 40.0 MiB (+30.0 MiB), certain"
    assert (named["a.py:1 f"]["is_certain"], named["b.py:1 g"]["is_certain"]) == (True, False)
    assert named["b.py:1 g"]["range"] == "−21.0 MiB to −19.0 MiB"


def test_the_finding_is_the_title(title_of, words) -> None:
    chart = difference_bars(PLACES)
    assert title_of(chart) == "+15.0 MiB altogether; a.py:1 f grew most: +30.0 MiB (certain)"
    known = difference_bars(PLACES, before_total=100 * MIB, after_total=115 * MIB)
    assert title_of(known).startswith("100 MiB before, 115 MiB after (+15.0 MiB); a.py:1 f grew most")
    assert "change, MiB" in words(chart)


def test_only_what_changed_is_ranked() -> None:
    with pytest.raises(NoDataError, match="No place changed"):
        difference_bars(PLACES.filter(PLACES["delta_size"] == 0))
    with pytest.raises(NoDataError, match="nothing to compare"):
        difference_icicle(BOTH.head(1))


def test_names_from_others_are_only_names(hostile, drawn) -> None:
    secret = "token=abc123def456"
    bars = difference_bars(difference((f"{hostile} {secret}", 1, 3, "certain")))
    tree = difference_icicle(icicle(("all", 0, 0, 1, 2), (f"x.py:1 {hostile}\t{secret}", 1, 0, 1, 2)))
    for chart in (bars, tree):
        svg = drawn(chart)
        assert "<img" not in svg
        assert "\x1b" not in svg
        assert "abc123def456" not in json.dumps(renderer.bundle(chart.to_dict())[renderer.VEGALITE])
