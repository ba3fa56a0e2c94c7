"""What the terminal says of how a suite could be split: a table, sentences, and the command of the light suite."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence

from diagtools.analyse.suite_split import WORTH_SHARE, Heavy
from diagtools.investigations.suite_split_advice import SuiteAdvice
from diagtools.investigations.suite_split_runs import SuiteFigures, WorkerOfSuite, shown_path, without_words
from diagtools.units import format_bytes, format_seconds, format_share

_FEW = 5
_WORTH_SAYING = 0.1  # of the highest of a worker
_HEADS = ("before 1st", "highest", "seconds")


def advice_lines(advice: SuiteAdvice) -> Iterator[str]:
    """Ten to fifteen lines; every figure says whether it is measured."""
    yield ""
    yield _row(_HEADS, "split advice: suite, worker, and how its tests ended")
    yield from _table(advice)
    yield from _heavy(advice)
    yield from _light(advice)
    yield from _otherwise(advice)
    yield from advice.problems
    yield from _failing(advice)
    if advice.asked.has_coverage:
        yield "The session measured coverage, the others did not: its figures hold what that takes."


def _table(advice: SuiteAdvice) -> Iterator[str]:
    yield from _rows(advice.first, f"whole suite{_with(advice.n_workers)}")
    if advice.light:
        yield from _rows(advice.light, f"light suite{_with(advice.n_workers)}")
    if advice.otherwise:
        yield from _rows(advice.otherwise, f"whole suite{_with(advice.n_otherwise) or ', one process'}")


def _rows(figures: SuiteFigures, name: str) -> Iterator[str]:
    ended = ", ".join(f"{n:,} {outcome}" for outcome, n in figures.outcomes)
    if len(figures.workers) > _FEW:  # the heaviest of many stands for them
        heaviest = max(figures.workers, key=lambda one: one.peak_bytes)
        yield _worker(
            heaviest, figures, f"{name}, {heaviest.worker} (of {len(figures.workers)} the heaviest): {ended}"
        )
        return
    for number, one in enumerate(figures.workers):
        who = f", {one.worker}" if len(figures.workers) > 1 else ""
        yield _worker(
            one, figures, f"{name}{who}" + (f": {ended}" if number == len(figures.workers) - 1 else "")
        )


def _worker(one: WorkerOfSuite, figures: SuiteFigures, name: str) -> str:
    return _row(
        (format_bytes(one.baseline_bytes), format_bytes(one.peak_bytes), f"{figures.seconds:.1f}"), name
    )


def _with(n_workers: int) -> str:
    return f", -n {n_workers}" if n_workers else ""


def _heavy(advice: SuiteAdvice) -> Iterator[str]:
    split = advice.split
    if not split.heavy:
        yield from _nothing(advice)
        return
    for one in split.heavy[:_FEW]:
        yield f"Heavy: {shown_path(advice.asked, one) if one.is_file else one.name}{_reason(one)}"
    if len(split.heavy) > _FEW:
        n_heavy = sum(one.n_tests for one in split.heavy)
        yield f"Heavy too: {len(split.heavy) - _FEW} more; all together {n_heavy:,} of {split.n_tests:,} tests."


def _nothing(advice: SuiteAdvice) -> Iterator[str]:
    split, before = advice.split, max((one.baseline_bytes for one in advice.first.workers), default=0)
    yield (
        f"No set of at most half of the {split.n_tests:,} tests makes a worker lighter by "
        f"{format_share(WORTH_SHARE)}, as predicted from the session: before its first test it holds "
        f"{format_bytes(before)}, {format_bytes(split.peak_bytes)} at most."
    )
    if split.conftest_bytes > split.peak_bytes * _WORTH_SAYING:
        yield f"Importing {split.conftest} keeps {format_bytes(split.conftest_bytes)} of that, for every test alike."


def _reason(one: Heavy) -> str:
    known = [
        (one.import_kept_bytes, f"importing it keeps {format_bytes(one.import_kept_bytes)}"),
        (
            one.fixture_bytes,
            f"{one.fixture}, which nothing else uses, keeps {format_bytes(one.fixture_bytes)}",
        ),
        (one.demand_bytes, f"needs {format_bytes(one.demand_bytes)} while it runs"),
    ]
    most = max(size for size, _ in known)
    said = [text for size, text in known if size >= most / 4 and size > 0]
    n_tests = f" ({_counted(one.n_tests)})" if one.is_file else ""
    return f"{n_tests}: {', '.join(said)}." if said else f"{n_tests}."


def _counted(n: int) -> str:
    return f"{n:,} test" if n == 1 else f"{n:,} tests"


def _light(advice: SuiteAdvice) -> Iterator[str]:
    predicted, light = advice.split.predicted_bytes, advice.light
    if predicted is None:
        return
    whole = advice.first.peak_bytes
    if light is None:
        yield (
            f"Without {_what(advice)} a worker would peak at {format_bytes(predicted)} instead of "
            f"{format_bytes(whole)}: predicted, not measured."
        )
        return
    yield (
        f"Without {_what(advice)} a worker peaks at {format_bytes(light.peak_bytes)} instead of {format_bytes(whole)}, "
        f"measured ({format_bytes(predicted)} was predicted)."
    )
    if light.peak_bytes > (1 - WORTH_SHARE) * whole:
        yield "That is not worth a split: what the heavy set imports or loads, other tests need too."
        return
    words = without_words(advice.asked, advice.split.heavy)
    yield f"The light suite: pytest … {shlex.join(words)}"
    yield from _ini(advice.split.heavy, words)


def _what(advice: SuiteAdvice) -> str:
    heavy = advice.split.heavy
    files, n_tests = [one for one in heavy if one.is_file], sum(one.n_tests for one in heavy)
    if len(heavy) == 1:
        return shown_path(advice.asked, heavy[0]) if files else heavy[0].name
    folder = (
        os.path.commonpath([shown_path(advice.asked, one) for one in files])
        if len(files) == len(heavy)
        else ""
    )
    where = f"{len(files):,} files of {folder}" if folder else "the heavy set"
    return f"{where} ({_counted(n_tests)})"


def _ini(heavy: Sequence[Heavy], words: Sequence[str]) -> Iterator[str]:
    if any(one.is_file for one in heavy):
        yield f"Always, by the ini file: addopts = {shlex.join(words)} (-m would import the files all the same)"
    else:
        yield 'Or with @pytest.mark.heavy there (named in the ini key markers): pytest -m "not heavy"'


def _otherwise(advice: SuiteAdvice) -> Iterator[str]:
    other, first = advice.otherwise, advice.first
    if other is None:
        return
    how = f"-n {advice.n_otherwise}" if advice.n_otherwise else "one process"
    sentence = (
        f"With {how} a worker peaks at {format_bytes(other.peak_bytes)} instead of {format_bytes(first.peak_bytes)}, "
        f"in {format_seconds(other.seconds)} instead of {format_seconds(first.seconds)}, measured"
    )
    if other.together_bytes and first.together_bytes:
        sentence += (
            f"; all processes together hold {format_bytes(other.together_bytes)} instead of "
            f"{format_bytes(first.together_bytes)} at most"
        )
    yield f"{sentence}."


def _failing(advice: SuiteAdvice) -> Iterator[str]:
    how = f"with -n {advice.n_otherwise}" if advice.n_otherwise else "in one process"
    for figures, where in ((advice.light, "in the light suite"), (advice.otherwise, how)):
        new = sorted(figures.failing - advice.first.failing) if figures else []
        if new:
            more = f" and {len(new) - 1:,} more" if len(new) > 1 else ""
            yield f"Failing only {where}: {new[0]}{more}; the figures of that row are those of a failing run."


def _row(cells: Sequence[str], name: str) -> str:
    return "".join(f"{cell:>10}  " for cell in cells) + name
