"""What of the machine's state makes figures of an experiment doubtful?"""

import polars as pl
import pytest

from diagtools.analyse.conditions import (
    CPU_MHZ,
    LOAD,
    READ,
    cold_runs,
    conditions,
    is_condition,
    without_cold_times,
)
from diagtools.values import State

MIB = 2**20
F, K = "finished", "killed"


def _noted(build, metric, *values, outcome=F):
    """PAIRS of one metric: baseline and variant in turn, in order of time."""
    rows = [
        (at // 2, ("base", "v")[at % 2], outcome, None if value is None else float(value))
        for at, value in enumerate(values)
    ]
    return build.pairs(*rows, metric=metric).with_columns(order=pl.int_range(pl.len()))


def _said(pairs, n_cpus=2):
    return [finding.sentence for finding in conditions(pairs, n_cpus=n_cpus)]


def test_a_quiet_machine_is_not_mentioned(build):
    quiet = [
        _noted(build, LOAD, 0.5, 1.9, 2.0, 1.0),
        _noted(build, CPU_MHZ, 3000, 3100, 2950, 3000),
        _noted(build, READ, 0, 0, 4096, 0),
        _noted(build, "condition_page_cache_bytes", 1, 9, 99, 999),
    ]
    assert _said(pl.concat(quiet)) == []
    assert _said(_noted(build, "peak_rss_bytes", 1, 2)) == []


def test_a_busy_machine_makes_times_mean_little(build):
    (finding,) = conditions(_noted(build, LOAD, 0.5, 3.25, 2.5, 1.0), n_cpus=2)
    assert finding.sentence.startswith("The machine was busy in 2 of 4 runs (load up to 3.2 on 2 CPUs)")
    assert finding.value == 3.25
    assert [(one.what, one.state) for one in finding.validity] == [("times", State.STARVED)]
    assert _said(_noted(build, LOAD, 3.25), n_cpus=4) == []


def test_a_frequency_that_moved_is_said(build):
    (sentence,) = _said(_noted(build, CPU_MHZ, 3000, 2400, 3000, 3000))
    assert "between 2,400 and 3,000 MHz: differences in time below 20 %" in sentence


def test_the_first_runs_that_read_from_disk_are_named(build):
    pairs = _noted(build, READ, 200 * MIB, 0, 0, 0)
    assert cold_runs(pairs) == ["base-0"]
    (finding,) = conditions(pairs, n_cpus=2)
    assert finding.sentence == (
        "The run 'base-0' read 200 MiB from disk, later ones found that in the page cache: "
        "its time is not compared."
    )
    (both,) = _said(_noted(build, READ, 200 * MIB, 100 * MIB, 0, 0))
    assert both.startswith("The first runs 'base-0' and 'v-0' read 200 MiB from disk")


@pytest.mark.parametrize(
    "read",
    [
        (200 * MIB, 0, 190 * MIB, 0),  # every run reads
        (9 * MIB, 0, 0, 0),  # not much
        (0, 0, 200 * MIB, 0),  # not the first
        (200 * MIB, 200 * MIB),  # nothing to compare it with
        (None, None, None, None),
    ],
)
def test_otherwise_no_run_was_cold(build, read):
    assert cold_runs(_noted(build, READ, *read)) == []


def test_killed_runs_are_not_compared(build):
    assert cold_runs(_noted(build, READ, 200 * MIB, 0, 0, 0, outcome=K)) == []


def test_the_times_of_cold_runs_are_unknown_and_nothing_else(build):
    metrics = [_noted(build, name, 9, 5, 5, 5) for name in ("duration_s", "peak_rss_bytes")]
    found = without_cold_times(pl.concat([_noted(build, READ, 200 * MIB, 0, 0, 0), *metrics]))
    null = found.filter(pl.col("value").is_null())
    assert null.select("run", "metric").rows() == [("base-0", "duration_s")]
    assert found.height == 12


def test_conditions_are_told_from_metrics():
    assert all(map(is_condition, (LOAD, CPU_MHZ, READ, "condition_page_cache_bytes")))
    assert not any(map(is_condition, ("peak_rss_bytes", "duration_s", "rows_read_bytes")))
