"""Which records of a recording are whole?

Every record carries its own CRC-32 and stands 64 bytes after the one before it.  Where bytes were flipped,
inserted or removed, the next record whose CRC fits is looked for at any offset: with a known kind and
flags besides, a chance hit is one in 10¹³ bytes.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

from diagtools.probes import records

#: Where a record may begin, 4 bytes on: a known kind, then known flags.  Zero width, so that hits may overlap.
_KIND_AND_FLAGS = re.compile(rb"(?=[\x01-\x07][\x00\x01])")
_KIND_OFFSET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """The whole records of one file, joined, and the bytes between them that are none.

    ``inner_bytes`` holds the length of each stretch before the last whole record, ``tail_bytes`` what
    follows it.  ``len(whole) + sum(inner_bytes) + tail_bytes`` is the size of the file.
    """

    whole: bytes
    inner_bytes: tuple[int, ...]
    tail_bytes: int


def salvage(data: bytes) -> Salvaged:
    """Which 64-byte records of these bytes are as they were written?"""
    runs: list[memoryview] = []
    inner: list[int] = []
    view = memoryview(data)
    position = 0
    while True:
        end = _end_of_run(view, position)
        runs.append(view[position:end])
        found = _next_whole(data, end)
        if found is None:
            return Salvaged(whole=b"".join(runs), inner_bytes=tuple(inner), tail_bytes=len(data) - end)
        inner.append(found - end)
        position = found


def _end_of_run(view: memoryview, start: int) -> int:
    """Where do the whole records that follow each other from ``start`` end?"""
    n_left = (len(view) - start) // records.SIZE
    stop = start + n_left * records.SIZE
    stored = struct.Struct("<I").unpack_from
    crc, size = zlib.crc32, records.SIZE
    broken = (at for at in range(start, stop, size) if crc(view[at + 4 : at + size]) != stored(view, at)[0])
    return next(broken, stop)


def _next_whole(data: bytes, broken: int) -> int | None:
    """Where does the next whole record after the broken one begin?  The same raster is tried first."""
    aligned = broken + records.SIZE
    if records.is_whole(data[aligned : aligned + records.SIZE]):
        return aligned
    for match in _KIND_AND_FLAGS.finditer(data, broken + 1 + _KIND_OFFSET):
        at = match.start() - _KIND_OFFSET
        if records.is_whole(data[at : at + records.SIZE]):
            return at
    return None
