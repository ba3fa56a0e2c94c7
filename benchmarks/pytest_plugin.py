"""How much longer does a test suite take because each test, fixture and file of it is measured?

Three suites that are written here: one test of nothing, 1,000 tests of nothing in ten files, and 300 tests that each
work for about a tenth of a second (JSON, regular expressions, a buffer of fresh pages).  Each runs plain, with our
plugin loaded and not asked for anything, under `pytest --diag`, and under the peers that are installed, in turn.  Every
side loads pytest's own plugins and the one of its side, no others.  Wall time is from spawn to exit, CPU time that of
the command and of everything that it waited for: the sampler, and the process that writes the frames, are in it.
The peers run once where we run several times: 1,000 tests take them half a minute and more.
What a session costs is the difference for the suite of one test; what a test costs is what 1,000 differ by beyond that.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.machine import without_paths
from benchmarks.processes import PYTHON, environment, running, wait
from benchmarks.results import Bench, Collected, Goal, Outcome, Size, at_most
from benchmarks.spread import known, ratios

PLAIN, LOADED, OURS = "plain", "our plugin, nothing asked", "pytest --diag"
MONITOR, MEMRAY = "pytest-monitor", "pytest --memray"
ONE, MANY, WORK = "a suite of one test", "tests of nothing", "tests that work"
_PLUGINS = {
    PLAIN: ("", ()),
    LOADED: ("diagtools.pytest_plugin", ()),
    OURS: ("diagtools.pytest_plugin", ("--diag",)),
    MONITOR: ("pytest_monitor.pytest_monitor", ()),
    MEMRAY: ("pytest_memray.plugin", ("--memray",)),
}
_PEERS = (MONITOR, MEMRAY)
_N_FILES = 10
_ROUNDS = 11  # of JSON a test: a tenth of a second
_NOTHING = """
import pytest

@pytest.mark.parametrize("number", range({n}))
def test_nothing(number):
    pass
"""
_WORKING = """
import json, re
import pytest

WORDS = re.compile(r"(\\w+)@(\\w+)\\.org")

@pytest.mark.parametrize("number", range({n}))
def test_work(number):
    rows = [{{"name": f"user{{n}}@host{{n}}.org", "values": list(range(20))}} for n in range(1500)]
    for _ in range({rounds}):
        text = json.dumps(rows)
        assert len(WORDS.findall(text)) == len(rows)
        assert json.loads(text) == rows
    buffer = bytearray(b"x") * (4 << 20)
    assert buffer[-1]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    work_rounds: int
    peer_rounds: int = 1
    n_many: int = 1000
    n_work: int = 300


_PLANS = {
    Size.FULL: _Plan(rounds=9, work_rounds=5),
    Size.QUICK: _Plan(rounds=3, work_rounds=1),
    Size.TINY: _Plan(rounds=1, work_rounds=1, n_many=20, n_work=2),
}


def run(bench: Bench) -> Outcome:
    """Runs the three suites on every side, in turn."""
    plan = _PLANS[bench.size]
    sides = [side for side, (module, _) in _PLUGINS.items() if _is_there(module)]
    suites = _suites(bench.folder, plan)
    found = Collected()
    failing = _failing(bench.folder, sides, suites[ONE])
    sides = [side for side in sides if side not in failing]
    for number, side in bench.interleaved(sides, plan.rounds):
        if side in _PEERS and number >= plan.peer_rounds:
            continue
        for what in (ONE, MANY):
            _measure(
                bench.folder / f"{number}-{sides.index(side)}-{what.split()[0]}",
                side,
                what,
                suites[what],
                found,
            )
    for number, side in bench.interleaved(sides, plan.work_rounds):
        if side not in _PEERS or number < plan.peer_rounds:
            _measure(bench.folder / f"{number}-{sides.index(side)}-work", side, WORK, suites[WORK], found)
    missing = [side for side in _PLUGINS if side not in sides and side not in failing]
    notes = [
        *(f"{side}: not installed." for side in missing),
        *(f"{side}: {why}" for side, why in failing.items()),
    ]
    return Outcome(series=found.series(sides), goals=tuple(_goals(found, plan)), notes=tuple(notes))


def _failing(folder: Path, sides: Sequence[str], suite: Path) -> dict[str, str]:
    """Which peers fail with this pytest, and how?  Bytecode, and pages of the disk, are there from here on."""
    failing = {}
    for side in sides:
        try:
            _session(folder / "first", side, suite)
        except RuntimeError as error:
            if side in {PLAIN, LOADED, OURS}:
                raise
            failing[side] = without_paths(str(error))
    return failing


def _is_there(module: str) -> bool:
    return not module or importlib.util.find_spec(module.partition(".")[0]) is not None


def _suites(folder: Path, plan: _Plan) -> dict[str, Path]:
    texts = {
        ONE: [_NOTHING.format(n=1)],
        MANY: _N_FILES * [_NOTHING.format(n=plan.n_many // _N_FILES)],
        WORK: [_WORKING.format(n=plan.n_work, rounds=_ROUNDS)],
    }
    for what, files in texts.items():
        suite = folder / f"suite of {what}"
        suite.mkdir()
        (suite / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        for number, text in enumerate(files):
            (suite / f"test_{number}.py").write_text(text, encoding="utf-8")
    return {what: folder / f"suite of {what}" for what in texts}


def _measure(folder: Path, side: str, what: str, suite: Path, found: Collected) -> None:
    wall_s, cpu_s = _session(folder, side, suite)
    found.add(f"{what}: seconds", side, wall_s, "s")
    found.add(f"{what}: CPU time", side, cpu_s, "s")


def _session(folder: Path, side: str, suite: Path) -> Sequence[float]:
    module, options = _PLUGINS[side]
    words = ["-p", module] if module else []
    command = [
        PYTHON,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *words,
        *options,
        *_where(folder, side),
    ]
    printed = folder.with_name(f"{folder.name}-{_short(side)}.printed")
    began = time.monotonic()
    with running(
        command, output=printed, cwd=suite, env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    ) as process:
        ended = wait(process)
    if ended.exit_status != 0:
        last = printed.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"pytest ended with {ended.exit_status} ({side}): {''.join(last)}")
    return time.monotonic() - began, ended.cpu_s


def _where(folder: Path, side: str) -> list[str]:
    """What a session writes goes into a folder of its own."""
    if side == OURS:
        return [f"--diag-dir={folder}-run"]
    return [f"--db={folder}.pymon"] if side == MONITOR else []


def _short(side: str) -> str:
    return str(list(_PLUGINS).index(side))


def _goals(found: Collected, plan: _Plan) -> list[Goal]:
    session_s = _more_s(found, ONE)
    many_s = _more_s(found, MANY)
    test_s = None if session_s is None or many_s is None else (many_s - session_s) / plan.n_many
    shares = ratios(found.of(f"{WORK}: seconds", OURS), found.of(f"{WORK}: seconds", PLAIN))
    return [
        at_most("what --diag costs a session", session_s, 0.5, "s"),
        at_most("what --diag costs each test", None if test_s is None else max(1e3 * test_s, 0.0), 1, "ms"),
        at_most(
            "what --diag adds to a suite that works", 100 * (median(shares) - 1) if shares else None, 5, "%"
        ),
    ]


def _more_s(found: Collected, what: str) -> float | None:
    """By how much does our side take longer, pair by pair?"""
    name = f"{what}: seconds"
    pairs = zip(known(found.of(name, OURS)), known(found.of(name, PLAIN)), strict=True)
    return median([ours - plain for ours, plain in pairs] or [0.0])
