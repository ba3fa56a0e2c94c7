"""How many files a second does a scan look at, and how much memory does it take, beside a plain loop in Python?

The tree is generated: small source files of 5 to 90 lines, 50 a folder, with a `.gitignore` of ten usual patterns; each
file has ten names (hard links), as some file systems take minutes to delete more.  It is read once before anything is
timed, so that both sides read from the page cache.  Each side is a fresh process, in
turn: `diagtools scan --json` (kinds, folders, chunks, ignore rules), and a loop of `os.walk`, `read_text` and
`splitlines` that sums lines and bytes and knows no rules.  *Time* is wall clock from spawn to exit, imports included;
*CPU* is the kernel's (wait4); *memory* is the largest RSS of the process.  Both must find the same files and bytes.

*One line* is the same of a single file without a line end.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.footprint import FailedError, footprint
from benchmarks.processes import diagtools, target
from benchmarks.results import (
    Bench,
    Collected,
    Goal,
    Outcome,
    Size,
    at_least,
    at_most,
    median_of,
    median_ratio,
)

OURS, LOOP = "diagtools scan", "os.walk and read_text"
_SIDES = (OURS, LOOP)
RATE, MEMORY, TIME, CPU = "files a second", "memory", "time", "CPU"
_PER_FOLDER, _FOLDERS_A_PACKAGE, _NAMES = 50, 40, 10
_WORDS = "def return self import value for in range if not None class # why = ( ) : await yield".split()
_PATTERNS = (
    "__pycache__/\n*.pyc\nbuild/\ndist/\n*.egg-info/\n.venv/\n*.log\n.coverage*\n/docs/_build\n!keep.log\n"
)
_LEAST_RATE, _MOST_MB = 20_000, 150


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rounds: int
    files: int
    line_mb: int


_PLANS = {
    Size.FULL: _Plan(rounds=5, files=200_000, line_mb=100),
    Size.QUICK: _Plan(rounds=2, files=50_000, line_mb=20),
    Size.TINY: _Plan(rounds=1, files=120, line_mb=1),
}


def run(bench: Bench) -> Outcome:
    """Makes the tree and the long line, then scans them on both sides, interleaved."""
    plan, found = _PLANS[bench.size], Collected()
    bench.say(f"writes {plan.files:,} files")
    tree = _tree(bench.folder / "tree", plan.files, bench.draw)
    line = _line(bench.folder / "line", plan.line_mb)
    answers = [_answer(bench, side, tree) for side in _SIDES]  # reads all once
    if any(answer != answers[0] for answer in answers):
        raise FailedError(f"The sides differ in what they found: {answers}.")
    for _, side in bench.interleaved(_SIDES, plan.rounds):
        cost = footprint(_command(side, tree), bench.folder / "said")
        found.add(RATE, side, plan.files / cost.wall_s, "/s")
        found.add(TIME, side, cost.wall_s, "s")
        found.add(CPU, side, cost.cpu_s, "s")
        found.add(MEMORY, side, cost.peak_bytes / 1e6, "MB")
        cost = footprint(_command(side, line), bench.folder / "said")
        found.add(f"one line of {plan.line_mb} MB: time", side, cost.wall_s, "s")
        found.add(f"one line of {plan.line_mb} MB: memory", side, cost.peak_bytes / 1e6, "MB")
    notes = (f"{answers[0][0]:,} files, {answers[0][1] / 1e6:,.0f} MB of text.",)
    return Outcome(series=found.series(_SIDES), goals=tuple(_goals(found, plan)), notes=notes)


def _goals(found: Collected, plan: _Plan) -> list[Goal]:
    line = f"one line of {plan.line_mb} MB"
    return [
        at_least("files a second, warm", median_of(found, RATE, OURS), _LEAST_RATE, "/s"),
        at_most("memory of a scan", median_of(found, MEMORY, OURS), _MOST_MB, "MB"),
        at_most(f"memory of {line}", median_of(found, f"{line}: memory", OURS), _MOST_MB, "MB"),
        at_most("time over that of a plain loop", median_ratio(found, TIME, OURS, LOOP), 1.5, "×"),
    ]


def _command(side: str, folder: Path) -> Sequence[str]:
    return diagtools("scan", folder, "--json") if side == OURS else target("scan_plainly", folder)


def _answer(bench: Bench, side: str, folder: Path) -> tuple[int, int]:
    """How many files and bytes does this side find?"""
    said = bench.folder / "said"
    footprint(_command(side, folder), said)
    told = json.loads(said.read_text(encoding="utf-8").splitlines()[-1])
    return told["files"], told["bytes"]


def _tree(root: Path, n_files: int, draw: random.Random) -> Path:
    """A package tree of small files; the texts are drawn once, and each is written into many of them."""
    lines = [
        "    " * draw.randint(0, 3) + " ".join(draw.choices(_WORDS, k=draw.randint(1, 9))) for _ in range(500)
    ]
    texts = ["\n".join(draw.choices(lines, k=draw.randint(5, 90))) + "\n" for _ in range(300)]
    root.mkdir()
    (root / ".gitignore").write_text(_PATTERNS, encoding="utf-8")
    written: list[Path] = []
    for number in range(n_files - 1):
        package, folder = divmod(number // _PER_FOLDER, _FOLDERS_A_PACKAGE)
        file = root / f"package_{package}" / f"part_{folder}" / f"module_{number}.py"
        if number % _PER_FOLDER == 0:
            file.parent.mkdir(parents=True)
        if len(written) < n_files // _NAMES:
            file.write_text(texts[number % len(texts)], encoding="utf-8")
            written.append(file)
        else:
            file.hardlink_to(written[number % len(written)])
    return root


def _line(root: Path, n_mb: int) -> Path:
    root.mkdir()
    with (root / "line.json").open("wb") as file:
        for _ in range(n_mb):
            file.write(b'{"key": 12345678} ' * 55_555)
    return root
