"""``allocations.<pid>.tracemalloc``, as ``probes.snapshots`` writes it: what each snapshot of a program held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from diagtools import frames
from diagtools.errors import NoDataError, UsageError
from diagtools.profile import Profile, Source, Unit, View
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.call_tree import NO_STACK, Place
from diagtools.read.profiles.export_file import check_stack, check_sums, content_of
from diagtools.read.profiles.tracemalloc_lines import Block, Log, Names, Snapshot, log_of
from diagtools.units import format_bytes
from diagtools.values import State, Validity

if TYPE_CHECKING:
    import tracemalloc

_NS = 1e9
_UNKNOWN = ("<unknown>", 0)
#: Of a stack that stood in a part of the log that is damaged.
_LOST: Place = ("[in a damaged part of the log]", "", 0)
_SHARE_SEEN = 0.01
#: A peak of less above the snapshot that is shown is not worth saying.
_HIGHER, _LEAST_HIGHER = 1.1, 1 << 20
_MOST_LETTERS = 60  # of a label, in a name


def read_tracemalloc(
    path: Path, snapshot: int | str | None = None, *, zero_ns: int | None = None, name: str | None = None
) -> Profile:
    """What did Python's allocators hold at one snapshot?

    ``snapshot`` is its place in ``snapshots_of``, or a label or kind, of which the last is meant; without it the one is
    taken that traced most.  All snapshots are TRACKED, in seconds from ``zero_ns`` (CLOCK_MONOTONIC), or else from the
    first.  Snapshots that are not whole are left out, and said; so is a peak far above the one that is shown.  The
    profile is called ``name``, or else as the file, and which snapshot it is.  Raises ``NoDataError`` where none is
    whole.
    """
    log = _log(path)
    block = _chosen(log.blocks, snapshot, path.name)
    gathered = Gathered()
    n_lost = 0
    for site in block.sites():
        stack = _stack(block.names, site.stack)
        n_lost += site.size if stack == [_LOST] else 0
        allocator = f"domain {site.domain}" if site.domain else ""
        stack_id = check_stack(gathered.tree.add(stack))
        pid = block.snapshot.pid
        gathered.add_to(stack_id, site.size, n=site.count, allocator=allocator, pid=pid)
    check_sums(gathered)
    return gathered.profile(
        name=f"{name or path.name}, {_which(log.blocks, block)}",
        source=Source.TRACEMALLOC,
        view=View.LIVE,
        unit=Unit.BYTES,
        tracked=_tracked(log.blocks, zero_ns),
        validity=(
            *_peak(log.blocks, block.snapshot),
            *_damage(log, n_lost),
            *_depth(block),
            *_against_traced(block.snapshot, sum(gathered.sizes)),
        ),
    )


def snapshots_of(path: Path) -> list[Snapshot]:
    """Which snapshots does this log hold, in their order?"""
    return [block.snapshot for block in _log(path).blocks]


def from_snapshot(snapshot: tracemalloc.Snapshot, *, name: str = "snapshot") -> Profile:
    """What does a snapshot say that was taken, or loaded, in one's own code?"""
    held: dict[tuple[int, tracemalloc.Traceback], list[int]] = {}
    for trace in snapshot.traces:
        row = held.setdefault((trace.domain, trace.traceback), [0, 0])
        row[0] += trace.size
        row[1] += 1
    gathered = Gathered()
    n_cut = 0
    for (domain, traceback), (size, n) in held.items():
        n_cut += (traceback.total_nframe or 0) > len(traceback)
        stack = [_place(frame.filename, frame.lineno) for frame in traceback]
        gathered.add(stack, size, n=n, allocator=f"domain {domain}" if domain else "")
    return check_sums(gathered).profile(
        name=name,
        source=Source.TRACEMALLOC,
        view=View.LIVE,
        unit=Unit.BYTES,
        validity=_cut(n_cut, len(held), snapshot.traceback_limit),
    )


def _log(path: Path) -> Log:
    log = log_of(content_of(path))
    if not log.blocks:
        raise NoDataError(
            f"'{path.name}' holds no whole snapshot: {log.n_damaged} are damaged.",
            hint="record again: diagtools record --tracemalloc -- CMD",
        )
    return log


