"""Where a page of each kind of mapping is counted; the parts of a mapping sum to what of it is there."""

from __future__ import annotations

import pytest

from diagtools.analyse.ledger_parts import Part, parts
from diagtools.frames import CLAIMS
from tests.analyse.test_ledger import MIB, PAGE, claims, mappings


def sizes(*rows: dict[str, object]) -> dict[Part, int]:
    """The resident bytes of each part of these mappings, in pages."""
    found = parts(mappings(*rows), CLAIMS.empty())
    return {part: size // PAGE for part, size in found.sizes.items() if size}


def of(rss: int, anon: int = 0, dirty: int = 0, **more: object) -> dict[str, object]:
    """A mapping of which so many pages are there."""
    return {"rss_bytes": rss * PAGE, "anon_bytes": anon * PAGE, "dirty_bytes": dirty * PAGE, **more}


def test_a_file_with_code_is_code_in_all_of_its_mappings() -> None:
    library = {"inode": 7, "device": "fe:00", "name": "/lib/x.so"}
    found = sizes(
        of(10, **library, perms="r--p"),
        of(20, **library, perms="r-xp"),
        of(5, 3, 3, **library, perms="rw-p"),
        of(8, inode=7, device="fe:01", name="/lib/x.so", perms="r--p"),
    )
    assert found == {Part.CODE: 32, Part.COPIED: 3, Part.DATA: 8}


def test_pages_of_data_that_are_dirty_and_not_copied_have_to_be_written() -> None:
    data = {"inode": 8, "name": "/data.bin"}
    assert sizes(of(100, 10, 40, **data)) == {Part.COPIED: 10, Part.UNWRITTEN: 30, Part.DATA: 60}


@pytest.mark.parametrize(
    "name", ["/dev/shm/a", "/memfd:x (deleted)", "/dev/zero (deleted)", "/SYSV00000000 (deleted)"]
)
def test_memory_with_the_name_of_a_file_is_shared(name: str) -> None:
    assert sizes(of(10, 2, inode=9, name=name)) == {Part.SHARED: 8, Part.COPIED: 2}


def test_a_file_of_a_file_system_in_memory_is_shared() -> None:
    assert sizes(of(10, inode=9, name="/run/x", in_memory=True)) == {Part.SHARED: 10}


def test_what_the_kernel_names_goes_by_its_name() -> None:
    found = sizes(of(1, name="[heap]"), of(2, name="[stack]"), of(4, name="[vdso]"))
    assert found == {Part.HEAP: 1, Part.STACK: 2, Part.CODE: 4}


def test_a_stack_is_where_a_thread_is_or_was() -> None:
    guard = of(0, perms="---p")
    found = sizes(guard, of(5, n_stacks=1), guard, of(3), of(2))
    # The second has the size of the first and a guard before it: the C library keeps it for the next thread.
    assert found == {Part.STACK: 8, Part.PLAIN: 2}


def test_what_reserves_no_swap_is_an_allocators() -> None:
    at = {"start": 3 << 40, "end": (3 << 40) + MIB}
    assert sizes(of(5, flags="rd wr nr"), of(2, flags="rd wr"), of(4, flags="rd nr", **at)) == {
        Part.UNRESERVED: 5,
        Part.PLAIN: 2,
        Part.MIMALLOC: 4,
    }


def test_claims_are_taken_out_and_the_rest_is_the_mappings() -> None:
    found = parts(
        mappings(of(100)),
        claims(
            (0, "", 100 * PAGE, 100 * PAGE),
            (0, "mmapped", 50 * PAGE, 50 * PAGE),
            (0, "pool", 30 * PAGE, 30 * PAGE),
            (0, "bss", 4 * PAGE, 4 * PAGE),
        ),
    )
    pages = {part: size // PAGE for part, size in found.sizes.items()}
    assert pages == {Part.MMAPPED: 50, Part.POOL: 30, Part.COPIED: 4, Part.PLAIN: 16}


def test_claims_of_more_than_is_there_are_cut() -> None:
    found = parts(
        mappings(of(10)), claims((0, "", 40 * PAGE, 40 * PAGE), (0, "mmapped", 40 * PAGE, 40 * PAGE))
    )
    assert dict(found.sizes) == {Part.MMAPPED: 10 * PAGE}


def test_forked_pages_that_are_shared_count_in_full() -> None:
    found = parts(mappings(of(40)), claims((0, "", 40 * PAGE, 8 * PAGE), (0, "pool", 40 * PAGE, 8 * PAGE)))
    assert (dict(found.sizes), dict(found.bounds)) == ({Part.POOL: 40 * PAGE}, {Part.POOL: 0})


def test_swapped_pages_are_not_in_the_rss() -> None:
    found = parts(mappings(of(10, swap_bytes=30 * PAGE)), CLAIMS.empty())
    assert (found.rss, found.swap) == (10 * PAGE, 30 * PAGE)
