"""Is a memray capture whole?  Told from the file itself, before memray opens it.

memray opens a file that was cut, or in which bits were flipped, without a word and is silently wrong (or is ended by
a signal).  What is looked at: the header, which a capture that was closed has filled in; the LZ4 frame that a closed
capture is packed into, whose blocks and end mark must all be there; and the last byte, memray's own closing mark.

The layout is that of ``records.h`` and ``record_reader.cpp`` in memray (11: 1.15 to 1.18, 12: 1.19, 13: 1.20).  Each
memray opens its own layout alone.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import DamagedError, UsageError
from diagtools.units import format_bytes

MAGIC = b"memray\0"
LZ4_MAGIC = b"\x04\x22\x4d\x18"

_LAYOUT = struct.Struct("<7si")
#: native, aggregated, n_allocations, n_frames, begin and end in ms since the epoch; from 12 on behind Python's version.
_FIGURES = {11: struct.Struct("<11xBBQQqq"), 12: struct.Struct("<15xBBQQqq"), 13: struct.Struct("<15xBBQQqq")}
_MARKED_FROM = 12  # before, the closing mark is no byte of its own
_TRAILERS = b"\x01\x0f"
_CHUNK = 1 << 20
_AGGREGATED = 1
_PIP = (
    "open it with the memray that wrote it, or its exports: `python -m memray flamegraph FILE` and read that."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a capture says of itself.  ``n_records`` is how many allocations a closed capture counted, else 0.

    ``broken`` says in what it is not what its tracker wrote, empty where nothing speaks against it; ``is_closed`` is
    false where its process ended before the tracker did.
    """

    sha256: str
    size_bytes: int
    layout: int
    is_native: bool
    is_aggregated: bool
    is_closed: bool
    n_records: int
    begin_ms: int
    broken: str


def examine(path: Path) -> Evidence:
    """What does this capture say of itself?  Reads it once.  Raises ``DamagedError`` where it is no capture."""
    size = path.stat().st_size
    if size == 0:
        raise DamagedError(
            f"'{path.name}' is empty: an aggregated capture whose process was killed leaves nothing.",
            hint="record without --aggregated: a capture of all allocations survives a kill.",
        )
    digest, first, last, broken = _unpacked(path)
    if broken and not first:
        raise DamagedError(
            f"'{path.name}' begins as a packed capture does, and none of it can be unpacked: it was cut or changed.",
            hint="get it again from where it was recorded, or an export that was made of it.",
        )
    layout, figures = _header(path, first)
    native, aggregated, n_records, _, begin_ms, _ = figures
    is_closed = (
        n_records > 0 or aggregated == _AGGREGATED
    )  # which is written when it is closed, and counts nothing
    if is_closed and layout >= _MARKED_FROM and not broken and last not in _TRAILERS:
        broken = "its closing mark is missing"
    return Evidence(
        sha256=digest,
        size_bytes=size,
        layout=layout,
        is_native=bool(native),
        is_aggregated=aggregated == _AGGREGATED,
        is_closed=is_closed,
        n_records=n_records,
        begin_ms=begin_ms,
        broken=broken,
    )


def _header(path: Path, first: bytes) -> tuple[int, tuple[int, ...]]:
    if not first.startswith(MAGIC) or len(first) < _LAYOUT.size:
        raise DamagedError(
            f"'{path.name}' is not a memray capture, or its beginning is damaged.",
            hint="memray run writes one: `python -m memray run -o FILE app.py`.",
        )
    layout = _LAYOUT.unpack_from(first)[1]
    if layout not in _FIGURES:
        known = ", ".join(map(str, _FIGURES))
        raise UsageError(f"'{path.name}' has memray's layout {layout}; known here: {known}.", hint=_PIP)
    if len(first) < _FIGURES[layout].size:
        raise DamagedError(f"'{path.name}' ends within its header, after {format_bytes(len(first))}.")
    return layout, _FIGURES[layout].unpack_from(first)


def _unpacked(path: Path) -> tuple[str, bytes, bytes, str]:
    """The file's SHA-256, the first bytes of what it holds, the last that is no filling, and what is broken."""
    first, last, held = b"", b"", 0
    digest = hashlib.sha256()
    broken = ""
    with path.open("rb") as file:
        is_packed = file.read(len(LZ4_MAGIC)) == LZ4_MAGIC
        file.seek(0)
        parts = _packed(iter(lambda: file.read(_CHUNK), b""), digest) if is_packed else _plain(file, digest)
        try:
            for part in parts:
                first += part[: 256 - len(first)]
                last = part.rstrip(b"\0")[-1:] or last
                held += len(part)
        except EOFError as error:
            broken = f"after {format_bytes(held)} it {error}"
        for rest in iter(lambda: file.read(_CHUNK), b""):
            digest.update(rest)
    return digest.hexdigest(), first, last, broken


def _plain(file: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for part in iter(lambda: file.read(_CHUNK), b""):  # type: ignore[attr-defined]
        digest.update(part)
        yield part


def _packed(parts: Iterator[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    from lz4 import frame  # here: the other readers do without

    unpacker = frame.LZ4FrameDecompressor()
    for part in parts:
        digest.update(part)
        try:
            yield unpacker.decompress(part)
        except (RuntimeError, EOFError):
            raise EOFError("cannot be unpacked") from None
        if unpacker.unused_data:
            raise EOFError("goes on behind its end mark")
    if not unpacker.eof:
        raise EOFError("ends without its end mark")


def sha256_of(path: Path) -> str:
    """Which SHA-256 has this file?  Raises ``DamagedError`` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DamagedError(
            f"'{path.name}' cannot be read: {error.strerror}.", hint=f"ls -l '{path}'"
        ) from error
