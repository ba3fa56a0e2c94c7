"""Which lines asked for what was left: rows that sum to the whole, and the line that a reader can change."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given

from diagtools.analyse.leak_sites import OURS as THE_CHECK
from diagtools.analyse.leak_sites import UNSEEN, is_unseen, leak_sites, traced_sites
from diagtools.frames import LEAK_LINES
from tests.analyse.profiles.made import LOAD, MAIN, READ, profile, profiles

OURS = ("_call", "/opt/x/diagtools/probes/leak_stages.py", 200)
STANDARD = ("getLogger", "/usr/lib/python3.11/logging/__init__.py", 1350)
NATIVE = ("malloc_wrapper", "/usr/lib/libthing.so.1", 0)


def test_the_innermost_line_of_the_program_or_of_a_library() -> None:
    found = leak_sites(
        profile(
            ([OURS, MAIN, STANDARD], 300),
            ([OURS, MAIN, LOAD, READ], 500),
            ([OURS, LOAD, NATIVE], 100),
            ([OURS], 60),
        ),
        10,
        left_bytes=960,
    )
    rows = {row["place"]: row for row in found.iter_rows(named=True)}
    assert [(place, row["bytes"]) for place, row in rows.items()] == [
        ("polars/io/csv.py:123", 500),
        ("main.py:10", 300),
        ("data/load.py:20", 100),
        (THE_CHECK, 60),
    ]
    assert rows["main.py:10"]["bytes_per_call"] == 30
    assert rows["main.py:10"]["stack"] == ["main (main.py:10)", "getLogger (logging/__init__.py:1350)"]
    assert rows["data/load.py:20"]["stack"][-1].startswith("malloc_wrapper")


def test_stacks_of_one_place_are_one_row_with_the_largest_of_them() -> None:
    found = leak_sites(profile(([MAIN, LOAD], 10), ([LOAD], 90)), 1, left_bytes=100)
    assert found.select("place", "bytes", "n_allocations").rows() == [("data/load.py:20", 100, 2)]
    assert found["stack"][0].to_list() == ["load (data/load.py:20)"]


def test_what_the_tracker_did_not_see_is_a_row_of_its_own() -> None:
    found = leak_sites(profile(([MAIN], 10)), 10, left_bytes=1010)
    assert found.select("place", "file", "bytes").row(0) == (UNSEEN, "", 1000)
    assert found["bytes"].sum() == 1010
    assert found["share"].sum() == pytest.approx(1)


def test_a_line_that_takes_as_much_a_call_gives_it_its_name() -> None:
    rows = [
        ("temporary", "/srv/app/main.py", 7, 500_000, 200, ["temporary (/srv/app/main.py:7)"]),
        ("asks", MAIN[1], 12, 21_000, 200, ["main (x)", "asks (y)"]),
    ]
    lines = pl.DataFrame(rows, schema=LEAK_LINES.columns, orient="row")
    found = leak_sites(profile(([MAIN], 10)), 10, left_bytes=1010, lines=lines)
    assert found.select("place", "function", "bytes", "n_allocations").row(0) == (
        "main.py:12",
        "asks",
        1000,
        None,
    )
    assert found["stack"][0].to_list() == ["main (x)", "asks (y)"]
    assert not is_unseen(found)

    none_near = leak_sites(profile(([MAIN], 10)), 10, left_bytes=1010, lines=lines.head(1))
    assert none_near["place"][0] == UNSEEN
    assert is_unseen(none_near)


def test_without_a_profile_what_was_traced_makes_the_rows() -> None:
    rows = [
        ("", "/srv/a.py", 7, 90_000, 1000, ["/srv/a.py:3", "/srv/a.py:7"]),
        ("", "/srv/a.py", 9, 10_000, 1000, ["/srv/a.py:9"]),
    ]
    traced = pl.DataFrame(rows, schema=LEAK_LINES.columns, orient="row")
    found = traced_sites(traced, left_per_call=100)
    assert found.select("place", "bytes", "bytes_per_call", "share").rows() == [
        ("/srv/a.py:7", 90_000, 90.0, 0.9),
        ("/srv/a.py:9", 10_000, 10.0, 0.1),
    ]
    more = traced_sites(traced, left_per_call=1100)
    assert more.select("place", "bytes").row(0) == (UNSEEN, 1_000_000)
    assert more["bytes"].sum() == 1_100_000
    assert traced_sites(LEAK_LINES.empty(), left_per_call=100).is_empty()


def test_what_is_counted_and_what_is_tracked_may_differ_a_little() -> None:
    assert leak_sites(profile(([MAIN], 100)), 10, left_bytes=112)["place"].to_list() == ["main.py:10"]


def test_only_standard_library_is_better_than_nothing() -> None:
    assert leak_sites(profile(([STANDARD], 10)), 1, left_bytes=10)["file"].to_list() == [STANDARD[1]]


@given(profiles)
def test_the_rows_sum_to_the_whole(made) -> None:
    found = leak_sites(made, 7, left_bytes=made.total)
    assert found["bytes"].sum() == made.total
    assert (
        found["place"].n_unique() == found.height
        or found.select("place", "file", "line", "function").is_unique().all()
    )
