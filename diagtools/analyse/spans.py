"""When did each marked stretch of work begin and end?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import polars as pl

IN_FLIGHT = "in_flight"
OK = "ok"
UNKNOWN = "unknown"

_BOOT = "boot"
_EDGES = ("begin", "note", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of work; without an end marker ``status`` is ``in_flight``, ``ok`` or ``unknown`` (see ``spans``).

    ``parent`` is the index of the item in whose context it began, 0 for none, null where nobody knows.
    ``begin_rss_bytes`` and ``end_rss_bytes`` are what its own markers read then, null where they did not.
    """

    name: str
    index: int
    parent: int | None
    pid: int
    tid: int
    begin_s: float
    end_s: float
    status: str
    error: str | None
    features: Mapping[str, float]
    begin_rss_bytes: int | None = None
    end_rss_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exit:
    t_s: float
    status: int | None


def spans(
    markers: pl.DataFrame,
    kind: str,
    *,
    processes: pl.DataFrame,
    lossy: Collection[int] = (),
    last_s: Mapping[int, float],
    end_s: float,
) -> list[Span]:
    """Which stretches of this kind (``item`` or ``phase``) do the markers tell of, in order of begin?

    ``markers`` is MARKERS, ``processes`` PROCESSES.  Markers of one stretch share process and ``index``.  Notes
    merge into the features, the later value wins.  A stretch without an end is in flight until its process was last
    seen (``last_s`` by pid, ``end_s`` for others).  A boot ends it as ``ok``: its process executed another program.
    Notes and ends without a begin are left out: a forked child leaves a block that its parent entered.

    Of a process in ``lossy`` markers are missing: there a stretch without an end that is not the last of its thread is
    ``unknown``, and over when it began.

    Where the process of a stretch without an end exited with status 0, the stretch is ``ok``: nothing tells how it
    ended, but its process says that all went well, and ``mark`` too ends so what is open at such an exit.  An unknown
    status says no such thing (of a worker, whose own parent collected it): there it stays in flight.
    """
    told: list[list[dict[str, Any]]] = []
    current: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in _in_order(markers, kind):
        key = (row["pid"], row["index"])
        if row["kind"] == _BOOT:
            for left_open in [key for key in current if key[0] == row["pid"]]:
                current.pop(left_open).append(row)
        elif row["edge"] == "begin":
            if key in current:
                current[key].append(row)
            current[key] = [row]
            told.append(current[key])
        elif key in current:
            current[key].append(row)
            if row["edge"] == "end":
                del current[key]
    exits = _exits(processes)
    newest = {(rows[0]["pid"], rows[0]["tid"]): rows for rows in told}
    found = []
    for rows in told:
        begin = rows[0]
        is_lost = begin["pid"] in lossy and rows is not newest[begin["pid"], begin["tid"]]
        unended = UNKNOWN if is_lost else OK if _exited_well(begin, exits) else IN_FLIGHT
        until_s = begin["t_s"] if is_lost else last_s.get(begin["pid"], end_s)
        found.append(_span(rows, until_s, unended))
    return sorted(found, key=lambda span: (span.begin_s, span.pid, span.index))


def _in_order(markers: pl.DataFrame, kind: str) -> list[dict[str, Any]]:
    edge = pl.col("edge").replace_strict(_EDGES, range(len(_EDGES)), default=None, return_dtype=pl.Int8)
    is_boot = pl.col("kind") == _BOOT
    order = pl.when(is_boot).then(pl.lit(-1, dtype=pl.Int8)).otherwise(edge)  # before what its program begins
    mine = markers.filter(is_boot | (pl.col("kind") == kind)).with_columns(order=order).drop_nulls("order")
    return mine.sort("t_s", "pid", "index", "order", maintain_order=True).to_dicts()


def _exits(processes: pl.DataFrame) -> dict[int, list[_Exit]]:
    """How did the processes of each pid end, in order of time?"""
    found: dict[int, list[_Exit]] = {}
    for pid, ended_s, status in processes.select("pid", "ended_s", "exit_status").iter_rows():
        found.setdefault(pid, []).append(_Exit(t_s=inf if ended_s is None else ended_s, status=status))
    return found


def _exited_well(begin: dict[str, Any], exits: Mapping[int, list[_Exit]]) -> bool:
    """Did the process that began this end with status 0?  The first of its pid that ended after the begin."""
    after = (each for each in exits.get(begin["pid"], ()) if each.t_s >= begin["t_s"])
    first = next(after, None)
    return first is not None and first.status == 0


def _span(rows: list[dict[str, Any]], last_s: float, unended: str) -> Span:
    begin, last = rows[0], rows[-1]
    is_over = len(rows) > 1 and last["edge"] != "note"
    has_end = last["edge"] == "end"
    unended = OK if is_over else unended
    return Span(
        name=begin["name"],
        index=begin["index"],
        parent=begin["parent"],
        pid=begin["pid"],
        tid=begin["tid"],
        begin_s=begin["t_s"],
        end_s=max(begin["t_s"], last["t_s"] if is_over else last_s),
        status=(last["status"] or OK) if has_end else unended,
        error=last["error"] if has_end else None,
        features=_features(rows[:-1] if is_over and not has_end else rows),
        begin_rss_bytes=begin["rss_bytes"],
        end_rss_bytes=last["rss_bytes"] if has_end else None,
    )


def _features(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {feature["name"]: feature["value"] for row in rows for feature in row["features"] or ()}
