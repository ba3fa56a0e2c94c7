"""Types below types: every node is as wide as what is below it and its own part."""

from __future__ import annotations

import itertools

import polars as pl

from diagtools.analyse.holders.icicle import holder_icicle
from diagtools.analyse.holders.paths import Paths
from diagtools.analyse.holders.tree import tree_of
from diagtools.analyse.holders.words import words_of
from tests.analyse.holders.made import graph, node

EDGES = "da ab ac bx cy xz"
SIZES = {"a": 5_000, "b": 10, "c": 20, "x": 300, "y": 400, "z": 1_000}
TYPES = {"b": "app.Rate", "c": "app.Rate", "x": "list", "y": "list", "z": "str"}


def test_objects_of_a_type_below_the_same_node_are_one() -> None:
    icicle = holder_icicle(graph(EDGES, sizes=SIZES, types=TYPES), least_share=0)
    found = icicle.filter(pl.col("package") == "global").select(
        "depth", "name", "total_size", "self_size", "total_n"
    )
    assert found.rows() == [
        (1, "app.a", 6_730, 5_000, 6),
        (2, "app.Rate", 1_730, 30, 5),
        (3, "list", 1_700, 700, 3),
        (4, "str", 1_000, 1_000, 1),
    ]


def test_the_widths_sum_to_the_whole() -> None:
    made = graph(EDGES, sizes=SIZES, types=TYPES)
    for least_share in (0.0, 0.1, 0.5):
        icicle = holder_icicle(made, least_share=least_share)
        assert icicle["total_size"][0] == made.total_bytes
        assert icicle["self_size"].sum() == made.total_bytes
        assert (icicle["right"] - icicle["left"]).to_list() == icicle["total_size"].to_list()
        inner = icicle.join(
            icicle.select("node_id", "left", "right"), left_on="parent_id", right_on="node_id"
        )
        assert inner.filter(
            (pl.col("left") < pl.col("left_right")) | (pl.col("right") > pl.col("right_right"))
        ).is_empty()


def test_what_lies_deeper_than_is_drawn_belongs_to_the_last_node() -> None:
    letters = "abcefghijklnopq"
    edges = "da " + " ".join(one + other for one, other in itertools.pairwise(letters))
    types = {letter: f"app.{letter.upper()}" for letter in letters}
    sizes = dict.fromkeys(letters, 5_000)
    icicle = holder_icicle(graph(edges, sizes=sizes, types=types), least_share=0)
    drawn = icicle.filter(pl.col("package") == "global")
    assert drawn["depth"].max() == 9
    assert drawn.filter(pl.col("depth") == 9)["self_size"].to_list() == [(len(letters) - 8) * 5_000]


def test_the_path_follows_what_retains_most() -> None:
    made = graph(EDGES, sizes={**SIZES, "a": 50}, types=TYPES)
    paths = Paths(made, tree_of(made), words_of(made))
    region = pl.Series([node(EDGES, letter) for letter in "abcxyz"], dtype=pl.Int64)
    assert paths.below(region, [0]) == " → app.Rate × 2 → list × 2 → str"
