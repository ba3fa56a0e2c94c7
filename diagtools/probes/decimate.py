"""Thins out a recording's history: of each bucket of time the sample of the whole tree with the largest sum stays.

Runs in a copy of the sampler beside it.  Whole ticks are kept, so that a tree's memory at a time stays a sum of
what was measured at that time; high-water marks and CPU times keep their maxima.  Processes, exits and events
all stay.  A crash at any point leaves either the old files or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from diagtools.probes import records

_DECIMATED = records.EVENTS.index("decimated")


def decimate(folder: str, history: str, waiting: str, room_bytes: int) -> None:
    """Merges ``waiting`` into ``history`` so that what can be thinned out takes about ``room_bytes``."""
    target = os.path.join(folder, history)
    sources = [path for path in (target, os.path.join(folder, waiting)) if os.path.exists(path)]
    bucket_ns = _bucket_width(sources, room_bytes)
    with open(target + ".tmp", "wb", buffering=1 << 20) as file:
        for record in _thinned(sources, bucket_ns):
            file.write(record)
        file.flush()
        os.fsync(file.fileno())
    os.rename(target + ".tmp", target)
    os.unlink(sources[-1])


def _whole(paths: list[str]) -> Iterator[tuple[bytes, records.Record]]:
    for path in paths:
        with open(path, "rb", buffering=1 << 20) as file:
            while len(raw := file.read(records.SIZE)) == records.SIZE:
                if records.is_whole(raw):
                    yield raw, records.unpack(raw)


def _bucket_width(paths: list[str], room_bytes: int) -> int:
    """How many ns must share one tick for the rest to fit the room?  At least 20 ms."""
    n_samples = first = last = 0
    for _, record in _whole(paths):
        if record.kind == records.SAMPLE:
            n_samples += 1
            first, last = first or record.t_ns, record.t_ns
    span_ns = last - first
    return max(20_000_000, span_ns * n_samples * records.SIZE // max(1, room_bytes) // max(1, _ticks(paths)))


def _ticks(paths: list[str]) -> int:
    n_ticks = t_ns = 0
    for _, record in _whole(paths):
        if record.kind == records.SAMPLE and record.t_ns != t_ns:
            n_ticks, t_ns = n_ticks + 1, record.t_ns
    return n_ticks


class _Bucket:
    """The largest tick of one stretch of time, and the maxima beside it."""

    def __init__(self) -> None:
        self.best: list[records.Record] = []
        self.tick: list[records.Record] = []
        self.highest: dict[int, tuple[int, int]] = {}
        self.others: dict[tuple[int, int], bytes] = {}

    def sample(self, record: records.Record) -> None:
        if self.tick and self.tick[0].t_ns != record.t_ns:
            self.close_tick()
        self.tick.append(record)
        hwm, cpu = record.payload[2], record.payload[3]
        old_hwm, old_cpu = self.highest.get(record.pid, (0, 0))
        self.highest[record.pid] = (
            max(old_hwm, 0 if hwm == records.UNKNOWN else hwm),
            max(old_cpu, 0 if cpu == records.UNKNOWN else cpu),
        )

    def close_tick(self) -> None:
        if sum(r.payload[0] for r in self.tick) > sum(r.payload[0] for r in self.best):
            self.best = self.tick
        self.tick = []

    def written(self) -> Iterator[bytes]:
        self.close_tick()
        for record in self.best:
            rss, shared, _, _, pss = record.payload
            hwm, cpu = (value or records.UNKNOWN for value in self.highest[record.pid])
            payload = (rss, shared, hwm, cpu, pss)
            yield records.pack(
                records.SAMPLE, record.t_ns, record.pid, record.seq, payload, flags=records.DECIMATED_FLAG
            )
        yield from self.others.values()


def _thinned(paths: list[str], bucket_ns: int) -> Iterator[bytes]:
    bucket = _Bucket()
    number = highest_seq = last_ns = 0
    has_header = False
    for raw, record in _whole(paths):
        highest_seq, last_ns = max(highest_seq, record.seq), max(last_ns, record.t_ns)
        if record.kind == records.HEADER:
            if not has_header:
                yield raw
            has_header = True
        elif record.kind == records.EVENT and record.small == _DECIMATED:
            continue
        elif record.kind in (records.PROCESS, records.EXIT, records.EVENT):
            yield raw
        else:
            if record.t_ns // bucket_ns != number:
                yield from bucket.written()
                bucket, number = _Bucket(), record.t_ns // bucket_ns
            if record.kind == records.SAMPLE:
                bucket.sample(record)
            else:
                bucket.others[record.kind, record.small if record.kind == records.OUTPUT else 0] = raw
    yield from bucket.written()
    yield records.pack(records.EVENT, last_ns, 0, highest_seq, (bucket_ns, highest_seq, 0, 0, 0), _DECIMATED)
