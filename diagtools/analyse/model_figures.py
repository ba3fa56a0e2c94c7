"""What did each way of loading a model take?  Figures of each process, and their median and range over all rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import polars as pl

from diagtools.errors import NoDataError
from diagtools.frames.models import MODEL_BATCHES, MODEL_FIGURES, MODEL_PHASES, MODEL_SPREADS, ModelLog
from diagtools.probes import models as probe


class Figure(StrEnum):
    """What is measured of a way of loading; bytes and seconds by its name."""

    IMPORT_S = "import_s"
    LOAD_S = "load_s"
    FIRST_S = "first_inference_s"
    AGAIN_S = "inference_s"
    READY_S = "ready_s"  #: from the first import to the first answer
    SECOND_S = "second_load_s"  #: with the first answer of the second
    IMPORT_BYTES = "import_bytes"
    PEAK_BYTES = "peak_bytes"  #: the highest RSS from the load to the first answer
    STEADY_BYTES = "steady_bytes"  #: RSS after the first answer
    ANON_BYTES = "anon_bytes"  #: of that: the process's own
    FILE_BYTES = "file_bytes"  #: of that: pages of files and shared memory
    LOADED_BYTES = "loaded_bytes"  #: steady less what was there before the load
    RISE_BYTES = "rise_bytes"  #: peak less what was there before the load
    TRANSIENT_BYTES = "transient_bytes"  #: peak less steady
    COPIES = "copies"  #: rise over the size of the model
    SECOND_BYTES = "second_bytes"  #: by how much a second model, loaded and run once, raised the RSS
    LEFT_BYTES = "left_bytes"  #: above the RSS before the load, after both models were let go
    TRIMMED_BYTES = "trimmed_bytes"  #: what malloc_trim gave back then
    FORK_TOGETHER_BYTES = "fork_together_bytes"  #: of two processes, forked after the load
    FORK_PRIVATE_BYTES = "fork_private_bytes"
    FORK_ADDED_BYTES = "fork_added_bytes"  #: together less what one took alone
    APART_TOGETHER_BYTES = "apart_together_bytes"  #: of two processes that each loaded
    APART_PRIVATE_BYTES = "apart_private_bytes"
    APART_ADDED_BYTES = "apart_added_bytes"


FORK, APART = "fork after load", "load after fork"
_PREFIX = {FORK: "fork", APART: "apart"}
_SECONDS = {
    Figure.IMPORT_S: probe.IMPORT,
    Figure.LOAD_S: probe.LOAD,
    Figure.FIRST_S: probe.FIRST,
    Figure.AGAIN_S: probe.AGAIN,
}


def figures(log: ModelLog, *, way: str, number: int, model_bytes: int | None) -> pl.DataFrame:
    """What one process measured, by name: MODEL_FIGURES of round ``number``; what is not known is left out.

    ``model_bytes`` is how large the model's weights are; without it nobody can say how many copies there were.
    Raises ``NoDataError`` for a process that did not come to load anything.
    """
    known = _sharing(log) if log.mode in _PREFIX else _alone(log.phases, model_bytes)
    rows = [(way, number, str(name), float(value)) for name, value in known.items() if value is not None]
    return MODEL_FIGURES.check(pl.DataFrame(rows, schema=MODEL_FIGURES.columns, orient="row"))


def spreads(found: pl.DataFrame) -> pl.DataFrame:
    """MODEL_SPREADS of MODEL_FIGURES: median and range of each figure over the rounds, in the order of the ways."""
    by_figure = found.group_by("way", "figure", maintain_order=True).agg(
        n_rounds=pl.len().cast(pl.Int64),
        median=pl.col("value").median(),
        low_value=pl.col("value").min(),
        high_value=pl.col("value").max(),
    )
    return MODEL_SPREADS.check(by_figure.rename({"median": "value"}).select(list(MODEL_SPREADS.columns)))


def wide(found: pl.DataFrame) -> dict[str, dict[str, float]]:
    """The medians of MODEL_SPREADS by way and figure."""
    known: dict[str, dict[str, float]] = {}
    for row in found.iter_rows(named=True):
        known.setdefault(row["way"], {})[row["figure"]] = row["value"]
    return known


def batches(logs: Mapping[str, Sequence[ModelLog]]) -> pl.DataFrame:
    """MODEL_BATCHES of the processes that ran ever larger batches, by way."""
    rows = [
        {"way": way, **row}
        for way, several in logs.items()
        for log in several
        for row in _batches(log.phases)
    ]
    if not rows:
        return MODEL_BATCHES.empty()
    by_size = (
        pl.DataFrame(rows)
        .group_by("way", "n_inputs", maintain_order=True)
        .agg(
            n_rounds=pl.len().cast(pl.Int64),
            activation_bytes=pl.col("activation").median().round().cast(pl.Int64),
            low_bytes=pl.col("activation").min(),
            high_bytes=pl.col("activation").max(),
            kept_bytes=pl.col("kept").median().round().cast(pl.Int64),
            wall_s=pl.col("wall_s").median(),
        )
    )
    return MODEL_BATCHES.check(by_size.select(list(MODEL_BATCHES.columns)))


def per_input_bytes(found: pl.DataFrame) -> dict[str, float]:
    """By way, how much each further input of a batch asks for: from the smallest to the largest of MODEL_BATCHES."""
    slopes = {}
    for (way,), each in found.sort("n_inputs").group_by("way", maintain_order=True):
        few, many = each.row(0, named=True), each.row(-1, named=True)
        if many["n_inputs"] > few["n_inputs"]:
            rise = many["activation_bytes"] - few["activation_bytes"]
            slopes[str(way)] = rise / (many["n_inputs"] - few["n_inputs"])
    return slopes


# --- one process -----------------------------------------------------------------------------------


def _alone(phases: pl.DataFrame, model_bytes: int | None) -> dict[Figure, float | None]:
    by_name = {row["phase"]: row for row in MODEL_PHASES.check(phases).iter_rows(named=True)}
    if probe.LOAD not in by_name:
        raise NoDataError("This process loaded no model.", hint="diagtools investigate model-loading")
    load = by_name[probe.LOAD]
    ready = by_name.get(probe.FIRST, load)
    before, steady = load["rss_before_bytes"], ready["rss_after_bytes"]
    peaks = [one["peak_bytes"] for one in (load, ready)]
    peak = None if None in peaks else max(peaks)
    rise = _less(peak, before)
    found: dict[Figure, float | None] = {
        figure: by_name[phase]["wall_s"] for figure, phase in _SECONDS.items() if phase in by_name
    }
    first = [by_name[name]["wall_s"] for name in (probe.IMPORT, probe.LOAD, probe.FIRST) if name in by_name]
    return found | {
        Figure.READY_S: sum(first),
        Figure.IMPORT_BYTES: _risen(by_name.get(probe.IMPORT)),
        Figure.PEAK_BYTES: peak,
        Figure.STEADY_BYTES: steady,
        Figure.ANON_BYTES: ready["anon_bytes"],
        Figure.FILE_BYTES: _sum(ready["file_bytes"], ready["shmem_bytes"]),
        Figure.LOADED_BYTES: _less(steady, before),
        Figure.RISE_BYTES: rise,
        Figure.TRANSIENT_BYTES: _less(peak, steady),
        Figure.COPIES: None if rise is None or not model_bytes else rise / model_bytes,
        **_second(by_name),
        **_given_back(by_name, before),
    }


def _second(by_name: Mapping[str, dict[str, Any]]) -> dict[Figure, float | None]:
    load = by_name.get(probe.SECOND_LOAD)
    if load is None:
        return {}
    ready = by_name.get(probe.SECOND_FIRST, load)
    wall_s = load["wall_s"] + (ready["wall_s"] if ready is not load else 0)
    return {
        Figure.SECOND_S: wall_s,
        Figure.SECOND_BYTES: _less(ready["rss_after_bytes"], load["rss_before_bytes"]),
    }


def _given_back(by_name: Mapping[str, dict[str, Any]], before: int | None) -> dict[Figure, float | None]:
    drop, trim = by_name.get(probe.DROP), by_name.get(probe.TRIM)
    if drop is None:
        return {}
    left = _less(drop["rss_after_bytes"], before)
    trimmed = None if trim is None else _less(trim["rss_before_bytes"], trim["rss_after_bytes"])
    return {Figure.LEFT_BYTES: left, Figure.TRIMMED_BYTES: trimmed}


def _sharing(log: ModelLog) -> dict[Figure, float | None]:
    rows = log.processes
    if rows.height != len((probe.PARENT, probe.CHILD)):
        raise NoDataError(
            "The two processes did not both come to hold the model.", hint="diagtools show on the run."
        )
    prefix = _PREFIX[log.mode]
    together = None if rows["pss_bytes"].null_count() else int(rows["pss_bytes"].sum())
    private = None if rows["private_bytes"].null_count() else int(rows["private_bytes"].sum())
    return {
        Figure(f"{prefix}_together_bytes"): together,
        Figure(f"{prefix}_private_bytes"): private,
        Figure(f"{prefix}_added_bytes"): _less(together, rows["alone_bytes"][0]),
    }


def _batches(phases: pl.DataFrame) -> list[dict[str, Any]]:
    """Above what was held after the first batch of one input."""
    rows = phases.filter(pl.col("phase") == probe.BATCH).to_dicts()
    if not rows or rows[0]["rss_after_bytes"] is None:
        return []
    base = rows[0]["rss_after_bytes"]
    return [
        {
            "n_inputs": row["n_inputs"],
            "activation": max(0, row["peak_bytes"] - base),
            "kept": row["rss_after_bytes"] - base,
            "wall_s": row["wall_s"],
        }
        for row in rows[1:]
        if None not in (row["peak_bytes"], row["rss_after_bytes"], row["n_inputs"])
    ]


def _risen(row: Mapping[str, Any] | None) -> int | None:
    return None if row is None else _less(row["rss_after_bytes"], row["rss_before_bytes"])


def _less(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one - other


def _sum(*values: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
