"""Which feature of the items explains how much memory they needed?"""

import pytest

from diagtools.analyse.explain import best_explanation, explain_peaks

MIB = 2**20
CHUNKS = [4, 1, 9, 2, 30, 3, 5, 62, 7, 2, 11, 1]


def _arena(build, *more):
    """An allocator that keeps its largest request: peaks follow the running maximum, 10 MiB a chunk on 176 MiB."""
    rows, highest = [], 0
    for index, chunks in enumerate(CHUNKS):
        grown = max(0, chunks - highest)
        highest = max(highest, chunks)
        rows.append(
            {
                "item": f"f{index}",
                "demand_bytes": 10 * MIB * grown,
                "peak_bytes": (176 + 10 * highest) * MIB,
                "features": {"chunks": float(chunks)},
            }
        )
    return build.items(*rows, *more)


def _row(explained, of, explains, feature="chunks"):
    rows = [
        row
        for row in explained.to_dicts()
        if (row["feature"], row["of"], row["explains"]) == (feature, of, explains)
    ]
    return rows[0] if rows else None


def test_the_running_maximum_explains_an_arena_exactly(build):
    row = _row(explain_peaks(_arena(build)), "running maximum", "peak_bytes")
    assert row["r2"] == pytest.approx(1.0)
    assert row["bytes_per_unit"] == pytest.approx(10 * MIB)
    assert row["intercept_bytes"] == pytest.approx(176 * MIB)
    assert row["n_items"] == len(CHUNKS)


def test_the_items_own_chunks_explain_little_of_an_arena(build):
    assert _row(explain_peaks(_arena(build)), "itself", "peak_bytes")["r2"] < 0.2


def test_the_best_explanation_is_a_sentence_with_its_numbers(build):
    finding = best_explanation(explain_peaks(_arena(build)))
    assert finding.sentence.startswith(
        "The running maximum of chunks explains 100 % of the peaks: 10.0 MiB a chunk on top of 176 MiB (12 items)."
    )
    assert "An item's own value explains" in finding.sentence
    assert finding.value == pytest.approx(1.0)


def test_without_an_arena_each_item_explains_itself(build):
    rows = [
        {
            "item": f"f{i}",
            "demand_bytes": 2 * MIB * n,
            "peak_bytes": (50 + 2 * n) * MIB,
            "features": {"n_chunks": float(n)},
        }
        for i, n in enumerate(CHUNKS)
    ]
    finding = best_explanation(explain_peaks(build.items(*rows)))
    assert (
        finding.sentence
        == "The value of n_chunks explains 100 % of what items ask for: 2.00 MiB a chunk on top of 0 B (12 items)."
    )


def test_a_leak_is_explained_by_the_position(build):
    rows = [{"item": "x", "demand_bytes": MIB, "peak_bytes": (100 + i) * MIB} for i in range(10)]
    explained = explain_peaks(build.items(*rows))
    assert explained["feature"].to_list() == ["position"]
    assert "1.00 MiB an item on top of 100 MiB" in best_explanation(explained).sentence


def test_bytes_are_told_by_the_kib(build):
    rows = [
        {"item": "x", "demand_bytes": 5 * n, "peak_bytes": 7, "features": {"size_bytes": float(n)}}
        for n in (4096, 1024, 9999, 5, 77, 4000, 123, 800)
    ]
    assert "5.00 KiB a KiB of size_bytes" in best_explanation(explain_peaks(build.items(*rows))).sentence


def test_by_hand(build):
    """Demand is twice x, 1 to 8, but the last one is 8 too high: Sxx 42, Sxy 112, Syy 336, mean of y 10."""
    rows = [
        {"item": "x", "demand_bytes": 2 * x + (8 if x == 8 else 0), "features": {"x": float(x)}}
        for x in range(1, 9)
    ]
    row = _row(explain_peaks(build.items(*rows)), "itself", "demand_bytes", "x")
    assert row["bytes_per_unit"] == pytest.approx(112 / 42)
    assert row["r2"] == pytest.approx(112**2 / (42 * 336))
    assert row["intercept_bytes"] == pytest.approx(10 - 112 / 42 * 4.5)


def test_an_item_in_flight_is_left_out_of_the_fit(build):
    killer = {
        "item": "killer",
        "status": "in_flight",
        "demand_bytes": 10**12,
        "peak_bytes": 10**12,
        "features": {"chunks": 479.0},
    }
    assert explain_peaks(_arena(build, killer)).equals(explain_peaks(_arena(build)))


def test_each_process_has_its_own_running_maximum(build):
    rows = [
        {
            "item": "x",
            "pid": 1 + i % 2,
            "peak_bytes": (chunks if i % 2 else 500 + chunks),
            "features": {"chunks": float(chunks)},
        }
        for i, chunks in enumerate([1, 100, 2, 101, 3, 102, 4, 103, 5, 104])
    ]
    row = _row(explain_peaks(build.items(*rows)), "running maximum", "peak_bytes")
    own = _row(explain_peaks(build.items(*rows)), "itself", "peak_bytes")
    assert row["r2"] == pytest.approx(own["r2"])


@pytest.mark.parametrize("n_items", [0, 1, 7])
def test_fewer_than_eight_items_explain_nothing(build, n_items):
    rows = [
        {"item": "x", "demand_bytes": i, "peak_bytes": i, "features": {"n": float(i)}} for i in range(n_items)
    ]
    assert explain_peaks(build.items(*rows)).is_empty()
    assert best_explanation(explain_peaks(build.items(*rows))) is None


def test_what_does_not_vary_explains_nothing(build):
    rows = [{"item": "x", "demand_bytes": 5, "peak_bytes": 9 + i, "features": {"n": 3.0}} for i in range(9)]
    explained = explain_peaks(build.items(*rows))
    assert explained.select("feature", "explains").rows() == [("position", "peak_bytes")]


def test_one_step_of_a_running_maximum_explains_nothing(build):
    rows = [
        {"item": "x", "peak_bytes": 100 if i < 4 else 900, "features": {"n": 9.0 if i == 4 else 1.0}}
        for i in range(12)
    ]
    assert _row(explain_peaks(build.items(*rows)), "running maximum", "peak_bytes", "n") is None


def test_values_that_are_no_numbers_are_left_out(build):
    rows = [
        {"item": "x", "demand_bytes": i, "features": {"n": float(i) if i else float("nan")}} for i in range(9)
    ]
    assert _row(explain_peaks(build.items(*rows)), "itself", "demand_bytes", "n")["n_items"] == 8


def test_a_falling_or_weak_fit_is_no_explanation(build):
    falling = [{"item": "x", "peak_bytes": 1000 - i, "features": {"n": float(i)}} for i in range(9)]
    assert best_explanation(explain_peaks(build.items(*falling))) is None
    weak = [{"item": "x", "peak_bytes": peak} for peak in (5, 1, 5, 1, 5, 1, 5, 1)]
    assert best_explanation(explain_peaks(build.items(*weak))) is None


def test_the_order_of_the_rows_does_not_matter(build):
    frame = _arena(build)
    assert explain_peaks(frame.reverse()).equals(explain_peaks(frame))
