"""Values say what they mean, refuse what makes no sense, and cannot be changed."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from diagtools import values
from diagtools.errors import BudgetBreached, UsageError
from diagtools.values import (
    Budget,
    Enforcer,
    Finding,
    ItemSource,
    Limit,
    State,
    Target,
    Tool,
    Tracking,
    Validity,
)

DATACLASSES = [
    value for value in vars(values).values() if inspect.isclass(value) and dataclasses.is_dataclass(value)
]


@pytest.mark.parametrize("value", DATACLASSES, ids=lambda value: value.__name__)
def test_every_value_is_frozen_and_named_at_the_call(value: type) -> None:
    parameters = value.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen
    assert all(field.kw_only for field in dataclasses.fields(value))


def test_a_limit_is_read_from_its_text() -> None:
    assert Limit.parse("2 GiB") == Limit(memory_bytes=2**31, enforcer=Enforcer.WATCHDOG)
    assert Limit.parse("400 MB", Enforcer.CGROUP) == Limit(memory_bytes=4 * 10**8, enforcer=Enforcer.CGROUP)
    with pytest.raises(UsageError, match="has no unit"):
        Limit.parse("400")


@pytest.mark.parametrize("argv", [(), ("",)])
def test_a_target_needs_a_command(argv: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"no command to record.*diagtools record -- python app\.py"):
        Target(argv=argv)


def test_a_target_inherits_everything_else() -> None:
    target = Target(argv=("true",))
    assert (target.cwd, dict(target.env), target.limit, target.items) == (None, {}, None, None)


@pytest.mark.parametrize("calls", ["app", "app:", ":embed", ":", ""])
def test_a_function_is_named_by_module_and_name(calls: str) -> None:
    with pytest.raises(UsageError, match=r"MODULE:FUNCTION"):
        ItemSource(calls=calls)


@pytest.mark.parametrize(
    "options",
    [
        {"tool": Tool.TRACEMALLOC, "native": True},
        {"tool": Tool.TRACEMALLOC, "python_allocators": True},
        {"tool": Tool.TRACEMALLOC, "aggregated": True},
        {"tool": Tool.TRACEMALLOC, "follow_fork": False},
        {"tool": Tool.TRACEMALLOC, "n_frames": 0},
        {"tool": Tool.TRACEMALLOC, "n_frames": 65_536},
        {"tool": Tool.TRACEMALLOC, "snapshot_every_s": 0.0},
        {"tool": Tool.TRACEMALLOC, "snapshot_every_s": float("nan")},
        {"tool": Tool.MEMRAY, "snapshot_every_s": 5.0},
        {"tool": Tool.MEMRAY, "interval_ms": 0},
    ],
)
def test_a_tracker_is_not_asked_for_what_it_cannot_do(options: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        Tracking(**options)  # type: ignore[arg-type]  # a table of cases
    assert caught.value.hint


def test_a_tracker_is_memray_and_survives_a_kill_unless_said_otherwise() -> None:
    assert (Tracking().tool, Tracking().aggregated, Tracking().follow_fork) == (Tool.MEMRAY, False, True)
    assert Target(argv=("true",)).tracking is None


def test_items_may_come_from_files_or_calls() -> None:
    assert ItemSource(calls="app.index:embed_file").opened_under is None
    assert ItemSource(opened_under=Path("data")).calls is None


@pytest.mark.parametrize(
    ("note", "text"), [("", "timeline: truncated"), ("3 of 9", "timeline: truncated (3 of 9)")]
)
def test_a_validity_says_what_how_far_and_why(note: str, text: str) -> None:
    assert str(Validity(what="timeline", state=State.TRUNCATED, note=note)) == text


def test_equal_validities_are_one() -> None:
    twice = [Validity(what="a", state=State.STARVED) for _ in range(2)]
    assert len(set(twice)) == 1


def test_a_finding_is_its_sentence() -> None:
    assert str(Finding(sentence="It grew.", value=3.0, unit="bytes")) == "It grew."


def test_a_budget_that_is_kept_says_nothing() -> None:
    Budget(metric="peak_rss_bytes", limit_bytes=2**30).check(2**30)


def test_a_breached_budget_says_by_how_much() -> None:
    budget = Budget(metric="peak_rss_bytes", limit_bytes=2**30)
    with pytest.raises(
        BudgetBreached, match=r"is 1\.50 GiB, above its budget of 1\.00 GiB by 512 MiB\. Hint: "
    ):
        budget.check(3 * 2**29)
