"""What does an experiment cost beside the command itself, and does it ever see what is not there?

*Added* is what a run of a quick experiment takes on top of the same command started plainly, in turn: from the call of
`Experiment.run` to its end, divided by the runs, minus the time of the plain command.  *Overlay* is the time to make an
overlay of another release whose wheel is in the installer's cache, and to find it again.  *Null comparisons* are real
ones: the gate (10, 20 or 40 pairs of fresh processes) on a command and the same command, with the peak as metric;
whatever it says is an alarm.  *Bisect* counts the experiments of a search among 16 releases, made here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Bench, Collected, Goal, Outcome, Size, at_most, median_of
from diagtools.analyse.bisect import Side, begun, next_release, told
from diagtools.capture.overlay import overlay
from diagtools.investigations.ab import AbCase
from diagtools.investigations.changes import env
from diagtools.investigations.experiment import Experiment, Variant
from diagtools.values import Moved, Target

PLAIN, OURS = "the command", "a quick experiment"
ADDED, OVERLAY, AGAIN, ALARMS, PAIRS, BISECT = (
    "time a run",
    "overlay made",
    "overlay found again",
    "alarms",
    "pairs to a decision",
    "experiments to bisect 16 releases",
)
_COMMAND = (sys.executable, "-c", "kept = b'x' * (20 << 20); import json, decimal")
_N_RELEASES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    overlays: int
    nulls: int


_PLANS = {
    Size.FULL: _Plan(rounds=10, overlays=5, nulls=200),
    Size.QUICK: _Plan(rounds=3, overlays=2, nulls=10),
    Size.TINY: _Plan(rounds=1, overlays=1, nulls=1),
}


def run(bench: Bench) -> Outcome:
    """Costs first, then the null comparisons, which take longest."""
    plan, found = _PLANS[bench.size], Collected()
    for _, side in bench.interleaved((PLAIN, OURS), plan.rounds):
        found.add(ADDED, side, _plain_s() if side == PLAIN else _ours_s(bench), "s")
    _overlays(bench, found, plan.overlays)
    found.add(BISECT, OURS, max(_experiments(first) for first in range(1, _N_RELEASES)), "")
    for number in range(plan.nulls):
        bench.say(f"null comparison {number + 1} of {plan.nulls}")
        moved, n_pairs = _null(bench.folder / f"null-{number}")
        found.add(ALARMS, OURS, float(moved in (Moved.LOWER, Moved.HIGHER)), "")
        found.add(PAIRS, OURS, n_pairs, "")
    return Outcome(series=found.series((PLAIN, OURS)), goals=tuple(_goals(found, plan)))


def _goals(found: Collected, plan: _Plan) -> list[Goal]:
    ours, plain = median_of(found, ADDED, OURS), median_of(found, ADDED, PLAIN)
    alarms = sum(value or 0.0 for value in found.of(ALARMS, OURS))
    return [
        at_most("added to a run", None if ours is None or plain is None else ours - plain, 0.5, "s"),
        at_most("overlay, wheels cached", median_of(found, OVERLAY, OURS), 5.0, "s"),
        at_most("experiments to bisect 16 releases", median_of(found, BISECT, OURS), 5, ""),
        at_most(f"alarms in {plan.nulls} null comparisons", alarms, 0, ""),
        at_most("pairs to a decision, median", median_of(found, PAIRS, OURS), 20, ""),
    ]


def _plain_s() -> float:
    began = time.monotonic()
    subprocess.run(_COMMAND, check=True)
    return time.monotonic() - began


def _ours_s(bench: Bench) -> float:
    target = Target(argv=_COMMAND)
    experiment = Experiment(
        baseline=target,
        variants=[Variant(name="same", change="nothing", target=target)],
        folder=bench.folder / f"quick-{time.monotonic_ns()}",
    )
    began = time.monotonic()
    experiment.run(rounds=1)
    return (time.monotonic() - began) / 2


def _overlays(bench: Bench, found: Collected, n: int) -> None:
    """Of releases of a package made here: each is installed once before, elsewhere, so that its wheel is cached."""
    wheels = bench.folder / "wheels"
    wheels.mkdir()
    saved = {name: os.environ.get(name) for name in ("UV_FIND_LINKS", "PIP_FIND_LINKS", "DIAGTOOLS_CACHE")}
    try:
        os.environ["UV_FIND_LINKS"] = os.environ["PIP_FIND_LINKS"] = str(wheels)
        for number in range(n):
            _wheel(wheels, f"{number + 1}.0")
            _made_s(bench.folder / "warm", number)
            found.add(OVERLAY, OURS, _made_s(bench.folder / "measured", number), "s")
            found.add(AGAIN, OURS, _made_s(bench.folder / "measured", number), "s")
    finally:
        for name, value in saved.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _made_s(cache: Path, number: int) -> float:
    os.environ["DIAGTOOLS_CACHE"] = str(cache)
    began = time.monotonic()
    overlay([f"shelf-of-a-benchmark=={number + 1}.0"], python=sys.executable)
    return time.monotonic() - began


def _wheel(folder: Path, version: str) -> None:
    name, info = "shelf_of_a_benchmark", f"shelf_of_a_benchmark-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files = (f"{name}.py", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD")
        wheel.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in files))


def _experiments(first_bad: int) -> int:
    """How many does the search take where this is the first bad one?  The first compares the ends."""
    releases = [f"{number}.0" for number in range(_N_RELEASES)]
    sides = [Side.GOOD if number < first_bad else Side.BAD for number in range(_N_RELEASES)]
    search, n = begun(releases, sides[0], sides[-1]), 1
    while (release := next_release(search)) is not None:
        search, n = told(search, release, sides[releases.index(release)]), n + 1
    return n


def _null(folder: Path) -> tuple[Moved, int]:
    case = AbCase(Target(argv=_COMMAND), [env("NOTHING_READS_THIS=1")], folder=folder)
    case.try_until_clear()
    (effect,) = case.effects
    return effect.moved, effect.n_pairs
