"""How fast is a recording of 500,000 samples read, and what is said of one that is damaged?

The same samples of nine processes are written as our record file, as mprof writes them and as CSV.  Each is read as a
user would: `read_timeline` (every record checked, typed frames, processes and validity), mprof's own
`read_mprofile_file`, `polars.read_csv`, and the `csv` module with numbers parsed; wall time in this process, in turn.

Then a smaller file of each form is cut at a random byte, or has one random bit flipped, and is read again.  *Said*:
the reader raises an error, or its result says that something is missing (a null counts as that).  *Short, not said*:
only true values, but fewer than there were.  *Wrong, not said*: at least one value that was never recorded.  A bit may
also hit what carries no value, such as a space or a name that nobody reads: those are the rest.
"""

from __future__ import annotations

import csv
import gc
import importlib
import random
import time
import warnings
from collections.abc import Callable, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import polars as pl

from benchmarks import recordings
from benchmarks.processes import script
from benchmarks.results import Bench, Collected, Headline, Outcome, Size, at_most
from diagtools.errors import DiagtoolsError
from diagtools.read.timeline import read_timeline

OURS, MPROF, POLARS, CSV = "diagtools", "mprof", "polars.read_csv", "csv module"
_PLACES = 4  # of the times in the text files


class _Verdict(StrEnum):
    SAID = "said"
    SHORT = "short, not said"
    WRONG = "wrong, not said"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    samples: int
    damaged: int
    samples_of_damaged: int = 500


_PLANS = {
    Size.FULL: _Plan(rounds=7, samples=500_000, damaged=100),
    Size.QUICK: _Plan(rounds=3, samples=500_000, damaged=30),
    Size.TINY: _Plan(rounds=1, samples=1_000, damaged=3),
}

#: What a reader found: (RSS in bytes, time in s) of every sample, and whether it says that something is missing.
_Found = tuple[list[tuple[float, float]], bool]


@dataclass(frozen=True, slots=True)
class _Form:
    write: Callable[[Path, int], Path]
    load: Callable[[Path], object]
    values: Callable[[Path], _Found]


def run(bench: Bench) -> Outcome:
    """Times the readers, then damages the files."""
    plan = _PLANS[bench.size]
    forms = _forms()
    found = Collected()
    paths = {side: forms[side].write(bench.folder / _file_name(side), plan.samples) for side in forms}
    for _, side in bench.interleaved(list(forms), plan.rounds):
        found.add(f"reading {plan.samples:,} samples", side, _seconds(forms[side], paths[side]), "s")
    bench.say(f"{plan.damaged} damaged files of each form")
    for way, damage in (("cut", _cut), ("one bit flipped", _flip)):
        for side, form in forms.items():
            _damage(way, damage, side, form, plan, bench, found)
    wrong = sum(
        v or 0 for way in ("cut", "one bit flipped") for v in found.of(f"{way}: {_Verdict.WRONG}", OURS)
    )
    short = sum(
        v or 0 for way in ("cut", "one bit flipped") for v in found.of(f"{way}: {_Verdict.SHORT}", OURS)
    )
    goals = (
        at_most("damaged recordings that read wrong without a word", wrong, 0, ""),
        at_most("damaged recordings that read short without a word", short, 0, ""),
    )
    notes = () if MPROF in forms else ("mprof: not installed.",)
    return Outcome(series=found.series(list(forms)), goals=goals, notes=notes)


def _forms() -> dict[str, _Form]:
    forms = {
        OURS: _Form(recordings.write_records, lambda path: read_timeline(path.parent), _of_records),
        POLARS: _Form(recordings.write_csv, pl.read_csv, _of_polars),
        CSV: _Form(recordings.write_csv, _of_csv, _of_csv),
    }
    if script("mprof"):
        forms[MPROF] = _Form(recordings.write_mprof, _of_mprof, _of_mprof)
    return forms


def _file_name(side: str) -> str:
    return side.replace(" ", "-")


def _seconds(form: _Form, path: Path) -> float:
    gc.collect()
    began = time.perf_counter()
    form.load(path)
    return time.perf_counter() - began


# --- readers ---------------------------------------------------------------------------------------------------------


def _of_records(path: Path) -> _Found:
    found = read_timeline(path.parent)
    times = (found.samples["t_s"] + (found.start_ns or 0) / 1e9).to_list()
    return list(zip(found.samples["rss_bytes"].to_list(), times, strict=True)), bool(found.validity)


def _of_polars(path: Path) -> _Found:
    frame = pl.read_csv(path).select("rss_bytes", "t_s")
    if not all(dtype.is_numeric() for dtype in frame.dtypes):
        raise TypeError("A column of numbers was read as text: whoever uses it notices.")
    rows = frame.drop_nulls().rows()
    return rows, len(rows) < frame.height


def _of_csv(path: Path) -> _Found:
    with path.open(encoding="ascii", newline="") as file:
        return [(int(row["rss_bytes"]), float(row["t_s"])) for row in csv.DictReader(file)], False


def _of_mprof(path: Path) -> _Found:
    found = importlib.import_module("mprof").read_mprofile_file(str(path))
    roots = zip(found["mem_usage"], found["timestamp"], strict=False)
    children = (pair for pairs in found["children"].values() for pair in pairs)
    return [(value * 2**20, t) for value, t in (*roots, *children)], False


# --- damage ----------------------------------------------------------------------------------------------------------


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) // 10, len(data) - 1)]


def _flip(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]


def _damage(
    way: str,
    damage: Callable[[bytes, random.Random], bytes],
    side: str,
    form: _Form,
    plan: _Plan,
    bench: Bench,
    found: Collected,
) -> None:
    path = form.write(bench.folder / f"damaged-{_file_name(side)}", plan.samples_of_damaged)
    whole = path.read_bytes()
    truth = {_rounded(pair) for pair in form.values(path)[0]}
    for _ in range(plan.damaged):
        path.write_bytes(damage(whole, bench.draw))
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ResourceWarning
            )  # mprof's reader leaves its file open when it fails
            verdict = _verdict(form, path, truth)
        for each in (_Verdict.SAID, _Verdict.SHORT, _Verdict.WRONG):
            found.add(f"{way}: {each}", side, float(verdict is each), "", Headline.TOTAL)


def _verdict(form: _Form, path: Path, truth: Set[tuple[float, float]]) -> _Verdict:
    try:
        pairs, is_said = form.values(path)
    except (DiagtoolsError, ValueError, IndexError, KeyError, TypeError, pl.exceptions.PolarsError):
        return _Verdict.SAID
    read = {_rounded(pair) for pair in pairs}
    if not read <= truth:
        return _Verdict.WRONG
    if is_said:
        return _Verdict.SAID
    return _Verdict.SHORT if len(read) < len(truth) else _Verdict.HARMLESS


def _rounded(pair: tuple[float, float]) -> tuple[float, float]:
    return float(pair[0]), round(float(pair[1]), _PLACES)
