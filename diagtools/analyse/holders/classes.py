"""Classes that a program makes while it runs: how many are there, and who refers to them?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.holders.holding import CODE, SMALLER, holding_of
from diagtools.analyse.holders.tree import Tree
from diagtools.frames import ObjectGraph


def n_classes(graph: ObjectGraph) -> int:
    """How many classes has the program?"""
    return len(_classes(graph))


def new_class_holders(before: ObjectGraph, after: ObjectGraph) -> list[tuple[str, int]]:
    """Who refers to more classes than before, and to how many more?  The most first.

    A module refers to those that are its variables, a holder to those that its objects refer to; one class may be with
    several.  What is small is left out.
    """
    known = dict(_referring(before).iter_rows())
    more = [(root, n - known.get(root, 0)) for root, n in _referring(after).iter_rows()]
    return sorted(((root, n) for root, n in more if n > 0), key=lambda each: (-each[1], each[0]))


def _referring(graph: ObjectGraph) -> pl.DataFrame:
    """``root`` and to how many classes it refers."""
    holding = holding_of(graph)
    classes = _classes(graph)
    references = graph.edges.filter(pl.col("target").is_in(classes.implode()))
    own = pl.concat([classes, _right_below(holding.tree, classes)])  # what refers to the bases of a class
    references = references.filter(~pl.col("source").is_in(own.implode()))
    names = [CODE if label.kind == CODE else label.root for label in holding.labels]
    modules = graph.marks.filter(pl.col("kind") == "module dict").select(
        source="node", module=pl.format("module {}", "name")
    )
    holders = pl.DataFrame({"holder": pl.int_range(len(names), eager=True), "root": names})
    found = (
        references.with_columns(holder=holding.holder_of.gather(references["source"]))
        .join(modules, on="source", how="left")
        .join(holders, on="holder", how="left")
        .with_columns(root=pl.coalesce("module", "root"))
        .filter((pl.col("root") != CODE) & ~pl.col("root").str.starts_with(SMALLER))
    )
    return found.group_by("root").agg(pl.col("target").n_unique()).sort("root")


def _right_below(tree: Tree, nodes: pl.Series) -> pl.Series:
    return tree.above.head(tree.n_objects).is_in(nodes.implode()).arg_true().cast(pl.Int64)


def _classes(graph: ObjectGraph) -> pl.Series:
    return graph.marks.filter(pl.col("kind") == "class")["node"].unique()
