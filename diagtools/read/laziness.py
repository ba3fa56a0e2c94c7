"""``laziness.<pid>.log``: what did a process hold with lazy imports, and which lines made it import after all?"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from diagtools.errors import DamagedError, NoDataError
from diagtools.probes import laziness as probe
from diagtools.read.artefact import read_artefact
from diagtools.read.printed import read_printed

#: What stands for the exception of a child that was ended, or left by ``os._exit``.
NO_END = "no end"
_N_NUMBERS = 5
_N_FIELDS = {"start": 0, "lazy": 2, "forced": len(probe.FORCED_FIELDS), "stop": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A chosen statement: the names it binds, and why it cannot be lazy there (empty where it can)."""

    file: str
    line: int
    names: tuple[str, ...]
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """A lazy name of ``module`` (its statement at ``cut_file``:``cut_line``) that was used at ``file``:``line``."""

    module: str
    name: str
    cut_file: str
    cut_line: int
    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyChild:
    """What the statements cost one process, from their first to their last, or a command all its Python processes.

    ``n_modules`` were loaded by them.  ``error`` is the type of the exception that ended them or the exit status,
    empty for none, NO_END where nobody saw the end: then the costs are those until the last event.  ``n_lazy``
    chosen statements were reached and made lazy; of ``n_processes`` that began ``n_unended`` were killed, and what
    they held in the end is not counted.  ``printed`` is what a command printed, a line each, null where it was too
    long to be kept or nobody saw the end.
    """

    anon_bytes: int
    rss_bytes: int
    wall_s: float
    cpu_s: float
    n_modules: int
    error: str
    n_lazy: int
    forced: tuple[Forced, ...]
    n_processes: int = 1
    n_unended: int = 0
    printed: tuple[str, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Did it get to its end?"""
        return self.error != NO_END


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyPair:
    """Two processes that ran one after the other: plainly, and with the chosen statements lazy."""

    plain: LazyChild
    lazy: LazyChild


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    kind: str
    t_ns: int
    cpu_ns: int
    rss: int
    shared: int
    n_modules: int
    fields: tuple[str, ...]


def read_places(folder: Path) -> tuple[Place, ...]:
    """Which statements were to be lazy, and which may not be where they stand?

    Raises ``NoDataError`` where nothing was captured and ``DamagedError`` where it cannot be read.
    """
    data = read_artefact(folder, probe.PLACES)
    if data is None:
        raise NoDataError(f"No lazy imports were captured in '{folder.name}'.")
    try:
        return tuple(
            Place(
                file=str(row["file"]),
                line=int(row["line"]),
                names=tuple(str(name) for name in row["names"]),
                refused=str(row["refused"]),
            )
            for row in json.loads(data)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"'{probe.PLACES}' in '{folder.name}' is damaged: {error}.") from error


def read_pairs(folder: Path) -> tuple[LazyPair, ...]:
    """What did the processes of a folder of ``capture_lazily`` cost?  Pairs of which one is missing are left out."""
    numbers = [path.name.partition("-")[2] for path in folder.glob("plain-*")]
    return tuple(
        LazyPair(plain=read_child(folder / f"plain-{number}"), lazy=read_child(folder / f"lazy-{number}"))
        for number in sorted(filter(str.isdecimal, numbers), key=int)
        if (folder / f"lazy-{number}").is_dir()
    )


def read_child(folder: Path) -> LazyChild:
    """What did one run cost?  What processes forked from one of its own used counts as used, and costs nothing more.

    Lines that are not whole are left out.  Raises ``NoDataError`` where it never began.
    """
    logs = [list(_events(read_artefact(folder, path.name) or b"")) for path in folder.glob(probe.LOG_GLOB)]
    programs = [program for log in logs for program in _programs(log)]
    if not programs:
        raise NoDataError(
            f"The process of '{folder.name}' did not begin.", hint=f"cat {folder / 'stderr.log'}"
        )
    programs.sort(key=lambda events: events[0].t_ns)
    spans = [(events[0], _end(events) or events[-1]) for events in programs]
    unended = [_end(events) is None for events in programs]
    events = sorted((event for log in logs for event in log), key=lambda event: event.t_ns)
    status, is_cut = _outcome(folder)
    last = _end(programs[0])
    error = NO_END if last is None or status is None else last.fields[0]
    return LazyChild(
        anon_bytes=sum((last.rss - last.shared) - (start.rss - start.shared) for start, last in spans),
        rss_bytes=sum(last.rss - start.rss for start, last in spans),
        wall_s=(max(last.t_ns for _, last in spans) - spans[0][0].t_ns) / 1e9,
        cpu_s=sum(last.cpu_ns - start.cpu_ns for start, last in spans) / 1e9,
        n_modules=sum(last.n_modules - start.n_modules for start, last in spans),
        error=error or (f"exit status {status}" if status else ""),
        n_lazy=len({event.fields for event in events if event.kind == "lazy"}),
        forced=tuple(_forced(event) for event in events if event.kind == "forced"),
        n_processes=len(programs),
        n_unended=sum(unended),
        printed=None if is_cut or status is None else _printed(folder),
    )


def read_made_lazy(folder: Path) -> tuple[str, ...]:
    """Which statements (``FILE:LINE``) were reached and made lazy in the processes of a run?"""
    place = folder / probe.NOTED
    logs = [read_artefact(place, path.name) or b"" for path in sorted(place.glob(probe.LOG_GLOB))]
    lazy = [event.fields for data in logs for event in _events(data) if event.kind == "lazy"]
    return tuple(dict.fromkeys(f"{file}:{line}" for file, line in lazy))


def _programs(log: Sequence[_Event]) -> Iterator[Sequence[_Event]]:
    """The events from each start on: a process that executes another program starts once more."""
    starts = [position for position, event in enumerate(log) if event.kind == "start"]
    for start, end in pairwise([*starts, len(log)]):
        yield log[start:end]


def _end(events: Sequence[_Event]) -> _Event | None:
    return next((event for event in events if event.kind == "stop"), None)


def _outcome(folder: Path) -> tuple[int | None, bool]:
    """Its exit status, null where it did not end in time; and was what it printed cut?"""
    try:
        told = json.loads(read_artefact(folder, probe.OUTCOME) or b"null")
        status, is_cut = told["status"], told["is_cut"]
    except (ValueError, KeyError, TypeError, DamagedError):
        return None, True
    return (status if isinstance(status, int) else None), bool(is_cut)


def _printed(folder: Path) -> tuple[str, ...] | None:
    try:
        return read_printed(folder)
    except DamagedError:
        return None


def _events(data: bytes) -> Iterator[_Event]:
    for line in data.split(b"\n")[:-1]:  # what has no end of line is not whole
        event = _event(line)
        if event is not None:
            yield event


def _event(line: bytes) -> _Event | None:
    kind, *words = line.split(b"\t")
    expected = _N_FIELDS.get(kind.decode("ascii", "replace"), -1)
    if len(words) != _N_NUMBERS + expected:
        return None
    try:
        t_ns, cpu_ns, rss, shared, n_modules = (int(word) for word in words[:_N_NUMBERS])
        fields = tuple(_text(word) for word in words[_N_NUMBERS:])
    except ValueError:
        return None
    if kind == b"forced" and not (fields[3].isdecimal() and fields[5].isdecimal()):
        return None
    return _Event(
        kind=kind.decode("ascii"),
        t_ns=t_ns,
        cpu_ns=cpu_ns,
        rss=rss,
        shared=shared,
        n_modules=n_modules,
        fields=fields,
    )


def _text(word: bytes) -> str:
    with warnings.catch_warnings():  # an unknown escape, of a damaged line, is kept
        warnings.simplefilter("ignore", DeprecationWarning)
        return word.decode("unicode_escape")


def _forced(event: _Event) -> Forced:
    module, name, cut_file, cut_line, file, line, function = event.fields
    return Forced(
        module=module,
        name=name,
        cut_file=cut_file,
        cut_line=int(cut_line),
        file=file,
        line=int(line),
        function=function,
    )
