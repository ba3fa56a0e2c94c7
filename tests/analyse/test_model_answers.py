"""Answers against those of the first way, worked out by hand."""

from __future__ import annotations

import math

import polars as pl
import pytest

from diagtools.analyse.model_answers import compare_answers
from diagtools.frames.models import ModelAnswer


def answer(*values: float, n_columns: int = 2) -> ModelAnswer:
    n_rows = len(values) // n_columns
    return ModelAnswer(n_rows=n_rows, n_columns=n_columns, values=pl.Series(values, dtype=pl.Float64))


def test_the_largest_difference_and_the_least_cosine() -> None:
    """Rows (1, 0) and (0, 2) against (1, 0) and (1, 1): the second cosine is 2 / (2 · √2)."""
    found = compare_answers({"a": answer(1, 0, 0, 2), "b": answer(1, 0, 1, 1)})
    assert found["largest_difference"].to_list() == [0, 1]
    assert found["least_cosine"].to_list() == pytest.approx([1, math.sqrt(0.5)])


def test_the_first_that_has_an_answer_is_the_reference() -> None:
    found = compare_answers({"a": None, "b": answer(1, 2), "c": answer(1, 3)})
    assert found["largest_difference"].to_list() == [None, 0, 1]


def test_another_shape_cannot_be_compared() -> None:
    found = compare_answers({"a": answer(1, 2, 3, 4), "b": answer(1, 2, 3, 4, n_columns=4)})
    assert found.row(1) == ("b", 1, 4, None, None)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_no_number_is_not_compared(odd: float) -> None:
    found = compare_answers({"a": answer(1, 2), "b": answer(1, odd)})
    assert found["largest_difference"].to_list() == [0, None]


def test_a_row_of_zeros_has_no_direction() -> None:
    found = compare_answers({"a": answer(1, 0), "b": answer(0, 0)})
    assert found.row(1)[3:] == (1, None)
