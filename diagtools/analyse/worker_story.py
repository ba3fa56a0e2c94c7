"""What is said of a test run's worker: each sentence computed from what was measured."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from diagtools.analyse.worker_baseline import OTHERS, Part
from diagtools.analyse.worker_figures import WorkerFigures
from diagtools.analyse.worker_roles import AFTER, MAIN, WORKER
from diagtools.units import format_bytes, format_share
from diagtools.values import Finding

_WORTH_SAYING = 0.1  # of what the main process held
KEPT_BYTES = 1 << 20  #: what a test leaves behind is worth naming from here on


def tree_findings(processes: pl.DataFrame, files: pl.DataFrame) -> Iterator[Finding]:
    """Which process is the heavy one, and did main pay for the conftest files too?  TEST_PROCESSES and TEST_FILES."""
    runners = processes.filter("runs_tests").drop_nulls("peak_rss_bytes")
    if runners.is_empty():
        return
    first = runners.sort("peak_rss_bytes", descending=True).row(0, named=True)
    peak = first["peak_rss_bytes"]
    what = "worker" if first["part"] == WORKER else "process that runs the tests"
    n = processes.filter(pl.col("part") != AFTER).height
    of = f" of {n} processes" if n > 1 else ""
    sentence = f"The heaviest{of} is {_named(first)}, a {what}: it held {format_bytes(peak)} at its peak."
    if first["part"] == MAIN:
        sentence = f"The tests ran in the main process, which held {format_bytes(peak)} at its peak."
    yield Finding(sentence=sentence, value=peak, unit="bytes", evidence=processes)
    main = processes.filter((pl.col("part") == MAIN) & ~pl.col("runs_tests")).drop_nulls("peak_rss_bytes")
    if not main.is_empty():
        held = main["peak_rss_bytes"].item(0)
        mine = files.filter((pl.col("kind") == "conftest") & (pl.col("pid") == main["pid"].item(0)))
        brought = int(mine["kept_bytes"].sum())
        runs = f"The main process runs no test and held {format_bytes(held)}"
        also = brought >= _WORTH_SAYING * held
        why = (
            f": conftest files brought {format_bytes(brought)} there too, so that is paid once more."
            if also
            else "."
        )
        yield Finding(sentence=runs + why, value=held, unit="bytes")


def _named(row: dict[str, object]) -> str:
    return f"{row['label']} (pid {row['pid']})"


def baseline_findings(parts: pl.DataFrame, figures: WorkerFigures, chain: str) -> Iterator[Finding]:
    """How much was there before the first test, and who brought it?  BASELINE_PARTS; ``chain`` leads to the dearest."""
    before, peak = figures.first_test_bytes, figures.peak_bytes
    sentence = (
        f"Before its first test {figures.worker} held {format_bytes(before)}, {format_share(before / peak)} of its "
        f"peak of {format_bytes(peak)}; the tests added {format_bytes(figures.in_tests_bytes)}."
    )
    yield Finding(sentence=sentence, value=before, unit="bytes", evidence=parts)
    brought = {part: int(parts.filter(pl.col("part") == part)["bytes"].sum()) for part in Part}
    fixtures = brought[Part.CONFTEST]
    if fixtures > 0:
        top = [
            f"{row['name']} {format_bytes(row['bytes'])}"
            for row in _packages(parts).head(3).iter_rows(named=True)
        ]
        named = f", first of all {', '.join(top)}" if top else ""
        way = f" The way there: {chain}." if chain else ""
        yield Finding(
            sentence=f"What conftest files import brought {format_bytes(fixtures)} of that{named}.{way}",
            value=fixtures,
            unit="bytes",
        )
    plugins = brought[Part.PLUGIN]
    sentence = (
        f"pytest itself took {format_bytes(brought[Part.PYTEST])}, plugins {format_bytes(plugins)}, the modules of "
        f"tests {format_bytes(brought[Part.TESTS])} that nobody had imported before."
    )
    yield Finding(sentence=sentence)


def dearest(parts: pl.DataFrame) -> str:
    """Which package that conftest files import takes most?  Empty where none is worth a row.  BASELINE_PARTS."""
    found = _packages(parts)
    return "" if found.is_empty() else str(found["name"].item(0))


def _packages(parts: pl.DataFrame) -> pl.DataFrame:
    """Those that have a row of their own, the dearest first."""
    known = (pl.col("part") == Part.CONFTEST) & ~pl.col("name").is_in([OTHERS, str(Part.CONFTEST)])
    return parts.filter(known).sort("bytes", "name", descending=[True, False])


def growth_findings(tests: pl.DataFrame, *, pid: int) -> Iterator[Finding]:
    """Which tests of a worker left memory behind, and which needed much for a moment?  TESTS."""
    mine = tests.filter(pl.col("pid") == pid).drop_nulls(["kept_bytes", "demand_bytes"])
    if mine.is_empty():
        return
    kept = mine.filter(pl.col("kept_bytes") >= KEPT_BYTES).sort("kept_bytes", descending=True)
    total = int(mine["kept_bytes"].sum())
    if kept.is_empty():
        none = f"None of its {mine.height:,} tests left {format_bytes(KEPT_BYTES)} behind"
        sentence = f"{none}: {format_bytes(total)} together."
    else:
        share = int(kept["kept_bytes"].sum())
        first = kept.row(0, named=True)
        n = (
            f"{kept.height:,} of {mine.height:,} tests"
            if kept.height > 1
            else f"One of {mine.height:,} tests"
        )
        sentence = (
            f"{n} left {format_bytes(KEPT_BYTES)} or more behind, {format_bytes(share)} together; most did "
            f"{first['test']}, {format_bytes(first['kept_bytes'])}."
        )
    yield Finding(sentence=sentence, value=total, unit="bytes", evidence=kept)
    top = mine.sort("demand_bytes", descending=True).row(0, named=True)
    if (
        not kept.is_empty()
        and top["test"] == kept["test"].item(0)
        and top["demand_bytes"] < 2 * top["kept_bytes"]
    ):
        return  # it needed what it left behind
    yield Finding(
        sentence=f"Most at a time needed {top['test']}: {format_bytes(top['demand_bytes'])} above what was there.",
        value=top["demand_bytes"],
        unit="bytes",
    )


def mocks_finding(
    *, first_on: float, first_off: float, peak_on: float, peak_off: float, noise_bytes: float
) -> Finding:
    """What do session mocks save, and what not?

    RSS of the worker before its first test and at its peak, with and without them; ``noise_bytes`` is how far runs that
    are alike lie apart.
    """
    running, importing = (peak_off - first_off) - (peak_on - first_on), first_off - first_on
    saved = f"The session mocks save {format_bytes(running)} while tests run"
    if running <= noise_bytes:
        saved = "The session mocks save nothing that could be measured while tests run"
    same = abs(importing) <= max(noise_bytes, KEPT_BYTES)
    before = f"{format_bytes(first_on)} with them and {format_bytes(first_off)} without"
    imports = f"and nothing of what imports cost: before the first test the worker held {before}"
    if not same:
        imports = f"and {format_bytes(importing)} before the first test, where it held {before}"
    return Finding(sentence=f"{saved}, {imports}.", value=running, unit="bytes")


def tree_only_finding(name: str, *, before_bytes: float, after_bytes: float, share: float) -> Finding | None:
    """Did a change that leaves the worker as it is make the whole tree smaller by ``share`` or more?  Else null."""
    if after_bytes > before_bytes * (1 - share):
        return None
    sentence = (
        f"'{name}' leaves the worker as it is, and yet the tree of all processes peaks at {format_bytes(after_bytes)}, "
        f"not {format_bytes(before_bytes)}: it is the main process that holds less."
    )
    return Finding(sentence=sentence, value=before_bytes - after_bytes, unit="bytes")


def light_finding(*, light_peak: float, first: float, peak: float) -> Finding:
    """What would a worker of the light tests alone hold, beside one of the whole suite as it is?"""
    sentence = (
        f"A worker that runs the light tests alone, without the heavy fixtures, holds {format_bytes(light_peak)} at "
        f"its peak; as it is, a worker holds {format_bytes(first)} before its first test and {format_bytes(peak)} at "
        "its peak."
    )
    return Finding(sentence=sentence, value=light_peak, unit="bytes")


def expected_finding(figures: list[WorkerFigures], main_bytes: int | None, n_workers: int) -> Finding:
    """What is normal for this suite, to be written into its conftest, by the runs as it is?"""
    firsts = [one.first_test_bytes for one in figures]
    peaks = [one.peak_bytes for one in figures]
    runs = f"{len(figures)} runs" if len(figures) > 1 else "one run"
    who = "a worker" if n_workers else "the process"
    both = f"{_range(firsts)} before its first test and {_range(peaks)} at its peak"
    sentence = f"Expected RSS ({runs}): {who} holds {both}"
    if n_workers and main_bytes is not None:
        sentence += (
            f"; with the main process that makes {format_bytes(max(peaks) * n_workers + main_bytes)} at most"
        )
        sentence += " for one worker" if n_workers == 1 else f" for {n_workers} workers"
    return Finding(sentence=f"{sentence}.", value=max(peaks), unit="bytes")


def _range(values: list[int]) -> str:
    low, high = format_bytes(min(values)), format_bytes(max(values))
    return low if low == high else f"{low} to {high}"
