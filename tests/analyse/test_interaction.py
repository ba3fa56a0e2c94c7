"""Do two changes add up, hide each other, or free something only together?"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.interaction import Together, interaction
from diagtools.errors import UsageError
from diagtools.values import Effect, Hypothesis, Verdict

MIB = 2**20


def _effect(mend, freed_mib, *, base_mib=400, spread=0.001, metric="peak_rss_bytes"):
    """An effect that frees so much of 400 MiB, its pairs within 0.1 % of that."""
    share = -freed_mib / base_mib
    hypothesis = Hypothesis(name=mend, suspicion="s", change="c", variant=mend, mend=mend, metric=metric)
    return Effect(
        hypothesis=hypothesis,
        verdict=Verdict.INCONCLUSIVE,
        reason="r",
        n_baseline=3,
        n_baseline_killed=0,
        n_variant=3,
        n_variant_killed=0,
        baseline_value=float(base_mib * MIB),
        variant_value=(base_mib - freed_mib) * MIB,
        baseline_is_bound=False,
        variant_is_bound=False,
        change_share=share,
        low_share=share - spread,
        high_share=share + spread,
        rescued=False,
        same_item=None,
        n_pairs=3,
    )


def _three(one, other, both, **options):
    names = ("no cache", "no registry", "neither of them")
    freed = zip(names, (one, other, both), strict=True)
    return [_effect(name, value, **options) for name, value in freed]


@pytest.mark.parametrize(
    ("one", "other", "both", "together", "said"),
    [
        (
            100,
            60,
            160,
            "additive",
            "no cache alone frees 100 MiB, no registry alone 60.0 MiB, both together 160 MiB",
        ),
        (100, 0, 100, "additive", "no registry alone nothing"),
        (0, 0, 200, "two holders", "Each alone does next to nothing, both together free it"),
        (2.5, 0, 200, "two holders", "no cache alone frees 2.50 MiB"),
        (0, 80, 200, "hidden", "No cache does next to nothing until no registry is there too"),
        (80, 0, 200, "hidden", "No registry does next to nothing until no cache is there too"),
        (50, 50, 200, "more than the sum", "100 MiB more than the sum"),
        (200, 200, 200, "either", "They free the same in part (200 MiB of it)"),
        (200, 100, 100, "against each other", "against each other"),
        (200, 100, 0, "against each other", "against each other"),
        (0, 0, 0, "neither", "Neither no cache nor no registry frees anything"),
        (0.2, 0.2, 0.4, "neither", "both together nothing"),
        (-20, 0, -20, "neither", "no cache alone takes 20.0 MiB more"),
    ],
)
def test_what_each_frees_says_how_they_join(one, other, both, together, said):
    found = interaction(*_three(one, other, both))
    assert found.together == together, found.sentence
    assert said in found.sentence


def test_runs_that_vary_more_than_they_free_tell_nothing():
    found = interaction(*_three(10, 10, 40, spread=0.2))
    assert found.together is Together.UNKNOWN


_FREED = st.floats(-50, 200)


@given(_FREED, _FREED, _FREED)
def test_the_parts_sum_to_the_whole_and_the_order_does_not_matter(one, other, both):
    first, second, together = _three(one, other, both)
    found, swapped = interaction(first, second, together), interaction(second, first, together)
    assert found.first + found.second + found.joint == pytest.approx(found.both, abs=1)
    assert found.together is swapped.together
    assert found.joint == pytest.approx(swapped.joint, abs=1)


@given(st.floats(10, 150), st.floats(10, 150))
def test_what_adds_up_is_said_to(one, other):
    assert interaction(*_three(one, other, one + other)).together is Together.ADDITIVE


@given(st.floats(20, 300), st.floats(0.0, 0.3))
def test_what_only_both_free_has_two_holders(both, alone):
    assert interaction(*_three(alone, alone, both)).together is Together.TWO_HOLDERS


# --- where runs were killed ----------------------------------------------------------------------------


def _killed(mend, *, rescued):
    return replace(
        _effect(mend, 0),
        n_baseline_killed=3,
        n_variant_killed=0 if rescued else 3,
        rescued=rescued,
        change_share=None,
    )


@pytest.mark.parametrize(
    ("rescued", "together", "said"),
    [
        (
            (False, False, True),
            "two holders",
            "with a and with b it was still killed. Both together rescue it",
        ),
        ((True, True, True), "either", "a or b alone rescues it"),
        ((True, False, True), "additive", "Only a rescues it"),
        ((False, True, True), "additive", "Only b rescues it"),
        ((False, False, False), "neither", "Not even a and b together rescue it"),
        ((True, False, False), "unknown", "no clear pattern"),
    ],
)
def test_who_was_rescued_tells_where_runs_were_killed(rescued, together, said):
    effects = [_killed(name, rescued=one) for name, one in zip("abc", rescued, strict=True)]
    found = interaction(*effects)
    assert found.together == together
    assert said in found.sentence
    assert found.joint is None


def test_a_change_that_was_not_applied_tells_nothing():
    first, second, both = _three(0, 0, 200)
    assert interaction(first, replace(second, applied=False), both).together is Together.UNKNOWN
    assert interaction(first, second, replace(both, change_share=None)).together is Together.UNKNOWN


def test_effects_on_different_metrics_are_not_compared():
    first, second, _ = _three(0, 0, 200)
    with pytest.raises(UsageError, match="different metrics"):
        interaction(first, second, _effect("both", 1, metric="duration_s"))
