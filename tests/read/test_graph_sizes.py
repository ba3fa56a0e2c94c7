"""An instance takes what its attributes take, wherever the interpreter keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from diagtools.frames import ObjectGraph
from tests.support.interpreters import every_python
from tests.support.objects import looked_at

PROGRAM = """
import gc, json, tracemalloc
def of(n, name):
    lines = [f"        self.a{i} = None" for i in range(n)] or ["        pass"]
    exec("class %s:\\n    def __init__(self):\\n%s" % (name, "\\n".join(lines)), globals())
    return globals()[name]
measured = {}
kept = []
for n in (0, 1, 3, 8, 20, 31):
    made = of(n, f"With{n}")
    [made() for _ in range(200)]
    fresh = [None] * 2_000
    tracemalloc.start()
    for i in range(len(fresh)):
        fresh[i] = made()
    measured[f"With{n}"] = tracemalloc.get_traced_memory()[0] / len(fresh)
    tracemalloc.stop()
    kept.append(fresh)
made = of(5, "Asked")
asked = [made() for _ in range(2_000)]
for one in asked:
    one.__dict__
del one
json.dump(measured, open("said.json", "w"))
probing.snapshot()
"""


def sizes_of(graph: ObjectGraph, name: str) -> pl.DataFrame:
    """The instances of this class, each with its own dict if it has one."""
    ids = graph.types.filter(pl.col("type") == f"__main__.{name}")["type_id"]
    nodes = graph.nodes.with_row_index("node").filter(pl.col("type_id").is_in(ids.implode()))
    dicts = graph.types.filter(pl.col("type") == "dict")["type_id"]
    own = graph.edges.join(nodes.select(source=pl.col("node").cast(pl.Int64)), on="source", how="semi")
    held = graph.nodes[own["target"].unique().to_list()]
    return pl.concat([nodes.drop("node"), held.filter(pl.col("type_id").is_in(dicts.implode()))])


@every_python
def test_attributes_are_part_of_the_instance(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(tmp_path, PROGRAM, python=python)
    measured = json.loads((tmp_path / "said.json").read_text())
    for name, n_bytes in measured.items():
        told = sizes_of(graph, name)["size_bytes"].sum() / 2_000
        assert told == pytest.approx(n_bytes, abs=24, rel=0.12), name


@every_python
def test_what_was_asked_for_its_dict_counts_once(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(tmp_path, PROGRAM, python=python)
    found = sizes_of(graph, "Asked")
    if found.height == 2_000:
        pytest.skip("this interpreter does not tell the collector of the dict")
    assert found.height == 4_000
    assert found["size_bytes"].min() <= 56  # the instances
