"""Did the machine stay as it was while the experiment ran?  Where it did not: which figures does that touch?"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import polars as pl

from diagtools.analyse.amounts import amount
from diagtools.units import format_share
from diagtools.values import Finding, Outcome, State, Validity

LOAD, CPU_MHZ, PAGE_CACHE, READ = (
    "condition_load",
    "condition_cpu_mhz",
    "condition_page_cache_bytes",
    "read_bytes",
)
_MOST_FREQUENCY_CHANGE = 0.10
_MUCH_READ_BYTES = 16 * 2**20  #: takes a tenth of a second from a disk, and more
_MANY_TIMES = 4


def is_condition(metric: str) -> bool:
    """Does this metric tell of the machine, not of the program?"""
    return metric.startswith("condition_") or metric == READ


def conditions(pairs: pl.DataFrame, *, n_cpus: int) -> list[Finding]:
    """What of the machine's state makes figures of this experiment doubtful?  A sentence each, none where all was well.

    ``pairs`` is PAIRS with the metrics ``condition_load``, ``condition_cpu_mhz``, ``read_bytes``, as far as they
    were noted.  Memory is hardly touched by any of them; times are.
    """
    runs = pairs.filter(pl.col("value").is_finite()).sort("order", "pair", "run")
    return [*_busy(runs, n_cpus), *_frequency(runs), *_cold(runs)]


def cold_runs(pairs: pl.DataFrame) -> list[str]:
    """Which runs had to read from disk what later runs of their variant found in the page cache?  By order of time.

    Only the first run of a variant can be one, where every later one that finished read far less.
    """
    finished = pairs.filter((pl.col("metric") == READ) & (pl.col("outcome") == Outcome.FINISHED))
    known = finished.filter(pl.col("value").is_finite()).sort("order", "pair", "run")
    found = []
    for (_,), mine in known.group_by("variant", maintain_order=True):
        first, *later = mine["value"]
        if later and first >= _MUCH_READ_BYTES and first >= _MANY_TIMES * max(later):
            found.append(str(mine["run"][0]))
    return found


def without_cold_times(pairs: pl.DataFrame) -> pl.DataFrame:
    """The same PAIRS, in which the times of runs that read from disk what others found in the cache are null."""
    is_cold = pl.col("run").is_in(cold_runs(pairs)) & pl.col("metric").str.ends_with("_s")
    return pairs.with_columns(value=pl.when(~is_cold).then("value"))


def _busy(runs: pl.DataFrame, n_cpus: int) -> Iterator[Finding]:
    loads = runs.filter(pl.col("metric") == LOAD)
    busy = loads.filter(pl.col("value") > n_cpus)
    if busy.is_empty():
        return
    highest = max(busy["value"])
    yield _doubt(
        f"The machine was busy in {busy.height} of {loads.height} runs (load up to {highest:.1f} on {n_cpus} "
        f"CPU{'s' if n_cpus != 1 else ''}): times of this experiment mean little.",
        value=float(highest),
        unit="load",
    )


def _frequency(runs: pl.DataFrame) -> Iterator[Finding]:
    found = runs.filter(pl.col("metric") == CPU_MHZ)["value"].to_list()
    if not found or median(found) <= 0:
        return
    moved = (max(found) - min(found)) / median(found)
    if moved > _MOST_FREQUENCY_CHANGE:
        yield _doubt(
            f"The CPU's frequency moved between {min(found):,.0f} and {max(found):,.0f} MHz: differences in time "
            f"below {format_share(moved)} may come from that.",
            value=moved,
            unit="share",
        )


def _cold(runs: pl.DataFrame) -> Iterator[Finding]:
    cold = cold_runs(runs)
    if not cold:
        return
    read = runs.filter((pl.col("metric") == READ) & pl.col("run").is_in(cold))["value"]
    which = f"The run {cold[0]!r}" if len(cold) == 1 else f"The first runs {' and '.join(map(repr, cold))}"
    its = "its time is" if len(cold) == 1 else "their times are"
    yield _doubt(
        f"{which} read {amount(READ, max(read))} from disk, later ones found that in the page cache: {its} "
        "not compared.",
        value=float(max(read)),
        unit="bytes",
        state=State.SKIPPED,
    )


def _doubt(sentence: str, *, value: float, unit: str, state: State = State.STARVED) -> Finding:
    validity = Validity(what="times", state=state, note=sentence.partition(":")[0])
    return Finding(sentence=sentence, value=value, unit=unit, validity=(validity,))
