"""Which calls hold how much: what a click, a query and a budget of bytes change."""

from __future__ import annotations

import json
import random
import re
from xml.etree import ElementTree

import pytest
import vl_convert

from diagtools.errors import NoDataError
from diagtools.frames import ICICLE
from diagtools.present import renderer
from diagtools.present.charts import zooming
from diagtools.present.charts.icicle import allocation_icicle, kept_nodes

MIB = 2**20
MOST_KB = 300


def icicle(*rows, unit="bytes", size=MIB):
    """ICICLE of (name, depth, left, right); a name is ``path:line function``, parents stand before children."""
    width = {row[:4]: row[3] - row[2] for row in rows}
    below = [
        sum(width[other] for other in rows if other[1] == row[1] + 1 and row[2] <= other[2] < row[3])
        for row in rows
    ]
    files = [row[0].partition(":")[0] if ":" in row[0] else "" for row in rows]
    return ICICLE.from_columns(
        {
            "node_id": list(range(len(rows))),
            "parent_id": [None, *([0] * (len(rows) - 1))],
            "depth": [row[1] for row in rows],
            "name": [row[0] for row in rows],
            "function": [row[0].partition(" ")[2] or row[0] for row in rows],
            "file": [f"/usr/lib/python3.11/site-packages/{file}" if file else "" for file in files],
            "line": [7 if file else 0 for file in files],
            "package": [file.partition("/")[0] for file in files],
            "origin": ["third-party" if file else "" for file in files],
            "left": [row[2] * size for row in rows],
            "right": [row[3] * size for row in rows],
            "self_size": [(row[3] - row[2] - less) * size for row, less in zip(rows, below, strict=True)],
            "total_size": [(row[3] - row[2]) * size for row in rows],
            "total_n": [1] * len(rows),
            "unit": [unit] * len(rows),
        }
    )


SHOP = icicle(
    ("all", 0, 0, 100),
    ("shop/main.py:7 main", 1, 0, 90),
    ("shop/heavy.py:7 load", 2, 0, 60),
    ("json/decoder.py:7 decode", 3, 0, 50),
    ("shop/light.py:7 tidy", 2, 60, 62),
)


def said(chart, **values) -> list[str]:
    """Every text of the chart as it is drawn, with other values of its parameters."""
    spec = chart.to_dict()
    spec["params"] = [
        {**param, "value": values[param["name"]]} if param["name"] in values else param
        for param in spec["params"]
    ]
    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def texts(chart) -> tuple[list[str], list[str]]:
    """The lines of the nodes and of the places in the data."""
    (row,) = next(iter(chart.to_dict()["datasets"].values()))
    return row["nodes"].split("\n"), row["places"].split("\n")


def test_the_title_names_the_whole_and_the_dearest_call(title_of) -> None:
    wanted = "100 MiB altogether; most in one call: json/decoder.py:7 decode, 50.0 MiB itself"
    assert title_of(allocation_icicle(SHOP)) == wanted


def test_it_is_drawn_by_every_vega_lite_that_jupyter_has(drawn) -> None:
    assert drawn(allocation_icicle(SHOP)).count("<text") > 5


def test_the_axis_and_the_legend_say_units_and_packages() -> None:
    found = said(allocation_icicle(SHOP))
    assert {"0 MiB", "100 MiB", "shop", "json", "others"} <= set(found)


def test_a_click_makes_a_node_as_wide_as_the_chart() -> None:
    chart = allocation_icicle(SHOP)
    tidy = {"left": 60 * MIB, "size": 2 * MIB, "depth": 2}
    assert "shop/light.py:7 tidy" not in said(chart)  # too narrow for its name
    found = said(chart, zoom=[tidy])
    assert {"all", "shop/main.py:7 main", "shop/light.py:7 tidy", "2 MiB"} <= set(found)
    assert "shop/heavy.py:7 load" not in found


def test_nested_matches_count_once() -> None:
    assert "4 of the nodes drawn match: 90 % of the whole, 90.0 MiB" in said(
        allocation_icicle(SHOP), search="py:7"
    )
    found = said(allocation_icicle(SHOP), search="heavy|decode|tidy")
    assert "3 of the nodes drawn match: 62 % of the whole, 62.0 MiB" in found


def is_taken(query: str) -> bool:
    """Is it taken as a regular expression?  What the chart's expression does, step by step."""
    for pattern, atom in zooming.STEPS:
        query = re.sub(pattern, atom, query)
    return re.fullmatch(zooming.ATOM, query) is not None


@pytest.mark.parametrize(
    "query",
    [
        "(",
        "[",
        "*",
        "a{2}{3}",
        "(?<",
        "x\\",
        "(?<=a)*",
        "[z-a]",
        "a**",
        "^*",
        "\\b+",
        "([)]",
        "((((((a",
        "{1}",
        "[]",
        "[\\}-Z]",
    ],
)
def test_an_invalid_regular_expression_is_plain_text(query) -> None:
    assert not is_taken(query)


@pytest.mark.parametrize(
    "query",
    [
        "load",
        "^shop/heavy",
        r"heavy\.py:\d+",
        "(?:heavy)+",
        "h[a-f]avy",
        "((h)(e(a)))vy",
        r"\bload\b",
        "h.*?avy",
        "a|b",
        "[^/]+",
    ],
)
def test_a_valid_one_is_taken(query) -> None:
    assert is_taken(query)


