"""When was each module imported, and how did the memory rise meanwhile?"""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools import frames
from diagtools.analyse.import_waterfall import import_staircase, import_waterfall
from diagtools.analyse.imports import attribute

S = 10**9


def _events(*rows):
    """IMPORT_EVENTS of (second, kind, name, anon) and, as a fifth, the thread."""
    columns = {name: [] for name in frames.IMPORT_EVENTS.columns}
    for t, kind, name, anon, *tid in rows:
        row = {"kind": kind, "t_ns": 7 * S + round(t * S), "name": name, "tid": tid[0] if tid else 1}
        for key, value in {**row, "cpu_ns": 0, "rss_bytes": anon, "anon_bytes": anon}.items():
            columns[key].append(value)
    return frames.IMPORT_EVENTS.from_columns(columns)


def _waterfall(events, **options):
    return import_waterfall(events, attribute(events), **options)


def _bars(events, **options):
    found = _waterfall(events, **options)
    return {row[0]: row[1:] for row in found.select("module", "depth", "begin_s", "end_s").rows()}


NESTED = _events(
    (0, "start", "", 100),
    (1, "begin", "a", 100),
    (2, "begin", "b.c", 110),
    (3, "end", "", 150),
    (5, "fail", "", 170),
    (6, "begin", "d", 170),
    (8, "end", "", 160),
    (9, "stop", "", 160),
)


def test_each_bar_stands_below_its_importer_in_seconds_since_the_start():
    assert _bars(NESTED) == {"<program>": (0, 0, 9), "a": (1, 1, 5), "b.c": (2, 2, 3), "d": (1, 6, 8)}


def test_costs_and_status_are_those_of_imports():
    rows = {row["module"]: row for row in _waterfall(NESTED).iter_rows(named=True)}
    assert (rows["a"]["self_anon_bytes"], rows["a"]["total_anon_bytes"]) == (30, 70)
    assert (rows["a"]["self_wall_s"], rows["a"]["total_wall_s"]) == pytest.approx((3, 4))
    assert (rows["a"]["status"], rows["d"]["status"]) == ("failed", "ok")
    assert (rows["b.c"]["package"], rows["d"]["total_anon_bytes"]) == ("b", -10)


def test_a_module_begins_where_its_package_is_there():
    events = _events(
        (0, "start", "", 0),
        (1, "begin", "p.m", 0),
        (2, "begin", "p", 0),
        (4, "end", "", 5),
        (6, "end", "", 9),
        (7, "stop", "", 9),
    )
    assert _bars(events) == {"<program>": (0, 0, 7), "p": (1, 2, 4), "p.m": (1, 4, 6)}


def test_a_module_that_its_package_imported_meanwhile_is_that_one():
    events = _events(
        (0, "start", "", 0),
        (1, "begin", "p.m", 0),
        (2, "begin", "p", 1),
        (3, "begin", "p.m", 3),
        (4, "end", "", 10),
        (5, "end", "", 15),
        (6, "end", "", 16),
        (7, "stop", "", 16),
    )
    assert _bars(events) == {"<program>": (0, 0, 7), "p": (1, 2, 5), "p.m": (2, 3, 4)}


def test_a_second_try_of_a_module_has_its_own_bar_and_cost():
    events = _events(
        (0, "start", "", 0),
        (1, "begin", "a", 0),
        (2, "fail", "", 10),
        (3, "begin", "a", 10),
        (4, "end", "", 40),
        (5, "stop", "", 40),
    )
    rows = _waterfall(events).select("module", "begin_s", "total_anon_bytes", "status").rows()
    assert rows[1:] == [("a", 1, 10, "failed"), ("a", 3, 30, "ok")]


def test_threads_do_not_cover_each_other():
    events = _events(
        (0, "start", "", 0),
        (1, "begin", "a", 0, 1),
        (2, "begin", "b", 0, 2),
        (3, "begin", "c", 0, 1),
        (4, "end", "", 0, 1),
        (5, "end", "", 0, 1),
        (6, "end", "", 0, 2),
        (7, "stop", "", 0, 1),
    )
    assert {module: bar[0] for module, bar in _bars(events).items()} == {
        "<program>": 0,
        "a": 1,
        "b": 2,
        "c": 3,
    }


def test_an_import_that_never_ended_reaches_to_the_end():
    events = _events((0, "start", "", 0), (1, "begin", "a", 0), (2, "begin", "b", 0), (4, "stop", "", 0))
    found = _waterfall(events)
    assert found["end_s"].to_list() == [4, 4, 4]
    assert found["status"].to_list() == ["ok", "unfinished", "unfinished"]


def test_small_modules_are_left_out_but_for_the_dearest_few():
    rows = [(0, "start", "", 0)]
    for number in range(2000):
        rows += [(number, "begin", f"m{number}", number), (number + 0.9, "end", "", number + 1)]
    found = _waterfall(_events(*rows, (2000, "stop", "", 2000)))
    assert 1 < found.height <= 20


def test_without_events_there_are_no_bars():
    assert import_waterfall(frames.IMPORT_EVENTS.empty(), frames.IMPORTS.empty()).is_empty()


def test_the_staircase_is_memory_since_the_start():
    rows = import_staircase(NESTED).rows()
    assert (rows[0], rows[-1]) == ((0, 0), (9, 60))
    assert max(rows, key=lambda row: row[1]) == (5, 70)


def test_a_thinned_staircase_keeps_its_peak():
    rows = [(number / 100, "step", "", 5000 if number == 1234 else number) for number in range(3000)]
    found = import_staircase(_events(*rows), n_buckets=50)
    assert found.height <= 100
    assert found["anon_bytes"].max() == 5000


@given(st.lists(st.tuples(st.sampled_from(["begin", "end", "fail"]), st.integers(1, 2)), max_size=60))
def test_bars_of_a_row_never_overlap_and_end_after_they_begin(steps):
    rows = [
        (number, kind, f"m{number}" if kind == "begin" else "", number, tid)
        for number, (kind, tid) in enumerate(steps, start=1)
    ]
    events = _events((0, "start", "", 0), *rows, (len(rows) + 1, "stop", "", 0))
    found = _waterfall(events, least_share=0.0)
    for row in found.partition_by("depth"):
        spans = sorted(row.select("begin_s", "end_s").rows())
        assert all(begin <= end for begin, end in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
