"""A slot is read when it is whole, and said to be damaged when it is not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given

from diagtools import mark
from diagtools.read.marker_slots import SlotMarker, Slots, read_slots
from tests.support.runs import ROOT, at, flipped, slot

NAME = "markers.100.slot"
BOTH = slot(2, 0.2, name=b"b.py", edge=mark.END, index=7) + slot(1, 0.1)
SECOND = SlotMarker(
    seq=2,
    t_ns=at(0.2),
    pid=ROOT,
    tid=ROOT,
    kind="item",
    edge="end",
    index=7,
    name=b"b.py",
)
FIRST = SlotMarker(
    seq=1,
    t_ns=at(0.1),
    pid=ROOT,
    tid=ROOT,
    kind="item",
    edge="begin",
    index=1,
    name=b"a.py",
)


def read(data: bytes) -> Slots:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_bytes(data)
        return read_slots(Path(folder))


def test_both_slots_are_read() -> None:
    assert read(BOTH) == Slots(markers=(SECOND, FIRST), damaged=())


def test_no_slots_are_normal(tmp_path: Path) -> None:
    assert read_slots(tmp_path) == Slots(markers=(), damaged=())
    assert read(b"") == Slots(markers=(), damaged=())
    assert read(bytes(2 * mark.SLOT_SIZE)) == Slots(markers=(), damaged=())


def test_a_number_that_no_frame_holds_is_damage() -> None:
    assert read(slot(1, 0.1, index=2**63)) == Slots(markers=(), damaged=(NAME,))


@given(st.integers(0, 8 * (mark.SLOT.size + 4) - 1))
def test_a_flipped_bit_costs_the_slot_it_is_in(bit: int) -> None:
    assert read(flipped(BOTH, bit)) == Slots(markers=(FIRST,), damaged=(NAME,))


@given(st.integers(1, len(BOTH)))
def test_a_cut_slot_is_whole_or_damaged(cut: int) -> None:
    found = read(BOTH[:cut])
    assert set(found.markers) <= {FIRST, SECOND}
    assert len(found.markers) + len(found.damaged) >= 1


@given(st.binary(max_size=2 * mark.SLOT_SIZE))
def test_garbage_is_no_marker(data: bytes) -> None:
    assert read(data).markers == ()
