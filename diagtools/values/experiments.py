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


class Moved(StrEnum):
    """Where a metric went: ``same`` where a change of the least size that matters is ruled out."""

    LOWER = "lower"
    HIGHER = "higher"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A suspected cause, the change that would remove it, and the metric that change should move.

    ``name`` and ``suspicion`` read as a clause ("batches are unbounded"), ``mend`` as a noun ("bounded batches").
    ``variant`` names the experiment's variant that makes the change; ``expected_drop`` is the least
    share (0–1) by which ``metric`` must fall for the suspicion to count as confirmed where nothing is killed.
    ``min_effect_share`` and ``floor`` (in units of the metric) are the least change that matters at all, in either
    direction; null is what is usual for such a metric (``analyse.sequential``).
    """

    name: str
    suspicion: str
    change: str
    variant: str
    mend: str = ""
    role: Role = Role.DEFECT
    metric: str = "peak_rss_bytes"
    expected_drop: float = 0.10
    min_effect_share: float | None = None
    floor: float | None = None


class Outcome(StrEnum):
    """How one run of an experiment ended; a kill is an outcome, not missing data."""

    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an experiment said about one hypothesis.

    ``baseline_value`` and ``variant_value`` are medians of the metric; ``change_share`` is variant over
    baseline minus one with ``low_share``..``high_share``: an interval (``is_interval``) where there are pairs enough,
    else the range over the runs.  Where runs were killed
    their value is a lower bound (``baseline_is_bound``, ``variant_is_bound``).  ``rescued`` is true where every
    baseline run was killed and no variant run; ``same_item`` says whether killed variant runs died in the
    item in which the baseline died (null where nothing died).  ``moved`` is where the metric went, whatever was
    expected; ``p`` how likely that is by chance, corrected for all that was tested with it (null with few pairs).
    ``n_pairs`` had both runs.  ``applied`` is false where the change never reached the program, ``same_output``
    null where nobody compared what it printed.
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
    p: float | None = None
    n_pairs: int = 0
    is_interval: bool = False
    moved: Moved = Moved.UNKNOWN
    applied: bool = True
    same_output: bool | None = None
