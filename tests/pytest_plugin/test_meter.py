"""What a process holds and held: spans within spans, each with its own peak."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.pytest_plugin.meter import KernelPeaks, Meter, ProcessPeaks, own_meter, usual_source

MIB = 2**20
ON_LINUX = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the kernel's peaks are Linux's"
)


class Told:
    """A source that reads what it was given: RSS and peak since the reading before."""

    is_exact = True

    def __init__(self, *readings: tuple[int, int]) -> None:
        self._readings = iter(readings)

    def read(self) -> tuple[int, int]:
        """The next one."""
        return next(self._readings)


def test_an_inner_span_has_its_own_peak_and_the_outer_one_both() -> None:
    meter = Meter(Told((10, 99), (12, 40), (15, 80), (11, 30)))
    outer = meter.begin()
    inner = meter.begin()
    meter.end(inner)
    meter.end(outer)
    assert (inner.begin_rss, inner.end_rss, inner.peak, inner.demand, inner.kept) == (12, 15, 80, 68, 3)
    assert (outer.begin_rss, outer.end_rss, outer.peak, outer.demand, outer.kept) == (10, 11, 80, 70, 1)


def test_what_was_before_is_no_peak_of_a_span() -> None:
    meter = Meter(Told((10, 999), (10, 10)))
    assert meter.end(meter.begin()).demand == 0


def test_a_span_that_never_ended_ends_with_the_one_around_it() -> None:
    """A test that left by an exception of its own."""
    meter = Meter(Told((10, 10), (10, 10), (10, 50), (10, 10), (10, 70)))
    outer, lost = meter.begin(), meter.begin()
    meter.end(outer)
    assert (outer.peak, lost.end_ns) == (50, 0)
    after = meter.begin()
    meter.end(after)
    assert (after.peak, lost.peak) == (70, 50)


def test_a_reading_between_belongs_to_all_that_is_open() -> None:
    meter = Meter(Told((10, 10), (30, 60), (20, 25)))
    span = meter.begin()
    assert meter.rss() == 30
    assert meter.end(span).peak == 60


def test_a_peak_is_never_below_the_rss() -> None:
    """The kernel counts in batches: VmHWM may lag behind."""
    meter = Meter(Told((10, 5), (30, 20)))
    assert meter.end(meter.begin()).peak == 30


@ON_LINUX
def test_temporaries_one_after_another_have_their_own_peaks() -> None:
    meter = own_meter()
    assert meter.is_exact
    for mib in (96, 48, 64):  # the later ones are below the first
        span = meter.begin()
        bytearray(mib * MIB)
        meter.end(span)
        assert span.demand == pytest.approx(mib * MIB, rel=0.01)
        assert abs(span.kept) < MIB


@ON_LINUX
def test_no_descriptor_stays_open() -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    own_meter().end(own_meter().begin())
    assert sorted(Path("/proc/self/fd").iterdir()) == before


@ON_LINUX
def test_the_kernel_is_the_usual_source_where_it_allows_that() -> None:
    assert isinstance(usual_source(), KernelPeaks)
    assert own_meter() is own_meter()


def test_without_a_new_beginning_only_a_peak_above_all_is_known() -> None:
    meter = Meter(ProcessPeaks())
    assert not meter.is_exact
    ever = max(KernelPeaks().read()[0], _highest_ever())
    span = meter.begin()
    size = ever - span.begin_rss + 128 * MIB
    bytearray(size)
    meter.end(span)
    assert span.demand == pytest.approx(size, rel=0.02)
    hidden = meter.begin()
    bytearray(32 * MIB)
    meter.end(hidden)
    assert hidden.demand < MIB  # it is below the one before: not seen, and not invented


def _highest_ever() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
