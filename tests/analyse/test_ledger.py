"""The parts sum exactly to the RSS: figures worked out by hand, and differences."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.ledger import Component, at_snapshot, highest, ledger, ledger_difference
from diagtools.errors import NoDataError, UsageError
from diagtools.frames import CLAIMS, LEDGER, LEDGER_SNAPSHOTS, MAPPINGS, POOLS
from tests.support.ledgers import FILES, MIB, taken

PAGE = 4096


# --- figures worked out by hand ----------------------------------------------------------------------------


def snapshot(**values: object) -> pl.DataFrame:
    """LEDGER_SNAPSHOTS of one row."""
    plain: dict[str, object] = dict.fromkeys(LEDGER_SNAPSHOTS.columns)
    plain |= {"t_s": 1.0, "pid": 1, "index": 0, "moment": "exit", "label": "", "origin": "inside"}
    plain |= {"libc": "glibc", "libc_version": "2.36", "malloc": "libc.so.6", "page_bytes": PAGE}
    plain |= dict.fromkeys(("c_system_bytes", "c_free_bytes", "c_mmapped_bytes", "c_found_bytes"), 0)
    plain |= {"is_searched": True, "libraries": [], "missing": []}
    return LEDGER_SNAPSHOTS.from_columns({name: [value] for name, value in {**plain, **values}.items()})


def mappings(*rows: dict[str, object]) -> pl.DataFrame:
    """MAPPINGS of one snapshot; each is 1 MiB, one after the other, unless said otherwise."""
    plain = {"pid": 1, "index": 0, "perms": "rw-p", "device": "00:00", "inode": 0, "name": "", "flags": ""}
    plain |= {"in_memory": False, "n_stacks": 0, "rss_bytes": 0, "anon_bytes": 0}
    plain |= {"dirty_bytes": 0, "huge_bytes": 0, "swap_bytes": 0}
    found = [
        {**plain, "mapping": n, "start": (n + 1) << 20, "end": (n + 2) << 20, **row}
        for n, row in enumerate(rows)
    ]
    return MAPPINGS.check(pl.DataFrame(found, schema=MAPPINGS.columns))


def claims(*rows: tuple[int, str, int, int]) -> pl.DataFrame:
    """CLAIMS of one snapshot: mapping, kind, bytes there, bytes there and not shared."""
    return CLAIMS.from_columns(
        {
            "pid": [1] * len(rows),
            "index": [0] * len(rows),
            "mapping": [row[0] for row in rows],
            "kind": [row[1] for row in rows],
            "size_bytes": [MIB] * len(rows),
            "present_bytes": [row[2] for row in rows],
            "own_bytes": [row[3] for row in rows],
        }
    )


def told(
    snapshots: pl.DataFrame, mapped: pl.DataFrame, claimed: pl.DataFrame, pools: pl.DataFrame
) -> dict[str, int]:
    found = ledger(snapshots, mapped, claimed, pools)
    assert found["bytes"].sum() == mapped["rss_bytes"].sum()
    return dict(found.select("component", "bytes").iter_rows())


def test_the_c_librarys_heap_is_what_it_counts_as_used_and_the_rest_that_is_there() -> None:
    heap = mappings({"name": "[heap]", "rss_bytes": 900_000, "anon_bytes": 900_000})
    counted = {"c_system_bytes": 1_000_000, "c_free_bytes": 700_000, "c_mmapped_bytes": 0, "c_found_bytes": 0}
    found = ledger(snapshot(**counted), heap, CLAIMS.empty(), POOLS.empty())
    assert found.select("component", "bytes", "bound_bytes").rows() == [
        ("C used", 300_000, 100_000),  # 100,000 are not there: taken for free ones
        ("C free", 600_000, 100_000),
        ("unexplained", 0, 0),
    ]


def test_pythons_arenas_are_what_is_used_what_is_free_beside_it_and_the_rest() -> None:
    arena = mappings({"rss_bytes": 100 * PAGE, "anon_bytes": 100 * PAGE})
    counted = snapshot(python_used_bytes=40 * PAGE, python_available_bytes=50 * PAGE, python_arena_bytes=MIB)
    claimed = claims((0, "", 100 * PAGE, 100 * PAGE), (0, "pool", 96 * PAGE, 96 * PAGE))
    assert told(counted, arena, claimed, POOLS.empty()) == {
        "Python used": 40 * PAGE,
        "Python retained": 50 * PAGE,
        "Python arena slack": 6 * PAGE,
        "unexplained": 4 * PAGE,
    }


def test_pages_of_zeros_that_were_only_read_are_not_counted() -> None:
    # 100 pages are there, 60 of them this process's own, and RSS counts 70: 30 of the other 40 are pages of zeros.
    array = mappings({"rss_bytes": 70 * PAGE, "anon_bytes": 70 * PAGE})
    claimed = claims((0, "", 100 * PAGE, 60 * PAGE), (0, "mmapped", 80 * PAGE, 60 * PAGE))
    found = ledger(snapshot(), array, claimed, POOLS.empty())
    assert found.select("component", "bytes", "bound_bytes").rows() == [
        ("C mmapped", 65 * PAGE, 10 * PAGE),  # of its 20 shared pages, 20 × 30 / 40 are taken for zeros
        ("unexplained", 5 * PAGE, 0),
    ]


def test_what_is_kept_for_pyarrow_is_what_its_allocator_mapped() -> None:
    mimalloc = {"start": 3 << 40, "end": (3 << 40) + (1 << 30), "flags": "rd wr nr", "rss_bytes": 100 * MIB}
    pools = POOLS.from_columns(
        {
            "pid": [1, 1],
            "index": [0, 0],
            "library": ["pyarrow", "pyarrow"],
            "backend": ["mimalloc", "system"],
            "held_bytes": [8 * MIB, 500 * MIB],
            "peak_bytes": [90 * MIB, 500 * MIB],
        }
    )
    assert told(snapshot(), mappings(mimalloc), CLAIMS.empty(), pools) == {
        "pyarrow pool used": 8 * MIB,
        "pyarrow pool kept": 92 * MIB,
        "unexplained": 0,
    }


def test_polars_has_what_is_not_pyarrows() -> None:
    mimalloc = {"start": 3 << 40, "end": (3 << 40) + (1 << 30), "flags": "rd wr nr", "rss_bytes": 100 * MIB}
    high = {"start": 90 << 40, "end": (90 << 40) + (1 << 30), "flags": "rd wr nr", "rss_bytes": 30 * MIB}
    pool = {"pid": [1], "index": [0], "library": ["pyarrow"], "backend": ["mimalloc"]}
    pools = POOLS.from_columns({**pool, "held_bytes": [8 * MIB], "peak_bytes": [9 * MIB]})
    both = snapshot(libraries=["polars", "pyarrow"])
    assert told(both, mappings(mimalloc, high), CLAIMS.empty(), pools) == {
        "pyarrow pool used": 8 * MIB,
        "pyarrow pool kept": 92 * MIB,
        "polars' allocator": 30 * MIB,
        "unexplained": 0,
    }


def test_a_block_that_c_counts_and_nobody_found_bounds_what_is_unexplained() -> None:
    raw = mappings({"rss_bytes": 50 * PAGE, "anon_bytes": 50 * PAGE})
    counted = snapshot(c_mmapped_bytes=30 * PAGE, c_found_bytes=10 * PAGE)
    found = ledger(counted, raw, CLAIMS.empty(), POOLS.empty())
    assert found.select("component", "bytes", "bound_bytes").rows() == [("unexplained", 50 * PAGE, 20 * PAGE)]


pages = st.integers(0, 255)


@given(
    rows=st.lists(
        st.tuples(
            pages,
            pages,
            st.sampled_from(["", "[heap]", "[stack]", "/lib/x.so", "/memfd:a (deleted)", "/data", "[vdso]"]),
            st.sampled_from(["rw-p", "r-xp", "---p"]),
            st.sampled_from(["", "nr"]),
            st.lists(st.tuples(pages, pages), max_size=4),
        ),
        max_size=8,
    ),
    numbers=st.lists(st.one_of(st.none(), st.integers(0, 3 * MIB)), min_size=7, max_size=7),
    origin=st.sampled_from(["inside", "outside"]),
    searched=st.booleans(),
    held=st.one_of(st.none(), st.integers(0, 3 * MIB)),
)
def test_whatever_is_found_the_parts_sum_to_the_rss_and_none_is_negative(
    rows: list[tuple[int, int, str, str, str, list[tuple[int, int]]]],
    numbers: list[int | None],
    origin: str,
    searched: bool,
    held: int | None,
) -> None:
    mapped = [
        {
            "rss_bytes": rss * PAGE,
            "anon_bytes": min(anon, rss) * PAGE,
            "name": name,
            "perms": perms,
            "flags": flags,
            "inode": int(name.startswith("/")),
        }
        for rss, anon, name, perms, flags, _ in rows
    ]
    claimed = [
        (n, kind, max(each) * PAGE, min(each) * PAGE)
        for n, row in enumerate(rows)
        for kind, each in zip(["", "mmapped", "pool", "arena"], row[5], strict=False)
    ]
    names = ("c_system_bytes", "c_free_bytes", "c_mmapped_bytes", "c_found_bytes")
    names += ("python_arena_bytes", "python_used_bytes", "python_available_bytes")
    values: dict[str, object] = dict(zip(names, numbers, strict=True))
    if values["c_system_bytes"] is None:
        values["c_free_bytes"] = None
    values["c_free_bytes"] = (
        0 if values["c_system_bytes"] is not None and numbers[1] is None else values["c_free_bytes"]
    )
    pools = POOLS.from_columns(
        {
            "pid": [1],
            "index": [0],
            "library": ["pyarrow"],
            "backend": ["mimalloc"],
            "held_bytes": [held],
            "peak_bytes": [None],
        }
    )
    one = mappings(*mapped)
    found = ledger(
        snapshot(origin=origin, is_searched=searched, **values),
        one if rows else mappings({}),
        claims(*claimed),
        POOLS.empty() if held is None else pools,
    )
    assert found["bytes"].sum() == one["rss_bytes"].sum()
    assert found["bytes"].min() >= 0
    assert (found["bound_bytes"].drop_nulls() >= 0).all()
    assert found["component"].n_unique() == found.height
    assert LEDGER.check(found) is found


# --- differences -------------------------------------------------------------------------------------------


def test_a_difference_sums_to_the_change_of_rss_and_to_nothing_of_one_with_itself() -> None:
    found = taken(FILES)
    before, after = found.of("begin"), found.of("shared: 24 MiB")
    change = ledger_difference(before, after)
    assert change["delta_bytes"].sum() == after["bytes"].sum() - before["bytes"].sum()
    assert ledger_difference(before, before)["delta_bytes"].to_list() == [0] * before.height
    back = ledger_difference(after, before)
    assert dict(back.select("component", "delta_bytes").iter_rows()) == {
        component: -delta for component, delta in change.select("component", "delta_bytes").iter_rows()
    }
    order = [str(each) for each in Component]
    assert change["component"].to_list() == sorted(change["component"], key=order.index)


def test_a_difference_takes_one_snapshot_a_side() -> None:
    found = taken(FILES)
    with pytest.raises(UsageError, match="one snapshot a side"):
        ledger_difference(found.ledger, found.of("begin"))


def test_the_highest_is_the_snapshot_at_which_most_was_held() -> None:
    found = taken(FILES)
    top = highest(found.ledger)
    assert top["label"].unique().to_list() == ["raw: 64 MiB"]
    assert at_snapshot(found.ledger, pid=top["pid"][0], index=top["index"][0]).equals(top)


def test_without_snapshots_it_says_how_to_get_some() -> None:
    empty = (LEDGER_SNAPSHOTS.empty(), MAPPINGS.empty(), CLAIMS.empty(), POOLS.empty())
    with pytest.raises(NoDataError, match=r"diagtools record --ledger"):
        ledger(*empty)
    with pytest.raises(NoDataError, match=r"diagtools record --ledger"):
        highest(LEDGER.empty())
