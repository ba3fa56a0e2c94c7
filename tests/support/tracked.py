"""Programs that allocate a known amount, recorded by a tracker, and what it says of them."""

from __future__ import annotations

import os
import re
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import memray

from diagtools.probes import boot, snapshots

MIB = 2**20
_ESCAPED = {escaped: plain for plain, escaped in snapshots.ESCAPES}
_MOST_FRAMES = 1000


@dataclass
class Site:
    """What one stack holds; frames are ``file:line``, innermost first."""

    size: int
    count: int
    domain: int
    n_total: int
    frames: tuple[str, ...]


@dataclass
class Snapshot:
    """One whole snapshot."""

    index: int
    kind: str
    edge: str
    label: str
    traced: int
    peak: int
    ours: int
    tracer: int
    sites: list[Site] = field(default_factory=list)


def recorded(
    asked: str, command: Sequence[str], run: Path, *, code: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Runs a command (with ``program.py`` holding ``code``) under the tracker that is asked for."""
    (run.parent / "program.py").write_text(code)
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGTOOLS_", "PYTEST"))}
    env = {**plain, **more}
    return subprocess.run(
        [*command],
        cwd=run.parent,
        env={**env, **boot.environment(env, str(run), allocations=asked)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def captures(run: Path) -> list[Path]:
    """The files of memray, the first process's first."""
    return sorted(
        [*run.glob("allocations.*.memray"), *run.glob("allocations.*.memray.*")], key=lambda path: path.name
    )


def peak_sites(capture: Path, at_least: int = MIB) -> dict[tuple[str, ...], int]:
    """Bytes at the peak by stack, ``function:line`` from the outermost on."""
    found: dict[tuple[str, ...], int] = {}
    with memray.FileReader(capture) as reader:
        for record in reader.get_high_watermark_allocation_records(merge_threads=True):
            if record.size >= at_least:
                frames = reversed(record.stack_trace(max_stacks=_MOST_FRAMES))
                stack = tuple(f"{function}:{line}" for function, _, line in frames)
                found[stack] = found.get(stack, 0) + record.size
    return found


def files_in(capture: Path) -> set[str]:
    """Every file in any stack of the peak."""
    with memray.FileReader(capture) as reader:
        records = reader.get_high_watermark_allocation_records(merge_threads=True)
        return {file for record in records for _, file, _ in record.stack_trace(max_stacks=_MOST_FRAMES)}


def notes_of(run: Path) -> list[tuple[str, str, str]]:
    """Kind, place and text of each note, its checksum checked."""
    found = []
    for line in (run / "allocations.notes").read_bytes().splitlines():
        body, _, crc = line.rpartition(b"\t")
        assert crc == b"%08x" % zlib.crc32(body)
        _, _, kind, place, text = body.decode().split("\t")
        found.append((kind, place, text))
    return found


def snapshots_of(run: Path) -> list[Snapshot]:
    """All whole snapshots of all processes, read as the format says and no more."""
    logs = sorted(run.glob(snapshots.LOG_GLOB))
    return [snapshot for log in logs for snapshot in parsed(log.read_bytes())]


def parsed(data: bytes) -> list[Snapshot]:
    """The snapshots of one log that have a right end."""
    found: list[Snapshot] = []
    known = _Ids()
    block: list[bytes] = []
    for line in data.splitlines(keepends=True):
        if line.startswith(b"start\t"):
            known = _Ids()
        elif line.startswith(b"begin\t"):
            block = [line]
        elif line.startswith(b"end\t"):
            if line == b"end\t%d\t%d\t%08x\n" % (len(found), len(block) - 1, zlib.crc32(b"".join(block))):
                found.append(known.snapshot([_fields(each) for each in block]))
        else:
            block.append(line)
    return found


class _Ids:
    """What the ids of one log mean."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.frames: list[str] = []
        self.stacks: list[tuple[int, tuple[str, ...]]] = []

    def snapshot(self, lines: list[list[str]]) -> Snapshot:
        """One whole snapshot; each new id is the next number."""
        sites = []
        for kind, *fields in lines[1:]:
            if kind == "file":
                assert int(fields[0]) == len(self.files)
                self.files.append(_plain(fields[1]))
            elif kind == "frame":
                assert int(fields[0]) == len(self.frames)
                self.frames.append(f"{self.files[int(fields[1])]}:{fields[2]}")
            elif kind == "stack":
                assert int(fields[0]) == len(self.stacks)
                frames = tuple(self.frames[int(each)] for each in fields[2].split(","))
                self.stacks.append((int(fields[1]), frames))
            else:
                stack, domain, size, count = map(int, fields)
                sites.append(Site(size, count, domain, *self.stacks[stack]))
        return _snapshot(lines[0][1:], sites)


def _fields(line: bytes) -> list[str]:
    return line.rstrip(b"\n").decode("utf-8", "surrogateescape").split("\t")


def _snapshot(head: list[str], sites: list[Site]) -> Snapshot:
    index, _, kind, edge, traced, peak, ours, tracer, label = head
    return Snapshot(
        int(index), kind, edge, _plain(label), int(traced), int(peak), int(ours), int(tracer), sites
    )


def _plain(text: str) -> str:
    pattern = b"|".join(re.escape(escaped) for escaped in _ESCAPED)
    raw = re.sub(pattern, lambda match: _ESCAPED[match[0]], text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")
