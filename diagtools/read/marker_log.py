"""``markers.log``, line by line: which markers are whole?  Standard library only."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from diagtools import mark
from diagtools.read.artefact import name_of

_N_FIELDS = 12
#: No number of a marker is larger: it would not fit in a frame.
LARGEST = 2**63 - 1
_MOST_RSS_BYTES = 2**48  #: 256 TiB: no machine has so much, and sums of more would not fit in a frame
_PLAIN = {escaped: plain for plain, escaped in mark.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))
#: A whole line, wherever it begins in a damaged one.
_LINE = re.compile(
    rb"(?=((?:[0-9]+\t){3}[a-z]+\t[a-z]+\t[0-9]+\t(?:[0-9]*\t){2}[a-z]*\t(?:[^\t\n]*\t){3}[0-9a-f]{8}))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """One marker; what it does not tell is null, ``features`` too where only a slot told of it."""

    t_ns: int
    pid: int
    tid: int
    kind: str
    edge: str
    index: int
    parent: int | None
    rss_bytes: int | None
    status: str | None
    name: str
    error: str | None
    features: tuple[tuple[str, float], ...] | None

    @property
    def key(self) -> tuple[int, int, int, str, str, int]:
        """What makes it the same marker in the log and in a slot."""
        return self.t_ns, self.pid, self.tid, self.kind, self.edge, self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The whole lines of a log, in their order, and how many others there are."""

    markers: tuple[Marker, ...]
    n_damaged: int


def parse_log(data: bytes) -> Log:
    """Which markers do the bytes of a log hold?"""
    markers: list[Marker] = []
    n_damaged = 0
    for line in data.split(b"\n"):
        marker = _parse(line)
        if marker is not None:
            markers.append(marker)
        elif line:
            salvaged, n_rest = _salvage(line)
            markers += salvaged
            n_damaged += n_rest
    return Log(markers=tuple(markers), n_damaged=n_damaged)


def text_of(field: bytes) -> str:
    """Which text stands in this field, or in the name of a slot?"""
    return name_of(_ESCAPED.sub(lambda match: _PLAIN[match[0]], field))


def _salvage(line: bytes) -> tuple[list[Marker], int]:
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


def _parse(line: bytes) -> Marker | None:
    body, _, crc = line.rpartition(b"\t")
    fields = body.split(b"\t")
    if crc != b"%08x" % zlib.crc32(body) or len(fields) != _N_FIELDS:
        return None
    t_ns, pid, tid, kind, edge, index, parent, rss, status, name, error, features = fields
    try:
        numbers = [int(number) for number in (t_ns, pid, tid, index, rss or b"0", parent or b"0")]
        given = tuple(_features(features))
        texts = kind.decode("ascii"), edge.decode("ascii"), status.decode("ascii")
    except ValueError:
        return None
    if (
        texts[0] not in mark.KINDS
        or texts[1] not in mark.EDGES
        or not all(0 <= n <= LARGEST for n in numbers)
    ):
        return None
    return Marker(
        t_ns=numbers[0],
        pid=numbers[1],
        tid=numbers[2],
        kind=texts[0],
        edge=texts[1],
        index=numbers[3],
        parent=numbers[5] if parent else None,
        rss_bytes=numbers[4] if 0 < numbers[4] <= _MOST_RSS_BYTES else None,
        status=texts[2] or None,
        name=text_of(name),
        error=text_of(error) or None,
        features=given,
    )


def _features(field: bytes) -> Iterator[tuple[str, float]]:
    for part in field.split(b",") if field else ():
        name, _, number = part.decode("utf-8").partition("=")
        yield name, float(number)
