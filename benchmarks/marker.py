"""What does a marker cost the program that sets it, and what when nobody records?

Each round starts two processes: one in which nothing records (it measures `logging.info` to a file too) and one with a
run folder, where a marker goes into the mapped slot and as a line into the log before the call returns.  A process
times ten blocks of calls and hands over the fastest, loop included; the figure is the lowest over the rounds, because
whatever else runs on the machine can only add.  An `item` block is two markers, begin and end, each of which also
reads what the process holds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from benchmarks.processes import output_of, target
from benchmarks.results import Bench, Collected, Goal, Headline, Outcome, Size, at_most
from benchmarks.spread import known

NOTHING, SLOT, BOTH, LOGGING = "nothing records", "slot alone", "slot and log", "logging.info to a file"
EVENT, EDGE = "one event (mark.event)", "one begin or end of an item (half a block)"
ITEM = "a block (with mark.item: begin and end)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    calls: int


_PLANS = {
    Size.FULL: _Plan(rounds=7, calls=10_000),
    Size.QUICK: _Plan(rounds=3, calls=5_000),
    Size.TINY: _Plan(rounds=1, calls=200),
}


def run(bench: Bench) -> Outcome:
    """Times the calls with and without a recorder, in turn."""
    plan = _PLANS[bench.size]
    found = Collected()
    for number, records in bench.interleaved([True, False], plan.rounds):
        folder = bench.folder / f"{number}-{'records' if records else 'nothing'}"
        folder.mkdir()
        added = {"DIAGTOOLS_RUN": str(folder)} if records else {}
        cost_ns = json.loads(output_of(target("mark_cost", plan.calls, folder), **added))
        side = BOTH if records else NOTHING
        rows = {
            (EVENT, side): "event",
            (ITEM, side): "item",
            (EVENT, SLOT): "slot",
            (EVENT, LOGGING): "logging",
        }
        for (measure, name), key in rows.items():
            if key in cost_ns:
                found.add(measure, name, cost_ns[key], "ns", Headline.MINIMUM)
        found.add(EDGE, side, cost_ns["item"] / 2, "ns", Headline.MINIMUM)
    return Outcome(series=found.series([BOTH, SLOT, NOTHING, LOGGING]), goals=tuple(_goals(found)))


def _goals(found: Collected) -> list[Goal]:
    bounds = [
        (EVENT, NOTHING, 200.0, "a marker where nothing records"),
        (ITEM, NOTHING, 200.0, "an item block where nothing records"),
        (EVENT, SLOT, 2_000.0, "a marker, slot alone"),
        (EDGE, BOTH, 8_000.0, "an item's begin or end, slot and log"),
    ]
    return [
        at_most(what, min(known(found.of(measure, side)), default=None), bound, "ns")
        for measure, side, bound, what in bounds
    ]
