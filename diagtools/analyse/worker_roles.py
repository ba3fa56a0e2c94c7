"""Which process of a test run has which part in it, and how much did each hold?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import polars as pl

from diagtools.analyse.tree import living
from diagtools.frames.frame import FLOAT, INT, TEXT, Frame

MAIN, WORKER, RUNNER, CHILD, AFTER = "main", "worker", "runner", "child", "after the tests"

#: One row a process of a test run, in order of their start.  ``part``: runner (what started pytest), main (its own
#: process), worker (runs tests for main), after the tests
#: (started when the last of them had ended: a report), child (all others).  ``label`` names it: ``gw0``, ``main``,
#: or the program.  ``runs_tests``: null where nobody saw which do; the peaks: null without a sample.
TEST_PROCESSES = Frame(
    "TEST_PROCESSES",
    {
        "pid": INT,
        "ppid": INT,
        "name": TEXT,
        "part": TEXT,
        "label": TEXT,
        "runs_tests": pl.Boolean(),
        "started_s": FLOAT,
        "ended_s": FLOAT,
        "peak_rss_bytes": INT,
        "peak_anon_bytes": INT,
    },
)


def suite_processes(processes: pl.DataFrame, timeline: pl.DataFrame, tests: pl.DataFrame) -> pl.DataFrame:
    """Which part has each process in the test run?  PROCESSES, TIMELINE and TESTS of one run; TEST_PROCESSES.

    A worker is one that ran tests and whose ``worker`` is not ``main``; the process that started it is main.
    """
    workers: dict[int, str] = dict(tests.select("pid", "worker").unique().sort("pid").iter_rows())
    rows = {row["pid"]: row for row in processes.sort("started_s", "pid").iter_rows(named=True)}
    main = _main(rows, workers)
    above = set(_ancestors(rows, main)) if main is not None else set()
    last_s = tests["end_s"].max()
    late = {pid for pid, row in rows.items() if isinstance(last_s, float) and row["started_s"] > last_s}
    peaks = {row["pid"]: row for row in _peaks(timeline).iter_rows(named=True)}
    known = bool(workers)
    found = []
    for pid, row in rows.items():
        part = _part(pid, main, workers, above)
        part = AFTER if part == CHILD and pid in late else part
        found.append(
            {
                "pid": pid,
                "ppid": row["ppid"],
                "name": row["name"],
                "part": part,
                "label": workers.get(pid, MAIN if part == MAIN else row["name"]),
                "runs_tests": pid in workers if known else None,
                "started_s": row["started_s"],
                "ended_s": row["ended_s"],
                "peak_rss_bytes": peaks[pid]["rss_bytes"] if pid in peaks else None,
                "peak_anon_bytes": peaks[pid]["anon_bytes"] if pid in peaks else None,
            }
        )
    return TEST_PROCESSES.from_columns(
        {name: [row[name] for row in found] for name in TEST_PROCESSES.columns}
    )


def process_memory(timeline: pl.DataFrame, pid: int) -> pl.DataFrame:
    """How much memory did one process hold at each tick?  TIMELINE; the result is TREE, of that process alone."""
    mine = living(timeline).filter(pl.col("pid") == pid)
    return mine.select("t_s", "rss_bytes", used_bytes="rss_bytes", n_processes=pl.lit(1, pl.Int64))


def _peaks(timeline: pl.DataFrame) -> pl.DataFrame:
    return living(timeline).group_by("pid").agg(pl.col("rss_bytes", "anon_bytes").max())


def _main(rows: Mapping[int, Mapping[str, Any]], workers: Mapping[int, str]) -> int | None:
    """The process that runs the tests itself, or started those that do."""
    if MAIN in workers.values():
        return next(pid for pid, worker in workers.items() if worker == MAIN)
    parents = [rows[pid]["ppid"] for pid in workers if pid in rows]
    if parents:
        return parents[0] if parents[0] in rows else None
    pythons = [pid for pid, row in rows.items() if row["name"].startswith(("python", "pytest", "py.test"))]
    return pythons[0] if pythons else None


def _ancestors(rows: Mapping[int, Mapping[str, Any]], pid: int) -> Iterator[int]:
    seen = {pid}
    while (pid := rows[pid]["ppid"]) in rows and pid not in seen:
        seen.add(pid)
        yield pid


def _part(pid: int, main: int | None, workers: Mapping[int, str], above: Collection[int]) -> str:
    if pid == main:
        return MAIN
    if pid in workers:
        return WORKER
    return RUNNER if pid in above else CHILD
