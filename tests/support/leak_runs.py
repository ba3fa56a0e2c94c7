"""Functions that are called in a process of their own, and what is written of it; logs made by hand."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from diagtools.frames import LEAK_CACHES, LEAK_LINES, LEAK_READINGS, LeakFailure, LeakLog
from diagtools.probes import leaks as probe
from diagtools.read.leaks import read_leaks

ROOT = Path(__file__).parents[2]
STAGES = (400, 800, 1600)


def checked(
    target: str,
    folder: Path,
    *,
    cwd: Path = ROOT,
    python: str = sys.executable,
    mode: str = "measure",
    budget_s: float = 60.0,
    timeout_s: float = 100.0,
    stages: Sequence[int] = STAGES,
) -> LeakLog:
    """What the probe writes of this function, without a recording around it."""
    run_probe(
        target,
        folder,
        cwd=cwd,
        python=python,
        mode=mode,
        budget_s=budget_s,
        timeout_s=timeout_s,
        stages=stages,
    )
    return read_leaks(folder)


def run_probe(
    target: str,
    folder: Path,
    *,
    cwd: Path = ROOT,
    python: str = sys.executable,
    mode: str = "measure",
    budget_s: float = 60.0,
    timeout_s: float = 100.0,
    stages: Sequence[int] = STAGES,
) -> subprocess.CompletedProcess[str]:
    """The process itself, ended."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [mode, target, "-", "200", ",".join(map(str, stages)), str(budget_s), str(timeout_s)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [python, probe.__file__, *words],
        cwd=cwd,
        env={**env, "DIAGTOOLS_RUN": str(folder)},
        capture_output=True,
        text=True,
        timeout=200,
    )


def program(folder: Path, text: str, name: str = "program") -> Path:
    """A folder with this module in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return folder


def line(kind: str, *fields: object) -> bytes:
    """One whole line of ``leaks.log``."""
    body = b"\t".join(str(field).encode() for field in (kind, *fields))
    return b"%b\t%08x\n" % (body, zlib.crc32(body))


Curve = Callable[[int], int]


def level(value: int = 1_000_000) -> Curve:
    """The same after any number of calls."""
    return lambda _: value


def rising(per_call: float, start: int = 1_000_000) -> Curve:
    """More by as much with every call."""
    return lambda n: start + round(per_call * n)


def log(
    *,
    c: Curve | None = None,
    python: Curve | None = None,
    blocks: Curve | None = None,
    mapped: Curve | None = None,
    rss: Curve | None = None,
    stages: Sequence[int] = (*STAGES, 2800),
    clearing: bool = False,
    caches: Sequence[dict[str, object]] = (),
    **more: object,
) -> LeakLog:
    """What a process would have written whose counters go along these curves; what is not given is level."""
    rows: list[dict[str, object]] = []
    n_calls = 0
    curves = {
        "c_bytes": c,
        "python_bytes": python,
        "n_blocks": blocks,
        "mapped_bytes": mapped,
        "rss_bytes": rss,
    }
    for stage, n in enumerate(stages):
        for block in range(11):
            done = n_calls + n * block // 10
            values = {name: (curve or level())(done) for name, curve in curves.items()}
            rest = {"n_objects": 5000, "anon_bytes": 10**7, "n_threads": 1, "n_fds": 4}
            is_clearing = clearing and stage == len(stages) - 1
            place = {"stage": stage, "block": block, "n_calls": done, "t_s": done / 1e4}
            rows.append({**place, **values, **rest, "is_clearing": is_clearing})
        n_calls += n
    readings = pl.DataFrame(rows, schema=LEAK_READINGS.columns)
    given: dict[str, object] = {
        "pid": 100,
        "python": "3.11.7",
        "mode": "measure",
        "target": "app:handle",
        "n_warm": 200,
        "warm_is_cut": False,
        "call_s": 1e-5,
        "is_async": False,
        "n_planned": n_calls,
        "n_calls": n_calls,
        "n_forks": 0,
        "is_ended": True,
        "failure": None,
        "readings": LEAK_READINGS.check(readings),
        "caches": pl.DataFrame(list(caches), schema=LEAK_CACHES.columns),
        "lines": LEAK_LINES.empty(),
    }
    return LeakLog(**{**given, **more})  # type: ignore[arg-type]


def failed(kind: str, text: str = "", *, place: str = "", n_calls: int = 0) -> LeakFailure:
    """A failure of the function."""
    return LeakFailure(kind=kind, n_calls=n_calls, place=place, text=text)
