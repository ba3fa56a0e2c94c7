"""A peak is predicted from what a run showed, with a range, or not at all."""

from __future__ import annotations

from itertools import accumulate

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.corpus_forecast import given_peak, learn_peak, predict, told_chunks, with_shapes

MIB = 2**20
BASE, PER_CHUNK = 200 * MIB, 10 * MIB


def run_of(build, *chunks, name="chunks", noise=(0,), per_batch=10**9):
    """ITEMS of an indexer whose allocator keeps its largest batch so far."""
    batches = [min(n, per_batch) for n in chunks]
    return build.items(
        *(
            {
                "item": f"{index}.py",
                "features": {name: n},
                "peak_bytes": BASE + PER_CHUNK * highest + noise[index % len(noise)],
                "demand_bytes": 0,
            }
            for index, (n, highest) in enumerate(zip(chunks, accumulate(batches, max), strict=True))
        )
    )


STEPS = (1, 2, 1, 4, 3, 8, 2, 12, 1, 16, 5)


def test_the_cost_of_a_chunk_is_learned_from_the_running_maximum(build):
    model = learn_peak(run_of(build, *STEPS))
    assert (model.column, model.n_items, model.seen) == ("n_chunks", 11, 16)
    assert model.bytes_per_unit == pytest.approx(PER_CHUNK)
    assert model.intercept_bytes == pytest.approx(BASE)
    assert model.seen_peak_bytes == BASE + 16 * PER_CHUNK
    assert model.within(BASE + 50 * PER_CHUNK) == pytest.approx(50)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("n_chunks", "n_chunks"),
        ("size_bytes", "size_bytes"),
        ("lines", "n_lines"),
        ("longest_line", "longest_line"),
    ],
)
def test_any_figure_that_a_scan_knows_will_do(build, name, column):
    assert learn_peak(run_of(build, *STEPS, name=name)).column == column


@pytest.mark.parametrize(
    ("chunks", "options"),
    [
        (STEPS, {"name": "n_pages"}),  # a scan does not know it
        (STEPS[:7], {}),  # too few
        ((3,) * 20, {}),  # nothing varies
        (STEPS * 2, {"noise": (0, 900 * MIB, 300 * MIB)}),  # something else drives the peaks
        ((1, 2, 1, 4, 3, 40, 2, 80, 1, 160, 5, 320), {"per_batch": 2}),  # batches are bounded: the peaks stay
    ],
    ids=["unknown feature", "few items", "constant", "noise", "bounded batches"],
)
def test_what_does_not_explain_the_peaks_predicts_nothing(build, chunks, options):
    assert learn_peak(run_of(build, *chunks, **options)) is None


def test_within_what_was_seen_the_range_is_that_of_the_estimate(build):
    found = predict(learn_peak(run_of(build, *STEPS)), 16)
    assert found.peak_bytes == pytest.approx(BASE + 16 * PER_CHUNK)
    assert found.high_bytes - found.peak_bytes == pytest.approx(0.12 * 16 * PER_CHUNK, rel=1e-6)
    assert (found.times_seen, found.is_far) == (1.0, False)


def test_each_doubling_beyond_what_was_seen_widens_the_range(build):
    model = learn_peak(run_of(build, *STEPS, name="size_bytes"))
    twice, far = predict(model, 32), predict(model, 128)
    assert twice.high_bytes - twice.peak_bytes == pytest.approx(0.1 * 32 * PER_CHUNK, rel=1e-6)
    assert far.high_bytes - far.peak_bytes == pytest.approx(0.3 * 128 * PER_CHUNK, rel=1e-6)
    assert (twice.is_far, far.is_far) == (False, True)


def test_where_the_larger_files_rise_less_the_range_reaches_down_to_them(build):
    """Batches of at most 10 chunks: from there on the peak does not rise, but the line through all of them does."""
    model = learn_peak(run_of(build, *range(1, 14), per_batch=10))
    found = predict(model, 100)
    assert model.upper_bytes_per_unit < 0.7 * model.bytes_per_unit
    assert found.low_bytes < BASE + 60 * PER_CHUNK < found.peak_bytes


def test_a_peak_outside_of_all_items_is_the_least_that_is_predicted(build):
    items = run_of(build, *STEPS)
    load = 3_000 * MIB
    found = predict(learn_peak(items, peak_bytes=load), 16)
    assert (found.low_bytes, found.peak_bytes, found.high_bytes) == (load, load, load)
    workers = items.with_columns(pid=pl.int_range(pl.len()) % 2 + 1)  # the sum of two peaks is no peak of one
    assert learn_peak(items, peak_bytes=BASE).floor_bytes == 0
    several = learn_peak(workers, peak_bytes=load)
    assert several is None or several.floor_bytes == 0


def test_a_given_model_has_seen_nothing():
    found = predict(given_peak(BASE, PER_CHUNK), 100)
    assert (found.peak_bytes, found.times_seen, found.is_far) == (BASE + 100 * PER_CHUNK, None, False)


@given(st.lists(st.integers(1, 60), min_size=8, max_size=30), st.floats(0, 10_000))
def test_a_prediction_lies_in_its_range_and_that_is_not_below_zero(build, chunks, value):
    model = learn_peak(run_of(build, *chunks))
    if model is not None:
        found = predict(model, value)
        assert 0 <= found.low_bytes <= found.high_bytes
        assert found.low_bytes <= found.peak_bytes <= found.high_bytes


def test_what_a_file_did_not_tell_comes_from_its_shape(build):
    items = build.items({"item": "a.py", "features": {"chunks": 7}}, {"item": "b.py"}, {"item": "gone"})
    known = build.corpus(*({"path": path, "size_bytes": 900, "n_chunks": 2} for path in ("a.py", "b.py")))
    found = with_shapes(items, known)
    assert found.schema == items.schema
    assert [{one["name"]: one["value"] for one in row} for row in found["features"].to_list()] == [
        {"chunks": 7, "size_bytes": 900},
        {"size_bytes": 900, "n_chunks": 2},
        {},
    ]


def test_the_chunks_that_a_run_told_are_those_of_its_files(build):
    items = build.items(
        {"item": "a.py", "features": {"chunks": 7, "size_bytes": 9}},
        {"item": "b.py", "features": {"size_bytes": 9}},
        {"item": "c.py", "features": {"n_chunks": 3}, "status": "in_flight"},
    )
    assert told_chunks(items).rows() == [("a.py", 7.0)]
    assert told_chunks(items.clear()).schema == pl.Schema({"path": pl.String, "n_real": pl.Float64})
