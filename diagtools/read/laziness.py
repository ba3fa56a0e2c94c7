"""``laziness.<pid>.log``: what did a process hold with lazy imports, and which lines made it import after all?"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import DamagedError, NoDataError
from diagtools.probes import laziness as probe
from diagtools.read.artefact import read_artefact

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
    """What the statements cost one process, from their first to their last; ``n_modules`` were loaded by them.

    ``error`` is the type of the exception that ended them, empty for none, NO_END where nobody saw the end: then
    the costs are those until the last event.  ``n_lazy`` chosen statements were reached and made lazy.
    """

    anon_bytes: int
    rss_bytes: int
    wall_s: float
    cpu_s: float
    n_modules: int
    error: str
    n_lazy: int
    forced: tuple[Forced, ...]

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
    """What did one process cost?  What processes forked from it used counts as used.

    Lines that are not whole are left out.  Raises ``NoDataError`` where it never began.
    """
    logs = [list(_events(read_artefact(folder, path.name) or b"")) for path in folder.glob(probe.LOG_GLOB)]
    own = next((events for events in logs if events and events[0].kind == "start"), None)
    if own is None:
        raise NoDataError(
            f"The process of '{folder.name}' did not begin.", hint=f"cat {folder / 'stderr.log'}"
        )
    start = own[0]
    stop = next((event for event in own if event.kind == "stop"), None)
    last = stop or own[-1]
    events = [event for log in (own, *(log for log in logs if log is not own)) for event in log]
    return LazyChild(
        anon_bytes=(last.rss - last.shared) - (start.rss - start.shared),
        rss_bytes=last.rss - start.rss,
        wall_s=(last.t_ns - start.t_ns) / 1e9,
        cpu_s=(last.cpu_ns - start.cpu_ns) / 1e9,
        n_modules=last.n_modules - start.n_modules,
        error=NO_END if stop is None else stop.fields[0],
        n_lazy=len({event.fields for event in events if event.kind == "lazy"}),
        forced=tuple(_forced(event) for event in events if event.kind == "forced"),
    )


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
