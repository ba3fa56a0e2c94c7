"""How could a test suite be split, and what would that give?

The heavy set is predicted from the session (``analyse.suite_split``); what the suite holds without it, and with two
workers, is measured: each by one run more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diagtools.analyse.suite_split import Split, suite_split
from diagtools.investigations.suite_split_asked import Asked
from diagtools.investigations.suite_split_runs import (
    AgainError,
    SuiteFigures,
    figures_of,
    named_files,
    run_again,
    without_words,
)
from diagtools.run import Run
from diagtools.values.suite import MAIN

LIGHT, OTHERWISE = "light", "workers"
_LEAST_PATIENCE_S, _TIMES = 120.0, 5.0  # a suite that takes five times as long the second time is stuck


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteAdvice:
    """The session, and what the suite came to without its heavy set and with another number of workers.

    ``light`` and ``otherwise`` are null where they were not run, or could not be: then ``problems`` says why.
    ``n_workers`` is that of the session, 0 for one without xdist; ``n_otherwise`` that of ``otherwise``.
    """

    asked: Asked
    split: Split
    first: SuiteFigures
    light: SuiteFigures | None
    otherwise: SuiteFigures | None
    n_workers: int
    n_otherwise: int
    problems: tuple[str, ...]


def advise(asked: Asked) -> SuiteAdvice:
    """Predicts and measures: two sessions more at most.  Raises ``NoDataError`` where the session has no tests."""
    run = Run.open(Path(asked.folder))
    session, first = run.test_session, figures_of(run)
    uses = {name: frozenset(tests) for name, tests in asked.uses.items()}
    split = suite_split(session.tests, session.fixtures, session.files, uses=uses)
    n_workers = sum(one.worker != MAIN for one in first.workers)
    n_otherwise = 0 if n_workers == 2 else 2
    problems: list[str] = []
    patience_s = max(_LEAST_PATIENCE_S, _TIMES * first.seconds)
    light = otherwise = None
    if split.heavy:
        named = named_files(asked, split.heavy)
        rest = replace(asked, args=tuple(word for word in asked.args if word not in named))
        words = [*without_words(asked, split.heavy), *_workers(asked, n_workers)]
        light = _tried(rest, LIGHT, words, patience_s, problems)
    if asked.has_xdist:
        otherwise = _tried(asked, OTHERWISE, _workers(asked, n_otherwise), patience_s, problems)
    return SuiteAdvice(
        asked=asked,
        split=split,
        first=first,
        light=light,
        otherwise=otherwise,
        n_workers=n_workers,
        n_otherwise=n_otherwise,
        problems=tuple(problems),
    )


def _workers(asked: Asked, n: int) -> list[str]:
    return [f"-n{n}"] if asked.has_xdist else []


def _tried(
    asked: Asked, name: str, words: Sequence[str], patience_s: float, problems: list[str]
) -> SuiteFigures | None:
    try:
        return run_again(asked, name, added=words, patience_s=patience_s)
    except AgainError as error:
        problems.append(f"The suite could not be run again ({name}): {error}.")
        return None
