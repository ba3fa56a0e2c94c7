"""One parameter at several values: what a unit costs, from real runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diagtools.analyse.sweep_classes import SweepClass
from diagtools.errors import NoDataError, UsageError
from diagtools.investigations.sweep import SweepCase
from diagtools.values import Target

MIB = 2**20


def program(code: str, *words: str) -> Target:
    return Target(argv=(sys.executable, "-c", code, *words))


def test_each_unit_costs_what_it_takes(tmp_path: Path) -> None:
    target = program("import sys; kept = b'x' * (int(sys.argv[1]) << 20)", "{n}")
    case = SweepCase(target, "n=10,20,40,80", folder=tmp_path / "runs").run(2)
    (found,) = case.fits()
    assert found.sweep_class is SweepClass.LINEAR
    assert found.cost == pytest.approx(MIB, rel=0.05)
    assert "evenly from 10 to 80 units of n" in " ".join(case.as_text().split())
    assert case.chart().to_dict()


def test_a_variable_takes_the_values_where_the_command_has_no_place_for_them(tmp_path: Path) -> None:
    code = "import os; print('cost:', min(int(os.environ['requests']), 20))"
    case = SweepCase(
        program(code), "requests=5,10,20,40,80,160", metrics=["printed:cost"], folder=tmp_path / "runs"
    ).run(1)
    told = json.loads(json.dumps(case.as_json()))
    (sweep,) = told["sweeps"]
    assert [point["metric_value"] for point in sweep["points"]] == [5, 10, 20, 20, 20, 20]
    assert sweep["class"] in ("saturates", "less than linear")
    assert told["parameter"] == "requests"
    assert "between 5 and 10 requests" in " ".join(case.as_text().split())


def test_what_does_not_depend_on_it_is_flat(tmp_path: Path) -> None:
    case = SweepCase(
        program("print('rows = 7')"), "n=1,2,3,4", metrics=["printed:rows"], folder=tmp_path / "runs"
    )
    assert case.run(1).fits()[0].sweep_class is SweepClass.FLAT


def test_a_number_that_is_not_printed_is_an_error(tmp_path: Path) -> None:
    case = SweepCase(program("pass"), "n=1,2,3", metrics=["printed:rows"], folder=tmp_path / "runs")
    with pytest.raises(NoDataError, match="no number under that name"):
        case.run(1)


@pytest.mark.parametrize("over", ["n", "n=1,2", "n=1,2,2", "n=a,b,c", "=1,2,3", "n=1,2,inf", "a b=1,2,3"])
def test_what_is_no_sweep_is_an_error(over: str) -> None:
    with pytest.raises(UsageError, match="no sweep"):
        SweepCase(program("pass"), over)
