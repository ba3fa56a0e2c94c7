"""Run folders written by hand, byte by byte, for tests of whatever reads them.

::

    recording = Recording().start().ramp([10, 20, 30]).close(exit_status=0)
    run = Run.open(make_run(tmp_path / "run", recording, markers=[begin(0.0, "a"), end(0.1, "a")]))
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from diagtools import mark
from diagtools.probes import records

START_NS = 5_000_000_000
WALL_NS = 1_762_257_600_000_000_000  # 2025-11-04T12:00:00Z
ROOT = 100
MIB = 2**20


def at(t_s: float) -> int:
    """Which clock reading is this time of the run?"""
    return START_NS + round(t_s * 1e9)


class Recording:
    """Records in the order in which a recorder would write them, each numbered; times in seconds of the run."""

    def __init__(self, *, root: int = ROOT, seq: int = 0) -> None:
        self.root = root
        self.records: list[bytes] = []
        self.seq = seq

    @property
    def data(self) -> bytes:
        """The bytes of ``timeline.bin``."""
        return b"".join(self.records)

    def add(
        self, kind: int, t_s: float, pid: int | None = None, *payload: int, small: int = 0, flags: int = 0
    ) -> Recording:
        """One record of any kind; payload numbers may be left out."""
        numbers = (*payload, 0, 0, 0, 0, 0)[:5]
        pid = self.root if pid is None else pid
        self.records.append(records.pack(kind, at(t_s), pid, self.seq, numbers, small, flags))
        self.seq += 1
        return self

    def header(self, *, version: int = records.VERSION, hz: float = 100.0) -> Recording:
        """The first record."""
        return self.add(records.HEADER, 0.0, None, version, 4096, WALL_NS, round(hz * 1000), 99)

    def start(self, *, hz: float = 100.0) -> Recording:
        """What a recorder writes before its first sample."""
        return self.header(hz=hz).event(0.0, "started", round(1e9 / hz)).process(0.0)

    def sample(
        self,
        t_s: float,
        rss: int,
        *,
        pid: int | None = None,
        shared: int = 0,
        hwm: int | None = None,
        cpu_us: int = 0,
        pss: int = records.UNKNOWN,
    ) -> Recording:
        """One SAMPLE, in bytes."""
        return self.add(records.SAMPLE, t_s, pid, rss, shared, rss if hwm is None else hwm, cpu_us, pss)

    def ramp(self, rss_mib: Iterable[int], *, every_s: float = 0.01, from_s: float = 0.0) -> Recording:
        """One SAMPLE of the root each tick, in MiB."""
        for tick, rss in enumerate(rss_mib):
            self.sample(from_s + tick * every_s, rss * MIB)
        return self

    def process(
        self, t_s: float, pid: int | None = None, *, ppid: int = 99, name: bytes = b"python"
    ) -> Recording:
        """One PROCESS; its start ticks are those of its time."""
        pid = self.root if pid is None else pid
        ticks = at(t_s) // 10_000_000
        self.records.append(records.pack_process(at(t_s), pid, self.seq, ppid, ticks, name))
        self.seq += 1
        return self

    def exit(self, t_s: float, status: int = records.UNKNOWN, *, pid: int | None = None) -> Recording:
        """One EXIT."""
        return self.add(records.EXIT, t_s, pid, status)

    def output(self, t_s: float, size: int, *, stream: int = 1) -> Recording:
        """One OUTPUT: the log of this stream is so long now."""
        return self.add(records.OUTPUT, t_s, None, size, small=stream)

    def event(self, t_s: float, name: str, value: int = 0, second: int = 0) -> Recording:
        """One EVENT by name."""
        return self.add(records.EVENT, t_s, None, value, second, small=records.EVENTS.index(name))

    def close(
        self, t_s: float = 1.0, *, exit_status: int = 0, ticks: int = 100, missed: int = 0
    ) -> Recording:
        """What a recorder writes when its target has ended."""
        self.exit(t_s, exit_status).event(t_s, "ended", exit_status)
        return self.event(t_s, "closed", ticks, missed)


def marker(
    t_s: float,
    edge: str,
    name: str | bytes = "a.py",
    *,
    kind: str = "item",
    index: int = 1,
    status: str = "",
    error: str = "",
    features: str = "",
    parent: int | None = None,
    rss: int | None = None,
    pid: int = ROOT,
    tid: int = ROOT,
) -> bytes:
    """One whole line of ``markers.log``."""
    numbers = b"%d\t%d\t%d" % (at(t_s), pid, tid)
    raw = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    texts = [kind.encode(), edge.encode(), b"%d" % index]
    texts += [b"" if number is None else b"%d" % number for number in (parent, rss)]
    texts += [status.encode(), escaped(raw)]
    body = b"\t".join([numbers, *texts, escaped(error.encode()), features.encode()])
    return b"%b\t%08x\n" % (body, zlib.crc32(body))


def begin(
    t_s: float, name: str, *, index: int = 1, features: str = "", rss: int | None = None, pid: int = ROOT
) -> bytes:
    """The line with which an item begins."""
    return marker(t_s, "begin", name, index=index, features=features, rss=rss, pid=pid)


def end(
    t_s: float, name: str, *, index: int = 1, status: str = "ok", error: str = "", pid: int = ROOT
) -> bytes:
    """The line with which an item ends."""
    return marker(t_s, "end", name, index=index, status=status, error=error, pid=pid)


def escaped(raw: bytes) -> bytes:
    """The same bytes as a field of ``markers.log``."""
    for plain, escape in mark.ESCAPES:
        raw = raw.replace(plain, escape)
    return raw


def slot(
    seq: int,
    t_s: float,
    *,
    name: bytes = b"a.py",
    edge: int = mark.BEGIN,
    index: int = 1,
    pid: int = ROOT,
) -> bytes:
    """One slot of ``markers.<pid>.slot`` with an item's marker."""
    body = mark.SLOT.pack(0, mark.ITEM, edge, len(name), seq, at(t_s), pid, pid, index)[4:] + name
    return (zlib.crc32(body).to_bytes(4, "little") + body).ljust(mark.SLOT_SIZE, b"\0")


