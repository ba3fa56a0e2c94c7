"""When do two ends differ, and when is a release like one of them?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.bisect import Side
from diagtools.analyse.sides import Difference, Ends, Seen, ends, in_words, side_of

MIB = 2**20
PEAK = "peak_rss_bytes"


def seen(*mib: float, **options: int) -> Seen:
    return Seen(values=tuple(value * MIB for value in mib), **options)


KNOWN = ends(seen(10, 10.2, 10.1), seen(40, 41, 40.5), PEAK)


@pytest.mark.parametrize(
    ("good", "bad", "difference", "says"),
    [
        (seen(10, 11), seen(40, 41), Difference.CLEAR, "10.5 MiB with the good release and 40.5 MiB"),
        (seen(40, 41), seen(10, 11), Difference.SWAPPED, "40.5 MiB with the good release and 10.5 MiB"),
        (seen(10, 20), seen(19, 40), Difference.NONE, "their runs overlap"),
        (seen(100, 101), seen(106, 107), Difference.NONE, "less than 10 % and 256 KiB apart"),
        (seen(1, 1), seen(1.2, 1.2), Difference.NONE, "less than 10 % and 256 KiB apart"),
        (seen(10), seen(n_killed=2), Difference.CLEAR, "0 of 1 runs of the good release and 2 of 2"),
        (seen(n_killed=2), seen(10), Difference.SWAPPED, "memory ended 2 of 2"),
        (seen(n_killed=2), seen(n_killed=2), Difference.NONE, "memory ended 2 of 2"),
        (seen(10), seen(40, n_killed=1), Difference.NONE, "1 of 2 of the bad one"),
    ],
)
def test_ends_differ_by_their_runs(good: Seen, bad: Seen, difference: Difference, says: str) -> None:
    found = ends(good, bad, PEAK)
    assert found.difference is difference
    assert says in found.reason


def test_a_time_has_no_least_size() -> None:
    found = ends(Seen(values=(0.010, 0.011)), Seen(values=(0.02, 0.021)), "duration_s")
    assert found.difference is Difference.CLEAR


@pytest.mark.parametrize(
    ("mib", "side"),
    [
        ((10.4, 9.9), Side.GOOD),
        ((38, 44), Side.BAD),
        ((100, 120), Side.BAD),
        ((5, 6), Side.GOOD),
        ((20, 20.5), Side.UNCLEAR),  # halfway by ratios: 10 → 20 → 40
        ((10,), None),
        ((10, 40), None),
        ((10, 40, 10, 10), None),
        ((10, 40, 10, 10, 11), Side.GOOD),
        ((10, 40, 40, 10, 11), Side.UNCLEAR),
    ],
)
def test_a_release_is_like_the_end_that_its_runs_are_near(mib: tuple[float, ...], side: Side | None) -> None:
    assert side_of(seen(*mib), KNOWN) is side


def test_what_failed_cannot_be_run() -> None:
    assert side_of(seen(10, 10, n_failed=1), KNOWN) is Side.BROKEN


def test_a_kill_is_bad() -> None:
    """Under a limit that the bad end kept, and under one that it did not."""
    assert side_of(seen(n_killed=2), KNOWN) is Side.BAD
    by_kills = ends(seen(10, 10), seen(n_killed=2), PEAK)
    assert side_of(seen(n_killed=2), by_kills) is Side.BAD
    assert side_of(seen(30, 31), by_kills) is Side.GOOD
    assert side_of(seen(30, n_killed=1), by_kills) is None


def test_values_below_zero_have_no_ratios() -> None:
    known = ends(Seen(values=(-1.0, -1.0)), Seen(values=(9.0, 9.0)), "printed:x")
    assert known.at(4.0) == pytest.approx(0.5)


@given(st.floats(1, 1e6), st.floats(1.2, 100), st.lists(st.floats(0.1, 1e7), min_size=5, max_size=5))
def test_five_runs_always_decide(good: float, ratio: float, values: list[float]) -> None:
    known = ends(Seen(values=(good,)), Seen(values=(good * ratio,)), "printed:x")
    assert known.difference is Difference.CLEAR
    assert side_of(Seen(values=tuple(values)), known) in set(Side)


@given(st.floats(1, 1e6), st.floats(1.2, 100))
def test_the_ends_are_like_themselves(good: float, ratio: float) -> None:
    first, last = Seen(values=(good, good)), Seen(values=(good * ratio, good * ratio))
    known: Ends = ends(first, last, "printed:x")
    assert side_of(first, known) is Side.GOOD
    assert side_of(last, known) is Side.BAD


def test_words_have_the_unit_of_the_metric() -> None:
    assert in_words(1.5 * MIB, PEAK) == "1.50 MiB"
    assert in_words(0.25, "duration_s") == "250 ms"
    assert in_words(1234.0, "printed:rows") == "1,234"
    assert in_words(None, PEAK) == "not known"
