"""Which snapshots of objects has a run?  Told from the beginning of each file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import DamagedError
from diagtools.read.object_graph import graph_files, read_about
from diagtools.values import State, Validity

_NS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphHead:
    """One snapshot, unread.  ``rss_bytes`` is what its process held then, null where that is not known."""

    path: Path
    pid: int
    index: int
    t_s: float
    moment: str
    label: str
    n_stored_bytes: int
    rss_bytes: int | None = None


def graph_heads(folder: Path, start_ns: int) -> tuple[list[GraphHead], tuple[Validity, ...]]:
    """The snapshots in order of time, and which of the files cannot be read."""
    found: list[GraphHead] = []
    doubts: list[Validity] = []
    for path in graph_files(folder):
        try:
            found.extend(_head(path, start_ns))
        except DamagedError as error:
            doubts.append(Validity(what=path.name, state=State.SKIPPED, note=error.message))
    return sorted(found, key=lambda each: (each.t_s, each.pid, each.index)), tuple(doubts)


def _head(path: Path, start_ns: int) -> Iterator[GraphHead]:
    about = read_about(path)
    yield GraphHead(
        path=path,
        pid=about.pid,
        index=about.index,
        t_s=(about.t_ns - start_ns) / _NS,
        moment=f"{about.kind} {about.edge}".strip(),
        label=about.label,
        n_stored_bytes=path.stat().st_size,
    )
