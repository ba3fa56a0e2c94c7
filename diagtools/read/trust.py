"""How far can the figures of a recording be trusted, by what it says of itself?"""

from __future__ import annotations

import polars as pl

from diagtools.probes import records
from diagtools.read.recording import Recording
from diagtools.units import format_seconds, format_share
from diagtools.values import State, Validity

#: Above this share of ticks that were due and not taken, figures of short peaks cannot be trusted.
_STARVED_SHARE = 0.01

#: What is said of a timeline without its closing mark.
NOT_CLOSED = "the recorder did not close the run: it was killed, or still records"


def trust_in_timeline(
    recording: Recording, samples: pl.DataFrame, events: pl.DataFrame
) -> tuple[Validity, ...]:
    """What must be said beside every figure of this recording?  Nothing, where it is complete."""
    notes = [*_losses(recording, events), *_ends(samples, events)]
    return (
        *(Validity(what="timeline", state=State.TRUNCATED, note=note) for note in notes),
        *_starved(recording, events),
        *_decimated(recording),
    )


def _losses(recording: Recording, events: pl.DataFrame) -> list[str]:
    lost, notes = recording.lost, []
    n_all = recording.rows.height + lost.n_damaged + lost.n_missing
    n_dropped = _total(events, "disk_full")
    if lost.n_damaged:
        notes.append(f"{lost.n_damaged:,} of {n_all:,} records damaged and left out")
    if n_dropped:
        notes.append(f"{n_dropped:,} records found no room on the disk")
    if lost.n_missing > n_dropped:
        notes.append(f"{lost.n_missing - n_dropped:,} of {n_all:,} records missing")
    if lost.n_foreign_bytes:
        notes.append(f"at least {lost.n_foreign_bytes:,} bytes in the files are no part of any record")
    if not recording.header_is_whole:
        notes.append("the header record is damaged: times count from the start that run.json names")
    return notes


def _ends(samples: pl.DataFrame, events: pl.DataFrame) -> list[str]:
    notes = []
    if "closed" not in events["kind"]:
        notes.append(NOT_CLOSED)
    if samples.is_empty():
        notes.append("no memory was sampled: the target ended before the first sample")
    return notes


def _starved(recording: Recording, events: pl.DataFrame) -> list[Validity]:
    ticks = recording.rows.filter(pl.col("kind") == records.SAMPLE)["t_ns"].n_unique()
    missed = _total(events, "missed")
    closing = events.filter(pl.col("kind") == "closed")["value"]
    taken = max(ticks, *(int(value) for value in closing if value is not None), 0)
    share = missed / (taken + missed) if missed else 0.0
    if share <= _STARVED_SHARE:
        return []
    note = f"{missed:,} of {taken + missed:,} samples ({format_share(share)}) were due and not taken"
    return [Validity(what="timeline", state=State.STARVED, note=note)]


def _decimated(recording: Recording) -> list[Validity]:
    code = records.EVENTS.index("decimated")
    marks = recording.rows.filter((pl.col("kind") == records.EVENT) & (pl.col("small") == code))
    if marks.is_empty():
        return []
    until_s = (int(marks["t_ns"].max()) - recording.header.start_ns) / 1e9  # type: ignore[arg-type]
    bucket_s = int(marks["p0"].max()) / 1e9  # type: ignore[arg-type]
    note = f"up to {format_seconds(until_s)} only the largest sample of every {format_seconds(bucket_s)} was kept"
    return [Validity(what="timeline", state=State.DECIMATED, note=note)]


def _total(events: pl.DataFrame, kind: str) -> int:
    return int(events.filter(pl.col("kind") == kind)["value"].sum())
