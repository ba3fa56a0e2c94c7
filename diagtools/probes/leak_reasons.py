"""Who asked for what the calls left behind, and who keeps it?  The function is called again while somebody looks.

Each of ``REASONS`` calls it after the warm-up, as often as there is time for: within one marked phase, for memray;
between two snapshots of the objects; under a trace function; under tracemalloc.
"""

# No "from __future__": it would be an import of the program.

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from typing import Any

PHASE = "diagtools: calls of the function"

_LEARNT_CALLS, _TRACED_CALLS = 5, 200  # those that teach it the stacks, and those that are counted
#: memray looks every 10 ms: what is made in the phase has looks of its own before and after it.
_LOOKS_S = 0.06
_RECORDER = "_diagtools_recorder_1"  # in sys: see `mark`


async def _memray(check: "Any", stages: "list[int]") -> None:
    from time import sleep

    recorder = vars(sys).get(_RECORDER)
    if recorder is None:
        return
    recorder.begin(
        0, "diagtools: warm", {}, "phase"
    ).done()  # what a first marker takes is not the function's
    gc.collect()
    sleep(_LOOKS_S)
    handle = recorder.begin(0, PHASE, {}, "phase")
    sleep(_LOOKS_S)
    await check.call(check.affordable(stages)[-1])
    await check.settled()
    gc.collect()
    sleep(_LOOKS_S)
    handle.done()
    sleep(_LOOKS_S)


async def _holders(check: "Any", stages: "list[int]") -> None:
    boot = check.load("boot")
    folder = os.environ[boot.RUN_VARIABLE]
    for n in (0, 0, check.affordable(stages)[-1]):  # the first one brings what a snapshot needs
        await check.call(n)
        await check.settled()
        gc.collect()
        boot.take_now(("holders",), folder)


async def _lines(check: "Any", _: "list[int]") -> None:
    lines = check.load("leak_lines").Lines(check.counters.used)
    await _traced(check, lines, _LEARNT_CALLS)
    n_calls = await _traced(check, lines, _TRACED_CALLS)
    for n_bytes, stack in lines.rows():
        check.log.write("line", n_bytes, n_calls, stack)


async def _traced(check: "Any", lines: "Any", n: int) -> int:
    """How many calls were there time for?"""
    n_before, end_ns = check.n_calls, check.log.now_ns() + check.budget_ns // 4
    lines.begin()
    try:
        while check.n_calls - n_before < n and check.log.now_ns() < end_ns:
            await check.call(1)
    finally:
        lines.end()
    n_calls: int = check.n_calls - n_before
    return n_calls


async def _traces(check: "Any", stages: "list[int]") -> None:
    traces = check.load("leak_traces").Traces(check.load("leak_lines"))
    n = check.affordable(stages)[-1]
    for n_calls in (n // 10, n):  # the first ones bring what tracing needs
        gc.collect()
        traces.begin()
        await check.call(n_calls)
        await check.settled()
    gc.collect()
    for n_bytes, stack in traces.rows():
        check.log.write("line", n_bytes, n, stack)


REASONS = {"memray": _memray, "holders": _holders, "lines": _lines, "traces": _traces}
