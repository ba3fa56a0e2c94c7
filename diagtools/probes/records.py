"""The binary layout of ``timeline.bin``: 64-byte records, each with its own CRC-32.

Little-endian.  Common head, then 40 bytes that depend on the kind::

    offset  0  u32  crc     zlib.crc32 of bytes 4..63
            4  u8   kind    one of the constants below
            5  u8   flags   DECIMATED_FLAG: the maximum of several records
            6  u16  small   a small number that depends on the kind
            8  u64  t_ns    CLOCK_MONOTONIC
           16  u32  pid
           20  u32  seq     counts records of one recording from 0
           24  u64 × 5      payload

    HEADER   version, page size, wall-clock ns at t_ns, sampling rate in mHz, pid of the recorder
             (pid: the target's root; t_ns: the start of the run, the zero of every frame)
    SAMPLE   rss, shared, hwm, cpu_us, pss                      bytes; UNKNOWN where not read
    SYSTEM   cgroup, available, swap_kib | n_fds << 32, read, write
             (pid: threads; small: PSI "some avg10" in 1/100 %, NO_SMALL where unknown)
    PROCESS  ppid, start ticks, 24 bytes of name                the process was first seen at t_ns
             (once more with the same start ticks where it has executed a program of another name since)
    EXIT     exit status (128 + signal), hwm, cpu_us or UNKNOWN the process was last seen before t_ns
    OUTPUT   size of the output file                            (small: 1 stdout, 2 stderr)
    EVENT    value, second value                                (small: index into EVENTS)

A record is written whole by one O_APPEND write or not at all, so that every record whose write
returned is readable after a SIGKILL of anyone.
"""

from __future__ import annotations

import struct
import zlib
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes 8 ms, and the target waits for the sampler
    from typing import NamedTuple

VERSION = 1
SIZE = 64
UNKNOWN = 2**64 - 1
NO_SMALL = 0xFFFF
DECIMATED_FLAG = 1

HEADER, SAMPLE, SYSTEM, PROCESS, EXIT, OUTPUT, EVENT = range(1, 8)

#: What a recorder did or noticed; the index is what is stored, so the order is part of the format.
EVENTS = (
    "started",  # value: sampling period in ns
    "ended",  # the root ended; value: its exit status; second: CPU time in µs, with all it waited for (0: unknown)
    "closed",  # the closing mark; value: ticks taken, second: ticks missed
    "signal",  # forwarded to the target; value: the signal
    "watchdog",  # killed for passing its cap; value: bytes in use, second: the cap
    "cap",  # value: the cap in bytes; second: 0 watchdog, 1 cgroup, 2 rlimit_as
    "oom_kill",  # the cgroup's counter rose; value: by how many
    "recorder_died",  # the process that asked for the recording is gone
    "leftovers",  # processes that outlived the root and were ended; value: how many
    "missed",  # value: ticks missed since the last such event, which is at least 0.1 s ago
    "decimated",  # value: bucket in ns; second: highest seq that was decimated
    "disk_full",  # value: records that could not be written and were dropped
    "attached",  # a process that already ran
    "stopped",  # the recording was stopped, the target went on
    "start_failed",  # value: errno of exec
    "starved",  # the sampler itself could not run for a second or more; value: that gap in ns
    "survivors",  # processes that could not be ended (another user's); value: how many
)

_PAYLOAD = struct.Struct("<BBHQII5Q")
_NAMED = struct.Struct("<BBHQII2Q24s")
_CRC = struct.Struct("<I")


if TYPE_CHECKING:

    class Record(NamedTuple):
        """One record as its numbers; ``payload`` holds what the kind says."""

        kind: int
        flags: int
        small: int
        t_ns: int
        pid: int
        seq: int
        payload: tuple[int, ...]

else:
    Record = namedtuple("Record", "kind flags small t_ns pid seq payload")


def pack(
    kind: int, t_ns: int, pid: int, seq: int, payload: tuple[int, ...], small: int = 0, flags: int = 0
) -> bytes:
    """One whole record as 64 bytes; ``payload`` holds five integers below 2**64."""
    body = _PAYLOAD.pack(kind, flags, small, t_ns, pid, seq, *payload)
    return _CRC.pack(zlib.crc32(body)) + body


def pack_sample(
    t_ns: int, pid: int, seq: int, rss: int, shared: int, hwm: int, cpu_us: int, pss: int
) -> bytes:
    """One SAMPLE record: the same, without the detours, for the most frequent kind."""
    body = _PAYLOAD.pack(SAMPLE, 0, 0, t_ns, pid, seq, rss, shared, hwm, cpu_us, pss)
    return _CRC.pack(zlib.crc32(body)) + body


def pack_process(t_ns: int, pid: int, seq: int, ppid: int, start_ticks: int, name: bytes) -> bytes:
    """One PROCESS record; ``name`` is bytes, cut to 24."""
    body = _NAMED.pack(PROCESS, 0, 0, t_ns, pid, seq, ppid, start_ticks, name[:24])
    return _CRC.pack(zlib.crc32(body)) + body


def unpack(record: bytes) -> Record:
    """The numbers of one whole record; those of a PROCESS name are the name's bytes."""
    kind, flags, small, t_ns, pid, seq, *payload = _PAYLOAD.unpack_from(record, _CRC.size)
    return Record(kind, flags, small, t_ns, pid, seq, tuple(payload))


def is_whole(record: bytes) -> bool:
    """Is this 64-byte slice a record as it was written?"""
    return len(record) == SIZE and int(_CRC.unpack_from(record)[0]) == zlib.crc32(record[4:])
