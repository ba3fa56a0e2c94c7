"""Do all ways of loading a model give the same answer?"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from diagtools.frames.models import MODEL_ANSWERS, ModelAnswer

#: Below it two answers differ by nothing but the order of sums in single precision.
SAME = 1e-5


def compare_answers(answers: Mapping[str, ModelAnswer | None]) -> pl.DataFrame:
    """MODEL_ANSWERS: each way's answer against that of the first one that has an answer of numbers."""
    reference = next((one for one in answers.values() if one is not None), None)
    rows = [(way, *_against(answer, reference)) for way, answer in answers.items()]
    return MODEL_ANSWERS.check(pl.DataFrame(rows, schema=MODEL_ANSWERS.columns, orient="row"))


def _against(
    answer: ModelAnswer | None, reference: ModelAnswer | None
) -> tuple[int | None, int | None, float | None, float | None]:
    if answer is None or reference is None:
        return None, None, None, None
    shape = answer.n_rows, answer.n_columns
    if shape != (reference.n_rows, reference.n_columns):
        return *shape, None, None
    differences = (answer.values - reference.values).abs()
    if not differences.is_finite().all():
        return *shape, None, None
    return *shape, max(differences), _least_cosine(answer, reference)


def _least_cosine(answer: ModelAnswer, reference: ModelAnswer) -> float | None:
    """Of any row; null where a row is zero: it has no direction."""
    rows = pl.int_range(answer.values.len(), eager=True) // answer.n_columns
    by_row = (
        pl.DataFrame({"row": rows, "a": answer.values, "b": reference.values})
        .group_by("row")
        .agg(
            product=(pl.col("a") * pl.col("b")).sum(),
            lengths=((pl.col("a") ** 2).sum() * (pl.col("b") ** 2).sum()).sqrt(),
        )
    )
    if (by_row["lengths"] == 0).any():
        return None
    return min(1.0, float((by_row["product"] / by_row["lengths"]).min()))  # type: ignore[arg-type]
