"""Nearly everything was given back, and hardly any memory with it: a block here and there keeps its page.

Small objects live in the arenas of Python's own allocator, records of 2 kB in the heap of the C library. Both keep what
lies around the few that are still in use.
"""

_RECORD = 2_000
_SMALL = 64  # bytes of an empty list, about: what of it the collector needs included
_KEEP_SMALL, _KEEP_RECORD = 50, 20  # one of so many stays

_KEPT: list[object] = []


def hold(size: int) -> str:
    """What is held? Of `size` bytes in small objects, and as many in records, a few per cent."""
    small: list[object] = [[] for _ in range(size // _SMALL)]
    records: list[object] = [bytearray(_RECORD) for _ in range(size // _RECORD)]
    _KEPT.extend(small[::_KEEP_SMALL])
    _KEPT.extend(records[::_KEEP_RECORD])
    return f"{len(_KEPT)} of {len(small) + len(records)} objects"
