"""The verdict on a function, from what was counted between its calls."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.leaks import RULES, Leaking, leak_verdict
from diagtools.frames import LEAK_COUNTERS, LEAK_READINGS
from tests.support.leak_runs import level, log, rising


def test_what_rises_with_every_call_is_a_leak() -> None:
    found = leak_verdict(log(python=rising(64), blocks=rising(1), c=rising(36)))
    assert (found.verdict, found.n_calls, found.is_native) == (Leaking.LEAK, 5800, False)
    assert found.bytes_per_call == pytest.approx(100, abs=0.5)
    assert "rises by 36 B a call" in found.reason
    rising_ones = found.counters.filter(pl.col("course") == "rising")["counter"].to_list()
    assert rising_ones == ["c_bytes", "python_bytes", "n_blocks"]


def test_without_new_python_objects_it_is_c_code() -> None:
    found = leak_verdict(log(c=rising(112)))
    assert (found.verdict, found.is_native) == (Leaking.LEAK, True)


def test_where_nothing_moves_it_is_clean() -> None:
    found = leak_verdict(log(stages=(400, 800, 1600)))
    assert (found.verdict, found.bytes_per_call, found.n_calls) == (Leaking.CLEAN, None, 3000)
    assert set(found.counters["course"]) == {"level"}


def test_what_fills_up_is_bounded() -> None:
    found = leak_verdict(log(c=lambda n: 300 * min(n, 1500)))
    assert found.verdict is Leaking.BOUNDED
    assert "comes to an end" in found.reason


CACHE = {
    "stage": 3,
    "cache": "app.f",
    "before_n": 2800,
    "after_n": 0,
    "most_entries": 10**5,
    "is_cleared": True,
}


def test_what_goes_with_a_cache_that_has_a_limit_is_bounded() -> None:
    filled = log(c=lambda n: 300 * n if n < 2800 else 10**6, clearing=True, caches=[CACHE])
    found = leak_verdict(filled)
    assert found.verdict is Leaking.BOUNDED
    assert "app.f" in found.reason


def test_what_rises_though_its_caches_are_cleared_is_a_leak() -> None:
    found = leak_verdict(log(c=rising(300), clearing=True, caches=[CACHE]))
    assert found.verdict is Leaking.LEAK
    assert found.bytes_per_call == pytest.approx(300)


def test_the_rss_alone_is_no_evidence() -> None:
    rows = log().readings.with_columns(anon_bytes=pl.col("n_calls") * 500)
    found = leak_verdict(log(readings=LEAK_READINGS.check(rows)))
    assert found.verdict is Leaking.CLEAN
    assert found.counters.filter(pl.col("counter") == "anon_bytes")["course"].item() == "rising"


def test_mappings_of_neither_allocator_are_a_leak_of_what_became_resident() -> None:
    found = leak_verdict(log(mapped=rising(8192), rss=rising(4096)))
    assert (found.verdict, found.bytes_per_call) == (Leaking.LEAK, pytest.approx(4096))


def test_with_few_calls_nothing_is_called_clean() -> None:
    few = leak_verdict(log(stages=(10, 20, 40)))
    assert few.verdict is Leaking.INCONCLUSIVE
    assert "70 calls are too few" in few.reason
    large = leak_verdict(log(stages=(10, 20, 40, 70), c=rising(100_000)))
    assert large.verdict is Leaking.LEAK


def test_a_check_that_did_not_come_to_its_end_is_inconclusive() -> None:
    found = leak_verdict(log(stages=(400, 800, 1600), is_ended=False))
    assert found.verdict is Leaking.INCONCLUSIVE
    assert "before the check did" in found.reason


def test_a_counter_that_nobody_has_is_said() -> None:
    rows = log(blocks=rising(1)).readings.with_columns(c_bytes=pl.lit(None, dtype=pl.Int64))
    found = leak_verdict(log(readings=LEAK_READINGS.check(rows)))
    assert (found.verdict, found.bytes_per_call) == (Leaking.LEAK, None)
    assert any("c_bytes" in one.note for one in found.validity)


def test_nothing_counted_is_inconclusive() -> None:
    found = leak_verdict(log(readings=LEAK_READINGS.empty(), n_calls=0, is_ended=False))
    assert found.verdict is Leaking.INCONCLUSIVE
    assert LEAK_COUNTERS.check(found.counters).height == len(RULES)


def test_what_another_allocator_keeps_is_said() -> None:
    rows = log(blocks=rising(1), python=rising(100)).readings
    more = LEAK_READINGS.check(rows.with_columns(anon_bytes=pl.col("n_calls") * 500))
    (doubt,) = leak_verdict(log(readings=more)).validity
    assert "rises by 500 B a call, what was counted by 100 B" in doubt.note


def test_doubts_are_said() -> None:
    found = leak_verdict(log(warm_is_cut=True, n_warm=3, n_forks=5))
    said = " ".join(map(str, found.validity))
    assert "3 were made to warm up" in said
    assert "5 children were forked" in said


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_where_the_counters_start_does_not_change_the_verdict(c: int, python: int) -> None:
    for per_call in (0, 100):
        moved = leak_verdict(log(c=rising(per_call, c), python=level(python)))
        plain = leak_verdict(log(c=rising(per_call), python=level()))
        assert (moved.verdict, moved.bytes_per_call) == (plain.verdict, plain.bytes_per_call)
