"""One quantity and its peak over blocks that overlap in any way, on a quantity that the test sets itself."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from diagtools.capture.gauge import Gauge, Level, Span


class Tank:
    """A meter whose level the test sets; it remembers its peak since the last reset, as the kernel does."""

    note = ""

    def __init__(self) -> None:
        self.level = self.peak = 0
        self.is_readable = True
        self.n_stopped = 0

    def set(self, level: int) -> None:
        self.level = level
        self.peak = max(self.peak, level)

    def read(self) -> Level | None:
        return Level(now_bytes=self.level, peak_bytes=self.peak) if self.is_readable else None

    def reset(self) -> None:
        self.peak = self.level

    def stop(self) -> None:
        self.n_stopped += 1


@dataclass
class Truth:
    """What one block saw, noted beside the gauge."""

    span: Span
    levels: list[int]


#: The number of a level, or of the open block that is meant.
steps = st.lists(
    st.one_of(
        st.just(("enter", 0)),
        st.tuples(st.just("level"), st.integers(0, 1000)),
        st.tuples(st.just("look"), st.integers(0, 9)),
        st.tuples(st.just("leave"), st.integers(0, 9)),
    ),
    min_size=20,  # shorter ones seldom nest
    max_size=80,
)


@hypothesis.settings(max_examples=300)
@given(steps)
def test_every_block_sees_the_true_peak_of_its_own_lifetime(steps: list[tuple[str, int]]) -> None:
    """Blocks end in any order: nested ones, and tasks that take turns."""
    gauge, tank = Gauge(), Tank()
    still_open: list[Truth] = []
    left: list[Truth] = []
    for step, number in [*steps, *[("leave", 0)] * len(steps)]:
        if step == "enter":
            truth = Truth(Span(), [tank.level])
            gauge.enter(truth.span, lambda: tank)
            still_open.append(truth)
        elif step == "level":
            tank.set(number)
            for truth in still_open:
                truth.levels.append(number)
        elif still_open:
            truth = still_open[number % len(still_open)]
            if step == "leave":
                still_open.remove(truth)
                left.append(truth)
                gauge.leave(truth.span)
                gauge.rest()
            else:
                gauge.look(truth.span)
            check(truth)
    for truth in left:
        check(truth)
    assert bool(tank.n_stopped) == bool(left)


def check(truth: Truth) -> None:
    assert truth.span.begin == truth.levels[0]
    assert truth.span.end == truth.levels[-1]
    assert truth.span.peak == max(truth.levels)
    assert truth.span.delta == truth.levels[-1] - truth.levels[0]
    assert truth.span.demand == max(truth.levels) - truth.levels[0]


def test_the_meter_stops_when_the_last_block_has_left_and_not_before() -> None:
    gauge, tank, outer, inner = Gauge(), Tank(), Span(), Span()
    gauge.enter(outer, lambda: tank)
    gauge.enter(inner, Tank)
    gauge.leave(outer)
    gauge.rest()
    assert tank.n_stopped == 0
    gauge.leave(inner)
    gauge.rest()
    gauge.rest()
    assert tank.n_stopped == 1


def test_a_block_that_nobody_holds_any_more_keeps_no_meter_running() -> None:
    """It was interrupted as it was entered."""
    gauge, tank, span = Gauge(), Tank(), Span()
    gauge.enter(span, lambda: tank)
    del span
    gauge.rest()
    assert tank.n_stopped == 1


def test_what_cannot_be_read_at_the_end_is_null() -> None:
    gauge, tank, span = Gauge(), Tank(), Span()
    gauge.enter(span, lambda: tank)
    tank.is_readable = False
    gauge.leave(span)
    assert (span.begin, span.end, span.delta, span.demand) == (0, None, None, None)


def test_a_peak_that_a_reset_erased_unseen_is_never_made_up() -> None:
    gauge, tank, outer, inner = Gauge(), Tank(), Span(), Span()
    gauge.enter(outer, lambda: tank)
    tank.set(100)
    tank.is_readable = False
    gauge.enter(inner, lambda: tank)
    tank.is_readable = True
    gauge.leave(inner)
    gauge.leave(outer)
    assert (outer.demand, inner.demand) == (None, None)
