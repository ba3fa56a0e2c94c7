"""The tables of ways to load a model: medians, and the range where the rounds differ."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from diagtools.analyse.model_figures import Figure, wide
from diagtools.present import tables
from diagtools.present.tables import Column, Table

_WAY_LETTERS = 40


def overview_table(spreads: pl.DataFrame, meanings: Mapping[str, str], absent: Mapping[str, str]) -> Table:
    """MODEL_SPREADS, a row a way: time to its first answer, peak, copies, what it holds, what of that is its own.

    ``absent``: ways that could not be measured, and why; they have a row without figures.
    """
    known = wide(spreads)
    columns: dict[str, Column] = {
        "way": tables.text("way", n_characters=_WAY_LETTERS),
        Figure.IMPORT_S: tables.seconds("import"),
        Figure.LOAD_S: tables.seconds("load"),
        Figure.READY_S: tables.seconds("answers after"),
        Figure.PEAK_BYTES: tables.mib("peak"),
        Figure.COPIES: Column(heading="copies", words=lambda value: f"{value:.1f}"),
        Figure.STEADY_BYTES: tables.mib("steady"),
        Figure.ANON_BYTES: tables.mib("its own"),
        "meaning": tables.text("how"),
    }
    names = [*known, *(name for name in absent if name not in known)]
    rows = [
        {
            "way": name,
            "meaning": absent.get(name, meanings.get(name, ""))
            if name not in known
            else meanings.get(name, ""),
            **{
                figure: known.get(name, {}).get(figure)
                for figure in columns
                if figure not in ("way", "meaning")
            },
        }
        for name in names
    ]
    n_rounds = int(spreads["n_rounds"].max() or 0)  # type: ignore[arg-type]
    what = "one run in a fresh process" if n_rounds == 1 else f"medians of {n_rounds} runs in fresh processes"
    note = f"{what}; copies: how far memory rose, over the size of the model"
    return Table(pl.DataFrame(rows, schema=_schema(columns), orient="row"), columns, note=note)


def lifecycle_table(spreads: pl.DataFrame) -> Table:
    """MODEL_SPREADS, a row a way: first and second load, what letting go leaves, what malloc_trim gives back."""
    columns: dict[str, Column] = {
        "way": tables.text("way", n_characters=_WAY_LETTERS),
        Figure.LOADED_BYTES: tables.mib("first load"),
        Figure.SECOND_BYTES: tables.mib("second load"),
        Figure.SECOND_S: tables.seconds("takes"),
        Figure.LEFT_BYTES: tables.mib("left after del and gc"),
        Figure.TRIMMED_BYTES: tables.mib("back with malloc_trim"),
    }
    rows = [
        {"way": name, **{f: row.get(f) for f in columns if f != "way"}} for name, row in wide(spreads).items()
    ]
    note = "each load with its first answer; 'left' is above what was there before the first load"
    return Table(pl.DataFrame(rows, schema=_schema(columns), orient="row"), columns, note=note)


def answers_table(answers: pl.DataFrame) -> Table:
    """MODEL_ANSWERS, a row a way."""
    columns = {
        "way": tables.text("way", n_characters=_WAY_LETTERS),
        "n_rows": tables.count("answers"),
        "n_columns": tables.count("numbers each"),
        "largest_difference": Column(heading="largest difference", words=lambda value: f"{value:.1e}"),
        "least_cosine": Column(heading="least cosine", words=lambda value: f"{value:.6f}"),
    }
    reference = answers.filter(pl.col("largest_difference").is_not_null())["way"]
    note = (
        f"against {reference[0]}" if len(reference) else "no way answered with numbers: nothing is compared"
    )
    return Table(answers, columns, note=note)


def _schema(columns: Mapping[str, Column]) -> dict[str, pl.DataType]:
    texts = {"way": pl.String(), "meaning": pl.String()}
    return {str(name): texts.get(name, pl.Float64()) for name in columns}
