"""What is written for other tools reads back as the same stacks with the same sizes."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.present.profile_exports import folded_text, speedscope_json
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import Place
from diagtools.read.profiles.folded import read_folded
from diagtools.read.profiles.memray_html import read_memray_html
from diagtools.read.profiles.speedscope import UNITS, read_speedscope
from tests.support.damage import CAPTURES

MAIN: Place = ("main", "/app/run.py", 3)
LOAD: Place = ("Loader.load", "/app/io.py", 7)
NATIVE: Place = ("operator()(int) const", "/lib/x.so", 0)


def profile(
    rows: list[tuple[list[Place], int]], unit: Unit = Unit.BYTES, view: View = View.LEAKED
) -> Profile:
    gathered = Gathered()
    for stack, size in rows:
        gathered.add(stack, size)
    return gathered.profile(name="p", source=Source.MEMRAY, view=view, unit=unit)


def sizes(found: Profile) -> Counter[tuple[Place, ...]]:
    places = {row[0]: (row[1], row[2], row[3]) for row in found.locations.iter_rows()}
    paths: dict[int, tuple[Place, ...]] = {}
    for stack, parent, _, location in found.stacks.iter_rows():
        paths[stack] = (*(paths[parent] if parent is not None else ()), places[location])
    held: Counter[tuple[Place, ...]] = Counter()
    for stack, size in found.allocations.select("stack_id", "size").iter_rows():
        held[paths[stack]] += size
    return +held


@cache
def folder() -> Path:
    return Path(mkdtemp(prefix="diagtools-exports-"))


def read_back(text: str, name: str) -> Path:
    path = folder() / name
    path.write_text(text, encoding="utf-8")
    return path


def test_folded_stacks() -> None:
    rows = [
        ([MAIN, LOAD], 60),
        ([MAIN], 4),
        ([MAIN, LOAD], 1),
        ([NATIVE], 5),
        ([("a;b\n", "", 0)], 2),
        ([LOAD], 0),
    ]
    assert folded_text(profile(rows)) == (
        "# diagtools: bytes leaked\n"
        "main (/app/run.py:3);Loader.load (/app/io.py:7) 61\n"
        "main (/app/run.py:3) 4\n"
        "operator()(int) const (/lib/x.so) 5\n"
        "a,b  2\n"
    )


def test_speedscope() -> None:
    written = json.loads(speedscope_json(profile([([MAIN, LOAD], 60), ([MAIN], 4), ([NATIVE], 5)])))
    assert written["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert written["shared"]["frames"] == [
        {"name": "main", "file": "/app/run.py", "line": 3},
        {"name": "Loader.load", "file": "/app/io.py", "line": 7},
        {"name": "operator()(int) const", "file": "/lib/x.so"},
    ]
    assert written["profiles"] == [
        {
            "type": "sampled",
            "name": "leaked",
            "unit": "bytes",
            "startValue": 0,
            "endValue": 69,
            "samples": [[0, 1], [0], [2]],
            "weights": [60, 4, 5],
        }
    ]


@pytest.mark.parametrize("unit", list(Unit))
def test_units_are_those_that_speedscope_knows(unit: Unit) -> None:
    written = json.loads(speedscope_json(profile([([MAIN], 4)], unit)))
    assert UNITS[written["profiles"][0]["unit"]] == (unit, 1)


names = st.sampled_from(
    ["main", "<module>", "f.<locals>.g", "operator()(int)", "a b", "[no Python stack]", "é"]
)
files = st.sampled_from(
    ["/app/run.py", "/a b/x (1).py", "<string>", "<frozen importlib._bootstrap>", "libc.so.6"]
)
places = st.tuples(names, files, st.integers(0, 9999)) | st.tuples(names, st.just(""), st.just(0))
stacks = st.lists(
    st.tuples(st.lists(places, min_size=1, max_size=5), st.integers(0, 2**40)), min_size=1, max_size=20
)


@given(stacks, st.sampled_from(Unit), st.sampled_from(View))
def test_speedscope_reads_back_exactly(rows: list[tuple[list[Place], int]], unit: Unit, view: View) -> None:
    before = profile(rows, unit, view)
    after = read_speedscope(read_back(speedscope_json(before), "p.json"))
    assert (sizes(after), after.unit, after.view, after.validity) == (sizes(before), unit, view, ())


@given(stacks, st.sampled_from(Unit))
def test_folded_stacks_read_back_exactly(rows: list[tuple[list[Place], int]], unit: Unit) -> None:
    before = profile([*rows, ([MAIN], 1)], unit)
    after = read_folded(read_back(folded_text(before), "p.folded"), unit=unit)
    assert after.total == before.total
    plain = Counter(
        {
            stack: size
            for stack, size in sizes(before).items()
            if not any("(1)" in file for _, file, _ in stack)
        }
    )
    assert plain <= sizes(after)


def test_a_real_flamegraph_reads_back_exactly() -> None:
    before = read_memray_html(CAPTURES / "flamegraph.html")
    assert sizes(read_speedscope(read_back(speedscope_json(before), "p.json"))) == sizes(before)
    assert sizes(read_folded(read_back(folded_text(before), "p.folded"), unit="bytes")) == sizes(before)
