"""One fact, one way to say it."""

from __future__ import annotations

import pytest

from diagtools.present.wording import (
    change,
    count,
    how_it_ended,
    measured,
    of_limit,
    signed_share,
    where_it_ended,
)
from diagtools.values import Cause, Death, Grade, Verdict

MIB = 2**20


def death(cause: Cause, grade: Grade) -> Death:
    return Death(cause=cause, grade=grade, evidence=())


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("grade", list(Grade))
def test_every_death_has_words(cause: Cause, grade: Grade) -> None:
    words = how_it_ended(death(cause, grade))
    assert words
    assert words.startswith("probably ") == (grade is Grade.LIKELY and cause is not Cause.UNKNOWN)
    assert ("kernel" in words) == (cause in {Cause.CGROUP_OOM, Cause.KERNEL_OOM})


def test_where_it_ended() -> None:
    proven = death(Cause.WATCHDOG, Grade.PROVEN)
    assert where_it_ended(proven, 2048 * MIB, "a/b.js") == "killed by the watchdog at 2.00 GiB in b.js"
    assert where_it_ended(proven, None, None) == "killed by the watchdog"
    assert len(where_it_ended(proven, None, "x" * 500)) < 100


def test_beside_the_limit() -> None:
    assert of_limit(512 * MIB, 2048 * MIB) == "512 MiB (25 % of the limit)"
    assert of_limit(512 * MIB, None) == "512 MiB"


@pytest.mark.parametrize(
    ("metric", "value", "is_bound", "words"),
    [
        ("peak_rss_bytes", 512 * MIB, False, "512 MiB"),
        ("peak_rss_bytes", 512 * MIB, True, "≥ 512 MiB"),
        ("duration_s", 21.4, False, "21.4 s"),
        ("success_share", 0.5, False, "50 %"),
        ("n_chunks", 1271.0, False, "1,271"),
        ("peak_rss_bytes", None, False, "not measured"),
    ],
)
def test_a_metric_has_the_unit_of_its_name(
    metric: str, value: float | None, is_bound: bool, words: str
) -> None:
    assert measured(metric, value, is_bound=is_bound) == words


def test_what_a_change_did(effect_of) -> None:
    assert change(effect_of("x", Verdict.REFUTED, 2048, 2048)) == "killed in the same item"
    assert change(effect_of("x", Verdict.REFUTED, 2048, 2048, same_item=False)) == "killed in another item"
    assert change(effect_of("x", Verdict.REFUTED, 2048, 2048, same_item=None)) == "killed all the same"
    assert change(effect_of("x", Verdict.REFUTED, 400, 2048)) == "killed, unlike the baseline"
    assert change(effect_of("x", Verdict.CONFIRMED, 2048, 512)) == "not killed, −75 % or more"
    assert change(effect_of("x", Verdict.CONFIRMED, 400, 300)) == "−25 %"
    assert change(effect_of("x", Verdict.INCONCLUSIVE, 400, None)) == "not measured"


def test_signs_and_counts() -> None:
    assert [signed_share(share) for share in (-0.76, 0.031, 0.0)] == ["−76 %", "+3.1 %", "±0 %"]
    assert [count(n, "file") for n in (0, 1, 1271)] == ["0 files", "1 file", "1,271 files"]
