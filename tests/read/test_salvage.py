"""Every record that is whole is found, at whatever offset, and no other."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from diagtools.probes import records
from diagtools.read.salvage import salvage
from tests.support.runs import Recording, flipped

WRITTEN = Recording().start().ramp(range(1, 8)).close().records
DATA = b"".join(WRITTEN)


def whole(data: bytes) -> list[bytes]:
    found = salvage(data).whole
    return [found[at : at + records.SIZE] for at in range(0, len(found), records.SIZE)]


def test_an_undamaged_file_is_whole() -> None:
    found = salvage(DATA)
    assert (found.whole, found.inner_bytes, found.tail_bytes) == (DATA, (), 0)


def test_nothing_holds_no_record() -> None:
    assert salvage(b"").whole == b""


@pytest.mark.parametrize("garbage", [b"\0", b"\x01\x00" * 500, b"x" * 64, b"\xff" * 63, WRITTEN[3][:63]])
def test_garbage_between_records_costs_none_of_them(garbage: bytes) -> None:
    found = salvage(DATA[:128] + garbage + DATA[128:])
    assert (found.whole, found.inner_bytes, found.tail_bytes) == (DATA, (len(garbage),), 0)


def test_a_hole_of_zeros_is_no_record() -> None:
    assert whole(DATA[:64] + bytes(640) + DATA[704:]) == [WRITTEN[0], *WRITTEN[11:]]


def test_a_torn_tail_is_counted() -> None:
    assert salvage(DATA[:-1]).tail_bytes == 63


@given(st.integers(0, len(DATA)))
def test_a_file_cut_anywhere_gives_every_record_before_the_cut(cut: int) -> None:
    assert whole(DATA[:cut]) == WRITTEN[: cut // 64]
    assert salvage(DATA[:cut]).tail_bytes == cut % 64


@given(st.integers(0, 8 * len(DATA) - 1))
def test_a_flipped_bit_costs_one_record(bit: int) -> None:
    number = bit // 8 // 64
    assert whole(flipped(DATA, bit)) == WRITTEN[:number] + WRITTEN[number + 1 :]


@given(st.integers(0, len(DATA)), st.integers(1, 200))
def test_removed_bytes_cost_at_most_the_records_they_were_part_of(start: int, n_bytes: int) -> None:
    """Fewer, where the bytes that moved up happen to be those that were removed."""
    end = min(start + n_bytes, len(DATA))
    touched = range(start // 64, -(-end // 64)) if end > start else range(0)
    found = whole(DATA[:start] + DATA[end:])
    assert [r for r in WRITTEN if r in found] == found
    assert {r for i, r in enumerate(WRITTEN) if i not in touched} <= set(found)


@given(st.integers(0, len(DATA)), st.binary(max_size=200))
def test_inserted_bytes_cost_at_most_the_record_they_split(at: int, garbage: bytes) -> None:
    found = whole(DATA[:at] + garbage + DATA[at:])
    assert [r for r in WRITTEN if r in found] == found
    assert set(WRITTEN) - set(found) <= {WRITTEN[at // 64]} if at % 64 else found == WRITTEN


@given(st.binary(max_size=500))
def test_the_parts_are_as_long_as_the_file(data: bytes) -> None:
    found = salvage(data)
    assert len(found.whole) + sum(found.inner_bytes) + found.tail_bytes == len(data)
