"""Does an icicle of 100,000 stacks lay out, fit into a notebook and zoom fast enough?

The stacks are drawn at random: a few callers have most of the calls below them, as in real programs; the sizes spread
over several orders of magnitude.  *Layout* is `icicle` in this process, with the share that it leaves out by default,
and with nothing left out.  *Output* is the cell's output as JSON, as it is stored in a notebook: specification with
data, picture, text.

*Zoom* is measured in headless Chromium, in the page that `diagtools export` writes of a notebook with that chart, on
disk and offline.  The mouse is pressed and released on a node (DevTools protocol); the time is from the click's own
time stamp until the frame is shown that follows the last change of the drawing, up to 17 ms of which are spent waiting
for that frame.  Nodes of all widths are clicked in the whole picture, and each time then the root, which shows the
whole again.
"""

from __future__ import annotations

import gc
import json
import math
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import nbformat

from benchmarks.browser import Tab, chromium, tab
from benchmarks.results import Bench, Collected, Goal, Outcome, Size, at_most, median_of
from benchmarks.spread import known
from diagtools.analyse.profiles.icicle import icicle
from diagtools.present import renderer
from diagtools.present.charts.icicle import allocation_icicle
from diagtools.present.exporter import export_notebook
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import Place

USUAL, ALL = "diagtools, as by default", "diagtools, nothing left out"
LAYOUT, OUTPUT = "layout", "the cell's output"
ZOOM_IN, ZOOM_OUT = "zoom in, until the frame is shown", "zoom out, until the frame is shown"
_LEAST = {USUAL: 0.001, ALL: 0.0}
_PACKAGES = ("pandas", "numpy", "sqlalchemy", "polars", "httpx", "pydantic", "asyncio", "app")
_PLACES, _DEEPEST, _NEW = 5_000, 30, 5  # lines of code; frames that are shared at most, and that are new
_MU, _SIGMA = 8.0, 2.0  # of the logarithm of a stack's bytes
_LEAST_PX = 12  # of a node that somebody would click on
#: The nodes that are drawn below the root, as they stand in the window: x and y of the middle, width.
_NODES = """(() => [...document.querySelectorAll("figure svg g.mark-rect path")].map((path) => {
  const box = path.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2, box.width];
}))()"""

