"""The three services that look alike answer, and say how many."""

from __future__ import annotations

import pytest

from workloads.leaky import rates, reports
from workloads.leaky.__main__ import main


@pytest.mark.parametrize("service", ["headers", "rates", "reports"])
def test_each_answers(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([service, "--requests", "3"]) == 0
    assert capsys.readouterr().out == "answered 3 requests\n"


@pytest.mark.parametrize("wrong", [["--requests", "0"], ["--scale", "0"], ["--idle", "-1"]])
def test_wrong_use_is_said(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["rates", *wrong])
    assert left.value.code == 2
    assert "take at least" in capsys.readouterr().err


def test_each_customer_is_another_one_and_the_cache_has_an_end() -> None:
    before = rates.rates.cache_info()
    rates.serve()
    after = rates.rates.cache_info()
    assert after.misses == before.misses + 1
    assert after.maxsize == 5_000


def test_reports_grow_longer_within_a_month() -> None:
    assert reports.render(1, 10) < reports.render(1, 11)
    assert reports.serve(2) > reports.serve(1)
