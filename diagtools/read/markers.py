"""``markers.log`` and the slots beside it: what did the program say of its own work?"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools import frames, mark
from diagtools.errors import DamagedError
from diagtools.read.artefact import name_of, read_artefact
from diagtools.read.marker_slots import SlotMarker, Slots, read_slots
from diagtools.values import State, Validity

_N_FIELDS = 10
_LARGEST = 2**63 - 1
_PLAIN = {escaped: plain for plain, escaped in mark.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))
#: A whole line, wherever it begins in a damaged one.
_LINE = re.compile(rb"(?=((?:[0-9]+\t){3}[a-z]+\t[a-z]+\t[0-9]+\t[a-z]*\t(?:[^\t\n]*\t){3}[0-9a-f]{8}))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """The markers of all processes of a run (MARKERS, in order of time), and what is missing of them."""

    frame: pl.DataFrame
    validity: tuple[Validity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marker:
    """One marker; ``features`` is null where only a slot told of it."""

    t_ns: int
    pid: int
    tid: int
    kind: str
    edge: str
    index: int
    status: str | None
    name: str
    error: str | None
    features: tuple[tuple[str, float], ...] | None

    @property
    def key(self) -> tuple[int, int, int, str, str, int]:
        return self.t_ns, self.pid, self.tid, self.kind, self.edge, self.index


def read_markers(folder: Path, start_ns: int | None) -> Markers:
    """What did the processes of the run in ``folder`` say of their work, in order of time?

    ``start_ns`` is the zero of the run's time; where it is unknown, times count from the first marker.  Lines
    that are not whole are left out; a marker that only a slot holds is added, without status, error and
    features.  Both are said, and so are markers that a slot counts and nothing holds.  A program without
    markers gives an empty frame.
    """
    doubts: list[str] = []
    slots = read_slots(folder)  # first: of a run that goes on, the log then holds all that they hold
    logged, n_damaged = _read_log(folder, doubts)
    known = {marker.key for marker in logged}
    added = [marker for marker in map(_of_slot, slots.markers) if marker.key not in known]
    doubts += _doubts(n_damaged, logged, added, slots)
    found = sorted([*logged, *added], key=lambda marker: marker.t_ns)
    if start_ns is None and found:
        start_ns = found[0].t_ns
        doubts.append("the start of the run is unknown: times count from the first marker")
    validity = tuple(Validity(what="markers", state=State.TRUNCATED, note=note) for note in doubts)
    return Markers(frame=_frame(found, start_ns or 0), validity=validity)


def _read_log(folder: Path, doubts: list[str]) -> tuple[list[_Marker], int]:
    """The whole lines of the log, and how many are not."""
    try:
        data = read_artefact(folder, mark.LOG_NAME)
    except DamagedError as error:
        doubts.append(error.message.rstrip("."))
        data = None
    markers: list[_Marker] = []
    n_damaged = 0
    for line in (data or b"").split(b"\n"):
        marker = _parse(line)
        if marker is not None:
            markers.append(marker)
        elif line:
            salvaged, n_rest = _salvage(line)
            markers += salvaged
            n_damaged += n_rest
    return markers, n_damaged


def _salvage(line: bytes) -> tuple[list[_Marker], int]:
    """Which whole lines stand in one that is none (its line end is damaged), and how many others?"""
    found, rests, position = [], [], 0
    for match in _LINE.finditer(line):
        marker = _parse(match[1]) if match.start() >= position else None
        if marker is not None:
            found.append(marker)
            rests.append(line[position : match.start()])
            position = match.end(1)
    rests.append(line[position:])
    return found, sum(len(rest) > (1 if found else 0) for rest in rests)


def _parse(line: bytes) -> _Marker | None:
    body, _, crc = line.rpartition(b"\t")
    fields = body.split(b"\t")
    if crc != b"%08x" % zlib.crc32(body) or len(fields) != _N_FIELDS:
        return None
    t_ns, pid, tid, kind, edge, index, status, name, error, features = fields
    try:
        numbers = [int(number) for number in (t_ns, pid, tid, index)]
        given = tuple(_features(features))
        texts = kind.decode("ascii"), edge.decode("ascii"), status.decode("ascii")
    except ValueError:
        return None
    if (
        texts[0] not in mark.KINDS
        or texts[1] not in mark.EDGES
        or not all(0 <= n <= _LARGEST for n in numbers)
    ):
        return None
    return _Marker(
        t_ns=numbers[0],
        pid=numbers[1],
        tid=numbers[2],
        kind=texts[0],
        edge=texts[1],
        index=numbers[3],
        status=texts[2] or None,
        name=_text(name),
        error=_text(error) or None,
        features=given,
    )


def _of_slot(slot: SlotMarker) -> _Marker:
    return _Marker(
        t_ns=slot.t_ns,
        pid=slot.pid,
        tid=slot.tid,
        kind=slot.kind,
        edge=slot.edge,
        index=slot.index,
        status=None,
        name=_text(slot.name),
        error=None,
        features=None,
    )


def _features(field: bytes) -> Iterator[tuple[str, float]]:
    for part in field.split(b",") if field else ():
        name, _, number = part.decode("utf-8").partition("=")
        yield name, float(number)


def _text(field: bytes) -> str:
    return name_of(_ESCAPED.sub(lambda match: _PLAIN[match[0]], field))


def _doubts(
    n_damaged: int, logged: Sequence[_Marker], added: Sequence[_Marker], slots: Slots
) -> Iterator[str]:
    if n_damaged:
        yield f"{n_damaged:,} of {len(logged) + n_damaged:,} lines of {mark.LOG_NAME} damaged and left out"
    if added:
        yield f"{len(added):,} read from a slot alone: status, error and features of these are unknown"
    n_missing = _n_missing([*logged, *added], slots.markers)
    if n_missing:
        yield f"{n_missing:,} of {len(logged) + len(added) + n_missing:,} markers missing"
    for name in slots.damaged:
        yield f"the last marker in {name} is damaged"


def _n_missing(found: Iterable[_Marker], slots: Iterable[SlotMarker]) -> int:
    """How many markers were counted by a slot and are nowhere?"""
    n_found = Counter(marker.pid for marker in found if marker.kind != "boot")
    n_counted: dict[int, int] = {}
    for slot in slots:
        n_counted[slot.pid] = max(slot.seq, n_counted.get(slot.pid, 0))
    return sum(max(0, counted - n_found[pid]) for pid, counted in n_counted.items())


def _frame(markers: Sequence[_Marker], start_ns: int) -> pl.DataFrame:
    columns = {
        "pid": [marker.pid for marker in markers],
        "tid": [marker.tid for marker in markers],
        "kind": [marker.kind for marker in markers],
        "name": [marker.name for marker in markers],
        "index": [marker.index for marker in markers],
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


def _feature_lists(markers: Sequence[_Marker]) -> pl.Series:
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
