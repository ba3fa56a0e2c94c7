"""The notebook's case: its own captures, others by parameter, a budget, and wrong parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.investigations.capture_comparison import CaptureComparison

CAPTURES = Path(__file__).resolve().parents[2] / "data" / "captures"


def test_the_indexer_is_told_in_a_few_sentences() -> None:
    case = CaptureComparison()
    found = case.headlines()
    assert found[0].startswith("The total shrank by")
    assert "onnxruntime" in found[1]
    assert "workloads/rag/embedding.py" in found[2]
    assert len(case.comparison.before) == len(case.comparison.after) == 2
    assert "workloads/rag" in str(case.who_called())


def test_swapped_sides_say_the_opposite() -> None:
    sides = [
        ",".join(map(str, sorted(CAPTURES.glob(f"rag-{side}-*.parquet")))) for side in ("before", "after")
    ]
    there = CaptureComparison(before=sides[0], after=sides[1]).comparison.difference
    back = CaptureComparison(before=sides[1], after=sides[0])
    assert back.comparison.difference.delta == -there.delta
    assert back.headlines()[0].startswith("The total grew by")
    with pytest.raises(BudgetBreached, match="growth is"):
        back.keep_budget("10 MB")


def test_a_budget_that_is_kept_is_said() -> None:
    case = CaptureComparison()
    assert "Budget kept" in str(case.keep_budget("10 MB"))
    assert "No budget" in str(case.keep_budget(""))


def test_any_exports_take_the_place_of_ours() -> None:
    case = CaptureComparison(before=str(CAPTURES / "flamegraph.html"), after=str(CAPTURES / "memray.csv"))
    assert case.comparison.difference.delta == 0
    with pytest.raises(NoDataError, match="Nothing changed"):
        case.who_called()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"before": "a"}, "needs both sides"),
        ({"by": "folder"}, "is no kind of place"),
        ({"fresh": True, "rounds": 0}, "not a whole number above zero"),
    ],
)
def test_wrong_parameters_are_refused_at_once(parameters: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CaptureComparison(**parameters)  # type: ignore[arg-type]
