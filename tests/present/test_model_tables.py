"""The tables of ways to load a model."""

from __future__ import annotations

import polars as pl

from diagtools.analyse.model_figures import Figure
from diagtools.frames.models import MODEL_ANSWERS, MODEL_SPREADS
from diagtools.present.model_tables import answers_table, lifecycle_table, overview_table

MIB = 2**20
ROWS = [
    ("a", Figure.READY_S, 0.5),
    ("a", Figure.PEAK_BYTES, 200 * MIB),
    ("a", Figure.COPIES, 2.04),
    ("a", Figure.SECOND_BYTES, 90 * MIB),
    ("<b>", Figure.PEAK_BYTES, 100 * MIB),
]
SPREADS = MODEL_SPREADS.check(
    pl.DataFrame(
        [(way, str(figure), 3, float(value), float(value), float(value)) for way, figure, value in ROWS],
        schema=MODEL_SPREADS.columns,
        orient="row",
    )
)


def test_a_row_a_way_and_nothing_for_what_is_not_known() -> None:
    table = overview_table(SPREADS, {"a": "from its file"}, {"torch": "not installed here"})
    rows = {row[0]: dict(zip(table.headings, row, strict=True)) for row in table.rows}
    assert list(rows) == ["a", "<b>", "torch"]
    assert (rows["a"]["peak, MiB"], rows["a"]["copies"], rows["a"]["how"]) == ("200", "2.0", "from its file")
    assert (rows["<b>"]["copies"], rows["<b>"]["peak, MiB"]) == ("—", "100")
    assert (rows["torch"]["how"], rows["torch"]["peak, MiB"]) == ("not installed here", "—")
    assert "medians of 3 runs" in table.note
    assert "<b>" not in table._repr_html_().replace("&lt;b&gt;", "")


def test_the_second_load_has_its_row() -> None:
    table = lifecycle_table(SPREADS)
    assert table.rows[0] == ["a", "—", "90.0", "—", "—", "—"]


def test_answers_say_what_they_are_compared_with() -> None:
    rows = [("a", 8, 384, 0.0, 1.0), ("b", 8, 384, 0.085, 0.8727)]
    table = answers_table(MODEL_ANSWERS.check(pl.DataFrame(rows, schema=MODEL_ANSWERS.columns, orient="row")))
    assert table.rows[1] == ["b", "8", "384", "8.5e-02", "0.872700"]
    assert table.note == "against a"
    assert "nothing is compared" in answers_table(MODEL_ANSWERS.empty()).note
