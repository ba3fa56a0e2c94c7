"""Profiles as tables, words and JSON."""

from __future__ import annotations

import json

import polars as pl

from diagtools.frames import ALLOCATIONS, ALLOCATORS, CALLS, DIFFERENCE, LOCATIONS, SITES, STACKS
from diagtools.present.profiles import (
    allocators_table,
    calls_table,
    certainty_words,
    compare_json,
    difference_table,
    difference_words,
    profile_words,
    shown_place,
    sites_table,
)
from diagtools.profile import Profile, Source, Unit, View
from diagtools.values import State, Validity

MIB = 2**20


def sites(*rows, unit="bytes"):
    """SITES of (key, own part, with calls) in MiB or in the unit."""
    factor = MIB if unit == "bytes" else 1
    whole = sum(row[1] for row in rows)
    n = len(rows)
    return SITES.from_columns(
        {
            "key": [row[0] for row in rows],
            "function": ["f"] * n,
            "file": ["a.py"] * n,
            "line": list(range(1, n + 1)),
            "module": ["a"] * n,
            "package": ["a"] * n,
            "origin": ["own"] * n,
            "self_size": [row[1] * factor for row in rows],
            "total_size": [None if row[2] is None else row[2] * factor for row in rows],
            "self_n": [1000] * n,
            "total_n": [1] * n,
            "share": [row[1] / whole for row in rows],
            "unit": [unit] * n,
        }
    )


def difference(*rows, unit="bytes"):
    """DIFFERENCE of (key, before, after, certainty) in MiB or in the unit."""
    factor = MIB if unit == "bytes" else 1
    n = len(rows)
    return DIFFERENCE.from_columns(
        {
            "key": [row[0] for row in rows],
            "function": ["f"] * n,
            "file": ["/home/ada/shop/a.py"] * n,
            "line_before": [0 if row[1] == 0 else 1 for row in rows],
            "line_after": [0 if row[2] == 0 else 2 for row in rows],
            "module": ["a"] * n,
            "package": ["a"] * n,
            "origin": ["own"] * n,
            "before_size": [row[1] * factor for row in rows],
            "after_size": [row[2] * factor for row in rows],
            "delta_size": [(row[2] - row[1]) * factor for row in rows],
            "before_n": [1] * n,
            "after_n": [1] * n,
            "low_size": [None] * n,
            "high_size": [None] * n,
            "certainty": [row[3] for row in rows],
            "unit": [unit] * n,
        }
    )


CHANGES = difference(
    ("a.py:1 grew", 10, 40, "certain"),
    ("a.py:1 gone", 20, 0, "one run each"),
    ("a.py:1 same", 5, 5, "certain"),
)


def test_sites_say_own_parts_shares_and_totals() -> None:
    assert str(sites_table(sites(("a.py:1 f", 3, 4), ("b.py:2 g", 1, None)), title="Where")).splitlines() == [
        "Where",
        "place       itself  share  with calls  allocations",
        "a.py:1 f  3.00 MiB   75 %    4.00 MiB        1,000",
        "b.py:2 g  1.00 MiB   25 %           —        1,000",
    ]


def test_other_units_are_said_as_such() -> None:
    assert "12.0 µs" in str(sites_table(sites(("f", 12_000, 12_000), unit="ns")))
    assert "12 samples" in str(sites_table(sites(("f", 12, 12), unit="samples")))


def test_source_lines_are_shown_only_where_they_are_given() -> None:
    frame = sites(("a.py:1 f", 3, 4))
    assert "code" not in str(sites_table(frame))
    shown = str(sites_table(frame, sources={("a.py", 1): "    x = bytearray(n)  # password=hunter22"}))
    assert "x = bytearray(n)" in shown
    assert "hunter22" not in shown


def test_a_difference_is_ranked_and_what_is_alike_is_counted() -> None:
    assert str(difference_table(CHANGES, before_total=50 * MIB, after_total=60 * MIB)).splitlines() == [
        "50.0 MiB before, 60.0 MiB after (+10.0 MiB); a.py:1 grew grew most: +30.0 MiB (certain)",
        "place          before     after     change  how sure",
        "a.py:1 grew  10.0 MiB  40.0 MiB  +30.0 MiB  certain",
        "a.py:1 gone  20.0 MiB       0 B  −20.0 MiB  one run each",
        "1 place unchanged",
    ]


def test_the_source_of_a_place_that_is_gone_is_that_of_before() -> None:
    file = "/home/ada/shop/a.py"
    shown = str(difference_table(CHANGES, sources={(file, 2): "now()", (file, 1): "then()"}))
    assert [line.rpartition("  ")[2] for line in shown.splitlines()[2:4]] == ["now()", "then()"]


