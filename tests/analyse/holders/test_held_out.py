"""Who keeps 6 MB alive, in programs that the rules were not made for; see `held_out.case`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diagtools.analyse.holders.holding import holders
from tests.analyse.holders.held_out import containers, libraries, running, second, third, variables
from tests.analyse.holders.held_out.case import BEGINNING, Case
from tests.support.objects import looked_at


def _parameters(*sets: tuple[Case, ...]) -> list[Any]:
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.xfail(strict=True, reason=case.gap)] if case.gap else [],
        )
        for cases in sets
        for case in cases
    ]


@pytest.mark.parametrize(
    "case",
    _parameters(variables.CASES, running.CASES, containers.CASES, libraries.CASES, second.CASES, third.CASES),
)
def test_the_first_row_names_the_root(tmp_path: Path, case: Case) -> None:
    (graph,) = looked_at(tmp_path, BEGINNING + case.program)
    first = holders(graph).row(0, named=True)
    assert case.is_right(" ".join([first["root"], first["path"], *first["shared_with"]]))
