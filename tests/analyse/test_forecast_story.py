"""A forecast in one sentence."""

from __future__ import annotations

from dataclasses import replace

from diagtools.analyse.forecast_models import Term
from diagtools.analyse.forecast_story import Expected, forecast_sentence

MIB = 2**20
USUAL = Expected(
    limit_bytes=200 * MIB,
    at=50,
    earliest=48,
    latest=53,
    item="a/b.py",
    in_s=65.0,
    needed_bytes=300 * MIB,
    low_bytes=290 * MIB,
    high_bytes=310 * MIB,
    n_items=100,
    of_items=True,
    is_sure=True,
    passed=False,
    knows_features=True,
    terms=(Term(kind="largest", feature="n_chunks"), Term(kind="number")),
    far=(),
)


def test_everything_known() -> None:
    assert forecast_sentence(USUAL) == (
        "Memory reaches the limit of 200 MiB at item 50 of 100 ('a/b.py') (48 to 53), in about 65.0 s. "
        "The whole job needs 300 MiB (290 MiB to 310 MiB). "
        "Peaks follow the largest n_chunks so far and the number of items."
    )


def test_doubt_is_heard() -> None:
    unsure = replace(USUAL, is_sure=False, latest=None, knows_features=False, item=None, in_s=None)
    assert forecast_sentence(unsure).startswith(
        "If what is to come is like what was seen, memory probably reaches the limit of 200 MiB at item 50 of 100 "
        "(48 or later). "
    )
    maybe = replace(USUAL, at=None, latest=None)
    assert (
        "may reach the limit of 200 MiB, from item 48 of 100 on, but probably does not."
        in forecast_sentence(maybe)
    )


def test_what_is_far_gets_only_a_range() -> None:
    far = forecast_sentence(replace(USUAL, far=(Term(kind="largest", feature="n_chunks"),)))
    assert "The whole job needs between 290 MiB and 310 MiB." in far
    assert "needs 300 MiB" not in far
    assert "It extrapolates far: much more of n_chunks is to come than was seen" in far


def test_a_limit_that_holds_or_is_passed_and_none_at_all() -> None:
    holds = replace(USUAL, at=None, earliest=None, latest=None)
    assert forecast_sentence(holds).startswith(
        "Memory does not reach the limit of 200 MiB by the end of the job."
    )
    assert forecast_sentence(replace(holds, passed=True)).startswith("Memory has passed the limit of 200 MiB")
    assert forecast_sentence(replace(holds, limit_bytes=None)).startswith("The whole job needs 300 MiB")


def test_by_time() -> None:
    by_time = replace(
        USUAL,
        of_items=False,
        n_items=None,
        item=None,
        at=125.0,
        needed_bytes=None,
        terms=(Term(kind="number"),),
    )
    assert "at 2 min 05 s of the run (48.0 s to 53.0 s)" in forecast_sentence(by_time)
    assert forecast_sentence(by_time).endswith("Peaks follow time.")
