"""``markers.<pid>.slot``: which markers had each process written last?

They are read beside the log for the marker whose log line found no room, or was not written any more.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from diagtools import mark
from diagtools.errors import DamagedError
from diagtools.read.artefact import read_artefact
from diagtools.read.marker_log import LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotMarker:
    """One marker of a slot; ``name`` is escaped as in the log, ``seq`` counts the markers of its process."""

    seq: int
    t_ns: int
    pid: int
    tid: int
    kind: str
    edge: str
    index: int
    name: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The whole markers of all slots, and the slots in which a marker is not whole, by file name."""

    markers: tuple[SlotMarker, ...]
    damaged: tuple[str, ...]


def read_slots(folder: Path) -> Slots:
    """Which last two markers of each process are whole?"""
    markers: list[SlotMarker] = []
    damaged: list[str] = []
    for path in sorted(folder.glob(mark.SLOT_GLOB)):
        try:
            data = read_artefact(folder, path.name, max_bytes=2 * mark.SLOT_SIZE) or b""
        except DamagedError:
            damaged.append(path.name)
            continue
        slots = [data[at : at + mark.SLOT_SIZE] for at in range(0, len(data), mark.SLOT_SIZE)]
        read = [_marker(slot) for slot in slots if slot.strip(b"\0")]
        markers += [marker for marker in read if marker is not None]
        damaged += [path.name] * (None in read)
    return Slots(markers=tuple(markers), damaged=tuple(damaged))


def _marker(slot: bytes) -> SlotMarker | None:
    if len(slot) < mark.SLOT.size:
        return None
    crc, kind, edge, n_name, seq, t_ns, pid, tid, index = mark.SLOT.unpack_from(slot)
    end = mark.SLOT.size + n_name
    is_whole = end <= len(slot) and zlib.crc32(slot[4:end]) == crc
    is_possible = all(number <= LARGEST for number in (seq, t_ns, pid, tid, index))
    if not is_whole or not is_possible or not seq or kind >= len(mark.KINDS) or edge >= len(mark.EDGES):
        return None
    return SlotMarker(
        seq=seq,
        t_ns=t_ns,
        pid=pid,
        tid=tid,
        kind=mark.KINDS[kind],
        edge=mark.EDGES[edge],
        index=index,
        name=slot[mark.SLOT.size : end],
    )
