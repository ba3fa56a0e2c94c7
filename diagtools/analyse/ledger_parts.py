"""Whose are the resident pages of each mapping, as far as the kernel and the headers in memory say?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

import polars as pl

_SHARED_NAMES = ("/dev/shm/", "/memfd:", "/dev/zero", "/SYSV", "/anon_hugepage")
_STACK_NAMES = ("[stack", "[anon: glibc: pthread stack")
#: mimalloc asks for addresses from 2 to 30 TiB (``mi_os_get_aligned_hint``), where the kernel puts nothing by itself.
_MIMALLOC_FIRST, _MIMALLOC_LAST = 2 << 40, 30 << 40
_NO_SWAP = "nr"  # MAP_NORESERVE: what allocators map and the C library's stacks and arrays do not


class Part(StrEnum):
    """Where a page may lie."""

    CODE = "code"
    DATA = "data"
    UNWRITTEN = "unwritten"
    COPIED = "copied"
    SHARED = "shared"
    STACK = "stack"
    HEAP = "heap"
    ARENA = "arena"
    MMAPPED = "mmapped"
    POOL = "pool"
    MIMALLOC = "mimalloc"
    UNRESERVED = "unreserved"
    PLAIN = "plain"


_CLAIMED = {"mmapped": Part.MMAPPED, "arena": Part.ARENA, "pool": Part.POOL, "bss": Part.COPIED}


@dataclass(slots=True)
class Parts:
    """The resident bytes of each part, and by how much that may be wrong."""

    rss: int = 0
    swap: int = 0
    sizes: dict[Part, int] = field(default_factory=lambda: defaultdict(int))
    bounds: dict[Part, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, part: Part, size: int, bound: int = 0) -> None:
        """``size`` bytes more."""
        if size:
            self.sizes[part] += size
            self.bounds[part] += bound


def parts(mappings: pl.DataFrame, claims: pl.DataFrame) -> Parts:
    """Where does each resident page of one snapshot lie?  The sizes sum to its RSS.

    ``mappings`` is MAPPINGS and ``claims`` CLAIMS of that snapshot.
    """
    found = Parts()
    rows = mappings.sort("mapping").rows(named=True)
    claimed = _claims_by_mapping(claims)
    known = _Known.of(rows)
    for row in rows:
        found.rss += row["rss_bytes"]
        found.swap += row["swap_bytes"]
        for part, size, bound in _split(row, claimed.get(row["mapping"], {}), known):
            found.add(part, size, bound)
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What the mappings tell of each other: files with code, and the sizes and places of stacks."""

    code: frozenset[tuple[str, int]]
    stack_sizes: frozenset[int]
    guarded: frozenset[int]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> _Known:
        guarded = {
            after["mapping"]
            for before, after in pairwise(rows)
            if before["perms"] == "---p" and not before["inode"] and before["end"] == after["start"]
        }
        return cls(
            code=frozenset((row["device"], row["inode"]) for row in rows if "x" in row["perms"]),
            stack_sizes=frozenset(
                row["end"] - row["start"] for row in rows if row["n_stacks"] and row["mapping"] in guarded
            ),
            guarded=frozenset(guarded),
        )

    def is_stack(self, row: Mapping[str, Any]) -> bool:
        """Is a thread in it, or was one: is it as large, behind a guard?  The C library keeps stacks for later."""
        was_one = row["mapping"] in self.guarded and row["end"] - row["start"] in self.stack_sizes
        return bool(row["n_stacks"]) or was_one


def _split(
    row: Mapping[str, Any], claims: Mapping[str, tuple[int, int]], known: _Known
) -> Iterator[tuple[Part, int, int]]:
    name, rss, anon = row["name"], row["rss_bytes"], row["anon_bytes"]
    if name.startswith(_STACK_NAMES):
        yield Part.STACK, rss, 0
    elif name == "[heap]":
        yield Part.HEAP, rss, 0
    elif name.startswith("[") and not name.startswith("[anon"):
        yield Part.CODE, rss, 0  # the kernel's own, a few pages
    elif row["in_memory"] or name.startswith(_SHARED_NAMES):
        yield Part.SHARED, rss - anon, 0
        yield Part.COPIED, anon, 0
    elif row["inode"]:
        yield Part.COPIED, anon, 0
        if (row["device"], row["inode"]) in known.code:
            yield Part.CODE, rss - anon, 0
        else:
            unwritten = min(max(row["dirty_bytes"] - anon, 0), rss - anon)
            yield Part.UNWRITTEN, unwritten, 0
            yield Part.DATA, rss - anon - unwritten, 0
    else:
        yield from _anonymous(row, claims, known)


def _anonymous(
    row: Mapping[str, Any], claims: Mapping[str, tuple[int, int]], known: _Known
) -> Iterator[tuple[Part, int, int]]:
    left = row["rss_bytes"]
    for kind, size, bound in _resident(left, claims):
        taken = min(size, left)
        yield _CLAIMED[kind], taken, bound
        left -= taken
    if known.is_stack(row):
        yield Part.STACK, left, 0
    elif _NO_SWAP not in row["flags"].split():
        yield Part.PLAIN, left, min(left, row["huge_bytes"])  # the rest of a page of 2 MiB is there untouched
    elif _MIMALLOC_FIRST <= row["start"] < _MIMALLOC_LAST:
        yield Part.MIMALLOC, left, 0
    else:
        yield Part.UNRESERVED, left, 0


def _resident(rss: int, claims: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """How much of each claim counts in RSS, and by how much may that be wrong?

    A page of zeros that was only read is there, but is not counted in RSS.  It is one of those that are shared; where
    not all of these are pages of zeros, each claim has its share of them.
    """
    present, own = claims.get("", (0, 0))
    shared = present - own
    zeros = min(max(0, present - rss), shared)
    for kind, (there, alone) in claims.items():
        if kind and shared:
            some = there - alone
            yield kind, there - some * zeros // shared, min(some, zeros, shared - zeros)
        elif kind:
            yield kind, there, 0


def _claims_by_mapping(claims: pl.DataFrame) -> dict[int, dict[str, tuple[int, int]]]:
    found: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    columns = claims.select("mapping", "kind", "present_bytes", "own_bytes")
    for mapping, kind, present, own in columns.iter_rows():
        found[mapping][kind] = (present, own)
    return found
