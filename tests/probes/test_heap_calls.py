"""What the C library and the interpreter say, asked without `ctypes`."""

from __future__ import annotations

import sys

import pytest

from diagtools.probes import heap_calls
from diagtools.probes.heap_calls import Calls, arenas, extension, heaps

MALLOC_INFO = b"""\
<malloc version="1">
<heap nr="0">
<sizes>
  <size from="33" to="48" total="480" count="10"/>
  <size from="8193" to="8193" total="16386" count="2"/>
  <unsorted from="5000" to="70000" total="75000" count="2"/>
</sizes>
<total type="fast" count="3" size="96"/>
<total type="rest" count="5" size="200000"/>
<system type="current" size="1000000"/>
<system type="max" size="2000000"/>
<aspace type="total" size="1000000"/>
</heap>
<heap nr="1">
<sizes>
</sizes>
<total type="fast" count="0" size="0"/>
<total type="rest" count="1" size="7"/>
<system type="current" size="135168"/>
</heap>
<total type="fast" count="3" size="96"/>
<total type="rest" count="6" size="200007"/>
<total type="mmap" count="4" size="4000000"/>
<system type="current" size="1135168"/>
</malloc>
"""
DEBUG = b"""\
Small block threshold = 512, in 32 size classes.
# arenas allocated total           =                    9
# arenas highwater mark            =                    7
# arenas allocated current         =                    5
5 arenas * 1048576 bytes/arena     =            5,242,880

# bytes in allocated blocks        =            2,837,024
# bytes in available blocks        =              249,984
0 unused pools * 16384 bytes       =                    0
# bytes lost to pool headers       =               15,312
"""


def test_each_heap_of_glibc_is_told_with_what_is_free_in_it() -> None:
    assert heaps(MALLOC_INFO) == {
        "heaps": [[1_000_000, 96, 200_000], [135_168, 0, 7]],
        "mmapped": [4, 4_000_000],
        "bins": [[8193, 8193, 16_386, 2], [5000, 70_000, 75_000, 2]],
        "small": 480,
    }


def test_pythons_allocator_is_told_by_what_it_prints() -> None:
    assert arenas(DEBUG) == {
        "arenas": 5,
        "arena_bytes": 1 << 20,
        "used_bytes": 2_837_024,
        "available_bytes": 249_984,
        "unused_pool_bytes": 0,
    }
    assert arenas(b"") is None
    assert arenas(b"mimalloc: 3 segments = 4\n") is None


@pytest.mark.parametrize(
    "text", [b'<total type="mmap" count="4"/>', b'<total type="mmap" count="x" size="1"/>']
)
def test_what_glibc_does_not_print_is_refused(text: bytes) -> None:
    with pytest.raises((KeyError, ValueError)):
        heaps(text)


def test_a_block_shows_in_what_malloc_says() -> None:
    calls = Calls()
    assert calls.malloc_is_counted()
    before = heaps(calls.printed("malloc_info", 0))["mmapped"]
    block = calls.call("malloc", 64 << 20)
    after = heaps(calls.printed("malloc_info", 0))["mmapped"]
    calls.call("free", block)
    assert (after[0] - before[0], after[1] - before[1]) == (1, (64 << 20) + 4096)


def test_memory_is_read_and_what_is_not_there_is_zeros() -> None:
    calls = Calls()
    assert calls.can_read()
    block = calls.call("malloc", 3 << 20)
    calls.call("memset", block, ord("a"), 3 << 20)
    addresses = [block + n for n in range(0, 3 << 20, 1000)]
    assert calls.read(addresses, 3) == b"aaa" * len(addresses)
    assert calls.read([block, 8, block + 1, 16, 24], 2) == b"aa\0\0aa\0\0\0\0"
    assert calls.read([], 8) == b""
    assert calls.text_at(block, 3 << 20) == b"a" * (3 << 20)
    calls.call("free", block)


def test_a_function_that_is_not_there_is_no_function() -> None:
    calls = Calls()
    assert calls.address("there_is_no_such_function") == 0
    assert not calls.has("malloc", "there_is_no_such_function")
    assert calls.printed("there_is_no_such_function") == b""


def test_an_extension_is_not_left_where_it_was_not() -> None:
    before = sys.modules.pop("_ctypes", None)
    try:
        assert extension("_ctypes").__name__ == "_ctypes"
        assert "_ctypes" not in sys.modules
    finally:
        if before is not None:
            sys.modules["_ctypes"] = before
    import itertools

    assert extension("itertools") is itertools
    with pytest.raises(ModuleNotFoundError, match="no_such_extension"):
        extension("no_such_extension")


def test_the_library_says_its_name_and_version() -> None:
    name, version = Calls().libc()
    assert name == "glibc"
    assert version[:2] == "2."


def test_whether_malloc_is_counted_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls()
    monkeypatch.setattr(calls, "_given_bytes", lambda: 0)  # as if another allocator had the block
    assert not calls.malloc_is_counted()
    monkeypatch.undo()
    assert not calls.malloc_is_counted()
    assert heap_calls.Calls().malloc_is_counted()
