"""What follows from an experiment's verdicts: the cause, what set it off, and which theories were wrong?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from diagtools.analyse.amounts import plain
from diagtools.analyse.explain import RUNNING_MAXIMUM
from diagtools.units import format_bytes
from diagtools.values import Effect, Finding, Role, Verdict

_NOTHING_TO_EXPLAIN = "There is no death to explain: these verdicts are about memory alone."


def conclude(effects: Sequence[Effect]) -> list[Finding]:
    """Which suspicion is the root cause, which is the trigger, which was refuted, and which mends suffice?

    A confirmed defect is the root cause, a confirmed trigger what set it off; without a confirmed defect the
    trigger is all that is known.  Nothing confirmed is said to be just that.  Where the program as it is was never
    killed there is no death to explain, and the verdicts are about the metric alone: that is said first.
    """
    defects = _with(effects, Verdict.CONFIRMED, Role.DEFECT)
    triggers = _with(effects, Verdict.CONFIRMED, Role.TRIGGER)
    sentences = [_NOTHING_TO_EXPLAIN] if _nobody_died(effects) else []
    sentences += [f"Root cause (defect): {_clause(effect)}" for effect in defects]
    sentences += [f"Trigger: {_clause(effect)}" for effect in triggers]
    if not defects and triggers:
        sentences.append("No theory about a defect was confirmed: the trigger is all that is known.")
    if not defects and not triggers and not _nobody_died(effects):
        sentences.append("No theory was confirmed: the root cause is still unknown.")
    sentences += _mends(effects)
    for verdict in (Verdict.REFUTED, Verdict.INCONCLUSIVE):
        for effect in effects:
            if effect.verdict is verdict:
                sentences.append(f"{verdict.capitalize()}: {_clause(effect)}")
    return [Finding(sentence=sentence) for sentence in sentences]


def _nobody_died(effects: Sequence[Effect]) -> bool:
    return bool(effects) and not any(effect.n_baseline_killed for effect in effects)


def in_short(effects: Sequence[Effect]) -> list[str]:
    """The same in a few short sentences."""
    if _nobody_died(effects):
        return [_NOTHING_TO_EXPLAIN]
    defects = _with(effects, Verdict.CONFIRMED, Role.DEFECT)
    triggers = _with(effects, Verdict.CONFIRMED, Role.TRIGGER)
    refuted = [effect for effect in effects if effect.verdict is Verdict.REFUTED]
    found = []
    for heading, those in (("Root cause", defects), ("Trigger", triggers), ("Refuted", refuted)):
        if those:
            found.append(f"{heading}: {_listed([effect.hypothesis.name for effect in those])}.")
    if not defects:
        found.append(
            "No theory about a defect was confirmed." if triggers else "The root cause is still unknown."
        )
    return [*found, *_mends(effects)]


def flatter_but_dead(effect: Effect, *, before_bytes: int | None, after_bytes: int | None) -> Finding | None:
    """Did a refuted change make the curve look mended before the run died all the same?

    ``before_bytes`` and ``after_bytes`` are the memory held when the item began that killed, without and with
    the change.  Null where the change rescued the run or did not lower the curve by a tenth.
    """
    if effect.verdict is not Verdict.REFUTED or not before_bytes or after_bytes is None:
        return None
    drop = 1 - after_bytes / before_bytes
    if drop < 0.1 or not effect.n_variant_killed:
        return None
    place = "in the same item" if effect.same_item else "in another item"
    sentence = (
        f"{_capital(effect.hypothesis.mend)} looked like the fix: ahead of the killer memory stood at "
        f"{format_bytes(after_bytes)} instead of {format_bytes(before_bytes)}, and then the run was killed "
        f"{place}. A flatter curve is no proof."
    )
    return Finding(sentence=sentence, value=-drop, unit="share")


def largest_harmless(explained: pl.DataFrame, *, feature: str, limit_bytes: int) -> Finding | None:
    """From how large an item on would the limit be passed, if memory goes on as measured?

    ``explained`` is EXPLAINED of a run that finished.  A prediction, and called one.  Null without a good fit.
    """
    fits = explained.filter(
        (pl.col("feature") == feature)
        & (pl.col("explains") == "peak_bytes")
        & (pl.col("of") == RUNNING_MAXIMUM)
        & (pl.col("r2") >= 0.9)
        & (pl.col("bytes_per_unit") > 0)
    )
    if fits.is_empty():
        return None
    fit = fits.row(0, named=True)
    size = (limit_bytes - fit["intercept_bytes"]) / fit["bytes_per_unit"]
    sentence = (
        f"Predicted from {fit['n_items']} items (R² {fit['r2']:.2f}): at {format_bytes(fit['bytes_per_unit'])} a "
        f"{feature.removesuffix('s')} on top of {format_bytes(fit['intercept_bytes'])}, any item of about "
        f"{size:.0f} {feature} in one go passes the limit, whatever its kind."
    )
    return Finding(sentence=sentence, value=size, unit=feature)


def _mends(effects: Sequence[Effect]) -> list[str]:
    rescuing = [effect.hypothesis.mend for effect in effects if effect.rescued]
    if not rescuing:
        return []
    if len(rescuing) == 1:
        return [f"One mend alone rescues this workload: {rescuing[0]}."]
    return (
        [f"Either mend alone rescues this workload: {_listed(rescuing, 'or')}."]
        if len(rescuing) == 2
        else [f"Each of these alone rescues this workload: {_listed(rescuing)}."]
    )


def _with(effects: Sequence[Effect], verdict: Verdict, role: Role) -> list[Effect]:
    return [effect for effect in effects if effect.verdict is verdict and effect.hypothesis.role is role]


def _clause(effect: Effect) -> str:
    reason = effect.reason.rstrip(".")
    return (
        f"{effect.hypothesis.suspicion}. With {effect.hypothesis.mend}: {_uncapital(reason)}{_peaks(effect)}."
    )


def _peaks(effect: Effect) -> str:
    """From how much to how much did memory go?  Empty for other metrics and where it is not known."""
    before, after = effect.baseline_value, effect.variant_value
    if not effect.hypothesis.metric.endswith("_bytes") or before is None or after is None:
        return ""
    was = f"{'at least ' if effect.baseline_is_bound else ''}{format_bytes(before)}"
    became = f"{'at least ' if effect.variant_is_bound else ''}{format_bytes(after)}"
    return f"; {plain(effect.hypothesis.metric)} went from {was} to {became}"


def _listed(names: Sequence[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]


def lessons(
    effects: Sequence[Effect], looked_like_fixes: Sequence[Finding], kept_elsewhere: Finding | None
) -> list[Finding]:
    """What does this case teach, as far as its own runs show it?

    ``looked_like_fixes`` are findings of ``flatter_but_dead``, ``kept_elsewhere`` the one that says that what
    was kept points to another item than demand does (null where both agree).
    """
    refuted = [effect for effect in effects if effect.verdict is Verdict.REFUTED]
    defects = _with(effects, Verdict.CONFIRMED, Role.DEFECT)
    triggers = _with(effects, Verdict.CONFIRMED, Role.TRIGGER)
    sentences = []
    if refuted and not _nobody_died(effects):
        n_changes = f"{len(refuted)} of {len(effects)}"
        sentences.append(
            f"Test a suspicion before building on it: {n_changes} plausible ones were wrong here."
        )
    if looked_like_fixes:
        sentences.append("Judge a mend by whether the job lives, not by a flatter curve ahead of the kill.")
    if kept_elsewhere is not None:
        sentences.append(
            "Rank by what an item asks for while it runs: ranking by what is kept named another one here."
        )
    if defects and triggers:
        sentences.append(
            "Mend the defect even where avoiding the trigger suffices today: "
            f"with {_listed([d.hypothesis.mend for d in defects])}, an input that nobody has seen yet is bounded too."
        )
    if _nobody_died(effects):
        sentences.append("Reproduce the death first: a theory can only be tested where the symptom shows.")
    elif effects and not defects and not triggers:
        sentences.append("Look further: none of the suspicions was confirmed, so nothing here is mended yet.")
    return [Finding(sentence=sentence) for sentence in sentences]
