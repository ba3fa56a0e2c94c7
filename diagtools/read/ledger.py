"""``heap.<pid>.<index>.json``: what did the snapshots of a run's processes find?"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.frames import CLAIMS, LEDGER_SNAPSHOTS, MAPPINGS, POOLS
from diagtools.probes import heap, heap_maps, heap_pages, heap_walk
from diagtools.read.artefact import read_artefact
from diagtools.read.fields import Fields
from diagtools.read.smaps import mappings
from diagtools.values import State, Validity

_NAME = re.compile(r"heap\.([0-9]{1,10})\.([0-9]{1,9})\.json")
_MOST_BYTES = 32 << 20  # a process with 65,530 mappings writes 10 MB
_MOST_FILES = 20_000
_SEAL_BYTES = len(heap.SEAL) + len('00000000"}\n')
_MOST_CLAIMS = 5_000_000
#: By the file that is loaded with them.
_LIBRARIES = {
    "onnxruntime": re.compile(r"/onnxruntime[^/]*\.so"),
    "polars": re.compile(r"polars[^/]*\.so"),
    "pyarrow": re.compile(r"/libarrow\.so"),
}
_HINT = "record again; the other snapshots of the run are not affected."


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFiles:
    """What all snapshots of a run found, as frames: LEDGER_SNAPSHOTS, MAPPINGS, CLAIMS and POOLS."""

    snapshots: pl.DataFrame
    mappings: pl.DataFrame
    claims: pl.DataFrame
    pools: pl.DataFrame
    validity: tuple[Validity, ...] = ()


def read_ledgers(folder: Path, start_ns: int) -> LedgerFiles:
    """What did the snapshots of the processes of a run find, in order of time?

    ``start_ns`` is CLOCK_MONOTONIC at the zero of the run.  A file that is damaged is left out, and that is said; the
    frames are empty where there is none.  Raises ``DamagedError`` where there are files and none can be read.
    """
    names = _names(folder)
    parts: list[LedgerFiles] = []
    doubts: list[Validity] = []
    for name in names[:_MOST_FILES]:
        try:
            parts.append(read_ledger(folder, name, start_ns))
        except DamagedError as error:
            doubts.append(Validity(what=name, state=State.SKIPPED, note=error.message))
    if doubts and not parts:
        raise DamagedError(
            f"None of the {len(names)} snapshots in {folder.name!r} can be read. {doubts[0].note}", hint=_HINT
        )
    if len(names) > _MOST_FILES:
        note = f"only the first {_MOST_FILES:,} of {len(names):,} snapshots are read"
        doubts.append(Validity(what="ledger", state=State.TRUNCATED, note=note))
    return LedgerFiles(
        snapshots=_joined(LEDGER_SNAPSHOTS, [part.snapshots for part in parts]).sort("t_s", "pid", "index"),
        mappings=_joined(MAPPINGS, [part.mappings for part in parts]),
        claims=_joined(CLAIMS, [part.claims for part in parts]),
        pools=_joined(POOLS, [part.pools for part in parts]),
        validity=tuple(doubts),
    )


def read_ledger(folder: Path, name: str, start_ns: int) -> LedgerFiles:
    """What did one snapshot find?  ``name`` is that of its file in the folder.  Raises ``DamagedError``."""
    raw = _opened(folder, name)
    fields = Fields(raw)
    pid, index = fields.whole("pid"), fields.whole("index")
    found = _NAME.fullmatch(name)
    if pid is None or index is None or (found and (int(found[1]), int(found[2])) != (pid, index)):
        raise DamagedError(f"{name!r} is not the snapshot that its name says.", hint=_HINT)
    if raw.get("mapping_fields") != list(heap_maps.FIELDS):
        raise DamagedError(f"{name!r} tells other things of a mapping than this version knows.", hint=_HINT)
    mapped = mappings(
        _rows(raw, "mappings"),
        pid=pid,
        index=index,
        memory_devices=fields.text_list("memory_devices"),
        stacks=_numbers(raw.get("stacks")),
    )
    if mapped.is_empty():
        raise DamagedError(f"{name!r} names no mapping: the process had ended.", hint=_HINT)
    claims = _claims(raw, pid, index, mapped.height, fields.whole("page_bytes") or 0)
    return LedgerFiles(
        snapshots=_snapshot(raw, fields, mapped["name"].unique().to_list(), start_ns),
        mappings=mapped,
        claims=claims,
        pools=_pools(fields, pid, index),
        validity=tuple(
            Validity(what=name, state=State.SKIPPED, note=f"{odd} does not hold what it should")
            for odd in fields.odd()
        ),
    )


# --- the file ----------------------------------------------------------------------------------------------


def _names(folder: Path) -> list[str]:
    """The snapshots of the folder, in order of their process and index."""
    matches = [found for found in map(_NAME.fullmatch, _listed(folder)) if found]
    return [found[0] for found in sorted(matches, key=lambda found: (int(found[1]), int(found[2])))]


def _listed(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError as error:
        raise DamagedError(f"{folder.name!r} cannot be listed: {error.strerror}.") from error


def _opened(folder: Path, name: str) -> dict[str, Any]:
    data = read_artefact(folder, name, max_bytes=_MOST_BYTES + 1)
    if data is None:
        raise DamagedError(f"There is no {name!r} in {folder.name!r}.", hint=_HINT)
    if len(data) > _MOST_BYTES:
        raise DamagedError(f"{name!r} is larger than any snapshot: it is not read.", hint=_HINT)
    body, seal = data[:-_SEAL_BYTES], data[-_SEAL_BYTES:]
    if seal != b'%s%08x"}\n' % (heap.SEAL, zlib.crc32(body)):
        raise DamagedError(f"{name!r} is not as it was written: its checksum is wrong.", hint=_HINT)
    try:
        raw = json.loads(body + b"}")
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{name!r} is not JSON.", hint=_HINT) from error
    if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
        raise DamagedError(f"{name!r} is no snapshot.", hint=_HINT)
    if raw["format"] > heap.FORMAT:
        raise DamagedError(
            f"{name!r} has the format {raw['format']}, this version reads up to {heap.FORMAT}.",
            hint="pip install --upgrade diagtools",
        )
    return raw


# --- its parts ---------------------------------------------------------------------------------------------


def _snapshot(raw: dict[str, Any], fields: Fields, names: list[str], start_ns: int) -> pl.DataFrame:
    t_ns = fields.whole("t_ns")
    trim = _numbers(raw.get("trim"))
    row: dict[str, object] = {
        "t_s": None if t_ns is None else (t_ns - start_ns) / 1e9,
        "pid": fields.whole("pid"),
        "index": fields.whole("index"),
        "moment": " ".join(filter(None, [fields.text("kind"), fields.text("edge")])),
        "label": fields.text("label"),
        "origin": fields.text("from"),
        "python": fields.text("python"),
        "libc": fields.text("libc"),
        "libc_version": fields.text("libc_version"),
        "malloc": fields.text("malloc_file").rpartition("/")[2],
        "page_bytes": fields.whole("page_bytes"),
        "is_searched": "claims" in raw,
        **_c(raw, fields),
        **_python(fields),
        "trim_before_bytes": trim[0] if len(trim) == 2 else None,
        "trim_after_bytes": trim[1] if len(trim) == 2 else None,
        "libraries": [library for library, part in _LIBRARIES.items() if any(map(part.search, names))],
        "missing": list(fields.text_list("missing")),
    }
    return LEDGER_SNAPSHOTS.from_columns({name: [value] for name, value in row.items()})


def _c(raw: dict[str, Any], fields: Fields) -> dict[str, object]:
    """What the C library says of itself.  A free block begins and ends within a page: one less of it is whole."""
    names = ("c_system_bytes", "c_free_bytes", "c_whole_bytes", "c_mmapped_bytes", "c_found_bytes")
    malloc = raw.get("malloc")
    if not isinstance(malloc, dict):
        return dict.fromkeys(names)
    heaps, bins = _table(malloc.get("heaps"), 3), _table(malloc.get("bins"), 4)
    mmapped, small = _numbers(malloc.get("mmapped")), _numbers([malloc.get("small")])
    if not heaps or len(mmapped) != 2 or not small:
        fields.reject("malloc")
        return dict.fromkeys(names)
    page = fields.whole("page_bytes") or 4096
    free = sum(fast + rest for _, fast, rest in heaps)
    top = max(0, free - small[0] - sum(total for _, _, total, _ in bins))
    found = _numbers(raw.get("mmapped_found"))
    whole = top + sum(max(0, total - n_blocks * page) for _, _, total, n_blocks in bins)
    values = (sum(heap[0] for heap in heaps), free, whole, mmapped[1], found[1] if len(found) == 2 else None)
    return dict(zip(names, values, strict=True))


def _python(fields: Fields) -> dict[str, object]:
    """What Python's allocator holds, as it says itself; else as its pools say that were found."""
    counted, found = fields.inner("arenas"), fields.inner("pools_found")
    said = counted or (found if found is not None and found.whole("used_bytes") else None)
    arenas = counted.whole("arenas") if counted else None
    size = counted.whole("arena_bytes") if counted else None
    return {
        "python_arena_bytes": None if arenas is None or size is None else arenas * size,
        "python_used_bytes": said.whole("used_bytes") if said else None,
        "python_available_bytes": said.whole("available_bytes") if said else None,
    }


