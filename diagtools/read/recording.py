"""Which records does a recording hold, and how many were lost?

A recording is up to three files: the decimated history, the segment that waits to be decimated, and the
current one.  They are read newest first, so that a segment which moves on meanwhile is read twice, never
missed; records that stand twice count once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools.errors import DamagedError, NoDataError
from diagtools.probes import records
from diagtools.read.artefact import read_artefact
from diagtools.read.header import CURRENT, FILES, HISTORY, WAITING, Header, header_of
from diagtools.read.salvage import Salvaged, salvage
from diagtools.values import Manifest

_WORDS = ("head", "t_ns", "pid_seq", "p0", "p1", "p2", "p3", "p4")
_U32 = 2**32
_DECIMATED = records.EVENTS.index("decimated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What a recording no longer holds.

    ``n_damaged`` records stand in the files but are not whole, ``n_missing`` are not there at all (their
    numbers are), and ``n_foreign_bytes`` lie between records without having taken the place of one.
    """

    n_damaged: int
    n_missing: int
    n_foreign_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The whole records, one row each, each once; columns are named as in ``probes.records``, all unsigned.

    ``header_is_whole`` is false where the zero of time had to be taken from ``run.json``.
    """

    header: Header
    header_is_whole: bool
    rows: pl.DataFrame
    lost: Lost


def read_recording(folder: Path, manifest: Manifest | None = None) -> Recording:
    """Which records of the run in ``folder`` are whole?

    Where no HEADER is, the zero of time is taken from ``manifest``.  Raises ``NoDataError`` where nothing was
    recorded and ``DamagedError`` where no time can be told.
    """
    parts = _read_files(folder)
    found = _find_header(parts.values())
    header = found or _header_of_manifest(manifest)
    if header is None:
        raise DamagedError(
            f"No header record in {folder.name!r} is whole, so no time can be told of the others.",
            hint="`run.json` beside it names the start of the run: put it back if it was lost.",
        )
    history = _rows(parts[HISTORY])
    newer = _rows(parts[WAITING]).vstack(_rows(parts[CURRENT]))
    horizon = _decimated_up_to(history)
    if horizon >= 0:
        newer = newer.filter(pl.col("seq") > horizon)
    return Recording(
        header=header,
        header_is_whole=found is not None,
        rows=history.vstack(_each_once(newer)),
        lost=_count_lost(parts, newer["seq"], horizon),
    )


def _read_files(folder: Path) -> dict[str, Salvaged]:
    found = {name: read_artefact(folder, name) for name in reversed(FILES)}
    if all(data is None for data in found.values()):
        raise NoDataError(
            f"There is no {CURRENT!r} in {folder.name!r}: nothing was recorded.",
            hint="record the command with `diagtools record -- COMMAND`.",
        )
    if not any(found.values()):
        raise NoDataError(
            f"{CURRENT!r} in {folder.name!r} is empty: the recorder ended before its first record.",
            hint="record again; `diagtools doctor` says what this machine allows.",
        )
    return {name: salvage(found[name] or b"") for name in FILES}


def _find_header(parts: Iterable[Salvaged]) -> Header | None:
    for part in parts:
        kinds = part.whole[4 :: records.SIZE]
        at = kinds.find(records.HEADER) * records.SIZE
        if at >= 0:
            return header_of(part.whole[at : at + records.SIZE])
    return None


def _header_of_manifest(manifest: Manifest | None) -> Header | None:
    if manifest is None or manifest.start_ns is None:
        return None
    return Header(start_ns=manifest.start_ns, wall_ns=manifest.wall_ns, root_pid=None, hz=manifest.hz or None)


def _rows(part: Salvaged) -> pl.DataFrame:
    """One row a record.  Records are read as eight 64-bit words, which are then taken apart."""
    words = memoryview(part.whole).cast("Q")
    raw = pl.DataFrame([pl.Series(name, words[k::8], dtype=pl.UInt64) for k, name in enumerate(_WORDS)])
    head = pl.col("head") // _U32
    return raw.select(
        kind=head % 256,
        flags=head // 256 % 256,
        small=head // 65536,
        t_ns="t_ns",
        pid=pl.col("pid_seq") % _U32,
        seq=pl.col("pid_seq") // _U32,
        crc=pl.col("head") % _U32,
        p0="p0",
        p1="p1",
        p2="p2",
        p3="p3",
        p4="p4",
    )


def _decimated_up_to(history: pl.DataFrame) -> int:
    """Up to which number do records stand in the history?  −1 where there is none."""
    marks = history.filter((pl.col("kind") == records.EVENT) & (pl.col("small") == _DECIMATED))["p1"]
    return max((int(number) for number in (*marks, *history["seq"].top_k(1))), default=-1)


def _each_once(rows: pl.DataFrame) -> pl.DataFrame:
    in_order = (rows["seq"].cast(pl.Int64).diff(null_behavior="drop") > 0).all()
    return rows if in_order else rows.unique(["seq", "crc", "t_ns"], keep="first", maintain_order=True)


def _count_lost(parts: dict[str, Salvaged], numbers: pl.Series, horizon: int) -> Lost:
    """How much is lost?  Numbers tell where they have no gaps by intent: above the history's ``horizon``."""
    old, waiting, current = (parts[name] for name in FILES)
    between = [*waiting.inner_bytes, waiting.tail_bytes, *current.inner_bytes]
    n_gaps = 0 if numbers.is_empty() else int(numbers.max()) - horizon - numbers.n_unique()  # type: ignore[arg-type]
    n_damaged = min(n_gaps, sum(map(_n_records, between)))
    unnumbered = [*old.inner_bytes, old.tail_bytes, current.tail_bytes]
    return Lost(
        n_damaged=n_damaged + sum(map(_n_records, unnumbered)),
        n_missing=n_gaps - n_damaged,
        n_foreign_bytes=max(0, sum(between) - n_damaged * records.SIZE),
    )


def _n_records(n_bytes: int) -> int:
    return -(-n_bytes // records.SIZE)
