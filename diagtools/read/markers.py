"""``markers.log`` and the slots beside it: what did the program say of its own work?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools import frames, mark
from diagtools.errors import DamagedError
from diagtools.read.artefact import read_artefact
from diagtools.read.marker_log import Log, Marker, parse_log, text_of
from diagtools.read.marker_slots import SlotMarker, Slots, read_slots
from diagtools.values import State, Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """The markers of all processes of a run (MARKERS, in order of time), and what is missing of them.

    ``lossy`` are the processes of which markers are missing, or may be: a damaged line does not say whose it was.
    """

    frame: pl.DataFrame
    lossy: frozenset[int] = frozenset()
    validity: tuple[Validity, ...] = ()


def read_markers(folder: Path, start_ns: int | None) -> Markers:
    """What did the processes of the run in ``folder`` say of their work, in order of time?

    ``start_ns`` is the zero of the run's time; where it is unknown, times count from the first marker.  Lines
    that are not whole are left out; a marker that only a slot holds is added, without RSS, status, error
    and features.  Both are said, and so are markers that a slot counts and nothing holds.  A program without
    markers gives an empty frame.
    """
    doubts: list[str] = []
    slots = read_slots(folder)  # first: of a run that goes on, the log then holds all that they hold
    log = _read_log(folder, doubts)
    known = {marker.key for marker in log.markers}
    added = [marker for marker in map(_of_slot, slots.markers) if marker.key not in known]
    missing = _missing([*log.markers, *added], slots.markers)
    doubts += _doubts(log, added, slots, sum(missing.values()))
    found = sorted([*log.markers, *added], key=lambda marker: marker.t_ns)
    if start_ns is None and found:
        start_ns = found[0].t_ns
        doubts.append("the start of the run is unknown: times count from the first marker")
    validity = tuple(Validity(what="markers", state=State.TRUNCATED, note=note) for note in doubts)
    lossy = frozenset(marker.pid for marker in found) if log.n_damaged else frozenset(missing)
    return Markers(frame=_frame(found, start_ns or 0), lossy=lossy, validity=validity)


def _read_log(folder: Path, doubts: list[str]) -> Log:
    try:
        return parse_log(read_artefact(folder, mark.LOG_NAME) or b"")
    except DamagedError as error:
        doubts.append(error.message.rstrip("."))
        return Log(markers=(), n_damaged=0)


def _of_slot(slot: SlotMarker) -> Marker:
    return Marker(
        t_ns=slot.t_ns,
        pid=slot.pid,
        tid=slot.tid,
        kind=slot.kind,
        edge=slot.edge,
        index=slot.index,
        parent=None,
        rss_bytes=None,
        status=None,
        name=text_of(slot.name),
        error=None,
        features=None,
    )


def _doubts(log: Log, added: Sequence[Marker], slots: Slots, n_missing: int) -> Iterator[str]:
    n_logged = len(log.markers)
    if log.n_damaged:
        yield f"{log.n_damaged:,} of {n_logged + log.n_damaged:,} lines of {mark.LOG_NAME} damaged and left out"
    if added:
        yield f"{len(added):,} read from a slot alone: status, error and features of these are unknown"
    if n_missing:
        yield f"{n_missing:,} of {n_logged + len(added) + n_missing:,} markers missing"
    for name in slots.damaged:
        yield f"the last marker in {name} is damaged"


def _missing(found: Iterable[Marker], slots: Iterable[SlotMarker]) -> dict[int, int]:
    """How many markers of each process were counted by a slot and are nowhere?  Those of which some are."""
    n_found = Counter(marker.pid for marker in found if marker.kind not in ("boot", "exit"))
    n_counted: dict[int, int] = {}
    for slot in slots:
        n_counted[slot.pid] = max(slot.seq, n_counted.get(slot.pid, 0))
    missing = {pid: counted - n_found[pid] for pid, counted in n_counted.items()}
    return {pid: n for pid, n in missing.items() if n > 0}


def _frame(markers: Sequence[Marker], start_ns: int) -> pl.DataFrame:
    columns = {
        "pid": [marker.pid for marker in markers],
        "tid": [marker.tid for marker in markers],
        "kind": [marker.kind for marker in markers],
        "name": [marker.name for marker in markers],
        "index": [marker.index for marker in markers],
        "parent": [marker.parent for marker in markers],
        "rss_bytes": [marker.rss_bytes for marker in markers],
        "edge": [marker.edge for marker in markers],
        "status": [marker.status for marker in markers],
        "error": [marker.error for marker in markers],
    }
    times = (
        pl.Series([marker.t_ns - start_ns for marker in markers], dtype=pl.Int64) / 1e9
    )  # as the timeline's
    schema = {name: frames.MARKERS.columns[name] for name in columns}
    frame = pl.DataFrame(columns, schema=schema).with_columns(t_s=times, features=_feature_lists(markers))
    return frames.MARKERS.check(frame.select(*frames.MARKERS.columns))


def _feature_lists(markers: Sequence[Marker]) -> pl.Series:
    """The features of each marker.  Made of a flat frame: from Python lists it takes ten times as long."""
    flat = [(row, *feature) for row, marker in enumerate(markers) for feature in marker.features or ()]
    found = (
        pl.DataFrame(flat, schema={"row": pl.Int64, "name": pl.String, "value": pl.Float64}, orient="row")
        .group_by("row", maintain_order=True)
        .agg(features=pl.struct("name", "value"))
    )
    known = [marker.features is not None for marker in markers]
    none = pl.lit(pl.Series([[]], dtype=frames.FEATURES)).first()
    return (
        pl.DataFrame(
            {"row": range(len(markers)), "known": known}, schema={"row": pl.Int64, "known": pl.Boolean}
        )
        .join(found, on="row", how="left", maintain_order="left")
        .select(pl.when("known").then(pl.coalesce("features", none)).otherwise("features"))
        .to_series()
    )
