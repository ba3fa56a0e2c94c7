"""The lines of a log of tracemalloc's snapshots: which of them can be believed, and what do they say?"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from diagtools.errors import DamagedError
from diagtools.probes import snapshots as probe
from diagtools.read.artefact import name_of
from diagtools.read.profiles.export_file import LARGEST

_MARK = re.compile(rb"^(start|begin|end)\t([^\n]*)\n", re.MULTILINE)
_DIGITS = re.compile(rb"\d{1,19}")
_PLAIN = {escaped: plain for plain, escaped in probe.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One moment: when (CLOCK_MONOTONIC), why, and what tracemalloc says of the whole process, in bytes.

    ``traced`` is what was allocated and not freed, ``ours`` what of that the recording holds itself, ``tracer`` what
    tracemalloc takes besides.  ``n_frames`` is how many frames of a stack were kept; 0 where that is not known.
    """

    t_ns: int
    kind: str
    edge: str
    label: str
    traced: int
    peak: int
    ours: int
    tracer: int
    pid: int | None
    n_frames: int


@dataclass(slots=True)
class Names:
    """What the ids of one program's log mean."""

    files: dict[int, str] = field(default_factory=dict)
    frames: dict[int, tuple[int, int]] = field(default_factory=dict)
    stacks: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    pid: int | None = None
    n_frames: int = 0
    n_snapshots: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """What one stack holds in one domain."""

    stack: int
    domain: int
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class Block:
    """A snapshot that is whole, the lines of it, and what its ids mean."""

    snapshot: Snapshot
    names: Names
    lines: memoryview

    def sites(self) -> Iterator[Site]:
        """What each stack held then."""
        for line in bytes(self.lines).split(b"\n"):
            if line.startswith(b"site\t"):
                values = _fields("site", line)
                yield Site(*(number(values[name]) for name in probe.FIELDS["site"]))


@dataclass(slots=True)
class Log:
    """The snapshots that are whole, and how many pieces were not."""

    blocks: list[Block] = field(default_factory=list)
    n_damaged: int = 0
    is_torn: bool = False


def log_of(data: bytes) -> Log:
    """Which snapshots of this log are whole?  One is, if its end counts its lines and their bytes rightly."""
    log, names = Log(), Names()
    begun: re.Match[bytes] | None = None
    for mark in _MARK.finditer(data):
        log.n_damaged += mark[1] != b"end" and begun is not None
        if mark[1] == b"start":
            begun, names = None, _started(mark[0], log)
        elif mark[1] == b"begin":
            begun = mark
        else:
            body = None if begun is None else memoryview(data)[begun.start() : mark.start()]
            if begun is None or body is None or not _is_whole(begun, mark, body):
                log.n_damaged += 1
            else:
                names = _add(log, names, begun, body)
            begun = None
    log.is_torn = begun is not None or not data.endswith(b"\n")
    return log


def number(raw: bytes) -> int:
    """Which whole number is written so?  Raises ``DamagedError``."""
    if not _DIGITS.fullmatch(raw) or int(raw) > LARGEST:
        raise DamagedError(f"The log of snapshots holds {name_of(raw[:40])!r} where a number is due.")
    return int(raw)


def _started(line: bytes, log: Log) -> Names:
    try:
        values = _fields("start", line.rstrip(b"\n"))
        return Names(pid=number(values["pid"]), n_frames=number(values["n_frames"]))
    except DamagedError:
        log.n_damaged += 1
        return Names()


def _is_whole(begun: re.Match[bytes], ended: re.Match[bytes], body: memoryview) -> bool:
    fields = ended[2].split(b"\t")
    if len(fields) != len(probe.FIELDS["end"]) or fields[0] != begun[2].split(b"\t")[0]:
        return False
    n_lines = bytes(body).count(b"\n") - 1
    return fields[1:] == [b"%d" % n_lines, b"%08x" % zlib.crc32(body)]


def _add(log: Log, names: Names, begun: re.Match[bytes], body: memoryview) -> Names:
    """Adds a whole snapshot.  Where one is the first without a start before it, that line was lost: ids begin anew."""
    values = _fields("begin", begun[0].rstrip(b"\n"))
    if number(values["index"]) == 0 and names.n_snapshots:
        log.n_damaged += 1
        names = Names()
    names.n_snapshots += 1
    _learn(names, body)
    snapshot = Snapshot(
        t_ns=number(values["t_ns"]),
        kind=name_of(values["kind"]),
        edge=name_of(values["edge"]),
        label=name_of(_unescaped(values["label"])),
        traced=number(values["traced"]),
        peak=number(values["peak"]),
        ours=number(values["ours"]),
        tracer=number(values["tracer"]),
        pid=names.pid,
        n_frames=names.n_frames,
    )
    log.blocks.append(Block(snapshot, names, body))
    return names


def _learn(names: Names, body: memoryview) -> None:
    for line in bytes(body).split(b"\n"):
        kind = line.partition(b"\t")[0]
        if kind == b"file":
            values = _fields("file", line)
            names.files[number(values["id"])] = name_of(_unescaped(values["name"]))
        elif kind == b"frame":
            values = _fields("frame", line)
            names.frames[number(values["id"])] = number(values["file"]), number(values["line"])
        elif kind == b"stack":
            values = _fields("stack", line)
            frames = [number(frame) for frame in values["frames"].split(b",") if frame]
            names.stacks[number(values["id"])] = number(values["n_total"]), frames


def _fields(kind: str, line: bytes) -> dict[str, bytes]:
    parts = line.split(b"\t")[1:]
    if len(parts) != len(probe.FIELDS[kind]):
        raise DamagedError(f"A line of the log of snapshots is no {kind}: {name_of(line[:60])!r}.")
    return dict(zip(probe.FIELDS[kind], parts, strict=True))


def _unescaped(raw: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: _PLAIN[found[0]], raw) if b"\\" in raw else raw
