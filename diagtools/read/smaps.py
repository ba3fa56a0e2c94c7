"""``/proc/PID/smaps``: which mappings does a process have, and what of each is resident?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from diagtools.errors import DamagedError
from diagtools.frames import MAPPINGS
from diagtools.probes import heap_maps as probe
from diagtools.read.artefact import MOST_BYTES, read_artefact

#: The kernel allows a process 65,530 mappings unless it is told otherwise.
MOST_MAPPINGS = 1_000_000
_TEXTS = frozenset({"perms", "device", "name", "flags"})
_SCHEMA = {name: pl.String() if name in _TEXTS else pl.Int64() for name in probe.FIELDS}
_HINT = "cat /proc/PID/smaps > FILE, as the user whose process it is."


def read_smaps(file: Path, *, pid: int = 0, memory_devices: Sequence[str] = ()) -> pl.DataFrame:
    """Which mappings does a saved text of smaps tell of?  MAPPINGS, its snapshot having the index 0.

    ``memory_devices`` names file systems in memory (``00:1c``).  Raises ``DamagedError`` for what is no such text.
    """
    text = read_artefact(file.parent, file.name)
    if not text or len(text) >= MOST_BYTES:
        raise DamagedError(
            f"{file.name!r} is {'empty' if not text else 'too long'}: it is no smaps.", hint=_HINT
        )
    try:
        rows = probe.rows(text)
    except (ValueError, IndexError) as error:
        raise DamagedError(f"{file.name!r} is not the text of a smaps file: {error}.", hint=_HINT) from error
    return mappings(rows, pid=pid, index=0, memory_devices=memory_devices, stacks=())


def mappings(
    rows: Sequence[Any], *, pid: int, index: int, memory_devices: Sequence[str], stacks: Sequence[int]
) -> pl.DataFrame:
    """MAPPINGS from rows of ``probes.heap_maps.FIELDS``; ``stacks`` are addresses in the stacks of threads.

    Raises ``DamagedError`` for rows that no kernel writes.
    """
    if len(rows) > MOST_MAPPINGS:
        raise DamagedError(f"A snapshot names {len(rows):,} mappings: no process has as many.")
    try:
        raw = pl.DataFrame(rows, schema=_SCHEMA, orient="row", strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise DamagedError("A mapping of a snapshot has other fields than it should.") from error
    _check(raw)
    counted = _stacks_in(raw["start"].to_list(), raw["end"].to_list(), stacks)
    found = raw.select(
        pid=pl.lit(pid, dtype=pl.Int64),
        index=pl.lit(index, dtype=pl.Int64),
        mapping=pl.int_range(pl.len(), dtype=pl.Int64),
        start="start",
        end="end",
        perms="perms",
        device="device",
        inode="inode",
        name="name",
        flags="flags",
        in_memory=pl.col("device").is_in(list(memory_devices)),
        n_stacks=pl.Series(counted, dtype=pl.Int64),
        rss_bytes="rss",
        anon_bytes="anonymous",
        dirty_bytes=pl.col("shared_dirty") + pl.col("private_dirty"),
        huge_bytes="huge",
        swap_bytes="swap",
    )
    return MAPPINGS.check(found)


def _check(raw: pl.DataFrame) -> None:
    size = pl.col("end") - pl.col("start")
    numbers = [name for name in probe.FIELDS if name not in _TEXTS]
    wrong = raw.filter(
        pl.any_horizontal(pl.col(numbers).is_null() | (pl.col(numbers) < 0))
        | (size <= 0)
        | (pl.col("rss") > size)
        | (pl.col("anonymous") > pl.col("rss"))
        | (pl.col("shared_dirty") + pl.col("private_dirty") > pl.col("rss"))
        | (pl.col("start") < pl.col("end").shift(1))
    )
    if wrong.height:
        raise DamagedError(
            f"{wrong.height} of {raw.height} mappings of a snapshot are not as a kernel writes them."
        )


def _stacks_in(starts: list[int], ends: list[int], stacks: Sequence[int]) -> list[int]:
    counts = [0] * len(starts)
    for address in set(stacks):
        place = bisect_right(starts, address) - 1
        if place >= 0 and address < ends[place]:
            counts[place] += 1
    return counts
