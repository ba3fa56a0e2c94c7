"""What did each import cost, itself and with all that it brought?"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diagtools import frames
from diagtools.analyse.imports import attribute, by_package, in_parallel, total


def _events(*rows):
    """IMPORT_EVENTS of (t, kind, name, anon) and, as a fifth, the thread; RSS is twice the anonymous memory."""
    columns = {name: [] for name in frames.IMPORT_EVENTS.columns}
    for t, kind, name, anon, *tid in rows:
        row = {"kind": kind, "t_ns": t, "cpu_ns": t, "rss_bytes": 2 * anon, "anon_bytes": anon, "name": name}
        for key, value in (row | {"tid": tid[0] if tid else 1}).items():
            columns[key].append(value)
    return frames.IMPORT_EVENTS.from_columns(columns)


def _costs(imports):
    return {
        row[0]: row[1:]
        for row in imports.select("module", "importer", "self_anon_bytes", "total_anon_bytes").rows()
    }


def test_what_changes_between_two_events_is_the_innermost_ones():
    events = _events(
        (0, "start", "3.11", 100),
        (1, "begin", "a", 101),
        (2, "begin", "b", 111),
        (3, "end", "", 141),
        (4, "end", "", 146),
        (5, "stop", "", 148),
    )
    found = attribute(events)
    assert _costs(found) == {
        "<program>": (None, 1 + 2, 48),
        "a": ("<program>", 10 + 5, 45),
        "b": ("a", 30, 30),
    }
    assert found["total_wall_s"].to_list() == pytest.approx([5e-9, 3e-9, 1e-9])


def test_a_package_stands_before_the_module_that_waits_for_it():
    """Import p.m: the package is imported within, and imports p.m itself."""
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
    assert _costs(attribute(events)) == {
        "<program>": (None, 0, 16),
        "p": ("<program>", 2 + 5, 7 + 9),
        "p.m": ("p", 1 + 7 + 1, 9),
    }


def test_a_failed_import_keeps_its_cost():
    events = _events(
        (0, "start", "", 0), (1, "begin", "a", 0), (2, "fail", "", 7), (3, "stop", "LookupError", 7)
    )
    found = attribute(events)
    assert _costs(found)["a"] == ("<program>", 7, 7)
    assert found["status"].to_list() == ["ok", "failed"]


def test_each_thread_has_its_own_stack():
    events = _events(
        (0, "start", "", 0),
        (1, "begin", "a", 0),
        (2, "begin", "b", 0, 2),
        (3, "end", "", 5, 1),
        (4, "end", "", 9, 2),
        (5, "stop", "", 9),
    )
    assert _costs(attribute(events)) == {
        "<program>": (None, 0, 9),
        "a": ("<program>", 5, 5),
        "b": ("<program>", 4, 4),
    }


def _overlapping():
    """``thr`` waits in the main thread while t1 and t2 are imported in two others."""
    return _events(
        (0, "start", "", 0),
        (1, "begin", "thr", 0),
        (2, "begin", "t1", 7, 2),
        (3, "begin", "t2", 7, 3),
        (4, "end", "", 17, 2),
        (5, "end", "", 20, 3),
        (6, "end", "", 20),
        (7, "begin", "alone", 20),
        (8, "end", "", 50),
        (9, "stop", "", 50),
    )


def test_what_threads_import_at_the_same_time_cannot_be_told_apart():
    found = in_parallel(_overlapping())
    assert found is not None
    assert (found.n_threads, found.modules, found.anon_bytes) == (3, ("t1", "t2", "thr"), 13)


@pytest.mark.parametrize("second", [("t1", 2), ("t2", 1)])
def test_one_module_and_one_thread_are_told_apart(second):
    """A thread that waits for what another one imports imports nothing itself."""
    events = _events(
        (0, "start", "", 0), (1, "begin", "t1", 0), (2, "begin", second[0], 0, second[1]), (3, "end", "", 9, second[1]),
        (4, "end", "", 9), (5, "stop", "", 9),
    )  # fmt: skip
    assert in_parallel(events) is None


def test_what_a_module_holds_before_it_starts_a_thread_is_its_own():
    found = _costs(attribute(_overlapping()))
    assert (found["thr"], found["<program>"]) == (("<program>", 7, 7), (None, 0, 50))


def test_threads_that_import_in_turn_are_told_apart():
    events = _events(
        (0, "start", "", 0), (1, "begin", "a", 0, 2), (2, "end", "", 5, 2), (3, "begin", "b", 5, 3),
        (4, "end", "", 9, 3), (5, "stop", "", 9),
    )  # fmt: skip
    assert in_parallel(events) is None


def test_imports_of_a_thread_stand_below_who_started_it():
    started = {"t1": "thr", "t2": "not.there", "alone": "thr"}
    assert _costs(attribute(_overlapping(), started)) == {
        "<program>": (None, 0, 50),
        "thr": ("<program>", 7, 17),
        "t1": ("thr", 10, 10),
        "t2": ("<program>", 3, 3),
        "alone": ("<program>", 30, 30),
    }


def test_steps_are_counted():
    events = _events(
        (0, "start", "", 0), (1, "step", "import a", 0), (2, "begin", "a", 0), (3, "end", "", 1),
        (4, "step", "import b", 1), (5, "begin", "b", 1), (6, "end", "", 3), (7, "stop", "", 3),
    )  # fmt: skip
    assert attribute(events).select("module", "step").rows() == [("<program>", 0), ("a", 1), ("b", 2)]


def test_packages_are_the_sum_of_their_modules():
    events = _events(
        (0, "start", "", 0), (1, "begin", "a", 0), (2, "begin", "a.b", 1), (3, "end", "", 4), (4, "end", "", 5),
        (5, "stop", "", 5),
    )  # fmt: skip
    found = by_package(attribute(events))
    assert found.select("package", "n_modules", "self_anon_bytes").rows() == [
        ("a", 2, 5),
        ("<program>", 1, 0),
    ]


@st.composite
def _runs(draw):
    """Any order of begins and ends in up to three threads, ended anywhere."""
    kinds = st.sampled_from(["begin", "end", "fail", "step"])
    names = st.sampled_from(["a", "a.b", "a.b.c", "d", "d.e"])
    rows = draw(st.lists(st.tuples(kinds, names, st.integers(0, 10**9), st.integers(1, 3)), max_size=40))
    return [(0, "start", "", draw(st.integers(0, 10**9)))] + [
        (t, kind, name, anon, tid) for t, (kind, name, anon, tid) in enumerate(rows, start=1)
    ]


@example(
    [
        (0, "start", "", 0),
        (1, "begin", "a", 1),
        (2, "begin", "a.b", 0),
        (3, "begin", "d", 0),
        (4, "begin", "a", 0),
    ]
)
@given(_runs())
def test_self_costs_sum_to_the_whole_and_totals_to_those_below(rows):
    events = _events(*rows)
    found = attribute(events)
    change = rows[-1][3] - rows[0][3]
    assert total(found)["anon_bytes"] == change
    assert total(found)["rss_bytes"] == 2 * change
    assert found["total_anon_bytes"][0] == change
    below = attribute(events, {"a": "d", "d": "a", "d.e": "d.e", "a.b": "a"})
    assert (total(below)["anon_bytes"], below["total_anon_bytes"][0]) == (change, change)
    overlap = in_parallel(events)
    assert overlap is None or overlap.n_threads > 1 < len(overlap.modules)
