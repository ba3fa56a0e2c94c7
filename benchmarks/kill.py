"""What is lost when the sampler, the program or both are killed at a random moment?

A program marks events in bursts and tells over a pipe each call that has returned; after a random time SIGKILL hits
the sampler, the program, or both, while other recordings run and are killed beside it.  *Acknowledged* is: of the
timeline, every record that stood in its file before the signal was sent; of the markers, every one that the program
told of.  Then the run is opened as a user would.  A record or marker is *corrupt* if it is read and says something
else than was written (records: damaged, foreign or out of sequence; markers: a name or feature that was never marked).
A record at the end that was still being written may be torn: it was never acknowledged, and is counted apart; so is
a sampler that was killed before its first write (no sample in the file).
Beside it mprof and psrecord are killed in the same way, one after the other: is there any sample in the file, how old
is the last one at the kill (ours: where the sampler was killed at 100 Hz; psrecord writes no time of day, so the age
is that of its file), and is the target left running with nobody to watch it?
"""

from __future__ import annotations

import os
import random
import shlex
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from benchmarks import stamps
from benchmarks.processes import end, environment, is_alive, running, script, target
from benchmarks.results import Bench, Collected, Headline, Outcome, Size, at_most
from diagtools.capture.runner import capture
from diagtools.errors import DiagtoolsError, NoDataError
from diagtools.probes import records
from diagtools.read.recording import read_recording
from diagtools.run import Run
from diagtools.values import Target

OURS = "diagtools"
_WORD = 8
_AT_ONCE = 4
_LONGEST_S = 0.4
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    kills: int
    kills_of_peers: int


