"""Blocks, arenas and pools are found by their headers, in memory as a kernel and an allocator would have it."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.probes import heap_pages, heap_walk
from diagtools.probes.heap_walk import Walk

PAGE = 4096
POOL = 16384
BASE = 7 << 40


class Memory:
    """Stands for the memory of a process: pages with the words they begin with, and whether they are there."""

    def __init__(self) -> None:
        self.pages: dict[int, bytes] = {}
        self.shared: set[int] = set()
        self.n_read = 0

    def touch(self, at: int, size: int) -> None:
        for page in range(at, at + size, PAGE):
            self.pages.setdefault(page, bytes(64))

    def block(self, at: int, size: int, there: int | None = None) -> None:
        """A block of glibc with a mapping of its own, of which so many bytes were touched."""
        self.touch(at, size if there is None else there)
        self.pages[at] = struct.pack("<QQ", 0, size | 2).ljust(64, b"\7")

    def pool(self, at: int, arena: int, size_class: int, count: int) -> None:
        """A pool of Python's, touched as a whole."""
        self.touch(at, POOL)
        last = POOL - (size_class + 1) * 16
        header = struct.pack("<Q3QIIII", count, 1, 2, 3, arena, size_class, 48, last)
        self.pages[at] = header.ljust(64, b"\7")

    def arena(self, at: int, size: int) -> None:
        """A heap of a further arena of glibc."""
        self.touch(at, size)
        self.pages[at] = struct.pack("<QQQQ", at + 0x30, 0, size, size).ljust(64, b"\7")

    # What a walk calls.

    def read(self, addresses: Sequence[int], size: int) -> bytes:
        self.n_read += len(addresses)
        assert all(address in self.pages for address in addresses), "a page that is not there was touched"
        return b"".join(self.pages[address][:size] for address in addresses)

    @staticmethod
    def compress(values: Iterable[int], chosen: Iterable[int]) -> Iterable[int]:
        return (value for value, is_chosen in zip(values, chosen, strict=False) if is_chosen)

    def pread(self, _: int, size: int, offset: int) -> bytes:
        first = offset // 8
        entries = (
            0 if page * PAGE not in self.pages else 1 << 63 | (0 if page * PAGE in self.shared else 1 << 56)
            for page in range(first, first + size // 8)
        )
        return b"".join(entry.to_bytes(8, "little") for entry in entries)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    found = Memory()
    monkeypatch.setattr(heap_walk, "os", type("Os", (), {**vars(os), "pread": staticmethod(found.pread)}))
    return found


def walked(memory: Memory, *extents: tuple[int, int], mmapped: int = 0, in_pools: int | None = 0) -> Walk:
    walk = Walk(memory, heap_pages, PAGE, POOL, mmapped_bytes=mmapped, in_pools=in_pools)
    try:
        walk.look([(n, start, end, True) for n, (start, end) in enumerate(extents)], [])
    finally:
        walk.close()
    return walk


def pages_of(walk: Walk) -> dict[tuple[int, str], tuple[int, int]]:
    """By mapping and kind: pages that are there, and those not shared."""
    return {(index, kind): (there, own) for index, kind, _, there, own in walk.claims()}


def test_blocks_that_follow_each_other_are_found_by_a_read_each(memory: Memory) -> None:
    sizes = [40 * PAGE, 40 * PAGE, 100 * PAGE, 33 * PAGE]
    at = BASE
    for size in sizes:
        memory.block(at, size, there=size // 2 // PAGE * PAGE)
        at += size
    walk = walked(memory, (BASE, at), mmapped=sum(sizes))
    assert walk.mmapped == [4, sum(sizes)]
    there = sum(size // 2 // PAGE for size in sizes)
    assert pages_of(walk) == {(0, ""): (there, there), (0, "mmapped"): (there, there)}
    assert memory.n_read < 40


def test_a_block_may_lie_in_several_mappings_and_begin_among_other_memory(memory: Memory) -> None:
    end = BASE + 500 * PAGE
    memory.touch(BASE, 100 * PAGE)  # raw
    memory.block(BASE + 100 * PAGE, 400 * PAGE)
    extents = [(BASE, BASE + 101 * PAGE), (BASE + 101 * PAGE, BASE + 300 * PAGE), (BASE + 300 * PAGE, end)]
    walk = walked(memory, *extents, mmapped=400 * PAGE)
    assert walk.mmapped == [1, 400 * PAGE]
    assert pages_of(walk) == {
        (0, ""): (101, 101),
        (0, "mmapped"): (1, 1),
        (1, ""): (199, 199),
        (1, "mmapped"): (199, 199),
        (2, ""): (200, 200),
        (2, "mmapped"): (200, 200),
    }


def test_a_block_before_one_that_was_found_already_is_not_counted_twice(memory: Memory) -> None:
    memory.pool(BASE, arena=1, size_class=4, count=3)
    memory.block(BASE + POOL, 40 * PAGE, there=8 * PAGE)
    memory.block(BASE + POOL + 40 * PAGE, 40 * PAGE)  # the first page after a gap
    walk = walked(memory, (BASE, BASE + POOL + 80 * PAGE), mmapped=80 * PAGE, in_pools=None)
    assert walk.mmapped == [2, 80 * PAGE]
    assert pages_of(walk)[(0, "mmapped")] == (48, 48)


@pytest.mark.parametrize("before", [0, 1], ids=["plain", "huge pages asked for"])
def test_from_glibc_2_43_on_a_header_leaves_itself_out_of_the_size(memory: Memory, before: int) -> None:
    memory.touch(BASE, 60 * PAGE)
    memory.pages[BASE] = struct.pack("<QQ", before, 60 * PAGE - 16 | 2).ljust(64, b"\7")
    memory.block(BASE + 60 * PAGE, 40 * PAGE)
    walk = walked(memory, (BASE, BASE + 100 * PAGE), mmapped=100 * PAGE)
    assert walk.mmapped == [2, 100 * PAGE]
    assert pages_of(walk)[(0, "mmapped")] == (100, 100)


def test_what_only_looks_like_a_block_is_none(memory: Memory) -> None:
    memory.touch(BASE, 64 * PAGE)
    memory.pages[BASE] = struct.pack("<QQ", 0, 100 * PAGE | 2).ljust(64)  # longer than the mapping
    memory.pages[BASE + PAGE] = struct.pack("<QQ", 1, 10 * PAGE | 2).ljust(
        64
    )  # something before it is in use
    memory.pages[BASE + 2 * PAGE] = struct.pack("<QQ", 0, 10 * PAGE | 1).ljust(64)
    memory.pages[BASE + 3 * PAGE] = struct.pack("<QQ", 0, 2).ljust(64)
    memory.pages[BASE + 4 * PAGE] = struct.pack("<QQ", 0, 10 * PAGE - 32 | 2).ljust(64)
    memory.pages[BASE + 5 * PAGE] = struct.pack("<QQ", 2, 10 * PAGE - 16 | 2).ljust(64)
    walk = walked(memory, (BASE, BASE + 64 * PAGE), mmapped=1 << 30)
    assert walk.mmapped == [0, 0]


def test_pools_of_an_arena_are_found_with_what_lies_between_them(memory: Memory) -> None:
    for n in range(60):
        if n != 31:
            memory.pool(BASE + n * POOL, arena=3, size_class=n % 32, count=5)
    memory.touch(BASE + 31 * POOL, POOL)  # touched, and nothing in it
    walk = walked(memory, (BASE, BASE + (1 << 20)), in_pools=50 * POOL)
    assert pages_of(walk)[(0, "pool")] == (240, 240)


def test_a_single_pool_among_other_memory_is_searched_for_while_it_is_missing(memory: Memory) -> None:
    memory.touch(BASE, 4 << 20)
    for n in range(101, 121):
        memory.pool(BASE + n * POOL, arena=n, size_class=2, count=9)
    walk = walked(memory, (BASE, BASE + (4 << 20)), in_pools=20 * POOL)
    assert pages_of(walk)[(0, "pool")] == (80, 80)


def test_where_nothing_counts_the_pools_do(memory: Memory) -> None:
    memory.pool(BASE, arena=0, size_class=3, count=10)
    memory.pool(BASE + POOL, arena=0, size_class=3, count=0)
    walk = walked(memory, (BASE, BASE + (1 << 20)), in_pools=None)
    room = (POOL - 48) // 64
    assert walk.pools == {"used_bytes": 640, "available_bytes": (room - 10) * 64}
    assert pages_of(walk)[(0, "pool")] == (8, 8)


def test_an_arena_of_glibc_is_its_whole_heap(memory: Memory) -> None:
    start = -(-BASE // (64 << 20)) * (64 << 20)
    memory.arena(start, 50 * PAGE)
    memory.touch(start + 50 * PAGE, 10 * PAGE)
    walk = walked(memory, (start, start + 60 * PAGE))
    assert pages_of(walk) == {(0, ""): (60, 60), (0, "arena"): (50, 50)}


def test_pages_that_others_share_are_told(memory: Memory) -> None:
    memory.block(BASE, 40 * PAGE)
    memory.shared = {BASE + n * PAGE for n in range(10)}
    walk = walked(memory, (BASE, BASE + 40 * PAGE), mmapped=40 * PAGE)
    assert pages_of(walk)[(0, "mmapped")] == (40, 30)


def test_pages_that_are_not_there_are_not_touched(memory: Memory) -> None:
    memory.touch(BASE + 5 * PAGE, 3 * PAGE)
    walk = walked(memory, (BASE, BASE + (80 << 20)), mmapped=1 << 30, in_pools=1 << 30)
    assert pages_of(walk) == {(0, ""): (3, 3)}


def test_memory_that_is_zero_at_first_is_its_librarys(memory: Memory) -> None:
    memory.touch(BASE, 20 * PAGE)
    walk = Walk(memory, heap_pages, PAGE, POOL, mmapped_bytes=0, in_pools=0)
    walk.look(
        [(0, BASE, BASE + 20 * PAGE, True)],
        [(BASE - PAGE, BASE + 4 * PAGE), (BASE + (1 << 30), BASE + (2 << 30))],
    )
    walk.close()
    assert pages_of(walk) == {(0, ""): (20, 20), (0, "bss"): (4, 4)}


@given(
    st.lists(
        st.tuples(st.sampled_from(["block", "raw", "gap", "pool"]), st.integers(1, 80), st.integers(0, 80)),
        max_size=12,
    )
)
def test_whatever_lies_there_no_page_is_claimed_twice(pieces: list[tuple[str, int, int]]) -> None:
    memory, at, total = Memory(), BASE, 0
    for kind, size, there in pieces:
        n_bytes = size * PAGE
        if kind == "block":
            memory.block(at, n_bytes, there=min(n_bytes, max(1, there) * PAGE))
            total += n_bytes
        elif kind == "raw":
            memory.touch(at, n_bytes)
        elif kind == "pool":
            at, n_bytes = -(-at // POOL) * POOL, POOL
            memory.pool(at, arena=1, size_class=there % 32, count=size)
        at += n_bytes
    plain = heap_walk.os
    heap_walk.os = type("Os", (), {**vars(os), "pread": staticmethod(memory.pread)})  # type: ignore[assignment]
    try:
        walk = walked(memory, (BASE, max(at, BASE + PAGE)), mmapped=total, in_pools=None)
    finally:
        heap_walk.os = plain
    found = pages_of(walk)
    assert walk.mmapped[1] <= total
    there, own = found.pop((0, ""))
    assert there == own == len(memory.pages)
    assert sum(pages for pages, _ in found.values()) <= there
    blocks = sum(min(size, max(1, touched)) for kind, size, touched in pieces if kind == "block")
    assert found.get((0, "mmapped"), (0, 0))[0] <= blocks
