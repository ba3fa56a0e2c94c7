"""The parts sum exactly to the RSS; what is known to be held is found where it belongs."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.ledger import Component, at_snapshot, highest, ledger, ledger_difference
from diagtools.errors import NoDataError, UsageError
from diagtools.frames import CLAIMS, LEDGER, LEDGER_SNAPSHOTS, MAPPINGS, POOLS
from tests.support.ledgers import (
    ARRAYS,
    DEEP,
    FILES,
    FRAGMENTED,
    MIB,
    POLARS,
    THREADS,
    Taken,
    assert_explained,
    taken,
)

PAGE = 4096
C = ("C used", "C free", "C mmapped")
PYTHON = ("Python used", "Python retained", "Python arena slack")


def assert_all_explained(found: Taken, *but: str) -> None:
    for label in found.files.snapshots["label"]:
        if label not in but:
            assert_explained(found, label)


# --- programs whose memory is known ------------------------------------------------------------------------


def test_arrays_count_as_far_as_they_were_touched() -> None:
    # Without the tunable, the first large block that is freed has the next ones come from the heap.
    found = taken(ARRAYS, GLIBC_TUNABLES="glibc.malloc.mmap_threshold=131072")
    assert_all_explained(found)
    labels = found.files.snapshots["label"].to_list()
    grew = [found.grew_mib(before, after, "C mmapped") for before, after in pairwise(labels)]
    # numpy asks for huge pages: what is touched may be 2 MiB more at either end.
    assert grew == pytest.approx([64, 0, 32, 0, 200 * 30_000 * 8 / MIB], abs=4)
    snapshots = found.files.snapshots
    assert snapshots["c_mmapped_bytes"].max() > (64 + 512 + 256 + 128) * MIB, (
        "what C counts is not what is there"
    )


def test_what_both_allocators_keep_free_is_told_apart() -> None:
    found = taken(FRAGMENTED)
    assert_all_explained(found)
    freed = 50_000 * 0.95 * 2096 / MIB  # 2,048 bytes and Python's 33 in the C library's blocks of 16
    assert found.grew_mib("blocks", "blocks freed", "C free") == pytest.approx(freed, rel=0.03)
    assert found.grew_mib("blocks", "blocks freed", "C used") == pytest.approx(-freed, rel=0.03)
    lists = 600_000 * (64 + 16 + 32) / MIB
    assert found.grew_mib("blocks freed", "objects", "Python used") == pytest.approx(lists, rel=0.03)
    assert found.grew_mib("objects", "objects freed", "Python used") == pytest.approx(-0.98 * lists, rel=0.03)
    kept = found.grew_mib("objects", "objects freed", "Python retained", "Python arena slack")
    assert kept > 0.85 * lists  # a list every 50 keeps nearly all pools, and all arenas


def test_blocks_of_six_threads_are_found_in_their_arenas() -> None:
    found = taken(THREADS)
    assert_all_explained(found)
    held = 6 * 2000 * 3040 / MIB
    assert found.grew_mib("begin", "threads", "C used") == pytest.approx(held, rel=0.1)
    assert found.mib("threads", "stacks") > found.mib("begin", "stacks")


def test_pages_of_files_are_told_apart_by_who_may_drop_them() -> None:
    found = taken(FILES)
    assert_all_explained(found, "raw: 64 MiB")
    if found.files.mappings.filter(pl.col("name").str.contains("data.bin"))["in_memory"].any():
        pytest.skip("temporary files lie in memory here")
    about = {"abs": 0.5}
    assert found.grew_mib("begin", "read: 48 MiB", "file data") == pytest.approx(48, **about)
    copied = ("read: 48 MiB", "copied: 16 MiB")
    assert found.grew_mib(*copied, "copy-on-write") == pytest.approx(16, **about)
    shared = ("copied: 16 MiB", "shared: 24 MiB")
    assert found.grew_mib(*shared, "shared memory") == pytest.approx(24, **about)
    assert found.mib("unwritten: 48 MiB", "unwritten file data") == pytest.approx(48, **about)


def test_a_mapping_of_the_program_itself_is_unexplained() -> None:
    found = taken(FILES)
    assert found.grew_mib("shared: 24 MiB", "raw: 64 MiB", "unexplained") == pytest.approx(64, abs=0.5)


def test_stacks_of_threads_are_found_by_their_threads() -> None:
    found = taken(DEEP)
    assert_all_explained(found)
    # 60,000 calls deep, two C functions each.
    assert found.grew_mib("begin", "deep", "stacks") > 60_000 * 2 * 64 / MIB


def test_polars_allocator_is_a_row_with_its_bound() -> None:
    found = taken(POLARS)
    assert_all_explained(found)
    size = int(found.stdout) / MIB
    assert size == pytest.approx(64, abs=0.1)
    grew = found.grew_mib("begin", "frame: 64 MiB", "polars' allocator")
    assert size <= grew < 3 * size
    row = found.of("frame: 64 MiB").filter(pl.col("component") == "polars' allocator").row(0, named=True)
    assert (row["source"], row["bound_bytes"]) == ("bound", row["bytes"])


def test_pyarrows_pool_is_what_it_holds_and_what_is_kept_for_it() -> None:
    pytest.importorskip("pyarrow")
    found = taken(
        """
        import pyarrow
        arrays = [pyarrow.array(range(100_000)) for _ in range(60)]
        snapshot("full")
        del arrays[6:]
        snapshot("freed")
        """
    )
    assert_all_explained(found)
    assert found.mib("full", "pyarrow pool used") == pytest.approx(60 * 0.8, rel=0.1)
    assert found.mib("freed", "pyarrow pool used") == pytest.approx(6 * 0.8, rel=0.1)
    assert found.mib("freed", "pyarrow pool used", "pyarrow pool kept") > 40


# --- what reduces the claims -------------------------------------------------------------------------------


def test_without_pythons_allocator_objects_are_among_what_c_holds() -> None:
    found = taken(FRAGMENTED, PYTHONMALLOC="malloc")
    assert_all_explained(found)
    assert found.mib("objects", *PYTHON) == 0
    # Blocks of at least 64 bytes for the list, 32 for its item and 32 for the number.
    assert found.grew_mib("blocks freed", "objects", "C used") > 600_000 * (64 + 32 + 32) / MIB


def test_with_huge_pages_the_parts_still_sum() -> None:
    found = taken(FRAGMENTED, GLIBC_TUNABLES="glibc.malloc.hugetlb=1")
    for label in found.files.snapshots["label"]:
        assert found.of(label)["bytes"].sum() == round(found.rss_mib(label) * MIB)
        assert found.mib(label, "unexplained") <= max(0.02 * found.rss_mib(label), 4)  # two huge pages


def test_what_huge_pages_add_untouched_bounds_what_is_unexplained() -> None:
    found = taken(
        """
        import mmap
        snapshot("begin")
        raw = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        raw.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, 64 << 20, 2 << 20):
            raw[at] = 1
        snapshot("a byte in each 2 MiB")
        """
    )
    label = "a byte in each 2 MiB"
    snapshot = found.files.snapshots.filter(pl.col("label") == label)
    mapped = at_snapshot(found.files.mappings, pid=snapshot["pid"].item(), index=snapshot["index"].item())
    huge = mapped["huge_bytes"].sum() / MIB
    if not huge:
        pytest.skip("this kernel gives no huge pages")
    row = found.of(label).filter(pl.col("component") == "unexplained").row(0, named=True)
    assert huge - 1 <= row["bound_bytes"] / MIB <= row["bytes"] / MIB
    assert row["bytes"] / MIB == pytest.approx(huge, abs=2)


MALLOC = """
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
static char *at, *end;
void *malloc(size_t size) {
    size = (size + 31) & ~(size_t)15;
    if (at + size > end) {
        size_t more = size > (64 << 20) ? size : (64 << 20);
        at = mmap(0, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        end = at + more;
    }
    size_t *block = __sync_fetch_and_add((size_t *)&at, size);
    block[0] = size - 16;
    return block + 2;
}
void free(void *block) {}
void *calloc(size_t n, size_t size) { void *b = malloc(n * size); return memset(b, 0, n * size); }
void *realloc(void *old, size_t size) {
    if (old && ((size_t *)old)[-2] >= size) return old;
    void *b = malloc(size);
    if (old) memcpy(b, old, ((size_t *)old)[-2]);
    return b;
}
"""


@pytest.fixture(scope="module")
def other_malloc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that brings its own malloc, to be preloaded: it never gives anything back."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("malloc")
    (folder / "other.c").write_text(
        MALLOC.replace("size_t *block = __sync", "size_t *block = (size_t *)__sync")
    )
    library = folder / "libother.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-w", "-o", library, folder / "other.c"], check=True)
    return library


def test_with_another_malloc_nothing_is_claimed_of_the_c_library(other_malloc: Path) -> None:
    found = taken(FRAGMENTED, LD_PRELOAD=str(other_malloc))
    assert set(found.files.snapshots["malloc"]) == {"libother.so"}
    assert found.files.snapshots["c_system_bytes"].null_count() == 5
    assert_all_explained(found)
    assert found.mib("blocks", *C) == 0
    assert found.grew_mib("begin", "blocks", "other allocators") == pytest.approx(100, rel=0.1)
    assert found.grew_mib("blocks freed", "objects", "Python used") == pytest.approx(64, rel=0.1)


def test_where_pages_were_not_looked_at_what_is_counted_bounds_what_is_there() -> None:
    found = taken(THREADS)
    blind = found.files.snapshots.with_columns(pl.lit(value=False).alias("is_searched"))
    told = ledger(blind, found.files.mappings, CLAIMS.empty(), POOLS.empty())
    assert told["bytes"].sum() == found.ledger["bytes"].sum()
    sizes = dict(told.filter(pl.col("label") == "threads").select("component", "bytes").iter_rows())
    assert sizes["C used"] / MIB == pytest.approx(found.mib("threads", "C used"), abs=0.5)
    assert sizes["Python used"] / MIB == pytest.approx(found.mib("threads", "Python used"), abs=0.5)
    bounds = told.filter(pl.col("component").is_in([*PYTHON, "C mmapped"]))
    assert set(bounds["source"]) == {"bound"}
    assert bounds["bound_bytes"].null_count() == bounds.height


def test_a_c_library_that_does_not_count_leaves_its_heap_untold() -> None:
    found = taken(FRAGMENTED)
    c_columns = [name for name in LEDGER_SNAPSHOTS.columns if name.startswith("c_")]
    as_musl = found.files.snapshots.with_columns(
        pl.lit("").alias("libc"),
        pl.lit("ld-musl-x86_64.so.1").alias("malloc"),
        *[pl.lit(None, dtype=pl.Int64).alias(name) for name in c_columns],
    )
    told = ledger(as_musl, found.files.mappings, found.files.claims, found.files.pools)
    (before, after) = (found.ledger, told)
    sizes = after.group_by("component").agg(pl.col("bytes").sum())
    assert not {"C used", "C free"} & set(sizes["component"])
    c = before.filter(pl.col("component").is_in(["C used", "C free"]))["bytes"].sum()
    assert sizes.filter(pl.col("component") == "C heap")["bytes"].item() == pytest.approx(c, rel=0.01)
    assert after["bytes"].sum() == before["bytes"].sum()


def test_from_outside_private_memory_is_not_told_apart() -> None:
    found = taken(FRAGMENTED)
    outside = found.files.snapshots.with_columns(pl.lit("outside").alias("origin"))
    told = ledger(outside, found.files.mappings, CLAIMS.empty(), POOLS.empty())
    assert told["bytes"].sum() == found.ledger["bytes"].sum()
    assert not set(told["component"]) & {*PYTHON, *C}
    assert told.filter(pl.col("component") == "anonymous memory")["bytes"].max() > 60 * MIB
    assert told.filter(pl.col("component") == "unexplained")["bytes"].max() == 0


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
