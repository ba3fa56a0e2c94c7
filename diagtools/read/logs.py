"""``stdout.log`` and ``stderr.log``: which lines did the target write, and when?"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError
from diagtools.read.artefact import open_artefact
from diagtools.units import format_bytes
from diagtools.values import State, Validity

STREAMS = ("stdout", "stderr")
#: A log that is all line ends would be 33 million lines otherwise.
_MAX_LINES = 1_000_000
_WORD_END = re.compile(rb"""[\s,;&"']""")
_LONGEST_WORD = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """The lines of both streams, and what of them was not read."""

    frame: pl.DataFrame
    validity: tuple[Validity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tail:
    """The end of one file: lines without their line ends, and the offset in the file at which each ends."""

    lines: list[bytes]
    ends: list[int]
    skipped_bytes: int
    size_bytes: int


def read_logs(folder: Path, output: pl.DataFrame, *, max_bytes: int = 32 << 20) -> Logs:
    """Which lines did the target of the run in ``folder`` write, in order of time?

    ``output`` is OUTPUT_GROWTH: ``t_s`` of a line is when its file had grown past the line's end, null where
    no record says so.  Of a line that was rewritten by carriage returns its last state is shown.  Of each
    file only the last ``max_bytes`` are read; what was left out is said.  ``pid`` is null: a shared file does
    not tell who wrote.  Raises ``DamagedError`` for a log that is not a plain file inside the folder.
    """
    parts, doubts = [], []
    for stream in STREAMS:
        try:
            tail = _read_tail(folder, f"{stream}.log", max_bytes)
        except DamagedError as error:
            doubts.append(Validity(what=f"{stream}.log", state=State.SKIPPED, note=error.message))
            continue
        if tail is None:
            continue
        parts.append(_timed(tail, stream, output))
        if tail.skipped_bytes:
            skipped, size = format_bytes(tail.skipped_bytes), format_bytes(tail.size_bytes)
            note = f"the first {skipped} of {size} were not read"
            doubts.append(Validity(what=f"{stream}.log", state=State.TRUNCATED, note=note))
    lines = pl.concat([frames.LOGS.empty(), *parts]).sort("t_s", nulls_last=True, maintain_order=True)
    return Logs(frame=frames.LOGS.check(lines), validity=tuple(doubts))


def _read_tail(folder: Path, name: str, max_bytes: int) -> _Tail | None:
    file = open_artefact(folder, name)
    if file is None:
        return None
    with file:
        try:
            size = os.fstat(file.fileno()).st_size
            start = max(0, size - max_bytes)
            file.seek(start)
            data = file.read(max_bytes)
        except OSError as error:
            raise DamagedError(f"{name!r} in {folder.name!r} cannot be read: {error.strerror}.") from error
    return _split(data, start, start + len(data))


def _split(data: bytes, start: int, size: int) -> _Tail:
    """Lines of the last bytes of a file.  A first line whose begin lies before ``start`` is left out.

    Where there is no other, it begins behind its first word: that may be half a secret, without its name.
    """
    has_end = data.endswith(b"\n")
    lines = (data[:-1] if has_end else data).rsplit(b"\n", _MAX_LINES) if data else []
    offset = start
    if len(lines) > 1 and (start or len(lines) > _MAX_LINES):
        offset += len(lines.pop(0)) + 1
    elif lines and start:
        whole = _without_half_word(lines[0])
        offset += len(lines[0]) - len(whole)
        lines[0] = whole
    ends = list(accumulate((len(line) + 1 for line in lines), initial=offset))[1:]
    if ends and not has_end:
        ends[-1] -= 1
    return _Tail(lines=lines, ends=ends, skipped_bytes=offset, size_bytes=size)


def _without_half_word(line: bytes) -> bytes:
    """The same line behind the end of the word that it begins in the middle of, where one ends soon."""
    end = _WORD_END.search(line, 0, _LONGEST_WORD)
    return line if end is None else line[end.end() :]


def _timed(tail: _Tail, stream: str, output: pl.DataFrame) -> pl.DataFrame:
    growth = (
        output.filter(pl.col("stream") == stream)
        .drop_nulls("size_bytes")
        .group_by("size_bytes")
        .agg(pl.col("t_s").min())
        .sort("size_bytes")
        .select("t_s", end=pl.col("size_bytes"))
    )
    lines = pl.DataFrame(
        {"end": tail.ends, "line": [_last_state(line) for line in tail.lines]},
        schema={"end": pl.Int64, "line": pl.String},
    ).set_sorted("end")
    return lines.join_asof(growth, on="end", strategy="forward").select(
        "t_s", pid=pl.lit(None, dtype=pl.Int64), stream=pl.lit(stream), line="line"
    )


def _last_state(line: bytes) -> str:
    r"""What did a terminal show of this line last?  ``10 %\r100 %\r`` shows ``100 %``."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
