"""Thins out a recording's history: of each bucket of time the sample of the whole tree with the largest sum stays.

Runs in a copy of the sampler beside it.  Whole ticks are kept, so that a tree's memory at a time stays a sum of
what was measured at that time; high-water marks, PSS and CPU times keep their maxima, and so do the figures of
the system (of what is available: the minimum).  Processes, exits and events all stay; an exit carries the
high-water mark of a process that no kept sample shows.  A crash at any point leaves either the old files or the
new one, or both: then the records of the waiting file up to the second value of the last "decimated" event of
the history stand in both.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from diagtools.probes import records

_DECIMATED = records.EVENTS.index("decimated")
_NARROWEST_NS = 20_000_000
_LOW_HALF = 0xFFFF_FFFF
_PIECE = 1 << 20
_KIND_AT, _TIME_AT = 4, 8
_SAMPLE = bytes([records.SAMPLE])
_BESIDES = 3  # records of a bucket that are no samples: one SYSTEM, two OUTPUT


def decimate(folder: str, history: str, waiting: str, room_bytes: int) -> None:
    """Merges ``waiting`` into ``history`` so that what can be thinned out takes about ``room_bytes``."""
    old, new = os.path.join(folder, history), os.path.join(folder, waiting)
    done = _done(old)
    bucket_ns = _bucket_width((old, new), room_bytes)
    with open(old + ".tmp", "wb", buffering=_PIECE) as file:
        file.writelines(_thinned(_merged(old, new, done), bucket_ns))
        file.flush()
        os.fsync(file.fileno())
    os.rename(old + ".tmp", old)
    os.unlink(new)


def _pieces(path: str) -> Iterator[bytes]:
    """The file in pieces of whole records: all of it at once would be memory that the target may need."""
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _merged(history: str, waiting: str, done: int) -> Iterator[tuple[bytes, records.Record]]:
    for path, first in ((history, 0), (waiting, done + 1)):
        for piece in _pieces(path):
            for at in range(0, len(piece), records.SIZE):
                raw = piece[at : at + records.SIZE]
                if records.is_whole(raw):
                    record = records.unpack(raw)
                    if record.seq >= first:
                        yield raw, record


def _done(history: str) -> int:
    """Up to which number are records in the history already?  −1 without one."""
    done = -1
    for piece in _pieces(history):
        kinds = piece[_KIND_AT :: records.SIZE]
        at = kinds.find(records.EVENT)
        while at >= 0:
            raw = piece[at * records.SIZE : (at + 1) * records.SIZE]
            if records.is_whole(raw) and records.unpack(raw).small == _DECIMATED:
                done = max(done, records.unpack(raw).payload[1])
            at = kinds.find(records.EVENT, at + 1)
    return done


def _bucket_width(paths: Iterable[str], room_bytes: int) -> int:
    """How many ns must share one tick for the rest to fit the room?"""
    n_samples = 0
    times: set[bytes] = set()
    for path in paths:
        for piece in _pieces(path):
            for at in range(0, len(piece), records.SIZE):
                raw = piece[at : at + records.SIZE]
                if piece[at + _KIND_AT : at + _KIND_AT + 1] == _SAMPLE and records.is_whole(raw):
                    n_samples += 1
                    times.add(raw[_TIME_AT : _TIME_AT + 8])
    ends = sorted(int.from_bytes(time, "little") for time in times)
    span_ns = ends[-1] - ends[0] if ends else 0
    bucket_bytes = (n_samples / max(1, len(times)) + _BESIDES) * records.SIZE
    return max(_NARROWEST_NS, int(span_ns * bucket_bytes / max(1, room_bytes)))


class _Bucket:
    """The largest tick of one stretch of time, and the maxima beside it."""

    def __init__(self) -> None:
        self.best: list[records.Record] = []
        self.tick: list[records.Record] = []
        self.highest: dict[int, tuple[int, ...]] = {}
        self.system: records.Record | None = None
        self.output: dict[int, bytes] = {}

    def sample(self, record: records.Record) -> None:
        if self.tick and self.tick[0].t_ns != record.t_ns:
            self.close_tick()
        self.tick.append(record)
        seen = record.payload[2:]
        self.highest[record.pid] = _maxima(self.highest.get(record.pid, seen), seen)

    def close_tick(self) -> None:
        if sum(r.payload[0] for r in self.tick) > sum(r.payload[0] for r in self.best):
            self.best = self.tick
        self.tick = []

    def machine(self, record: records.Record) -> None:
        self.system = record if self.system is None else _highest_system(self.system, record)

    def written(self) -> Iterator[bytes]:
        self.close_tick()
        for record in self.best:
            yield _packed(record, (*record.payload[:2], *self.highest[record.pid]))
        if self.system is not None:
            yield _packed(self.system, self.system.payload)
        yield from self.output.values()


def _packed(record: records.Record, payload: tuple[int, ...]) -> bytes:
    kind, t_ns, pid, seq, small = record.kind, record.t_ns, record.pid, record.seq, record.small
    return records.pack(kind, t_ns, pid, seq, payload, small, flags=records.DECIMATED_FLAG)


def _maxima(one: Iterable[int], other: Iterable[int], unknown: int = records.UNKNOWN) -> tuple[int, ...]:
    """The larger of each pair; a known number is larger than an unknown one."""
    return tuple(max((n for n in pair if n != unknown), default=unknown) for pair in zip(one, other))


def _halves(number: int) -> tuple[int, int]:
    return number & _LOW_HALF, number >> 32


def _highest_system(one: records.Record, other: records.Record) -> records.Record:
    cgroup, _, _, read, write = _maxima(one.payload, other.payload)
    swap, n_fds = _maxima(_halves(one.payload[2]), _halves(other.payload[2]), unknown=_LOW_HALF)
    payload = (cgroup, min(one.payload[1], other.payload[1]), swap | n_fds << 32, read, write)
    (small,) = _maxima((one.small,), (other.small,), unknown=records.NO_SMALL)
    return other._replace(payload=payload, small=small, pid=max(one.pid, other.pid))


def _thinned(found: Iterable[tuple[bytes, records.Record]], bucket_ns: int) -> Iterator[bytes]:
    bucket = _Bucket()
    number = highest_seq = last_ns = 0
    has_header = False
    for raw, record in found:
        highest_seq, last_ns = max(highest_seq, record.seq), max(last_ns, record.t_ns)
        if record.kind in (records.SAMPLE, records.SYSTEM, records.OUTPUT):
            if record.t_ns // bucket_ns != number:
                yield from bucket.written()
                bucket, number = _Bucket(), record.t_ns // bucket_ns
            _put(bucket, raw, record)
        elif record.kind == records.HEADER:
            if not has_header:
                yield raw
            has_header = True
        elif not (record.kind == records.EVENT and record.small == _DECIMATED):
            yield raw
    yield from bucket.written()
    yield records.pack(records.EVENT, last_ns, 0, highest_seq, (bucket_ns, highest_seq, 0, 0, 0), _DECIMATED)


def _put(bucket: _Bucket, raw: bytes, record: records.Record) -> None:
    if record.kind == records.SAMPLE:
        bucket.sample(record)
    elif record.kind == records.SYSTEM:
        bucket.machine(record)
    else:
        bucket.output[record.small] = raw
