"""What a recording holds, decoded with nothing but the layout: these tests need no reader."""

from __future__ import annotations

import json
from pathlib import Path

from diagtools.probes import records
from diagtools.probes.records import Record
from diagtools.probes.writer import CURRENT, HISTORY, WAITING

FILES = (HISTORY, WAITING, CURRENT)
MIB = 2**20


class Recorded:
    """The records of a run folder; those that stand in two files (a decimation was cut short) count once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n_damaged = 0
        history = self._records(HISTORY)
        done = max((r.payload[1] for r in history if self.name(r) == "decimated"), default=-1)
        newer = [r for name in (WAITING, CURRENT) for r in self._records(name) if r.seq > done]
        self.records = history + newer
        self.newer = newer
        self.done = done

    def _records(self, name: str) -> list[Record]:
        try:
            data = (self.folder / name).read_bytes()
        except FileNotFoundError:
            data = b""
        raw = [data[at : at + records.SIZE] for at in range(0, len(data), records.SIZE)]
        whole = [piece for piece in raw if records.is_whole(piece)]
        self.n_damaged += len(raw) - len(whole)
        return [records.unpack(piece) for piece in whole]

    @staticmethod
    def name(record: Record) -> str:
        """Which event is it?  Empty for every other kind."""
        return records.EVENTS[record.small] if record.kind == records.EVENT else ""

    def of(self, kind: int) -> list[Record]:
        """The records of one kind."""
        return [record for record in self.records if record.kind == kind]

    def events(self, name: str) -> list[Record]:
        """The events of one name."""
        return [record for record in self.records if self.name(record) == name]

    def event(self, name: str) -> Record:
        """The only event of this name."""
        (found,) = self.events(name)
        return found

    @property
    def root(self) -> int:
        """The pid of the target."""
        return self.of(records.HEADER)[0].pid

    @property
    def exit_status(self) -> int:
        """How the target ended, by the timeline."""
        return self.event("ended").payload[0]

    def samples(self, pid: int | None = None) -> list[Record]:
        """The samples of one process or of all."""
        return [record for record in self.of(records.SAMPLE) if pid in (None, record.pid)]

    def peak_rss(self, pid: int | None = None) -> int:
        """The largest RSS of one process."""
        return max((record.payload[0] for record in self.samples(pid)), default=0)

    def pids(self) -> set[int]:
        """The processes that were seen."""
        return {record.pid for record in self.of(records.PROCESS)}

    def names(self) -> dict[int, str]:
        """What each process called itself last."""
        return {record.pid: name_of(record) for record in self.of(records.PROCESS)}

    def check_whole(self, *, may_be_cut: bool = False) -> None:
        """Are all records whole, and their numbers without a gap?"""
        for name in FILES:
            path = self.folder / name
            size = path.stat().st_size if path.exists() else 0
            assert size % records.SIZE == 0, f"{name}: {size} bytes"
        assert self.n_damaged == 0
        numbers = [record.seq for record in self.newer if record.kind != records.HEADER]
        first = max(1, self.done + 1)
        assert numbers == list(range(first, first + len(numbers)))
        assert may_be_cut or self.events("closed")


def name_of(record: Record) -> str:
    """The name that a PROCESS record holds."""
    return b"".join(number.to_bytes(8, "little") for number in record.payload[2:]).rstrip(b"\0").decode()


def run_in(store: Path) -> Path:
    """The only run in the store."""
    (folder,) = (store / "runs").iterdir()
    return folder


def manifest_of(folder: Path) -> dict[str, object]:
    """What stands in its ``run.json``."""
    found: dict[str, object] = json.loads((folder / "run.json").read_bytes().decode("ascii"))
    return found