_DRAWN = """[...document.querySelectorAll("figure svg g.mark-rect path")].map((p) => p.outerHTML).sort().join("")"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    stacks: int = 100_000
    clicks: int = 10


_PLANS = {
    Size.FULL: _Plan(rounds=5),
    Size.QUICK: _Plan(rounds=2),
    Size.TINY: _Plan(rounds=1, stacks=300, clicks=0),
}


def run(bench: Bench) -> Outcome:
    """Lays out, draws, and zooms into nodes of every width and out again."""
    plan = _PLANS[bench.size]
    profile, found = profile_of(plan.stacks, bench.draw), Collected()
    bench.say(f"{profile.stacks.height:,} nodes")
    for _, side in bench.interleaved(list(_LEAST), plan.rounds):
        gc.collect()
        began = time.perf_counter()
        icicle(profile, least_share=_LEAST[side])
        found.add(LAYOUT, side, time.perf_counter() - began, "s")
    browser = chromium() if plan.clicks else None
    for side, least_share in _LEAST.items():
        bundle = _bundle(allocation_icicle(icicle(profile, least_share=least_share)))
        found.add(OUTPUT, side, len(json.dumps(bundle).encode()) / 1e3, "kB")
        if browser:
            bench.say(f"zooms, {side}")
            _zoom(browser, _page(bundle, bench.folder), bench.folder, side, plan.clicks, found)
    return Outcome(
        series=found.series(list(_LEAST)),
        goals=tuple(_goals(found, plan)),
        notes=tuple(_notes(profile, plan, has_browser=browser is not None)),
    )


def _notes(profile: Profile, plan: _Plan, *, has_browser: bool) -> list[str]:
    notes = [f"{plan.stacks:,} distinct stacks in a tree of {profile.stacks.height:,} nodes."]
    if not has_browser:
        notes.append(f"Zoom: not run{'; there is no Chromium' if plan.clicks else ' in this size'}.")
    return notes


# --- the profile -----------------------------------------------------------------------------------------------------


def profile_of(n_stacks: int, draw: random.Random) -> Profile:
    """A profile with so many distinct stacks, at random: each shares its beginning with an earlier one."""
    places = [_place(number, draw) for number in range(_PLACES)]
    gathered, stacks = Gathered(), [[places[0]]]
    seen: set[int] = set()
    while len(seen) < n_stacks:
        earlier = stacks[
            int(len(stacks) * draw.random() ** 2)
        ]  # rather an early one: few have most below them
        shared = earlier[: draw.randint(1, min(len(earlier), _DEEPEST))]
        stack = [*shared, *(draw.choice(places) for _ in range(draw.randint(1, _NEW)))]
        stack_id = gathered.tree.add(stack)
        if stack_id not in seen:
            seen.add(stack_id)
            stacks.append(stack)
            gathered.add_to(stack_id, int(math.exp(draw.gauss(_MU, _SIGMA))) + 1, n=draw.randint(1, 500))
    return gathered.profile(name="drawn", source=Source.FOLDED, view=View.PEAK, unit=Unit.BYTES)


def _place(number: int, draw: random.Random) -> Place:
    package = draw.choice(_PACKAGES)
    file = f"/usr/lib/python3/site-packages/{package}/module_{number % 97}/part_{number % 7}.py"
    return f"function_{number}", file, draw.randint(1, 2_000)


# --- the page --------------------------------------------------------------------------------------------------------


def _bundle(chart: alt.TopLevelMixin) -> dict[str, Any]:
    renderer.enable()
    found: Any = chart._repr_mimebundle_(None, None)
    return dict(found)


def _page(bundle: dict[str, Any], folder: Path) -> Path:
    """The page of a notebook whose only cell has this output."""
    output = nbformat.v4.new_output("display_data", data=bundle)
    cell = nbformat.v4.new_code_cell("chart", outputs=[output])
    file = folder / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), file)
    return export_notebook(file)


def _zoom(browser: str, page: Path, folder: Path, side: str, clicks: int, found: Collected) -> None:
    """Into nodes of different widths, each time from the whole picture, and out again."""
    with (
        tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own,
        tab(browser, Path(own)) as shown,
    ):
        shown.open(page)
        root, chosen = _clickable(shown, clicks)
        whole = shown.value(_DRAWN)
        found.add("nodes drawn of the whole", side, shown.value(f"{_NODES}.length"), "")
        for x, y in chosen:
            found.add(ZOOM_IN, side, shown.click_ms(x, y), "ms")
            is_zoomed = shown.value(_DRAWN) != whole
            found.add(ZOOM_OUT, side, shown.click_ms(*root), "ms")
            if not is_zoomed or shown.value(_DRAWN) != whole:
                raise RuntimeError("A click did not zoom.")


def _clickable(shown: Tab, n: int) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    """Where is the root, and where are so many of the other nodes, from the widest to the narrowest?"""
    nodes = [tuple(map(float, node)) for node in shown.value(_NODES)]
    whole = max(width for *_, width in nodes)
    top = min(y for _, y, width in nodes if width == whole)
    x_root = next(x for x, y, _ in nodes if y == top)
    others = sorted(
        (node for node in nodes if _LEAST_PX <= node[2] < 0.95 * whole), key=lambda node: -node[2]
    )
    chosen = others[:: max(len(others) // n, 1)][:n]
    return (x_root, top), [(x, y) for x, y, _ in chosen]


def _goals(found: Collected, plan: _Plan) -> list[Goal]:
    """Judged is the worse of both sides."""
    wanted = {LAYOUT: (2, "s"), OUTPUT: (300, "kB"), ZOOM_IN: (100, "ms"), ZOOM_OUT: (100, "ms")}
    goals = []
    for measure, (bound, unit) in wanted.items():
        medians = known([median_of(found, measure, side) for side in _LEAST])
        what = f"icicle of {plan.stacks:,} stacks: {measure}"
        goals.append(at_most(what, max(medians, default=None), bound, unit))
    return goals
