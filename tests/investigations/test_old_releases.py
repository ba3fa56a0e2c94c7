"""Old releases of real packages, with a leak or an excess that their maintainers mended: one call each proves it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.analyse.leaks import Leaking
from diagtools.errors import UnavailableError
from diagtools.investigations import changes
from diagtools.investigations.ab import AbCase
from diagtools.investigations.bisect import bisect
from diagtools.investigations.leaks import leaks
from diagtools.values import Target, Verdict

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="counters of glibc")]

#: As `data/bugs/pydantic_generics.py`, a call at a time.
QUERIES = """
from itertools import count
from typing import Generic, TypeVar

from pydantic import create_model
from pydantic.generics import GenericModel

Row = TypeVar("Row")
NUMBERS = count()


class Page(GenericModel, Generic[Row]):
    rows: list[Row]


def answer():
    row = create_model(f"Row{next(NUMBERS)}", name=(str, ...))
    Page[row](rows=[row(name="first")])
"""
#: The one call of multidict 6.3.1 that does not leak.
ADD = """
def one_by_one(lines):
    from multidict import CIMultiDict
    headers = CIMultiDict()
    for name, value in lines:
        headers.add(name, value)
    return headers

replace("workloads.leaky.headers:read", one_by_one)
"""


def with_release(requirement: str, target: Target) -> Target:
    """The command with that release; skipped where no index has it."""
    try:
        return changes.versions(requirement).apply(target)
    except UnavailableError as error:
        pytest.skip(f"no index to take {requirement} from: {error.message}")


def test_typer_imported_all_of_rich_until_0_17(tmp_path: Path) -> None:
    """From 0.17.0 on it is imported when help is shown."""
    command = Target(argv=(sys.executable, "-c", "import typer"))
    with_release("typer==0.17.2", command)
    found = bisect("typer", command, bad="0.16.0", good="0.17.2", pairs=2, folder=tmp_path / "runs")
    assert found.release == "0.17.0"
    assert found.n_experiments <= 4


def test_aiohttp_kept_each_request_that_matches_no_route(tmp_path: Path, repository: Path) -> None:
    """CVE-2024-52303, mended in 3.10.11."""
    command = Target(argv=(sys.executable, str(repository / "data/bugs/aiohttp_middlewares.py")))
    with_release("aiohttp==3.10.11", command)
    found = bisect(
        "aiohttp",
        command,
        bad="3.10.10",
        good="3.10.11",
        metric="final",
        pairs=2,
        folder=tmp_path / "runs",
    )
    assert found.release == "3.10.11"


@pytest.mark.parametrize(("release", "verdict"), [("1.9.0", Leaking.LEAK), ("1.10.2", Leaking.BOUNDED)])
def test_pydantic_kept_the_class_of_each_generic_model(
    release: str, verdict: Leaking, tmp_path: Path
) -> None:
    """Its #3829; its caches have had a bound since 1.9.1."""
    (tmp_path / "queries.py").write_text(QUERIES)
    target = with_release(f"pydantic=={release}", Target(argv=(sys.executable,)))
    check = leaks(
        "queries:answer", changes=target.changes, cwd=tmp_path, explain=False, folder=tmp_path / "run"
    )
    assert check.verdict is verdict


def test_multidict_leaks_in_extend_and_not_in_add(tmp_path: Path) -> None:
    """The cause by a patch of the program that uses it; the release that mends it is in the leak hunt."""
    argv = (sys.executable, "-m", "workloads.leaky", "headers", "--requests", "3000")
    target = with_release("multidict==6.3.1", Target(argv=argv))
    case = AbCase(
        target, [changes.patch(ADD, name="add")], metrics=["kept:requests"], folder=tmp_path / "runs"
    )
    case.try_quickly(2)
    (effect,) = case.effects
    assert effect.verdict is Verdict.CONFIRMED
    assert effect.baseline_value is not None
    assert effect.baseline_value > 3000 * 8000 * 0.9
    assert effect.same_output is True