def _chosen(blocks: Sequence[Block], asked: int | str | None, name: str) -> Block:
    if asked is None:
        return max(blocks, key=lambda block: block.snapshot.traced)
    if isinstance(asked, int) and 0 <= asked < len(blocks):
        return blocks[asked]
    for of in ("label", "kind"):
        for block in reversed(blocks):
            if getattr(block.snapshot, of) == asked:
                return block
    known = dict.fromkeys(block.snapshot.label or block.snapshot.kind for block in blocks)
    raise UsageError(
        f"'{name}' has no snapshot {asked!r}.",
        hint=f"it has {len(blocks)}, from 0: {', '.join(list(known)[:10])}.",
    )


def _which(blocks: Sequence[Block], block: Block) -> str:
    place = next(place for place, each in enumerate(blocks, 1) if each is block)
    return f"snapshot {place} of {len(blocks)} ({_moment(block.snapshot)})"


def _moment(snapshot: Snapshot) -> str:
    """``end of phase 'load'``, or ``exit``."""
    label = snapshot.label
    if len(label) > _MOST_LETTERS:
        label = label[: _MOST_LETTERS - 1] + "…"
    return f"{snapshot.edge} of {snapshot.kind} '{label}'" if snapshot.edge else snapshot.kind


def _stack(names: Names, stack: int) -> list[Place]:
    """Outermost frame first."""
    if stack not in names.stacks:
        return [_LOST]
    found = []
    for frame in reversed(names.stacks[stack][1]):
        file, line = names.frames.get(frame, (-1, 0))
        if file not in names.files:
            return [_LOST]
        found.append(_place(names.files[file], line))
    return found


def _place(file: str, line: int) -> Place:
    return NO_STACK if (file, line) == _UNKNOWN else ("", file, line)


def _tracked(blocks: Sequence[Block], zero_ns: int | None) -> pl.DataFrame:
    zero = blocks[0].snapshot.t_ns if zero_ns is None else zero_ns
    return frames.TRACKED.from_columns(
        {
            "t_s": [(block.snapshot.t_ns - zero) / _NS for block in blocks],
            "pid": [block.snapshot.pid for block in blocks],
            "rss_bytes": [None] * len(blocks),
            "heap_bytes": [block.snapshot.traced for block in blocks],
        }
    )


def _peak(blocks: Sequence[Block], shown: Snapshot) -> tuple[Validity, ...]:
    """What was freed again before a snapshot was taken is in none."""
    most = max(max(block.snapshot.traced, block.snapshot.peak) for block in blocks)
    if most <= max(shown.traced * _HIGHER, shown.traced + _LEAST_HIGHER):
        return ()
    note = (
        f"up to {format_bytes(most)} were traced at once; the snapshot shown, at the {_moment(shown)}, "
        f"has {format_bytes(shown.traced)}"
    )
    return (Validity(what="peak", state=State.TRUNCATED, note=note),)


def _damage(log: Log, lost: int) -> tuple[Validity, ...]:
    notes = []
    if log.n_damaged:
        notes.append(f"{log.n_damaged} damaged, and left out")
    if log.is_torn:
        notes.append("the last is cut off, and left out")
    if lost:
        notes.append(f"the stacks of {lost} bytes stood in one that is damaged")
    return (Validity(what="snapshots", state=State.TRUNCATED, note="; ".join(notes)),) if notes else ()


def _depth(block: Block) -> tuple[Validity, ...]:
    stacks = [block.names.stacks[site.stack] for site in block.sites() if site.stack in block.names.stacks]
    n_cut = sum(n_total > len(kept) for n_total, kept in stacks)
    return _cut(n_cut, len(stacks), block.snapshot.n_frames)


def _cut(n_cut: int, n: int, limit: int | None) -> tuple[Validity, ...]:
    if not n_cut:
        return ()
    note = f"{n_cut} of {n} were deeper than the {limit} innermost frames that were kept"
    return (Validity(what="stacks", state=State.TRUNCATED, note=note),)


def _against_traced(snapshot: Snapshot, held: int) -> tuple[Validity, ...]:
    """What tracemalloc sums itself is of the whole process; ours is not among the sites."""
    missing = snapshot.traced - snapshot.ours - held
    if abs(missing) <= snapshot.traced * _SHARE_SEEN:
        return ()
    note = f"tracemalloc says {snapshot.traced} bytes, {snapshot.ours} of them the recording's: {missing} have no stack"
    return (Validity(what="bytes", state=State.UNATTRIBUTED, note=note),)
