"""Does the conclusion say what the verdicts say, and flip when they do?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from diagtools import frames
from diagtools.analyse.conclusion import conclude, flatter_but_dead, in_short, largest_harmless, lessons
from diagtools.analyse.explain import ITSELF, RUNNING_MAXIMUM
from diagtools.values import Effect, Finding, Hypothesis, Role, Verdict

MIB = 1 << 20


def _effect(name: str, verdict: Verdict, *, role: Role = Role.DEFECT, n_killed: int | None = None) -> Effect:
    """An effect on a baseline whose two runs were killed at 2,048 MiB."""
    killed = n_killed if n_killed is not None else 0 if verdict is Verdict.CONFIRMED else 2
    hypothesis = Hypothesis(
        name=f"{name} is wrong",
        suspicion=f"{name} is suspected",
        change="x",
        mend=f"{name} mended",
        variant="v",
        role=role,
    )
    return Effect(
        hypothesis=hypothesis,
        verdict=verdict,
        reason="Counted.",
        n_baseline=2,
        n_baseline_killed=2,
        n_variant=2,
        n_variant_killed=killed,
        baseline_value=2048.0 * MIB,
        variant_value=2048.0 * MIB if killed else 512.0 * MIB,
        baseline_is_bound=True,
        variant_is_bound=killed > 0,
        change_share=None if killed else -0.75,
        low_share=None,
        high_share=None,
        rescued=killed == 0,
        same_item=True if killed else None,
    )


def test_where_nobody_died_there_is_no_death_to_explain() -> None:
    effects = [replace(_effect("arena", Verdict.REFUTED, n_killed=0), n_baseline_killed=0)]
    (short,) = in_short(effects)
    assert short.startswith("There is no death to explain")
    assert _said(effects).startswith(short)
    assert "root cause" not in _said(effects)
    assert [str(lesson) for lesson in lessons(effects, [], None)] == [
        "Reproduce the death first: a theory can only be tested where the symptom shows."
    ]


def _said(effects: list[Effect]) -> str:
    return "\n".join(finding.sentence for finding in conclude(effects))


def test_a_confirmed_defect_is_the_root_cause_and_a_confirmed_trigger_is_not() -> None:
    """The incident: one theory wrong, one the trigger, one the defect."""
    effects = [
        _effect("arena", Verdict.REFUTED),
        _effect("filter", Verdict.CONFIRMED, role=Role.TRIGGER),
        _effect("batch", Verdict.CONFIRMED),
    ]
    said = _said(effects)
    assert "Root cause (defect): batch is suspected. With batch mended: counted; peak RSS went from " in said
    assert "at least 2.00 GiB to 512 MiB" in said
    assert "Trigger: filter is suspected." in said
    assert "Refuted: arena is suspected." in said
    assert "Either mend alone rescues this workload: filter mended or batch mended." in said
    assert in_short(effects) == [
        "Root cause: batch is wrong.",
        "Trigger: filter is wrong.",
        "Refuted: arena is wrong.",
        "Either mend alone rescues this workload: filter mended or batch mended.",
    ]


def test_the_sentences_flip_with_the_verdicts() -> None:
    """The arena really is the cause: then it is named, and nothing else."""
    said = _said([_effect("arena", Verdict.CONFIRMED), _effect("batch", Verdict.REFUTED)])
    assert "Root cause (defect): arena" in said
    assert "Refuted: batch" in said
    assert "One mend alone rescues this workload: arena mended." in said


def test_a_trigger_alone_is_all_that_is_known() -> None:
    """No defect was confirmed: the conclusion does not invent one."""
    effects = [_effect("filter", Verdict.CONFIRMED, role=Role.TRIGGER), _effect("batch", Verdict.REFUTED)]
    assert "the trigger is all that is known" in _said(effects)
    assert "Root cause" not in _said(effects)
    assert "No theory about a defect was confirmed." in in_short(effects)


@pytest.mark.parametrize("verdict", [Verdict.REFUTED, Verdict.INCONCLUSIVE])
def test_nothing_confirmed_is_said_to_be_just_that(verdict: Verdict) -> None:
    """Refuted and inconclusive theories leave the cause unknown."""
    effects = [_effect("arena", verdict)]
    assert "the root cause is still unknown" in _said(effects)
    assert f"{verdict.capitalize()}: arena" in _said(effects)
    assert "The root cause is still unknown." in in_short(effects)
    assert any("Look further" in lesson.sentence for lesson in lessons(effects, [], None))


def test_three_mends_that_suffice_are_listed() -> None:
    """Each is named."""
    effects = [_effect(name, Verdict.CONFIRMED) for name in ("a", "b", "c")]
    assert "Each of these alone rescues this workload: a mended, b mended and c mended." in _said(effects)


def test_a_flatter_curve_that_dies_all_the_same_is_named() -> None:
    """684 MiB → 247 MiB ahead of the killer, and killed in the same item."""
    found = flatter_but_dead(_effect("arena", Verdict.REFUTED), before_bytes=684 * MIB, after_bytes=247 * MIB)
    assert found is not None
    assert "247 MiB instead of 684 MiB, and then the run was killed in the same item" in found.sentence
    assert found.value == pytest.approx(-437 / 684)


@pytest.mark.parametrize(
    ("effect", "before", "after"),
    [
        (_effect("batch", Verdict.CONFIRMED), 684, 247),
        (_effect("arena", Verdict.REFUTED), 684, 650),
        (_effect("arena", Verdict.REFUTED), None, 247),
        (_effect("arena", Verdict.REFUTED), 684, None),
        (_effect("arena", Verdict.REFUTED, n_killed=0), 684, 247),
    ],
)
def test_otherwise_there_is_no_such_finding(effect: Effect, before: int | None, after: int | None) -> None:
    """Rescued, not much flatter, unknown, or not killed at all."""
    in_bytes = [None if mib is None else mib * MIB for mib in (before, after)]
    assert flatter_but_dead(effect, before_bytes=in_bytes[0], after_bytes=in_bytes[1]) is None


def test_the_largest_harmless_item_follows_the_fit() -> None:
    """176 MiB + 10.5 MiB a chunk reaches 2,048 MiB at 178.3 chunks; another feature, fit or measure does not count."""
    explained = frames.EXPLAINED.from_columns(
        {
            "feature": ["chunks", "chunks", "size_bytes"],
            "of": [RUNNING_MAXIMUM, ITSELF, RUNNING_MAXIMUM],
            "explains": ["peak_bytes"] * 3,
            "r2": [0.99, 0.2, 0.95],
            "bytes_per_unit": [10.5 * MIB, 1.0, 1.0],
            "intercept_bytes": [176.0 * MIB, 0.0, 0.0],
            "n_items": [134, 134, 134],
        }
    )
    found = largest_harmless(explained, feature="chunks", limit_bytes=2048 * MIB)
    assert found is not None
    assert found.value == pytest.approx(178.29, abs=0.01)
    assert found.sentence.startswith(
        "Predicted from 134 items (R² 0.99): at 10.5 MiB a chunk on top of 176 MiB"
    )
    assert largest_harmless(explained, feature="longest_line", limit_bytes=1) is None


def test_lessons_come_from_what_was_seen() -> None:
    """Without a refuted theory, a flatter curve or another ranking, none of those lessons is told."""
    effects = [_effect("batch", Verdict.CONFIRMED), _effect("filter", Verdict.CONFIRMED, role=Role.TRIGGER)]
    told = [lesson.sentence for lesson in lessons(effects, [], None)]
    assert len(told) == 1
    assert told[0].startswith(
        "Mend the defect even where avoiding the trigger suffices today: with batch mended"
    )
    all_of_them = lessons(
        [*effects, _effect("arena", Verdict.REFUTED)], [Finding(sentence="flat")], Finding(sentence="k")
    )
    assert len(all_of_them) == 4
    assert (
        all_of_them[0].sentence
        == "Test a suspicion before building on it: 1 of 3 plausible ones were wrong here."
    )
