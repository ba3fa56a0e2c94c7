"""``leaks.log``, as ``probes.leaks`` writes it: what was counted between the calls of a function."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from diagtools.errors import DamagedError, NoDataError
from diagtools.frames import LEAK_CACHES, LEAK_LINES, LEAK_READINGS, LOCATIONS, LeakFailure, LeakLog
from diagtools.probes import leak_counters, leak_lines
from diagtools.probes import leaks as probe
from diagtools.read.artefact import name_of, read_artefact
from diagtools.read.profiles.locations import OWN, THIRD_PARTY, located
from diagtools.values import State, Validity

_NS = 1e9
_MOST_BYTES = 16 << 20
_MOST_LINES = 100_000
_MOST_READINGS = 500  #: ten times what a check takes: a log from somebody else may hold any number
_LARGEST = 2**63 - 1
_PLAIN = {escaped: plain for plain, escaped in probe.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))
_NUMBER = re.compile(rb"-?[0-9]{1,19}")
_TEXTS = {
    ("start", "python"),
    ("start", "mode"),
    ("start", "target"),
    ("cache", "name"),
    ("line", "stack"),
} | {("failed", field) for field in ("kind", "place", "text")}
_COLUMN = {
    "c": "c_bytes",
    "python": "python_bytes",
    "blocks": "n_blocks",
    "objects": "n_objects",
    "mapped": "mapped_bytes",
    "rss": "rss_bytes",
    "anon": "anon_bytes",
    "threads": "n_threads",
    "fds": "n_fds",
}
_LINE = re.compile(r"[0-9]{1,9}")
_FIELDS = {**probe.FIELDS, "reading": (*probe.FIELDS["reading"], *leak_counters.COUNTERS)}

_Line = dict[str, int | str]


def read_leaks(folder: Path, start_ns: int = 0) -> LeakLog:
    """What did a process count between its calls of a function?

    ``start_ns`` is CLOCK_MONOTONIC at the zero of the run.  A line that is not whole is left out, and said.  Raises
    ``NoDataError`` where there is no such log, ``DamagedError`` where its beginning is not whole.
    """
    data = read_artefact(folder, probe.NAME, max_bytes=_MOST_BYTES)
    if data is None:
        raise NoDataError(
            f"'{folder.name}' has no counters of calls.", hint="diagtools leaks MOD:FUNC records some."
        )
    lines: dict[str, list[_Line]] = {kind: [] for kind in _FIELDS}
    n_damaged = 0
    for raw in data.split(b"\n", _MOST_LINES)[:_MOST_LINES]:
        line = _parsed(raw)
        if line is not None:
            lines[str(line["line"])].append(line)
        elif raw:
            n_damaged += 1
    if not lines["start"]:
        raise DamagedError(
            f"'{probe.NAME}' in '{folder.name}' does not begin as such a log does: it is not believed.",
            hint="check the function again: diagtools leaks MOD:FUNC",
        )
    return _log(lines, start_ns, tuple(_doubts(n_damaged)))


def _log(lines: dict[str, list[_Line]], start_ns: int, validity: tuple[Validity, ...]) -> LeakLog:
    start = lines["start"][0]
    warm = lines["warm"][0] if lines["warm"] else None
    end = lines["end"][-1] if lines["end"] else None
    readings = _readings(lines["reading"][:_MOST_READINGS], lines["stage"], start_ns)
    failure = next(map(_failure, lines["failed"]), None)
    seen = [int(line["n_calls"]) for kind in ("reading", "end") for line in lines[kind]]
    return LeakLog(
        pid=int(start["pid"]),
        python=str(start["python"]),
        mode=str(start["mode"]),
        target=str(start["target"]),
        n_warm=None if warm is None else int(warm["n_calls"]),
        warm_is_cut=warm is not None and bool(warm["is_cut"]),
        call_s=None if warm is None else int(warm["call_ns"]) / _NS,
        is_async=warm is not None and bool(warm["is_async"]),
        n_planned=sum(int(line["n_calls"]) for line in lines["stage"]),
        n_calls=max(seen, default=0),
        n_forks=0 if end is None else int(end["n_forks"]),
        is_ended=end is not None or failure is not None,
        failure=failure,
        readings=readings,
        caches=_caches(lines["cache"]),
        lines=_lines(lines["line"]),
        validity=validity,
    )


def _readings(rows: list[_Line], stages: list[_Line], start_ns: int) -> pl.DataFrame:
    clearing = {stage["stage"]: bool(stage["is_clearing"]) for stage in stages}
    columns: dict[str, list[object]] = {
        "stage": [row["stage"] for row in rows],
        "block": [row["block"] for row in rows],
        "n_calls": [row["n_calls"] for row in rows],
        "t_s": [(int(row["t_ns"]) - start_ns) / _NS for row in rows],
        "is_clearing": [clearing.get(row["stage"], False) for row in rows],
    }
    for counter, column in _COLUMN.items():
        columns[column] = [None if row[counter] == leak_counters.UNKNOWN else row[counter] for row in rows]
    frame = LEAK_READINGS.from_columns(columns)
    # In order, one a place: what is written twice or out of turn is not what the probe writes.
    return frame.unique(("stage", "block"), keep="first").sort("stage", "block")


def _caches(rows: list[_Line]) -> pl.DataFrame:
    return LEAK_CACHES.from_columns(
        {
            "stage": [row["stage"] for row in rows],
            "cache": [row["name"] for row in rows],
            "before_n": [row["n_before"] for row in rows],
            "after_n": [row["n_entries"] for row in rows],
            "most_entries": [None if row["most"] == -1 else row["most"] for row in rows],
            "is_cleared": [bool(row["is_cleared"]) for row in rows],
        }
    )


def _lines(rows: list[_Line]) -> pl.DataFrame:
    """LEAK_LINES; a frame that is not whole, as the outermost of a long stack may be, is left out."""
    stacks = [_frames(str(row["stack"])) for row in rows]
    files = sorted({file for stack in stacks for _, file, _ in stack})
    origin = _origins(files)
    found = []
    for row, stack in zip(rows, stacks, strict=True):
        own = [frame for frame in stack if origin[frame[1]] in (OWN, THIRD_PARTY)]
        for function, file, number in (own or stack)[:1]:
            words = [
                f"{name} ({path}:{at})" if name else f"{path}:{at}" for name, path, at in reversed(stack)
            ]
            found.append((function, file, number, row["bytes"], row["n_calls"], words))
    return LEAK_LINES.check(pl.DataFrame(found, schema=LEAK_LINES.columns, orient="row"))


def _origins(files: list[str]) -> dict[str, str]:
    """Whose code is each file?"""
    columns = {name: LOCATIONS.columns[name] for name in ("location_id", "function", "file", "line")}
    rows = [(number, "", file, 0) for number, file in enumerate(files)]
    places = pl.DataFrame(rows, schema=columns, orient="row")
    return dict(located(places).select("file", "origin").iter_rows())


def _frames(text: str) -> list[tuple[str, str, int]]:
    """Function, file and line of each frame, innermost first."""
    parts = [frame.split(leak_lines.FIELDS) for frame in text.split(leak_lines.FRAMES)]
    return [
        (frame[0], frame[1], int(frame[2]))
        for frame in parts
        if len(frame) == 3 and _LINE.fullmatch(frame[2])
    ]


def _failure(line: _Line) -> LeakFailure:
    kind = str(line["kind"])
    return LeakFailure(
        kind=kind if kind in probe.FAILURES else "raised",
        n_calls=int(line["n_calls"]),
        place=str(line["place"]),
        text=str(line["text"]),
    )


def _parsed(raw: bytes) -> _Line | None:
    """What a whole line says, by field; null for any other."""
    body, _, crc = raw.rpartition(b"\t")
    kind, *given = body.split(b"\t")
    name = kind.decode("ascii", "replace")
    names = _FIELDS.get(name)
    if names is None or len(given) != len(names) or crc != b"%08x" % zlib.crc32(body):
        return None
    found: _Line = {"line": name}
    for field, value in zip(names, given, strict=True):
        if (name, field) in _TEXTS:
            found[field] = name_of(_ESCAPED.sub(lambda match: _PLAIN[match[0]], value))
        elif _NUMBER.fullmatch(value) and -1 <= int(value) <= _LARGEST:
            found[field] = int(value)
        else:
            return None
    return found


def _doubts(n_damaged: int) -> Iterator[Validity]:
    if n_damaged:
        note = f"{n_damaged} damaged line{'' if n_damaged == 1 else 's'} left out"
        yield Validity(what=probe.NAME, state=State.TRUNCATED, note=note)
