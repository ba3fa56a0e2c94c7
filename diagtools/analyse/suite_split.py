"""Which few files and tests make a suite heavy, and how far would the highest of a worker fall without them?

A prediction: the session is played again without them.  What they kept is taken from everything after them, their own
peaks are gone; a fixture that others use too stays.  What two files both import is charged to the first of them, so a
run without it may hold more than is predicted here: whoever advises measures that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

#: By this share the highest of a worker is to fall, for a set to be worth a suite of its own.
WORTH_SHARE = 0.25
_MOST_OF_TESTS = 0.5  # a heavy set of more is no part of the suite, it is the suite
_MOST_STEPS = 60
_TRIED = 10  # of those that keep most, tests and files each
_ALIKE_SHARE = 0.02  # of the peak: candidates that differ by less are alike, the one of fewer tests is taken

Uses = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heavy:
    """One file or test of the heavy set, and what was measured of it; ``path`` is that of the file as it was loaded.

    ``fixture`` is the one of wider scope than a test that only the set uses and that keeps most; empty where none does.
    """

    name: str
    path: str
    is_file: bool
    n_tests: int
    import_kept_bytes: int
    demand_bytes: int
    kept_bytes: int
    fixture: str = ""
    fixture_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The heavy set, which is empty where no set of at most half the tests is worth it, and the highest of a worker.

    ``predicted_bytes`` is without the set; null where there is none.  ``conftest`` is the one whose import keeps most,
    which no test can be left out for; empty where none keeps anything.
    """

    heavy: tuple[Heavy, ...]
    n_tests: int
    peak_bytes: int
    predicted_bytes: int | None
    conftest: str
    conftest_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    fixture: str
    users: frozenset[str]
    kept: int
    peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """One import of a file, or one test, in the order in which its process went through them."""

    file: str
    test: str
    path: str
    begin_rss: int
    kept: int
    peak: int
    shared: tuple[_Shared, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suite:
    processes: tuple[tuple[_Span, ...], ...]
    tests: Mapping[str, frozenset[str]]  # by file

    @property
    def n_tests(self) -> int:
        return sum(map(len, self.tests.values()))


_Set = frozenset[str]  # of files and of tests: names of tests have '::'


def suite_split(
    tests: pl.DataFrame, fixtures: pl.DataFrame, files: pl.DataFrame, *, uses: Uses | None = None
) -> Split:
    """Which files and tests are heavy?  ``tests`` is TESTS, ``fixtures`` FIXTURES, ``files`` TEST_FILES.

    ``uses`` says which tests use a fixture; without it those that it was made for.  The set is found greedily and then
    thinned: none of it can be left out, a smaller one of others may exist.
    """
    suite = _suite(tests, fixtures, files, dict(uses or {}))
    whole, _ = _peak(suite, frozenset())
    goal = int(whole * (1 - WORTH_SHARE))
    chosen = _by_prefix(suite, _thinned(suite, _chosen(suite, goal), goal))
    heavy = sorted(
        (_heavy(suite, name, chosen) for name in chosen), key=lambda one: (not one.is_file, one.name)
    )
    conftests = files.filter(pl.col("kind") == "conftest", pl.col("kept_bytes") > 0)
    conftest = conftests.sort("kept_bytes", descending=True).head(1).to_dicts()
    return Split(
        heavy=tuple(heavy),
        n_tests=suite.n_tests,
        peak_bytes=whole,
        predicted_bytes=_peak(suite, chosen)[0] if chosen else None,
        conftest=conftest[0]["path"] if conftest else "",
        conftest_bytes=conftest[0]["kept_bytes"] if conftest else 0,
    )


# --- the session, to be played ---------------------------------------------------------------------------


def _suite(
    tests: pl.DataFrame, fixtures: pl.DataFrame, files: pl.DataFrame, uses: dict[str, frozenset[str]]
) -> _Suite:
    by_file: dict[str, set[str]] = {}
    for test in tests["test"]:
        by_file.setdefault(_file_of(test), set()).add(test)
    wide = fixtures.filter(pl.col("scope") != "function").drop_nulls("test").to_dicts()
    for row in wide:
        uses[row["fixture"]] = uses.get(row["fixture"], frozenset()) | {row["test"]}
    shared: dict[tuple[int, str], list[_Shared]] = {}
    for row in wide:
        one = _Shared(
            fixture=row["fixture"], users=uses[row["fixture"]], kept=row["kept_bytes"], peak=row["peak_bytes"]
        )
        shared.setdefault((row["pid"], row["test"]), []).append(one)
    spans: dict[int, list[tuple[float, _Span]]] = {}
    for row in files.filter(pl.col("kind") != "collection").to_dicts():
        span = _span(row, file=_known_as(row["path"], by_file), path=row["path"])
        spans.setdefault(row["pid"], []).append((row["begin_s"], span))
    for row in tests.to_dicts():
        span = _span(row, file=_file_of(row["test"]), test=row["test"])
        known = tuple(shared.get((row["pid"], row["test"]), ()))
        spans.setdefault(row["pid"], []).append((row["begin_s"], replace(span, shared=known)))
    ordered = (tuple(span for _, span in sorted(each, key=lambda one: one[0])) for each in spans.values())
    return _Suite(processes=tuple(ordered), tests={name: frozenset(each) for name, each in by_file.items()})


def _span(row: Mapping[str, int | None], *, file: str, test: str = "", path: str = "") -> _Span:
    begin = row["begin_rss_bytes"] or 0
    return _Span(
        file=file,
        test=test,
        path=path,
        begin_rss=begin,
        kept=row["kept_bytes"] or 0,
        peak=row["peak_bytes"] or begin,
    )


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _known_as(path: str, files: Iterable[str]) -> str:
    """The name that the tests of this file have: another than its path for a suite outside of the root folder."""
    return path if path in files else next((name for name in files if path.endswith(f"/{name}")), path)


# --- the session, played without some ----------------------------------------------------------------------


def _peak(suite: _Suite, without: _Set) -> tuple[int, _Span | None]:
    """The highest of any worker without these, and in what it is reached."""
    gone = without | {test for file in without for test in suite.tests.get(file, ())}
    found = [_peak_of(spans, gone) for spans in suite.processes]
    return max(found, key=lambda one: one[0], default=(0, None))


def _peak_of(spans: Sequence[_Span], gone: _Set) -> tuple[int, _Span | None]:
    where: _Span | None
    highest, where, less = spans[0].begin_rss, None, 0
    for span in spans:
        left = span.peak - less
        if (span.test or span.file) in gone:
            stay = [one for one in span.shared if one.users - gone]
            less += span.kept - sum(one.kept for one in stay)
            left = max((one.peak - less for one in stay), default=0)
        if left > highest:
            highest, where = left, span
    return highest, where


def _chosen(suite: _Suite, goal: int) -> tuple[str, ...]:
    """Takes away what lowers the peak most, again and again; nothing where that does not come to the goal."""
    taken: list[str] = []
    by_weight = _heaviest(suite)
    for _ in range(_MOST_STEPS):
        peak, where = _peak(suite, frozenset(taken))
        if peak <= goal:
            return tuple(taken)
        here = [where.test, where.file] if where else []
        names = [name for name in dict.fromkeys([*here, *by_weight]) if _is_open(suite, name, taken)]
        if not names:
            return ()
        best = min(names, key=lambda name: _rating(suite, [*taken, name], peak))
        lowered, _ = _peak(suite, frozenset([*taken, best]))
        if lowered >= peak and names[0] not in here:  # the peak is where nothing can be taken away
            return ()
        taken.append(best if lowered < peak else names[0])
    return ()


def _rating(suite: _Suite, names: Sequence[str], peak: int) -> tuple[int, int]:
    lowered, _ = _peak(suite, frozenset(names))
    return round(lowered / (peak * _ALIKE_SHARE)), _n_tests(suite, names)


def _is_open(suite: _Suite, name: str, taken: Sequence[str]) -> bool:
    """Is it a file with tests or a test, still there, and would at least half of the tests be left without it?"""
    if (name not in suite.tests and "::" not in name) or name in taken or _file_of(name) in taken:
        return False
    return _n_tests(suite, [*taken, name]) <= suite.n_tests * _MOST_OF_TESTS


def _n_tests(suite: _Suite, names: Iterable[str]) -> int:
    each = (suite.tests.get(name, {name}) for name in names)
    return len(frozenset[str]().union(*each))


def _heaviest(suite: _Suite) -> list[str]:
    kept: dict[str, int] = {}
    for spans in suite.processes:
        for span in spans:
            kept[span.file] = kept.get(span.file, 0) + span.kept
            if span.test:
                kept[span.test] = kept.get(span.test, 0) + span.kept
    ordered = sorted(kept, key=lambda name: kept[name], reverse=True)
    files = [name for name in ordered if name in suite.tests]
    return [*files[:_TRIED], *[name for name in ordered if name not in suite.tests][:_TRIED]]


def _thinned(suite: _Suite, chosen: tuple[str, ...], goal: int) -> frozenset[str]:
    """Without what is not needed for the goal; a file of which all tests are chosen stands for them."""
    left = set(chosen)
    for name in chosen:
        if _peak(suite, frozenset(left - {name}))[0] <= goal:
            left.discard(name)
    for file, tests in suite.tests.items():
        if tests <= left:
            left = (left - tests) | {file}
    return frozenset(left)


def _by_prefix(suite: _Suite, chosen: frozenset[str]) -> frozenset[str]:
    """With the tests whose names begin like one of these: ``--deselect`` takes them too."""
    beginnings = tuple(name for name in chosen if "::" in name)
    if not beginnings:
        return chosen
    alike = (test for file, tests in suite.tests.items() if file not in chosen for test in tests)
    return chosen | {test for test in alike if test.startswith(beginnings)}


def _heavy(suite: _Suite, name: str, chosen: frozenset[str]) -> Heavy:
    gone = chosen | {test for file in chosen for test in suite.tests.get(file, ())}
    spans = [span for each in suite.processes for span in each if name in (span.file, span.test)]
    loads, tests = [span for span in spans if not span.test], [span for span in spans if span.test]
    own = [one for span in tests for one in span.shared if not one.users - gone]
    widest = max(own, key=lambda one: one.kept, default=None)
    is_file = name in suite.tests
    return Heavy(
        name=name,
        path=next((span.path for span in loads), _file_of(name)),
        is_file=is_file,
        n_tests=len(suite.tests[name]) if is_file else 1,
        import_kept_bytes=max((span.kept for span in loads), default=0),
        demand_bytes=max((span.peak - span.begin_rss for span in tests), default=0),
        kept_bytes=max((span.kept for span in tests), default=0),
        fixture=widest.fixture if widest else "",
        fixture_bytes=widest.kept if widest else 0,
    )
