"""Sizes and durations mean what people mean by them, and a number without a unit is refused."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from diagtools.errors import UsageError
from diagtools.units import format_bytes, format_seconds, format_share, parse_bytes, parse_seconds

SIZE_UNITS = ("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [
        ("400 MB", 400_000_000),
        ("400MB", 400_000_000),
        ("2 GiB", 2_147_483_648),
        ("1.5gib", 1_610_612_736),
        (".5 KiB", 512),
        ("1. KB", 1000),
        ("  7 B  ", 7),
        ("1 TB", 10**12),
        ("1 tib", 2**40),
    ],
)
def test_sizes(text: str, n_bytes: int) -> None:
    assert parse_bytes(text) == n_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 s", 90.0), ("1.5 min", 90.0), ("250ms", 0.25), ("2 h", 7200.0), ("3d", 259_200.0), ("0 s", 0.0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("400", r"The size '400' has no unit\. Hint: its unit is one of B, KB, MB.*: '400 MB'\."),
        ("4 GX", r"The size '4 GX' has an unknown unit"),
        ("2 G", r"The size '2 G' has an unknown unit"),
        ("", r"'' is not a size\. Hint: write '400 MB' or '2 GiB'"),
        ("-1 MB", r"The size '-1 MB' is not above zero\. Hint: a limit is a size above zero such as 2GiB"),
        ("-1", "has no unit"),
        ("--1 MB", "is not a size"),
        ("1e9 B", "is not a size"),
        ("1 000 MB", "is not a size"),
        ("٣ MB", "is not a size"),
        ("nan B", "is not a size"),
        ("0 MB", "is not above zero"),
        ("0.4 B", "is not above zero"),
    ],
)
def test_what_is_no_size_is_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5", "has no unit"),
        ("5 weeks", "has an unknown unit"),
        ("soon", "not a duration"),
        ("-3d", "is below zero"),
    ],
)
def test_what_is_no_duration_is_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "0.98 KiB"),
        (1024, "1.00 KiB"),
        (10_240, "10.0 KiB"),
        (102_400, "100 KiB"),
        (1_022_976, "999 KiB"),
        (1_023_500, "0.98 MiB"),
        (2_093_796_557, "1.95 GiB"),
        (2**31, "2.00 GiB"),
        (5 * 2**50, "5120 TiB"),
        (-2 * 2**20, "−2.00 MiB"),
        (1536.5, "1.50 KiB"),
    ],
)
def test_bytes_in_words(n_bytes: float, text: str) -> None:
    assert format_bytes(n_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0404, "40 ms"),
        (0.999, "999 ms"),
        (0.9996, "1.0 s"),
        (21.44, "21.4 s"),
        (99.94, "99.9 s"),
        (99.96, "1 min 40 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_seconds_in_words(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.004, "0.4 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.17, "17 %"),
        (1, "100 %"),
        (-0.05, "-5.0 %"),
    ],
)
def test_shares_in_words(share: float, text: str) -> None:
    assert format_share(share) == text


@given(st.integers(1, 10**15))
def test_a_size_in_words_is_read_back_within_its_digits(n_bytes: int) -> None:
    assert parse_bytes(format_bytes(n_bytes)) == pytest.approx(n_bytes, rel=0.006, abs=0.5)


@given(st.integers(1, 10**6), st.sampled_from(SIZE_UNITS))
def test_a_unit_may_be_written_any_way(number: int, unit: str) -> None:
    ways = {
        parse_bytes(f"{number}{gap}{name}")
        for gap in ("", " ")
        for name in (unit, unit.lower(), unit.upper())
    }
    assert len(ways) == 1


@given(st.integers(-(2**60), 2**60))
def test_a_negative_size_is_the_positive_one_with_a_minus(n_bytes: int) -> None:
    assert format_bytes(-abs(n_bytes)).lstrip("−") == format_bytes(abs(n_bytes))
