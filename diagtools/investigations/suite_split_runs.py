"""A test suite run again, without some of it or by two workers, as a run of its own inside the run of its session."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from diagtools.analyse.suite_split import Heavy
from diagtools.errors import DiagtoolsError
from diagtools.investigations.suite_split_asked import ADVISED_VARIABLE, Asked
from diagtools.read.suite_log import read_suite_logs
from diagtools.read.suite_tests import DIED, ERROR, suite_costs
from diagtools.redact import redact_text
from diagtools.run import Run

_FAILING = ("failed", ERROR, DIED)
_RAN = (0, 1)  # exit statuses of pytest: all passed, some did not
#: Options that a second run is not to have: ours, those of xdist, and what waits for somebody.
_ALONE = ("--diag", "--diag-suggest", "--pdb", "--trace")
_PAGE = "--diag-html"
_WITH_WORD = (
    *("--diag-dir", "--diag-threshold", "--diag-cap", "--diag-delta-cap"),
    *("-n", "--numprocesses", "--dist", "--maxprocesses"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOfSuite:
    """What one process that ran tests held: before its first one, and at most; bytes."""

    worker: str
    n_tests: int
    baseline_bytes: int
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFigures:
    """One session: its workers, the most that all of its processes held at once, and the tests by outcome.

    ``together_bytes`` counts what they share n times; null where it was not sampled.
    """

    workers: tuple[WorkerOfSuite, ...]
    seconds: float
    together_bytes: int | None
    outcomes: tuple[tuple[str, int], ...]
    failing: frozenset[str]

    @property
    def peak_bytes(self) -> int:
        """The highest of any worker."""
        return max((one.peak_bytes for one in self.workers), default=0)


class AgainError(Exception):
    """The suite could not be run once more; the text says why."""


def figures_of(run: Run) -> SuiteFigures:
    """What did the session of this run come to?  Raises ``NoDataError`` where it has none."""
    session = run.test_session
    tests = session.tests
    together = run.timeline.group_by("t_s").agg(pl.col("rss_bytes").sum())["rss_bytes"].max()
    outcomes = tests["outcome"].value_counts().sort("count", "outcome", descending=[True, False])
    return SuiteFigures(
        workers=tuple(_workers(tests, session.files)),
        seconds=_seconds(run.path),
        together_bytes=together if isinstance(together, int) else None,
        outcomes=tuple(outcomes.iter_rows()),
        failing=frozenset(tests.filter(pl.col("outcome").is_in(_FAILING))["test"]),
    )


def _workers(tests: pl.DataFrame, files: pl.DataFrame) -> Iterator[WorkerOfSuite]:
    peaks = pl.concat([frame.select("pid", "peak_bytes") for frame in (tests, files)])
    for (pid,), mine in tests.sort("begin_s").group_by(["pid"], maintain_order=True):
        highest = peaks.filter(pl.col("pid") == pid)["peak_bytes"].max()
        yield WorkerOfSuite(
            worker=mine["worker"][0],
            n_tests=mine.height,
            baseline_bytes=mine["begin_rss_bytes"][0],
            peak_bytes=highest if isinstance(highest, int) else 0,
        )


def _seconds(folder: Path) -> float:
    """From the begin of its first process to the end of its last test."""
    logs = read_suite_logs(folder)
    ends = [test.ended.end_ns for test in suite_costs(logs).tests if test.ended]
    return (max(ends, default=0) - min(log.begun.t_ns for log in logs)) / 1e9 if ends else 0.0


# --- once more -------------------------------------------------------------------------------------------


def run_again(asked: Asked, name: str, *, added: Sequence[str], patience_s: float) -> SuiteFigures:
    """The suite with these words added, recorded into the folder ``name`` of the first run.

    The cache of pytest is a new one, coverage is off, and what the session wrote is not written over.  Raises
    ``AgainError`` where there are no figures: pytest refused, was killed, or took longer than ``patience_s``.
    """
    folder = Path(asked.folder) / name
    with tempfile.TemporaryDirectory(prefix="diagtools-again-", ignore_cleanup_errors=True) as scratch:
        ours = ["--diag", f"--diag-dir={folder}", *_redirected(asked, Path(scratch)), *added]
        safe = (
            [] if asked.is_module else ["-P"]
        )  # `pytest` has no current folder in its path, `python -m pytest` has
        command = [sys.executable, *safe, "-m", "pytest", *kept_args(asked.args), *ours]
        status, said = _run(command, Path(asked.cwd), patience_s)
    if status not in _RAN:
        raise AgainError(f"pytest ended with {status}{': ' if said else ''}{said}")
    try:
        return figures_of(Run.open(folder))
    except DiagtoolsError as error:
        raise AgainError(str(error)) from error


def _run(command: Sequence[str], cwd: Path, patience_s: float) -> tuple[int, str]:
    try:
        told = subprocess.run(
            command,
            cwd=cwd,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AgainError(f"it took longer than {patience_s:.0f} s") from error
    except OSError as error:
        raise AgainError(f"it could not be started: {error.strerror}") from error
    lines = [line for line in (told.stdout + told.stderr).splitlines() if line.strip()]
    wrong = [line for line in lines if "rror" in line]
    return told.returncode, redact_text((wrong or lines or [""])[-1].strip())


def _redirected(asked: Asked, scratch: Path) -> Iterator[str]:
    if asked.has_cache:  # not -p no:cacheprovider: an ini file may hold an option of it
        yield from ("-o", f"cache_dir={scratch / 'cache'}")
    yield from (f"{option}={scratch / option.strip('-')}" for option in asked.redirected)
    if asked.has_coverage:
        yield "--no-cov"


def _environment() -> dict[str, str]:
    """That of the session, before ``plain_environment`` put this package in front of its path."""
    kept = dict(os.environ)
    root = str(Path(__file__).parents[2])
    path = kept.pop("PYTHONPATH", "").removeprefix(root).removeprefix(os.pathsep)
    options = kept.pop("PYTEST_ADDOPTS", "")
    added = {"PYTHONPATH": path, "PYTEST_ADDOPTS": _kept_options(options)}
    return {**kept, **{name: text for name, text in added.items() if text}, ADVISED_VARIABLE: "1"}


def _kept_options(text: str) -> str:
    try:
        return shlex.join(kept_args(tuple(shlex.split(text))))
    except ValueError:  # no words as a shell has them: pytest will say so
        return text


def kept_args(args: Sequence[str]) -> list[str]:
    """The words of a command line of pytest without our options and those of xdist: the second run has its own."""
    kept: list[str] = []
    words = iter(args)
    for word in words:
        name, is_joined, _ = word.partition("=")
        if name in _ALONE or _is_joined_number(word):
            continue
        if name in _WITH_WORD:
            if not is_joined:
                next(words, None)
        elif name == _PAGE:
            kept += _after_page(words) if not is_joined else []
        else:
            kept.append(word)
    return kept


def _is_joined_number(word: str) -> bool:
    return word.startswith("-n") and not word.startswith("--") and len(word) > len("-n")


def _after_page(words: Iterator[str]) -> list[str]:
    """The file of a page may be left out: what follows is its name unless it is an option."""
    following = next(words, "")
    return [following] if following.startswith("-") else []


def without_words(asked: Asked, heavy: Sequence[Heavy]) -> tuple[str, ...]:
    """The options that take the heavy set out; only ``--ignore`` keeps a file from being imported."""
    ignored = (f"--ignore={shown_path(asked, one)}" for one in heavy if one.is_file)
    return (*ignored, *(f"--deselect={one.name}" for one in heavy if not one.is_file))


def shown_path(asked: Asked, one: Heavy) -> str:
    """The path of its file, from where pytest was called."""
    return os.path.relpath(Path(asked.root) / one.path, asked.cwd)


def named_files(asked: Asked, heavy: Sequence[Heavy]) -> frozenset[str]:
    """Which words of the command line name a heavy file?  ``--ignore`` does not hold for what is named."""
    paths = {(Path(asked.root) / one.path).resolve() for one in heavy if one.is_file}
    return frozenset(word for word in asked.args if _resolved(asked, word) in paths)


def _resolved(asked: Asked, word: str) -> Path | None:
    try:
        return (Path(asked.cwd) / word.partition("::")[0]).resolve()
    except (OSError, ValueError):
        return None
