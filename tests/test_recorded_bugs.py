"""The recorded memory bugs of released packages that ship with us: does `show` say their cause at once?"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from lint_notebooks import MACHINE_PATH
from tidy_recorded_bug import pieces

from diagtools.analyse.holders.classes import n_classes, new_class_holders
from diagtools.analyse.holders.over_referenced import over_referenced
from diagtools.analyse.holders.reach import OURS
from diagtools.analyse.holders.tree import tree_of
from diagtools.frames import ObjectGraph
from diagtools.investigations import places
from diagtools.investigations.explain import Explanation, explain
from diagtools.read.object_graph import graph_files, read_object_graphs
from diagtools.run import Run
from diagtools.values import State

#: What the first screen must name.
CAUSES = {
    "aiohttp-middlewares": ["aiohttp.web_app._build_middlewares: lru_cache, 60 entries, no maximum"],
    "multidict-references": [
        "objects of type list have more references than exist",
        "C code took references and did not give them back",
    ],
    "pydantic-generics": [
        "308 classes more",
        "pydantic.generics._generic_types_cache to 121",
        "pydantic.generics._assigned_parameters to 120",
    ],
}
FIRST_SCREEN = 20  # lines: a terminal has 24
ELSEWHERE = re.compile(rb"/(?:usr|opt|home|root|tmp|work|Users)/|https?://|\.py\b|@[\w-]+\.")


def folder_of(name: str) -> Path:
    return places.data() / "bugs" / name


@cache
def graphs(name: str) -> list[ObjectGraph]:
    return read_object_graphs(folder_of(name))


@cache
def explained(name: str) -> Explanation:
    return explain(Run.open(folder_of(name)))


@pytest.mark.parametrize("name", CAUSES)
def test_it_is_what_was_recorded(name: str) -> None:
    """Sizes and checksums fit, and of what is in doubt only few samples came late."""
    run = Run.open(folder_of(name))
    assert run.verify() == ()
    assert {one.state for one in run.validity} <= {State.UNDER_TRACKER, State.STARVED}
    assert run.exit_status == 0
    assert {graph.python for graph in graphs(name)} == {"3.10.13"}


@pytest.mark.parametrize(("name", "causes"), CAUSES.items())
def test_the_first_screen_says_the_cause(name: str, causes: list[str]) -> None:
    """Before anybody scrolls."""
    lines = explained(name).as_text().splitlines()[:FIRST_SCREEN]
    said = " ".join(line.strip() for line in lines)
    assert [cause for cause in causes if cause not in said] == []


@pytest.mark.parametrize("name", CAUSES)
def test_holders_sum_to_all_objects(name: str) -> None:
    """No object is with two holders, none with nobody; those of the snapshot itself are not the program's."""
    last = graphs(name)[-1].nodes
    is_own = tree_of(graphs(name)[-1]).source_of.head(last.height) != OURS
    own = last.filter(is_own)
    shown = explained(name).as_json()["holders"]
    assert sum(row["n_objects"] for row in shown) == own.height > 20_000
    assert sum(row["retained_bytes"] for row in shown) == own["size_bytes"].sum()


def test_the_cache_of_aiohttp_holds_what_each_client_sent() -> None:
    """60 requests with 100,000 bytes each, by way of the 404 that each was answered with."""
    first = explained("aiohttp-middlewares").as_json()["holders"][0]
    assert "aiohttp.web_exceptions.HTTPNotFound × 60" in first["path"]
    assert first["type"] == "bytes"
    assert 6_000_000 < first["retained_bytes"] < 7_000_000


def test_the_lists_that_multidict_keeps_are_as_many_as_its_calls() -> None:
    """1,000 calls with a list of one text of 8,000 letters each; up to ten lists are held by others."""
    found = over_referenced(graphs("multidict-references")[-1]).filter("is_suspect")
    assert found["type"].to_list() == ["list"]
    assert 1_000 <= found["n_held"].item() <= 1_010
    assert 8_000_000 < found["retained_bytes"].item() < 8_400_000


def test_the_caches_of_pydantic_hold_five_classes_a_query() -> None:
    """60 queries: two classes of each are in both caches, three hang on those; and the page that all are made of."""
    before, after = graphs("pydantic-generics")
    assert n_classes(after) - n_classes(before) >= 5 * 60
    more = dict(new_class_holders(before, after))
    assert more["pydantic.generics._generic_types_cache"] == 2 * 60 + 1
    assert more["pydantic.generics._assigned_parameters"] == 2 * 60


@pytest.mark.parametrize("name", CAUSES)
def test_it_is_small_and_tells_nothing_of_the_machine(name: str) -> None:
    """In no text, packed or not, stands a path, an address or a name of a file."""
    folder = folder_of(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
    for path in graph_files(folder):
        texts = b"".join(
            held for section, held in pieces(path.read_bytes()) if section in (b"about", b"types", b"names")
        )
        assert b"_find_and_load" in texts
        assert ELSEWHERE.findall(texts) == []
    for path in (folder / "run.json", folder / "markers.log", folder / "snapshots.notes"):
        assert MACHINE_PATH.findall(path.read_text(encoding="utf-8")) == []
    manifest = Run.open(folder).manifest
    assert (manifest.cwd, manifest.env, manifest.git) == (".", {}, {})
    assert manifest.argv == ("python", f"{name.replace('-', '_')}.py")
