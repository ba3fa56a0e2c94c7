"""What rises for good, and what does not: series made by rule, and any noise on top of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.leak_courses import Course, Series, course, is_rising, slope

STAGES = (400, 800, 1600, 2800)
CALLS = [sum(STAGES[:stage]) + size * block // 10 for stage, size in enumerate(STAGES) for block in range(11)]
SETTLED = 400


def series(value: object) -> Series:
    return Series(calls=CALLS, values=[round(value(n)) for n in CALLS])  # type: ignore[operator]


def judged(value: object, least_per_call: float = 16, least: float = 16_384) -> Course:
    return course(series(value), least_per_call, least, settled_calls=SETTLED)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("level", lambda n: 5000, Course.LEVEL),
        ("64 B a call", lambda n: 64 * n, Course.RISING),
        ("every 100th call", lambda n: 6400 * (n // 100), Course.RISING),
        ("an eighth at a time", lambda n: _eighths(64 * (n + 200)), Course.RISING),
        ("15 B a call", lambda n: 15 * n, Course.UNCLEAR),
        ("full after 300", lambda n: 2000 * min(n, 300), Course.FILLING),
        ("full after 2,000", lambda n: 200 * min(n, 2000), Course.FILLING),
        ("full after 4,000", lambda n: 200 * min(n, 4000), Course.FILLING),
        ("slower and slower", lambda n: 50_000 * (1 - 2.718 ** (-n / 2000)) * 4, Course.FILLING),
        ("cleared every 1,000", lambda n: 200 * (n % 1000), Course.SWINGING),
        ("cleared every 2,500", lambda n: 200 * (n % 2500), Course.SWINGING),
        ("leak below a buffer", lambda n: 100 * n + 300 * (n % 130), Course.RISING),
        ("it went down", lambda n: 10**6 - 200 * n, Course.SWINGING),
    ],
)
def test_known_courses(name: str, value: object, expected: Course) -> None:
    assert judged(value) is expected, name


def _eighths(needed: int) -> int:
    size = 64
    while size < needed:
        size += size // 8
    return size


def test_one_reading_is_no_course() -> None:
    assert course(Series(calls=[0], values=[5]), 16, 0) is Course.UNKNOWN
    assert course(Series(calls=[7, 7], values=[5, 9]), 16, 0) is Course.UNKNOWN


def test_a_slope_is_that_of_most_pairs() -> None:
    assert slope(Series(calls=[0, 10, 20, 30], values=[0, 100, 200, 9000])) == pytest.approx(155)
    assert slope(series(lambda n: 64 * n)) == 64
    assert slope(Series(calls=[0], values=[5])) == 0.0


def test_what_came_before_it_settled_is_no_evidence_for_a_leak() -> None:
    later = series(lambda n: 0).since(SETTLED)
    assert later.calls[0] == 400
    assert series(lambda n: n).since(405).calls[0] == 400


@given(per_call=st.floats(64, 5000), seed=st.integers(0, 2**32), noise=st.floats(0, 0.25))
def test_a_leak_is_found_below_noise_of_a_quarter_of_its_rise(
    per_call: float, seed: int, noise: float
) -> None:
    rng = random.Random(seed)
    width = noise * per_call * 4000 * 0.3
    assert judged(lambda n: per_call * n + rng.uniform(0, width)) is Course.RISING


@given(
    st.lists(st.integers(0, 10**7), min_size=len(CALLS), max_size=len(CALLS)),
)
def test_what_wavers_between_bounds_is_no_leak(values: list[int]) -> None:
    rng = random.Random(sum(values))
    rng.shuffle(values)
    wavering = Series(calls=CALLS, values=[*values[:-12], *sorted(values[-12:], reverse=True)])
    assert not is_rising(wavering.since(SETTLED), 16 * 5200)


@pytest.mark.parametrize(
    ("n_blocks", "most_bytes"), [(150, 3000), (600, 10_000), (600, 100_000), (1500, 100_000)]
)
def test_a_ring_of_blocks_of_any_size_is_no_leak(n_blocks: int, most_bytes: int) -> None:
    rng = random.Random(n_blocks)
    for _ in range(40):
        sizes = [rng.randrange(most_bytes) for _ in range(n_blocks + CALLS[-1])]
        held = [sum(sizes[n : n + n_blocks]) for n in CALLS]  # full before the first reading
        assert (
            course(Series(calls=CALLS, values=held), 16, 16_384, settled_calls=SETTLED) is not Course.RISING
        )


@given(until=st.integers(1, 4400), per_call=st.integers(1, 10_000))
def test_what_stops_in_time_is_no_leak(until: int, per_call: int) -> None:
    assert judged(lambda n: per_call * min(n, until)) is not Course.RISING


@given(period=st.integers(2, 2600), per_call=st.integers(1, 10_000))
def test_what_is_emptied_again_and_again_is_no_leak(period: int, per_call: int) -> None:
    assert judged(lambda n: per_call * (n % period)) is not Course.RISING


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=44), st.integers(-(10**9), 10**9))
def test_where_it_starts_from_does_not_matter(values: list[int], more: int) -> None:
    calls = CALLS[: len(values)]
    plain = Series(calls=calls, values=values)
    moved = Series(calls=calls, values=[value + more for value in values])
    assert course(plain, 16, 0) is course(moved, 16, 0)
    assert slope(plain) == pytest.approx(slope(moved), abs=1e-3)
