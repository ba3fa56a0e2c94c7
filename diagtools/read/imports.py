"""``imports.<pid>.log``: what did each process import, and what did it hold before and after each?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.errors import DamagedError, NoDataError
from diagtools.probes import imports as probe
from diagtools.read.artefact import read_artefact
from diagtools.values import State, Validity

_N_FIELDS = 8
_LARGEST = 2**63 - 1
_PLAIN = {escaped: plain for plain, escaped in probe.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLog:
    """What one program (a process until its exit, or until it executed another) imported.

    ``command`` is its command line, ``events`` IMPORT_EVENTS, ``calls`` IMPORT_CALLS (empty without the graph);
    ``files`` says where a module came from; ``error`` is the type of the exception that ended a measured statement,
    empty for none; ``n_faults`` is how many pages it faulted in, null where it did not get to its end.
    """

    pid: int
    python: str
    command: str
    events: pl.DataFrame
    calls: pl.DataFrame
    files: dict[str, str]
    error: str
    n_faults: int | None
    validity: tuple[Validity, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Did it get to its end?"""
        return self.n_faults is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    kind: str
    t_ns: int
    cpu_ns: int
    rss: int
    shared: int
    faults: int | None
    tid: int
    name: str


def read_imports(folder: Path) -> list[ImportLog]:
    """What did the processes of the run in ``folder`` import, in order of their start?

    Lines that are not whole are left out, and said.  Raises ``NoDataError`` where no process recorded anything.
    """
    found = [log for path in sorted(folder.glob(probe.LOG_GLOB)) for log in _logs(folder, path.name)]
    if not found:
        raise NoDataError(
            f"No process of '{folder.name}' recorded its imports.",
            hint="a Python with -I, -E or -S, or with another environment, is not seen.",
        )
    return sorted(found, key=lambda log: (int(log.events["t_ns"][0]), log.pid))


def _logs(folder: Path, name: str) -> Iterator[ImportLog]:
    pid = int(name.split(".")[1]) if name.split(".")[1].isdigit() else 0
    try:
        data = read_artefact(folder, name) or b""
    except DamagedError:
        return
    programs: list[list[_Event]] = []
    n_damaged = 0
    for line in data.split(b"\n"):
        event = _event(line)
        if event is None:
            n_damaged += bool(line)
        elif event.kind == "start":
            programs.append([event])
        elif programs:
            programs[-1].append(event)
        else:
            n_damaged += 1
    note = f"{n_damaged:,} lines of {name} damaged and left out"
    doubt = (Validity(what="imports", state=State.TRUNCATED, note=note),) if n_damaged else ()
    for events in programs:
        yield _log(pid, events, doubt)


def _event(line: bytes) -> _Event | None:
    fields = line.split(b"\t")
    if len(fields) != _N_FIELDS:
        return None
    try:
        kind = fields[0].decode("ascii")
        t_ns, cpu_ns, rss, shared = (int(field) for field in fields[1:5])
        faults = int(fields[5]) if fields[5] else None
        tid = int(fields[6]) % _LARGEST
        name = _ESCAPED.sub(lambda match: _PLAIN[match[0]], fields[7]).decode("utf-8", "backslashreplace")
    except ValueError:
        return None
    numbers = (t_ns, cpu_ns, rss, shared, faults or 0)
    if kind not in probe.KINDS or not all(0 <= number <= _LARGEST for number in numbers):
        return None
    return _Event(
        kind=kind, t_ns=t_ns, cpu_ns=cpu_ns, rss=rss, shared=shared, faults=faults, tid=tid, name=name
    )


def _log(pid: int, events: Sequence[_Event], doubt: tuple[Validity, ...]) -> ImportLog:
    start = events[0]
    stop = next((event for event in events if event.kind == "stop"), None)
    python, _, command = start.name.partition(probe.SEPARATOR)
    measured = (
        events if stop is None else events[: events.index(stop) + 1]
    )  # then it shows an error, or exits
    costs = [event for event in measured if event.kind not in ("edge", "module")]
    modules = [event.name.split(probe.SEPARATOR) for event in events if event.kind == "module"]
    if stop is None:
        note = "it has no end: the process was ended, or left by os._exit"
        doubt = (*doubt, Validity(what="imports", state=State.TRUNCATED, note=note))
    known = stop is not None and stop.faults is not None and start.faults is not None
    return ImportLog(
        pid=pid,
        python=python,
        command=command,
        events=frames.IMPORT_EVENTS.from_columns(
            {
                "kind": [event.kind for event in costs],
                "t_ns": [event.t_ns for event in costs],
                "cpu_ns": [event.cpu_ns for event in costs],
                "rss_bytes": [event.rss for event in costs],
                "anon_bytes": [event.rss - event.shared for event in costs],
                "tid": [event.tid for event in costs],
                "name": [event.name for event in costs],
            }
        ),
        calls=_calls([event for event in events if event.kind == "edge"]),
        files={fields[0]: fields[1] for fields in modules if len(fields) == len(probe.MODULE_FIELDS)},
        error="" if stop is None else stop.name,
        n_faults=stop.faults - start.faults if known and stop and stop.faults and start.faults else None,
        validity=doubt,
    )


def _calls(edges: Sequence[_Event]) -> pl.DataFrame:
    rows = [event.name.split(probe.SEPARATOR) for event in edges]
    whole = [
        dict(zip(probe.EDGE_FIELDS, row, strict=True)) for row in rows if len(row) == len(probe.EDGE_FIELDS)
    ]
    numbered = [row for row in whole if row["line"].isdigit() and row["level"].isdigit()]
    return frames.IMPORT_CALLS.from_columns(
        {
            "initialising": [row["initialising"] for row in numbered],
            "file": [row["file"] for row in numbered],
            "line": [int(row["line"]) for row in numbered],
            "function": [row["function"] for row in numbered],
            "module": [row["module"] for row in numbered],
            "names": [[name for name in row["names"].split(",") if name] for row in numbered],
            "level": [int(row["level"]) for row in numbered],
            "package": [row["package"] for row in numbered],
        }
    )
