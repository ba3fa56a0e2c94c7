"""Where did a metric go, in one sentence?"""

from dataclasses import replace

import pytest

from diagtools.analyse.comparison import effects
from diagtools.analyse.movement import movement
from diagtools.values import Hypothesis

MIB = 2**20
K, F = "killed", "finished"


@pytest.fixture
def moved(build):
    """The effect of two arms, values in MiB; null is a killed run."""

    def make(base, variant, metric="peak_rss_bytes"):
        rows = [
            (pair, name, K if value is None else F, 1.0 if value is None else value * float(MIB))
            for name, arm in (("base", base), ("v", variant))
            for pair, value in enumerate(arm)
        ]
        hypothesis = Hypothesis(name="h", suspicion="s", change="c", variant="v", metric=metric)
        (effect,) = effects(build.pairs(*rows, metric=metric), [hypothesis], baseline="base")
        return effect

    return make


@pytest.mark.parametrize(
    ("base", "variant", "said"),
    [
        ([400] * 10, [404] * 10, "Peak RSS rose by 1.0 % (+1.0 % to +1.0 %, 95 % interval, 10 pairs)."),
        ([400] * 10, [300] * 10, "Peak RSS fell by 25 % (−25 % to −25 %, 95 % interval, 10 pairs)."),
        (
            [400] * 10,
            [400] * 10,
            "Peak RSS did not change by 0.5 % or more (0 % to 0 %, 95 % interval, 10 pairs).",
        ),
        ([400] * 3, [300, 302, 304], "Peak RSS fell by 24 % (−25 % to −24 %, range, 3 pairs)."),
        ([400] * 2, [300] * 2, "Whether peak RSS changed is not clear (−25 % to −25 %, range, 2 pairs)."),
        ([None] * 10 + [400, 400], [300] * 12, "Runs were killed less often: 0 of 12, instead of 10 of 12."),
        ([0] * 10, [9] * 10, "Peak RSS rose (10 pairs)."),
    ],
)
def test_a_sentence_a_metric(moved, base, variant, said):
    assert movement(moved(base, variant)) == said


def test_a_change_that_was_not_applied_is_not_compared(moved):
    effect = replace(moved([400] * 10, [300] * 10), applied=False)
    assert movement(effect) == "Peak RSS was not compared: the change was not applied."


def test_what_matters_of_a_time_is_more(moved):
    assert "did not change by 5.0 % or more" in movement(moved([400] * 10, [402] * 10, "duration_s"))