def make_run(
    folder: Path,
    recording: Recording | bytes | None = None,
    *,
    markers: Iterable[bytes] = (),
    stdout: bytes = b"",
    stderr: bytes = b"",
    files: Mapping[str, bytes] | None = None,
    manifest: Mapping[str, object] | None = None,
) -> Path:
    """A closed run folder with these artefacts; ``manifest`` replaces keys of its ``run.json``."""
    folder.mkdir(parents=True)
    lines = b"".join(markers)
    data = recording.data if isinstance(recording, Recording) else recording
    written = {
        "timeline.bin": data,
        mark.LOG_NAME: lines or None,
        "stdout.log": stdout,
        "stderr.log": stderr,
        **(files or {}),
    }
    for name, content in written.items():
        if content is not None:
            (folder / name).write_bytes(content)
    (folder / "run.json").write_text(
        json.dumps({**manifest_of(folder), **(manifest or {})}), encoding="ascii"
    )
    return folder


def manifest_of(folder: Path) -> dict[str, object]:
    """What a recorder writes into ``run.json`` when it closes this folder."""
    artefacts = {
        path.name: {
            "size_bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
    }
    return {
        "format": 1,
        "name": folder.name,
        "state": "finished",
        "argv": ["python", "index.py"],
        "cwd": "~/project",
        "env": {"LANG": "C.UTF-8"},
        "hz": 100.0,
        "backend": "linux",
        "recorder": {"diagtools": "0.1.0", "python": "3.11.7"},
        "platform": {"system": "Linux", "n_cpus": "2"},
        "git": {"revision": "0123456789ab"},
        "probes": {"sampler": "1"},
        "limit": None,
        "items": {},
        "start_ns": START_NS,
        "wall_ns": WALL_NS,
        "started_at": "2025-11-04T12:00:00Z",
        "duration_s": 1.0,
        "exit_status": 0,
        "kernel_log": [],
        "artefacts": artefacts,
        "validity": [],
    }


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit turned over."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