def test_nothing_changed_is_said() -> None:
    assert difference_words(CHANGES.tail(1)).endswith("no place changed")
    assert difference_words(DIFFERENCE.empty()) == "±0 B altogether; no place changed"
    assert compare_json(DIFFERENCE.empty())["sites"] == []


def test_compare_as_the_contract_has_it() -> None:
    doubt = Validity(what="after", state=State.TRUNCATED, note="token=abc123def")
    found = compare_json(CHANGES, before_total=35 * MIB, after_total=45 * MIB, validity=[doubt])
    assert compare_json(CHANGES)["before_bytes"] is None
    assert (found["before_bytes"], found["after_bytes"], found["delta_bytes"]) == (
        35 * MIB,
        45 * MIB,
        10 * MIB,
    )
    first, second = found["sites"]
    wanted = {"function", "file", "line", "before_bytes", "after_bytes", "delta_bytes", "certainty"}
    assert wanted <= set(first)
    assert (first["file"], first["line"], second["line"]) == ("~/shop/a.py", 2, 1)
    assert sum(site["delta_bytes"] for site in found["sites"]) == found["delta_bytes"]
    assert found["validity"][0]["state"] == "truncated"
    assert "abc123def" not in json.dumps(found)


def test_compare_of_times_does_not_call_them_bytes() -> None:
    found = compare_json(difference(("f", 10, 40, "certain"), unit="ns"))
    assert (found["unit"], found["delta_ns"]) == ("ns", 30)
    assert "delta_bytes" not in found


def test_calls_and_allocators() -> None:
    calls = CALLS.from_columns(
        {
            "side": ["caller"],
            "key": ["a.py:1 f"],
            "function": ["f"],
            "file": ["a.py"],
            "line": [1],
            "package": ["a"],
            "size": [MIB],
            "n_allocations": [2],
            "unit": ["bytes"],
        }
    )
    assert "caller  a.py:1 f  1.00 MiB            2" in str(calls_table(calls))
    rows = [("malloc", 7, 7 / 12, False), ("mmap", 5, 5 / 12, True), ("", 0, 0.0, False)]
    handed_out = ALLOCATORS.from_columns(
        {
            "allocator": [name for name, *_ in rows],
            "size": [size * MIB for _, size, *_ in rows],
            "n_allocations": [1] * 3,
            "share": [share for *_, share, _ in rows],
            "is_mapping": [is_mapping for *_, is_mapping in rows],
            "unit": ["bytes"] * 3,
        }
    )
    assert [row[:3] for row in allocators_table(handed_out).rows] == [
        ["malloc", "7.00 MiB", "58 %"],
        ["mmap (mapping)", "5.00 MiB", "42 %"],
        ["not known", "0 B", "0 %"],
    ]


def test_a_profile_in_a_sentence() -> None:
    profile = Profile(
        name="after.bin",
        source=Source.MEMRAY,
        view=View.PEAK,
        unit=Unit.BYTES,
        allocations=ALLOCATIONS.from_columns(
            {
                "stack_id": [0],
                "kind": ["peak"],
                "size": [4 * MIB],
                "unit": ["bytes"],
                "n_allocations": [1],
                "allocator": [""],
                "pid": [None],
                "thread": [""],
            }
        ),
        stacks=STACKS.empty(),
        locations=LOCATIONS.empty(),
    )
    whole = "after.bin: 4.00 MiB (peak, memray capture)"
    assert profile_words(profile) == whole
    assert profile_words(profile, sites(("a.py:1 f", 3, 4))) == f"{whole}; most in a.py:1 f: 3.00 MiB, 75 %"


def test_long_places_lose_folders_and_keep_line_and_function() -> None:
    place = "/usr/lib/python3.11/site-packages/package/some/deeply/nested/folder/module.py:123 function"
    assert shown_place(place) == "package/…/folder/module.py:123 function"
    assert len(shown_place("f" * 500)) <= 52


def test_names_from_others_are_only_names(hostile) -> None:
    table = sites_table(sites((f"{hostile} token=abc123def", 3, 4)))
    for form in (str(table), table._repr_html_()):
        assert "\x1b" not in form
        assert "\u202e" not in form
        assert "abc123def" not in form
        assert "<img" not in table._repr_html_()
    assert isinstance(difference_table(difference((hostile, 1, 2, "certain")))._repr_html_(), str)


def test_how_sure_in_a_sentence() -> None:
    assert certainty_words("one run each").startswith("one run each: not known")
    assert certainty_words("x\n") == "x\\n"


def test_an_empty_frame_is_a_heading() -> None:
    assert str(sites_table(SITES.empty())).startswith("place  itself")
    assert isinstance(sites_table(SITES.empty(), sources={}).rows, list)
    assert pl.DataFrame(compare_json(DIFFERENCE.empty())["sites"]).is_empty()
