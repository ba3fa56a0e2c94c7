"""Which features do all of these items have?"""

from __future__ import annotations

from math import inf, nan

from diagtools.analyse.item_features import features_of


def test_a_feature_that_all_have_and_that_varies_is_known() -> None:
    found = features_of([{"size": float(n), "kind": 3.0} for n in range(1, 6)])
    assert found.values == {"size": [1, 2, 3, 4, 5]}
    assert found.validity == ()


def test_one_unknown_value_in_ten_is_the_median_and_that_is_said() -> None:
    rows = [{"size": float(n)} for n in range(1, 10)] + [{}]
    found = features_of(rows)
    assert found.values["size"][-1] == 5
    assert "unknown of 1 items, taken to be the median" in str(found.validity[0])


def test_a_feature_that_many_lack_is_left_out_and_that_is_said() -> None:
    found = features_of([{"size": float(n)} for n in range(1, 9)] + [{}, {"size": nan}])
    assert found.values == {}
    assert "unknown of 2 of 10 items, left out" in str(found.validity[0])


def test_what_is_no_number_is_unknown_and_what_is_below_zero_takes_no_memory_away() -> None:
    rows = [{"a": float(n), "b": n - 4.0, "c": inf} for n in range(1, 21)]
    assert set(features_of(rows).values) == {"a"}
    assert features_of([]).values == {}