_PLANS = {
    Size.FULL: _Plan(kills=1000, kills_of_peers=20),
    Size.QUICK: _Plan(kills=100, kills_of_peers=4),
    Size.TINY: _Plan(kills=4, kills_of_peers=0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """What one kill did; each field is a measure of its own."""

    runs_unreadable: int = 0
    records_acknowledged: int = 0
    records_lost: int = 0
    records_corrupt: int = 0
    records_torn_at_the_end: int = 0
    markers_returned: int = 0
    markers_lost: int = 0
    markers_corrupt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How a recording stood after a kill; the age is null where it cannot be compared or there is no sample."""

    is_empty: bool
    is_left: bool
    age_ms: float | None


_PEERS = ("mprof", "psrecord")
_AGE, _EMPTY, _LEFT = "age of the last sample at the kill", "no sample in the file", "target left running"


def run(bench: Bench) -> Outcome:
    """Kills ours, several at a time, then the peers, one at a time."""
    plan = _PLANS[bench.size]
    found = Collected()
    bench.say(f"{plan.kills} kills, {_AT_ONCE} at a time")
    seeds = [bench.draw.random() for _ in range(plan.kills)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        work = pool.map(
            lambda n: _trial(bench.folder / f"kill-{n}", random.Random(seeds[n])), range(plan.kills)
        )
        trials, endings = zip(*work, strict=True)
    for trial, ending in zip(trials, endings, strict=True):
        found.add(_EMPTY, OURS, float(ending.is_empty), "", Headline.TOTAL)
        found.add(_LEFT, OURS, float(ending.is_left), "", Headline.TOTAL)
        found.add(_AGE, OURS, ending.age_ms, "ms")
        for field in fields(trial):
            found.add(field.name.replace("_", " "), OURS, getattr(trial, field.name), "", Headline.TOTAL)
    sides, notes = _kill_peers(bench, plan.kills_of_peers, found)
    goals = [
        at_most(
            f"{name}, {plan.kills:,} kills",
            sum(getattr(trial, name.replace(" ", "_")) for trial in trials),
            0,
            "",
        )
        for name in ("runs unreadable", "records lost", "records corrupt", "markers lost", "markers corrupt")
    ]
    return Outcome(series=found.series([OURS, *sides]), goals=tuple(goals), notes=tuple(notes))


# --- ours ------------------------------------------------------------------------------------------------------------


def _trial(folder: Path, draw: random.Random) -> tuple[_Trial, _Ending]:
    folder.mkdir()
    pipe = _pipe(folder)
    recorded = folder / "run"
    command = Target(argv=tuple(target("mark_and_tell", folder / "pipe")), env=environment())
    hz = draw.choice([100.0, 1000.0])
    recorder = threading.Thread(target=_capture, args=(command, recorded, hz))
    recorder.start()
    try:
        sampler, program = _read_words(pipe, 2)
        victims = draw.choice([[sampler], [program], [sampler, program], [program, sampler]])
        time.sleep(draw.uniform(0, _LONGEST_S))
        n_acknowledged = (recorded / "timeline.bin").stat().st_size // records.SIZE
        killed_ns = time.monotonic_ns()
        for pid in victims:
            with suppress(ProcessLookupError):  # the first may have taken the second with it
                os.kill(pid, signal.SIGKILL)
        recorder.join()
        n_returned = _last_told(pipe)
    finally:
        os.close(pipe)
    last_ns = _last_sample_ns(recorded)
    is_comparable = sampler in victims and hz == 100.0 and last_ns is not None
    ending = _Ending(
        is_empty=last_ns is None,
        is_left=is_alive(program),
        age_ms=max(0.0, (killed_ns - (last_ns or 0)) / 1e6) if is_comparable else None,
    )
    return _judge(recorded, n_acknowledged, n_returned), ending


def _capture(command: Target, folder: Path, hz: float) -> None:
    with suppress(DiagtoolsError):  # a sampler that was killed is one
        capture(command, folder, hz=hz)


def _last_sample_ns(folder: Path) -> int | None:
    with suppress(DiagtoolsError):
        last = read_recording(folder).rows.filter(pl.col("kind") == records.SAMPLE)["t_ns"].max()
        return last if isinstance(last, int) else None
    return None


def _judge(folder: Path, n_acknowledged: int, n_returned: int) -> _Trial:
    told = {"records_acknowledged": n_acknowledged, "markers_returned": n_returned}
    try:
        opened = Run.open(folder)
        marked = opened.markers.filter(pl.col("kind") == "event")
        records_found = _judge_records(folder, n_acknowledged)
    except DiagtoolsError:
        return _Trial(runs_unreadable=1, **told)
    expected = {f"event {k}" for k in range(1, n_returned + 1)}
    found = set(marked["name"])
    return _Trial(
        runs_unreadable=int(n_acknowledged > 0 and opened.events.is_empty()),
        markers_lost=len(expected - found),
        markers_corrupt=len(found - expected - {f"event {n_returned + 1}"}) + _wrong_features(marked),
        **told,
        **records_found,
    )


def _judge_records(folder: Path, n_acknowledged: int) -> dict[str, int]:
    """What became of the records?  Nothing to read is an error only where something had been written."""
    try:
        recording = read_recording(folder)
    except NoDataError:
        return {"records_lost": n_acknowledged}
    numbers = recording.rows["seq"].to_list()
    n_torn = int((folder / "timeline.bin").stat().st_size % records.SIZE > 0)
    n_wrong = recording.lost.n_damaged + recording.lost.n_missing - n_torn
    return {
        "records_lost": max(0, n_acknowledged - len(numbers)),
        "records_corrupt": max(n_wrong, int(numbers != list(range(len(numbers))))),
        "records_torn_at_the_end": n_torn,
    }


def _wrong_features(marked: pl.DataFrame) -> int:
    """How many events carry another number than their name?  One that only a slot holds has none."""
    known = marked.filter(pl.col("features").list.len() > 0)
    value = known["features"].list.first().struct.field("value")
    return int((known["name"].str.strip_prefix("event ").cast(pl.Float64) != value).sum())


# --- peers -----------------------------------------------------------------------------------------------------------


def _kill_peers(bench: Bench, kills: int, found: Collected) -> tuple[list[str], list[str]]:
    installed = [name for name in _PEERS if script(name)]
    for number, name in bench.interleaved(installed, kills):
        folder = bench.folder / f"{name}-{number}"
        folder.mkdir()
        ending = _kill_peer(name, folder, bench.draw.uniform(0, 3 * _LONGEST_S))
        found.add(_EMPTY, name, float(ending.is_empty), "", Headline.TOTAL)
        found.add(_LEFT, name, float(ending.is_left), "", Headline.TOTAL)
        found.add(_AGE, name, ending.age_ms, "ms")
    return installed, [f"{name}: not installed." for name in _PEERS if name not in installed]


def _peer_command(name: str, output: Path, argv: Sequence[str]) -> list[str]:
    program = script(name) or []
    if name == "mprof":
        return [*program, "run", "-C", "-T", "0.01", "-o", str(output), *argv]
    options = ["--include-children", "--interval", "0.01", "--log", str(output)]
    return [*program, *options, f"exec {shlex.join(argv)}"]


def _kill_peer(name: str, folder: Path, after_s: float) -> _Ending:
    pipe = _pipe(folder)
    output = folder / "output"
    try:
        with running(_peer_command(name, output, target("mark_and_tell", folder / "pipe"))) as process:
            _, program = _read_words(pipe, 2)
            time.sleep(after_s)
            killed_s = time.time()
            process.kill()
            process.wait()
            is_left = is_alive(program)
            end(program)
    finally:
        os.close(pipe)
    last_s = _last_sample_s(name, output)
    age_ms = None if last_s is None else max(0.0, 1e3 * (killed_s - last_s))
    return _Ending(is_empty=last_s is None, is_left=is_left, age_ms=age_ms)


def _last_sample_s(name: str, output: Path) -> float | None:
    if not output.exists():
        return None
    if name == "mprof":
        return max(stamps.of_mprof(output), default=None)
    return output.stat().st_mtime if stamps.of_psrecord(output) else None


# --- the pipe --------------------------------------------------------------------------------------------------------


def _pipe(folder: Path) -> int:
    os.mkfifo(folder / "pipe")
    return os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)


def _read_words(pipe: int, n: int) -> list[int]:
    """The next n numbers, once they are there."""
    data = b""
    until = time.monotonic() + _PATIENCE_S
    while len(data) < n * _WORD:
        if time.monotonic() > until:
            raise TimeoutError("The target never came to life.")
        with suppress(BlockingIOError):
            data += os.read(pipe, n * _WORD - len(data))
        time.sleep(0.001)
    return [int.from_bytes(data[at : at + _WORD], "little") for at in range(0, len(data), _WORD)]


def _last_told(pipe: int) -> int:
    """The number of the last event of which the program told before it ended; 0 where it told of none."""
    data = b""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        try:
            piece = os.read(pipe, 1 << 16)
        except BlockingIOError:  # it is still dying
            time.sleep(0.002)
            continue
        if not piece:
            break
        data += piece
    whole = len(data) - len(data) % _WORD
    return int.from_bytes(data[whole - _WORD : whole], "little") if whole else 0
