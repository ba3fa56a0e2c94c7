"""Programs whose memory is known: what they hold is found where it belongs, also where less can be told."""

from __future__ import annotations

import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from diagtools.analyse.ledger import at_snapshot, ledger
from diagtools.frames import CLAIMS, LEDGER_SNAPSHOTS, POOLS
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
    used = told.filter((pl.col("label") == "threads") & (pl.col("component") == "C used")).row(0, named=True)
    off = abs(used["bytes"] / MIB - found.mib("threads", "C used"))
    assert off <= 0.5 + used["bound_bytes"] / MIB <= 3
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
