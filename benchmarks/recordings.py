"""The same samples in three forms: our record file, an mprof file and a CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diagtools.probes import records

PROCESSES = 9
_START_NS = 1_000_000_000_000
_PERIOD_NS = 10_000_000
_PAGE = 4096
_ROOT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was sampled of one process at one tick."""

    t_ns: int
    pid: int
    rss_bytes: int
    shared_bytes: int

    @property
    def rss_mebibytes(self) -> str:
        """As mprof writes it."""
        return f"{self.rss_bytes / 2**20:.6f}"


def samples(n: int) -> Iterator[Sample]:
    """Of n samples each is different: whatever is read can be told from what was not written."""
    for number in range(n):
        tick, process = divmod(number, PROCESSES)
        yield Sample(
            t_ns=_START_NS + tick * _PERIOD_NS,
            pid=_ROOT + process,
            rss_bytes=(20_000 + number) * _PAGE,
            shared_bytes=5_000 * _PAGE,
        )


def write_records(folder: Path, n: int) -> Path:
    """As our sampler writes a run that was closed well."""
    unknown = records.UNKNOWN
    rows = [records.pack(records.HEADER, _START_NS, _ROOT, 0, (records.VERSION, _PAGE, 10**18, 100_000, 1))]
    event = records.EVENTS.index
    rows.append(records.pack(records.EVENT, _START_NS, _ROOT, 1, (_PERIOD_NS, 0, 0, 0, 0), event("started")))
    for pid in range(_ROOT, _ROOT + PROCESSES):
        rows.append(records.pack_process(_START_NS, pid, len(rows), 1, pid, b"python"))
    last_ns = _START_NS
    for sample in samples(n):
        payload = (sample.rss_bytes, sample.shared_bytes, sample.rss_bytes, 1_000_000, unknown)
        rows.append(records.pack(records.SAMPLE, sample.t_ns, sample.pid, len(rows), payload))
        last_ns = sample.t_ns
    rows.append(records.pack(records.EVENT, last_ns, _ROOT, len(rows), (0, 0, 0, 0, 0), event("ended")))
    n_ticks = -(-n // PROCESSES)
    rows.append(
        records.pack(records.EVENT, last_ns, _ROOT, len(rows), (n_ticks, 0, 0, 0, 0), event("closed"))
    )
    folder.mkdir(exist_ok=True)
    path = folder / "timeline.bin"
    path.write_bytes(b"".join(rows))
    return path


def write_mprof(path: Path, n: int) -> Path:
    """As ``mprof run -M`` writes: one line for the root, one for each child."""
    with path.open("w", encoding="ascii") as file:
        file.write("CMDLINE python program.py\n")
        for sample in samples(n):
            place = "MEM" if sample.pid == _ROOT else f"CHLD {sample.pid}"
            file.write(f"{place} {sample.rss_mebibytes} {sample.t_ns / 1e9:.4f}\n")
    return path


def write_csv(path: Path, n: int) -> Path:
    """One line a sample, the time last, as a small recorder of one's own would write it."""
    with path.open("w", encoding="ascii") as file:
        file.write("pid,rss_bytes,shared_bytes,t_s\n")
        for sample in samples(n):
            file.write(f"{sample.pid},{sample.rss_bytes},{sample.shared_bytes},{sample.t_ns / 1e9:.4f}\n")
    return path
