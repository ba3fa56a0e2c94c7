"""Does the real indexing job die in the file that kills it, on every run, and is that file named?

`workloads.rag` indexes its pinned corpus with the defaults of the incident under `diagtools record --json`, with a
limit of 2 GiB; then once more with generated files excluded and batches of 16.  Judged is what the run folder says:
the item in flight, the items and kinds of file ordered by their own demand (kinds by the rules of `analyse.corpus`),
and the peak.
Beside it the same job runs under mprof and psrecord and is killed by the harness when its own memory passes the same
limit: with which status do they exit, and does anything that they write name the file or the kill?  What the job itself
prints is thrown away there: it would be no merit of theirs.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sysconfig
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import without_paths
from benchmarks.processes import PYTHON, ROOT, descendants, diagtools, environment, running, script, wait
from benchmarks.results import Bench, Collected, Goal, Headline, Outcome, Size, at_least, at_most, median_of
from diagtools.analyse.contributors import contributors, rise_bytes
from diagtools.analyse.corpus import GENERATED, classify
from diagtools.read.corpus import read_corpus
from diagtools.run import Run
from diagtools.units import parse_bytes

OURS, MENDED = "diagtools record", "diagtools record, both mends"
KILLER = "widgetsnbextension/static/extension.js"
_MENDS = ("--exclude-generated", "--batch", "16")
_PEERS = ("mprof", "psrecord")
STATUS, PEAK = "exit status", "peak of the limit"
IN_FLIGHT, BY_ITEM, BY_KIND = (
    "dies in the killer's file",
    "killer first by own demand",
    "generated first by demand",
)
NAMES_FILE, NAMES_KILL = "names the file", "names the kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    runs: int
    peer_runs: int
    is_real: bool = True
    limit: str = "2GiB"


_PLANS = {
    Size.FULL: _Plan(runs=3, peer_runs=1),
    Size.QUICK: _Plan(runs=1, peer_runs=0),
    Size.TINY: _Plan(runs=1, peer_runs=0, is_real=False, limit="100MiB"),
}


def run(bench: Bench) -> Outcome:
    """Runs the job as it is, mended, and under the peers."""
    plan = _PLANS[bench.size]
    if why := _why_not(plan):
        return Outcome(series=(), notes=(f"Not run: {without_paths(why)}",))
    found = Collected()
    for number in range(plan.runs):
        bench.say(f"run {number + 1} of {plan.runs}")
        _record(OURS, (), bench.folder / f"killed-{number}", plan, found)
    if plan.is_real:
        bench.say("with both mends")
        _record(MENDED, _MENDS, bench.folder / "mended", plan, found)
    peers = [name for name in _PEERS if script(name)]
    for number, name in bench.interleaved(peers, plan.peer_runs):
        _under_peer(name, bench.folder / f"{name}-{number}", parse_bytes(plan.limit), found)
    notes = [f"{name}: not installed." for name in _PEERS if name not in peers]
    series = found.series([OURS, MENDED, *peers])
    return Outcome(series=series, goals=tuple(_goals(found, plan)), notes=tuple(notes))


def _why_not(plan: _Plan) -> str:
    """The last words of a preparation that fails: mostly the model is not installed."""
    if not plan.is_real:
        return ""
    answer = _call([PYTHON, "-m", "workloads.rag", "prepare"])
    return "" if answer.returncode == 0 else (answer.stderr.strip().splitlines() or ["no reason given"])[-1]


def _call(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        check=False,
    )


def _job(*options: str) -> list[str]:
    corpus = ROOT / "data" / "corpora" / "incident.json"
    return [PYTHON, "-m", "workloads.rag", "index", "--corpus", str(corpus), *options]


def _record(side: str, options: tuple[str, ...], folder: Path, plan: _Plan, found: Collected) -> None:
    command = diagtools("record", "--json", "--limit", plan.limit, "-o", folder, "--", *_job(*options))
    said = json.loads(_call(command).stdout)
    found.add(STATUS, side, said["exit_status"], "")
    found.add(PEAK, side, 100 * said["peak_rss_bytes"] / parse_bytes(plan.limit), "%")
    if side == MENDED:
        return
    by_item, by_kind = _first_by_demand(Run.open(folder))
    text = json.dumps(said)
    for measure, is_so in {
        IN_FLIGHT: said["item_in_flight"] == KILLER,
        BY_ITEM: by_item == KILLER,
        BY_KIND: by_kind == GENERATED,
        NAMES_FILE: KILLER in text,
        NAMES_KILL: bool(said["death"]),
    }.items():
        found.add(measure, side, float(is_so), "", Headline.TOTAL)


def _first_by_demand(run: Run) -> tuple[str | None, str | None]:
    """Which item, and which kind of file, asked for most?"""
    if run.items.is_empty():
        return None, None
    kinds = classify(read_corpus(Path(sysconfig.get_path("purelib")), run.items["item"].unique().to_list()))
    growth = rise_bytes(run.timeline)
    items = contributors(run.items, growth, by="item")
    return items["key"][0], contributors(run.items, growth, by="kind", kinds=kinds)["key"][0]


def _under_peer(name: str, folder: Path, limit_bytes: int, found: Collected) -> None:
    folder.mkdir()
    data, said = folder / "data", folder / "said"
    quiet = f"exec {shlex.join(_job())} > /dev/null 2>&1"
    command = [*(script(name) or []), *_peer_options(name, data, quiet)]
    with running(command, output=said) as process:
        _kill_above(process.pid, limit_bytes)
        status = wait(process).exit_status
    text = "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in (said, data) if path.exists()
    )
    text = text.replace(quiet, "")
    found.add(STATUS, name, status, "")
    found.add(NAMES_FILE, name, float(KILLER in text), "", Headline.TOTAL)
    found.add(NAMES_KILL, name, float("kill" in text.lower()), "", Headline.TOTAL)


def _peer_options(name: str, data: Path, shell: str) -> list[str]:
    if name == "mprof":
        return ["run", "-C", "-T", "0.01", "-o", str(data), "sh", "-c", shell]
    return ["--include-children", "--interval", "0.01", "--log", str(data), shell]


def _kill_above(recorder: int, limit_bytes: int) -> None:
    """Kills the recorder's child when its RSS passes the limit; returns when it is gone."""
    page = os.sysconf("SC_PAGE_SIZE")
    until = time.monotonic() + 120
    while len(pids := descendants(recorder)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    with suppress(OSError, IndexError):
        while (
            int(Path(f"/proc/{pids[1]}/statm").read_text(encoding="ascii").split()[1]) * page <= limit_bytes
        ):
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        os.kill(pids[1], signal.SIGKILL)


def _goals(found: Collected, plan: _Plan) -> list[Goal]:
    goals = [
        at_least(
            f"{measure}, of {plan.runs} runs", sum(v or 0 for v in found.of(measure, OURS)), plan.runs, ""
        )
        for measure in (IN_FLIGHT, BY_ITEM, BY_KIND)
    ]
    return [*goals, at_most("peak of the limit with both mends", median_of(found, PEAK, MENDED), 25, "%")]