def test_a_query_is_searched_for_within_the_chart() -> None:
    chart = allocation_icicle(SHOP)
    assert "no node matches (as plain text: not a regular expression)" in said(chart, search="a**(")
    assert "no node matches (as plain text: not a regular expression)" in said(chart, search="$& \\")
    assert "1 of the nodes drawn match: 60 % of the whole, 60.0 MiB" in said(
        chart, search=r"^SHOP/h[a-f](?:avy)+\.py:\d"
    )


def test_a_share_is_a_lower_bound_where_nodes_were_left_out() -> None:
    pruned = SHOP.filter(SHOP["depth"] < 3)
    assert "1 of the nodes drawn match: at least 60 % of the whole, 60.0 MiB" in said(
        allocation_icicle(pruned), search="heavy"
    )


@pytest.mark.parametrize(
    ("unit", "size", "wanted"),
    [
        ("ns", 10**7, "1.00 s altogether"),
        ("samples", 1, "100 samples altogether"),
        ("bytes", 1, "100 B altogether"),
    ],
)
def test_sizes_are_said_in_their_unit(unit, size, wanted, title_of, drawn) -> None:
    chart = allocation_icicle(
        icicle(("all", 0, 0, 100), ("a/b.py:7 f", 1, 0, 90), unit=unit, size=size), width=600
    )
    drawn(chart)
    assert title_of(chart).startswith(wanted)


def test_a_deep_stack_is_cut_and_that_is_said() -> None:
    deep = icicle(("all", 0, 0, 9), *((f"a/b.py:{depth} f{depth}", depth, 0, 9) for depth in range(1, 200)))
    chart = allocation_icicle(deep)
    found = said(chart)
    assert "a/b.py:25 f25" in found
    assert "a/b.py:26 f26" not in found
    assert "26 of 200 rows are drawn at a time" in " ".join(found)
    zoomed = said(chart, zoom=[{"left": 0, "size": 9 * MIB, "depth": 150}])
    assert {"all", "a/b.py:150 f150", "a/b.py:149 f149", "a/b.py:160 f160"} <= set(zoomed)


def dense(n):
    """Many nodes of random widths, names as long as real ones."""
    rng = random.Random(0)
    rows, level = [("all", 0, 0, 10**7)], [(0, 10**7)]
    for depth in range(1, 30):
        under = []
        for left, right in level:
            cuts = sorted(rng.randint(left, right) for _ in range(rng.choice((1, 2, 3))))
            under += [pair for pair in zip([left, *cuts], cuts, strict=False) if pair[0] < pair[1]]
        level = under[: n // 20]
        rows += [
            (f"package_{at % 9}/module_{at % 40}/file_{at % 70}.py:{at} function_{at}", depth, *pair)
            for at, pair in enumerate(level)
        ]
    return rows


def test_a_large_profile_stays_a_small_output() -> None:
    rows = dense(12_000)
    width = [row[3] - row[2] for row in rows]
    frame = ICICLE.from_columns(
        {
            "node_id": list(range(len(rows))),
            "parent_id": [None, *([0] * (len(rows) - 1))],
            "depth": [row[1] for row in rows],
            "name": [row[0] for row in rows],
            "function": [row[0].partition(" ")[2] for row in rows],
            "file": [row[0].partition(":")[0] for row in rows],
            "line": [7] * len(rows),
            "package": [row[0].partition("/")[0] for row in rows],
            "origin": ["third-party"] * len(rows),
            "left": [row[2] for row in rows],
            "right": [row[3] for row in rows],
            "self_size": [0] * len(rows),
            "total_size": width,
            "total_n": [1] * len(rows),
            "unit": ["bytes"] * len(rows),
        }
    )
    chart = allocation_icicle(frame)
    bundle = renderer.bundle(chart.to_dict())
    assert sum(len(json.dumps(part)) for part in bundle.values()) <= MOST_KB * 1000
    assert "left out" in " ".join(chart.to_dict()["title"]["subtitle"])


def test_with_a_node_stand_its_callers() -> None:
    kept = kept_nodes(SHOP.with_columns(size="total_size", n="total_n"), ["n"], is_whole=True, most_bytes=170)
    assert kept.nodes["depth"].to_list() == [0, 1, 2]
    assert not kept.is_whole


def test_names_from_others_are_only_names(hostile, drawn) -> None:
    secret = "api_key=sk-aaaaaaaaaaaaaaaaaaaaaaaa1"
    chart = allocation_icicle(
        icicle(("all", 0, 0, 9), (f"a/b.py:7 {hostile}", 1, 0, 5), (f"c.py:7 f\t{secret}\n'\"", 1, 5, 9))
    )
    svg = drawn(chart)
    nodes, places = texts(chart)
    assert len(nodes) == len(places) == 3
    assert {line.count("\t") for line in places} == {3}
    assert "sk-aaaa" not in json.dumps(chart.to_dict())
    assert "<img" not in svg
    assert "\x1b" not in svg
    spec = chart.to_dict()
    assert (
        renderer.redacted(spec)["datasets"] == spec["datasets"]
    )  # a second time would take the columns apart


def test_nothing_held_is_said() -> None:
    with pytest.raises(NoDataError, match="nothing to draw"):
        allocation_icicle(icicle(("all", 0, 0, 0)))
