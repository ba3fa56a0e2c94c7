"""Makes pairs until each comparison of an experiment is decided, and no more."""

from __future__ import annotations

from diagtools.analyse.sequential import GATE, decisions, next_look
from diagtools.investigations.experiment import BASELINE, Experiment
from diagtools.investigations.progress import Progress


def run_to_a_decision(
    experiment: Experiment, *, most_pairs: int | None = None, progress: Progress | None = None
) -> None:
    """Looks after 10, 20 and 40 pairs (``analyse.sequential``); a variant whose every metric is decided runs no more.

    ``most_pairs`` leaves later looks out.  Raises as ``Experiment.run``.
    """
    shown = progress or Progress()
    experiment.looks, experiment.expected_drop = GATE, None
    n_pairs = 0
    wanted = next_look(n_pairs, [])
    while wanted is not None and (most_pairs is None or n_pairs == 0 or wanted <= most_pairs):
        experiment.run(rounds=wanted - n_pairs, progress=shown)
        n_pairs = wanted
        found = decisions(experiment.pairs, experiment.hypotheses, baseline=BASELINE)
        _drop_decided(experiment, [one.is_decided for one in found], shown)
        wanted = None if experiment.is_settled else next_look(n_pairs, found)


def _drop_decided(experiment: Experiment, decided: list[bool], shown: Progress) -> None:
    by_variant: dict[str, list[bool]] = {}
    for hypothesis, is_decided in zip(experiment.hypotheses, decided, strict=True):
        by_variant.setdefault(hypothesis.variant, []).append(is_decided)
    for variant, all_of in by_variant.items():
        if all(all_of):
            shown.say(f"{variant}: decided.")
            experiment.drop(variant)
