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

_N_FIELDS = 6
_N_STATM = 7
_LARGEST = 2**63 - 1
_DIGITS = 19
_LARGEST_PAGE = 1 << 30
_MOST_PAGES = 1 << 32
_PLAIN = {escaped: plain for plain, escaped in probe.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLog:
    """What one program (a process until its exit, or until it executed another) imported.

    ``command`` is its command line and ``executable`` the path of its interpreter; ``events`` are IMPORT_EVENTS,
    ``calls`` IMPORT_CALLS (empty without the graph); ``files`` says where a module came from; ``error`` is the type of
    the exception that ended a measured statement, empty for none; ``n_faults`` is how many pages it faulted in, null
    where it did not get to its end.
    """

    pid: int
    python: str
    command: str
    executable: str
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
    tid: int
    name: str
    rss_pages: int
    shared_pages: int

    @property
    def fields(self) -> list[str]:
        """What stands in the name, where it is several."""
        return self.name.split(probe.SEPARATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    python: str
    command: str
    executable: str
    page_bytes: int
    faults: int


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
    programs: list[tuple[_Start, list[_Event]]] = []
    n_damaged = 0
    for line in data.split(b"\n"):
        event = _event(line)
        start = None if event is None or event.kind != "start" else _start(event)
        if event is not None and start is not None:
            programs.append((start, [event]))
        elif event is not None and event.kind != "start" and programs:
            programs[-1][1].append(event)
        else:
            n_damaged += bool(line)
    note = f"{n_damaged:,} lines of {name} damaged and left out"
    doubt = (Validity(what="imports", state=State.TRUNCATED, note=note),) if n_damaged else ()
    for start, events in programs:
        yield _log(pid, start, events, doubt)


def _event(line: bytes) -> _Event | None:
    """Null where the line is not whole: it ends with its statm, and that with its seventh number."""
    fields = line.split(b"\t")
    if len(fields) != _N_FIELDS:
        return None
    kind = fields[0].decode("ascii", "replace")
    statm = fields[5].split(b" ") if kind != "edge" else [b"0"] * _N_STATM
    numbers = [*fields[1:4], *statm]
    if kind not in probe.KINDS or len(statm) != _N_STATM or not all(map(_is_number, numbers)):
        return None
    t_ns, cpu_ns, tid, _, rss_pages, shared_pages, *_ = map(int, numbers)
    if max(rss_pages, shared_pages) > _MOST_PAGES:
        return None
    name = _ESCAPED.sub(lambda match: _PLAIN[match[0]], fields[4]).decode("utf-8", "backslashreplace")
    if kind == "stop" and not _is_number(name.rpartition(probe.SEPARATOR)[2].encode()):
        return None
    return _Event(
        kind=kind,
        t_ns=t_ns,
        cpu_ns=cpu_ns,
        tid=tid,
        name=name,
        rss_pages=rss_pages,
        shared_pages=shared_pages,
    )


def _is_number(field: bytes) -> bool:
    return field.isdigit() and len(field) <= _DIGITS and int(field) <= _LARGEST


def _start(event: _Event) -> _Start | None:
    if len(event.fields) != len(probe.START_FIELDS):
        return None
    python, command, executable, *numbers = event.fields
    if not all(_is_number(number.encode()) for number in numbers):
        return None
    page_bytes, faults = map(int, numbers)
    if not 0 < page_bytes <= _LARGEST_PAGE:
        return None
    return _Start(python=python, command=command, executable=executable, page_bytes=page_bytes, faults=faults)


def _log(pid: int, start: _Start, events: Sequence[_Event], doubt: tuple[Validity, ...]) -> ImportLog:
    stop = next((event for event in events if event.kind == "stop"), None)
    measured = (
        events if stop is None else events[: events.index(stop) + 1]
    )  # then it shows an error, or exits
    costs = _without_ours([event for event in measured if event.kind not in ("edge", "module")])
    modules = [event.fields for event in events if event.kind == "module"]
    error, _, faults = ("", "", "") if stop is None else stop.name.rpartition(probe.SEPARATOR)
    if stop is None:
        note = "it has no end: the process was ended, or left by os._exit"
        doubt = (*doubt, Validity(what="imports", state=State.TRUNCATED, note=note))
    return ImportLog(
        pid=pid,
        python=start.python,
        command=start.command,
        executable=start.executable,
        events=frames.IMPORT_EVENTS.from_columns(
            {
                "kind": [event.kind for event in costs],
                "t_ns": [event.t_ns for event in costs],
                "cpu_ns": [event.cpu_ns for event in costs],
                "rss_bytes": [event.rss_pages * start.page_bytes for event in costs],
                "anon_bytes": [(event.rss_pages - event.shared_pages) * start.page_bytes for event in costs],
                "tid": [event.tid for event in costs],
                "name": [event.name for event in costs],
            }
        ),
        calls=_calls([event for event in events if event.kind == "edge"]),
        files={fields[0]: fields[1] for fields in modules if len(fields) == len(probe.MODULE_FIELDS)},
        error=error,
        n_faults=None if stop is None else int(faults) - start.faults,
        validity=doubt,
    )


def _without_ours(costs: Sequence[_Event]) -> list[_Event]:
    """Without the first import of a recorded command: our ``sitecustomize`` asks for the next one, and there is none.

    One that is there stays, and so does one that a measured statement asks for.
    """
    found = [(event.kind, event.name) for event in costs[1:3]]
    is_ours = found == [("begin", "sitecustomize"), ("fail", "")] and costs[1].tid == costs[2].tid
    return [costs[0], *costs[3 if is_ours else 1 :]]


def _calls(edges: Sequence[_Event]) -> pl.DataFrame:
    rows = [event.fields for event in edges]
    whole = [
        dict(zip(probe.EDGE_FIELDS, row, strict=True)) for row in rows if len(row) == len(probe.EDGE_FIELDS)
    ]
    numbered = [
        row for row in whole if _is_number(row["line"].encode()) and _is_number(row["level"].encode())
    ]
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
