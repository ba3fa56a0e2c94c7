"""What was live when: the icicle follows the brush."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
import vl_convert

from diagtools.errors import NoDataError
from diagtools.frames import LIVE, PHASES, TRACKED
from diagtools.present import renderer
from diagtools.present.charts.live import live_chart

MIB = 2**20


def live(names, own, total, *, depths=None):
    """LIVE of nodes in the order of the walk: own parts and totals in MiB, one number a slice of one second."""
    depths = depths or list(range(len(names)))
    rows = [
        (node, at, own[node][at], total[node][at])
        for node in range(len(names))
        for at in range(len(own[node]))
    ]
    return LIVE.from_columns(
        {
            "node_id": [row[0] for row in rows],
            "order": [row[0] for row in rows],
            "depth": [depths[row[0]] for row in rows],
            "name": [names[row[0]] for row in rows],
            "package": [names[row[0]].partition("/")[0] if row[0] else "" for row in rows],
            "slice": [row[1] for row in rows],
            "begin_s": [float(row[1]) for row in rows],
            "end_s": [float(row[1] + 1) for row in rows],
            "self_size": [row[2] * MIB for row in rows],
            "total_size": [row[3] * MIB for row in rows],
            "is_cut": [False] * len(rows),
        }
    )


def tracked(*heap, pid=1):
    """TRACKED with a snapshot each second, in MiB."""
    n = len(heap)
    return TRACKED.from_columns(
        {
            "t_s": [float(at) for at in range(n)],
            "pid": [pid] * n,
            "rss_bytes": [(value + 10) * MIB for value in heap],
            "heap_bytes": [value * MIB for value in heap],
        }
    )


#: ``early`` holds 40 MiB in the first two seconds, ``late`` 80 and then 20 in the other two; ``main`` itself 10.
CASE = live(
    ["all", "a/main.py:1 main", "a/early.py:2 early", "b/late.py:3 late"],
    [[0] * 4, [10] * 4, [40, 40, 0, 0], [0, 0, 80, 20]],
    [[50, 50, 90, 30], [50, 50, 90, 30], [40, 40, 0, 0], [0, 0, 80, 20]],
    depths=[0, 1, 2, 2],
)
HEAP = tracked(50, 50, 90, 30, 30)


def said(chart, brush=None, **values) -> list[str]:
    """Every text of the chart as it is drawn, with another stretch brushed."""
    spec = chart.to_dict()
    if brush is not None:
        values["brush"] = {"x": brush}
    spec["params"] = [
        {**param, "value": values[param["name"]]} if param["name"] in values else param
        for param in spec["params"]
    ]
    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_it_begins_with_the_slice_that_held_most(title_of, drawn) -> None:
    chart = live_chart(CASE, HEAP)
    drawn(chart)
    assert (
        title_of(chart)
        == "Most was live between 2.0 s and 3.0 s: 90.0 MiB, of it 80.0 MiB in b/late.py:3 late"
    )
    found = said(chart)
    assert "live on average from 2 s to 3 s: 90.0 MiB" in found
    assert "b/late.py:3 late" in found
    assert "a/early.py:2 early" not in found


@pytest.mark.parametrize(
    ("brush", "whole", "names"),
    [
        ([0.0, 2.0], "live on average from 0 s to 2 s: 50.0 MiB", {"a/early.py:2 early"}),
        ([1.0, 3.0], "live on average from 1 s to 3 s: 70.0 MiB", {"a/early.py:2 early", "b/late.py:3 late"}),
        ([2.5, 3.5], "live on average from 2.5 s to 3.5 s: 60.0 MiB", {"b/late.py:3 late"}),
    ],
)
def test_a_brush_lays_it_out_anew(brush, whole, names) -> None:
    found = set(said(live_chart(CASE, HEAP), brush))
    assert whole in found
    assert found & {"a/early.py:2 early", "b/late.py:3 late"} == names


def test_a_parents_own_part_stands_left_of_its_children() -> None:
    """On average over 1 s to 3 s main holds 10 MiB itself, then early 20, then late 40: 70 MiB are the width."""
    spec = live_chart(CASE, HEAP, width=770).to_dict()
    for param in spec["params"]:
        if param["name"] == "brush":
            param["value"] = {"x": [1.0, 3.0]}
    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    marks = [one for one in root.iter("{http://www.w3.org/2000/svg}text") if ".py:" in (one.text or "")]
    places = {
        one.text: float(one.get("transform", "(0,").partition("(")[2].partition(",")[0]) for one in marks
    }
    left = {name: place - 4 for name, place in places.items() if "Most was" not in name}
    assert left == pytest.approx(
        {"a/main.py:1 main": 0, "a/early.py:2 early": 100, "b/late.py:3 late": 300}, abs=1
    )


def test_a_click_zooms_and_a_query_counts() -> None:
    chart = live_chart(CASE, HEAP)
    found = said(chart, [1.0, 3.0], zoom=[{"order": 3, "depth": 2}], search="early")
    assert "b/late.py:3 late" in found
    assert "a/early.py:2 early" not in found
    assert "1 of the nodes drawn match: 29 % of the whole, 20.0 MiB" in found


def test_a_double_click_in_the_icicle_leaves_the_brush() -> None:
    (brush,) = [param for param in live_chart(CASE, HEAP).to_dict()["params"] if param["name"] == "brush"]
    assert brush["select"]["clear"] is False
    assert brush["value"] == {"x": [2.0, 3.0]}


def test_phases_stand_behind_the_curve() -> None:
    phases = PHASES.from_columns(
        {
            "phase": ["load", "index\x1b"],
            "pid": [1, 1],
            "begin_s": [0.0, 2.0],
            "end_s": [2.0, None],
            "status": ["ok", "ok"],
            "peak_bytes": [1, 1],
        }
    )
    assert {"load", "index\\x1b"} <= set(said(live_chart(CASE, HEAP, spans=phases)))


def test_a_long_capture_stays_a_small_output() -> None:
    n, slices = 1500, 40
    names = ["all", *(f"package_{at % 9}/module_{at % 40}/file.py:{at} function_{at}" for at in range(1, n))]
    own = [[0] * slices, *([(at * slot) % 97 for slot in range(slices)] for at in range(1, n))]
    total = [[sum(row[slot] for row in own) for slot in range(slices)], *own[1:]]
    frame = live(names, own, total, depths=[0, *[1 + at % 2 for at in range(1, n)]])
    chart = live_chart(frame, tracked(*range(2000)))
    bundle = renderer.bundle(chart.to_dict())
    assert sum(len(json.dumps(part)) for part in bundle.values()) <= 300_000


def test_names_from_others_are_only_names(hostile, drawn) -> None:
    chart = live_chart(live(["all", f"a.py:1 {hostile}\t"], [[0], [5]], [[5], [5]]), tracked(5, 5))
    svg = drawn(chart)
    assert "<img" not in svg
    assert "\x1b" not in svg


def test_what_knows_no_time_is_not_drawn() -> None:
    with pytest.raises(NoDataError, match="Nothing was live"):
        live_chart(LIVE.empty(), HEAP)
    with pytest.raises(NoDataError, match="no snapshot"):
        live_chart(CASE, TRACKED.empty())