def _claims(raw: dict[str, Any], pid: int, index: int, n_mappings: int, page: int) -> pl.DataFrame:
    rows = _rows(raw, "claims")
    if not rows:
        return CLAIMS.empty()
    if raw.get("claim_fields") != list(heap_walk.CLAIM) or len(rows) > _MOST_CLAIMS:
        raise DamagedError("The claims of a snapshot are other ones than this version knows.", hint=_HINT)
    schema = {name: pl.String() if name == "kind" else pl.Int64() for name in heap_walk.CLAIM}
    try:
        found = pl.DataFrame(rows, schema=schema, orient="row", strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DamagedError("A claim of a snapshot has other fields than it should.", hint=_HINT) from error
    is_wrong = (
        ~pl.col("mapping").is_between(0, n_mappings - 1)
        | ~pl.col("kind").is_in(["", *heap_pages.KINDS])
        | (pl.col("own") < 0)
        | (pl.col("own") > pl.col("present"))
        | (pl.col("present") > pl.col("size") // max(page, 1))
    )
    if found.filter(is_wrong).height or found.select("mapping", "kind").is_duplicated().any():
        raise DamagedError("The claims of a snapshot contradict each other.", hint=_HINT)
    return CLAIMS.check(
        found.select(
            pid=pl.lit(pid, dtype=pl.Int64),
            index=pl.lit(index, dtype=pl.Int64),
            mapping="mapping",
            kind="kind",
            size_bytes="size",
            present_bytes=pl.col("present") * page,
            own_bytes=pl.col("own") * page,
        )
    )


def _pools(fields: Fields, pid: int, index: int) -> pl.DataFrame:
    rows = list(fields.inner_list("pools"))
    return POOLS.from_columns(
        {
            "pid": [pid] * len(rows),
            "index": [index] * len(rows),
            "library": [row.text("library") for row in rows],
            "backend": [row.text("backend") for row in rows],
            "held_bytes": [row.whole("held_bytes") for row in rows],
            "peak_bytes": [row.whole("peak_bytes") for row in rows],
        }
    )


def _rows(raw: dict[str, Any], name: str) -> list[Any]:
    rows = raw.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise DamagedError(f"{name!r} of a snapshot is no table.", hint=_HINT)
    return rows


def _numbers(values: object) -> list[int]:
    """Whole numbers below 2⁶³; none where one of them is something else."""
    if not isinstance(values, list):
        return []
    is_whole = all(type(value) is int and 0 <= value < 2**63 for value in values)
    return values if is_whole else []


def _table(rows: object, width: int) -> list[list[int]]:
    """Rows of as many whole numbers; none where one of them is something else."""
    found = [_numbers(row) for row in rows] if isinstance(rows, list) else []
    return found if all(len(row) == width for row in found) else []


def _joined(frame: frames.Frame, parts: list[pl.DataFrame]) -> pl.DataFrame:
    return frame.check(pl.concat([frame.empty(), *parts]))
