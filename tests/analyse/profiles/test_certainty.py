"""How sure is it that a place changed?"""

import polars as pl
import pytest

from diagtools.analyse.profiles.certainty import certainty, ranges


def _ruled(before, after):
    columns = {
        "before_min": [min(before)],
        "before_max": [max(before)],
        "after_min": [min(after)],
        "after_max": [max(after)],
    }
    n = (len(before), len(after))
    return pl.DataFrame(columns).select(*ranges(*n), certainty=certainty(*n)).row(0)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ([10], [99], (None, None, "one run each")),
        ([10, 12, 11], [20, 21, 20], (8, 11, "certain")),
        ([20, 21, 20], [10, 12, 11], (-11, -8, "certain")),
        ([10, 12, 11], [13, 14, 13], (1, 4, "likely")),
        ([10, 12, 11], [11, 40, 50], (-1, 40, "within noise")),
        ([10, 12, 11], [12, 40, 50], (0, 40, "within noise")),
        ([10, 10, 10], [11, 11, 11], (1, 1, "certain")),
        ([10, 10], [90, 90, 90], (80, 80, "likely")),
        ([10], [90, 90, 90], (80, 80, "likely")),
    ],
)
def test_the_rule(before, after, wanted):
    assert _ruled(before, after) == wanted


def test_the_rule_is_the_same_for_both_sides():
    low, high, sure = _ruled([10, 12, 14], [30, 31, 37])
    assert _ruled([30, 31, 37], [10, 12, 14]) == (-high, -low, sure)
