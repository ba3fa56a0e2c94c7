"""What did the process that ran the tests hold: before the first of them, and at most?"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from diagtools.analyse.tree import living

#: Metrics of one run of a test suite, of its worker that held most.
PEAK, FIRST_TEST, IN_TESTS = "worker_peak_bytes", "worker_first_test_bytes", "worker_in_tests_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFigures:
    """The worker that held most: its RSS when its first test began, the most it ever held, and what lay in between.

    ``first_test_anon_bytes`` is what of the first was its own, by the last sample before; null without one.
    """

    pid: int
    worker: str
    first_test_s: float
    first_test_bytes: int
    first_test_anon_bytes: int | None
    peak_bytes: int

    @property
    def in_tests_bytes(self) -> int:
        """How much more than before the first test?"""
        return self.peak_bytes - self.first_test_bytes

    @property
    def metrics(self) -> dict[str, float]:
        """The figures that an experiment compares, by name."""
        return {
            PEAK: float(self.peak_bytes),
            FIRST_TEST: float(self.first_test_bytes),
            IN_TESTS: float(self.in_tests_bytes),
        }


def worker_figures(tests: pl.DataFrame, timeline: pl.DataFrame) -> WorkerFigures | None:
    """What did the worker that held most hold?  TESTS and TIMELINE of one run; null where no test tells."""
    known = tests.drop_nulls(["begin_s", "begin_rss_bytes"])
    found = [_of(part.sort("begin_s"), timeline) for _, part in known.group_by("pid", maintain_order=True)]
    return max(found, key=lambda one: one.peak_bytes, default=None)


def _of(tests: pl.DataFrame, timeline: pl.DataFrame) -> WorkerFigures:
    first = tests.row(0, named=True)
    mine = living(timeline).filter(pl.col("pid") == first["pid"])
    before = mine.filter(pl.col("t_s") <= first["begin_s"])["anon_bytes"].drop_nulls()
    seen = [mine["rss_bytes"].max(), tests["peak_bytes"].max(), tests["begin_rss_bytes"].max()]
    return WorkerFigures(
        pid=first["pid"],
        worker=first["worker"],
        first_test_s=first["begin_s"],
        first_test_bytes=first["begin_rss_bytes"],
        first_test_anon_bytes=None if before.is_empty() else before.item(-1),
        peak_bytes=max(value for value in seen if isinstance(value, int)),
    )
