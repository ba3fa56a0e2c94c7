"""The waterfall: each bar begins where the one above ends, and the last is the RSS."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.frames import LEDGER
from diagtools.present.charts.ledger import waterfall

MIB = 2**20


def ledger_of(*parts: tuple[str, int], label: str = "embed", source: str = "smaps", bound: int | None = 0):
    whole = sum(size for _, size in parts)
    n = len(parts)
    return LEDGER.from_columns(
        {
            "t_s": [12.5] * n,
            "pid": [7] * n,
            "index": [0] * n,
            "moment": ["phase end"] * n,
            "label": [label] * n,
            "component": [name for name, _ in parts],
            "bytes": [size for _, size in parts],
            "share": [size / whole if whole else None for _, size in parts],
            "source": [source] * n,
            "bound_bytes": [bound] * n,
        }
    )


def bars(chart, rows_of) -> list[tuple[str, float, float]]:
    rows = {row["name"]: row for row in rows_of(chart) if "begin_mib" in row}
    return [(name, row["begin_mib"], row["end_mib"]) for name, row in rows.items()]


def test_it_ends_exactly_at_the_rss(rows_of, drawn) -> None:
    chart = waterfall(ledger_of(("file code", 10 * MIB), ("C free", 80 * MIB), ("unexplained", 30 * MIB)))
    drawn(chart)
    assert bars(chart, rows_of) == [
        ("file code", 0, 10),
        ("C free", 10, 90),
        ("unexplained", 90, 120),
        ("RSS", 0, 120),
    ]


def test_small_parts_are_one_bar_and_the_unexplained_is_always_there(rows_of, words) -> None:
    parts = [("file code", 900 * MIB), ("stacks", MIB), ("Python retained", 2 * MIB), ("unexplained", 0)]
    chart = waterfall(ledger_of(*parts))
    assert bars(chart, rows_of) == [
        ("file code", 0, 900),
        ("2 small parts", 900, 903),
        ("unexplained", 903, 903),
        ("RSS", 0, 903),
    ]
    assert "3.00 MiB" in words(chart)


def test_the_title_names_the_largest_part(title_of) -> None:
    chart = waterfall(ledger_of(("file code", 100 * MIB), ("C free", 300 * MIB), ("unexplained", 0)))
    assert title_of(chart) == "Of 400 MiB RSS, 300 MiB is C free: 75 %"


def test_what_is_a_bound_says_so(words, rows_of) -> None:
    chart = waterfall(ledger_of(("polars' allocator", 300 * MIB), source="bound", bound=300 * MIB))
    assert "≤ 300 MiB" in words(chart)
    assert any("≤: at most" in word for word in words(chart))
    (row,) = [row for row in rows_of(chart) if row.get("name") == "polars' allocator"][:1]
    assert row["bound"] == "by up to 300 MiB"


def test_a_bound_that_is_not_known_is_said_to_be(rows_of) -> None:
    chart = waterfall(ledger_of(("C mmapped", 5 * MIB), source="bound", bound=None))
    (row,) = [row for row in rows_of(chart) if row.get("name") == "C mmapped"][:1]
    assert row["bound"] == "by how much is not known"


def test_hostile_labels_stay_text(hostile, drawn, words) -> None:
    chart = waterfall(ledger_of(("C free", MIB), label=hostile))
    assert "<script" not in drawn(chart)


def test_a_process_of_nothing_is_drawn(drawn) -> None:
    drawn(waterfall(ledger_of(("unexplained", 0))))


def test_without_a_snapshot_it_says_how_to_get_one() -> None:
    with pytest.raises(NoDataError, match="diagtools record --ledger"):
        waterfall(LEDGER.empty())
