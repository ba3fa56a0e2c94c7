"""A suspicion, the runs that test it, and what they said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What an experiment said about a hypothesis."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"


class Role(StrEnum):
    """What a suspected cause would be: the flaw itself, or the input that sets it off."""

    DEFECT = "defect"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A suspected cause, the change that would remove it, and the metric that change should move.

    ``name`` and ``suspicion`` read as a clause ("batches are unbounded"), ``mend`` as a noun ("bounded batches").
    ``variant`` names the experiment's variant that makes the change; ``expected_drop`` is the least
    share (0–1) by which ``metric`` must fall for the suspicion to count as confirmed where nothing is killed.
    """

    name: str
    suspicion: str
    change: str
    variant: str
    mend: str = ""
    role: Role = Role.DEFECT
    metric: str = "peak_rss_bytes"
    expected_drop: float = 0.10


class Outcome(StrEnum):
    """How one run of an experiment ended; a kill is an outcome, not missing data."""

    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an experiment said about one hypothesis.

    ``baseline_value`` and ``variant_value`` are medians of the metric; ``change_share`` is variant over
    baseline minus one with the range ``low_share``..``high_share`` over the runs.  Where runs were killed
    their value is a lower bound (``baseline_is_bound``, ``variant_is_bound``).  ``rescued`` is true where every
    baseline run was killed and no variant run; ``same_item`` says whether killed variant runs died in the
    item in which the baseline died (null where nothing died).
    """

    hypothesis: Hypothesis
    verdict: Verdict
    reason: str
    n_baseline: int
    n_baseline_killed: int
    n_variant: int
    n_variant_killed: int
    baseline_value: float | None
    variant_value: float | None
    baseline_is_bound: bool
    variant_is_bound: bool
    change_share: float | None
    low_share: float | None
    high_share: float | None
    rescued: bool
    same_item: bool | None
