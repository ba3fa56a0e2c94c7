"""Figures of processes whose readings are made up, worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.analyse.model_figures import FORK, Figure, batches, figures, per_input_bytes, spreads, wide
from diagtools.errors import NoDataError
from diagtools.frames.models import MODEL_BATCHES, MODEL_PHASES, MODEL_PROCESSES, ModelLog

MIB = 2**20
ALONE = (
    # phase, inputs, s, before, peak, after, anon, file, shmem in MiB
    ("import", None, 0.5, 10, 42, 40, 20, 20, 0),
    ("load", None, 1.0, 40, 240, 150, 110, 40, 0),
    ("first inference", None, 0.25, 150, 180, 170, 120, 45, 5),
    ("inference", None, 0.125, 170, 175, 170, 120, 45, 5),
    ("second load", None, 0.75, 170, 300, 260, 210, 45, 5),
    ("inference of the second", None, 0.25, 260, 270, 265, 215, 45, 5),
    ("drop the second", None, 0.0, 265, 265, 200, 150, 45, 5),
    ("drop the model", None, 0.0, 200, 200, 130, 80, 45, 5),
    ("malloc_trim", None, 0.0, 130, 130, 60, 10, 45, 5),
)


def log(*rows: tuple[object, ...], mode: str = "alone", processes: pl.DataFrame | None = None) -> ModelLog:
    columns: dict[str, list[object]] = {name: [] for name in MODEL_PHASES.columns}
    for phase, n, wall_s, *mib in rows:
        sizes = [None if one is None else one * MIB for one in mib]
        for name, value in zip(columns, (phase, n, wall_s, wall_s, *sizes), strict=True):
            columns[name].append(value)
    return ModelLog(
        mode=mode,
        loader="mine:load",
        infer="mine:infer",
        python="3.11.7",
        is_ended=True,
        failure=None,
        phases=MODEL_PHASES.from_columns(columns),
        processes=MODEL_PROCESSES.empty() if processes is None else processes,
        answer=None,
    )


def known(found: pl.DataFrame) -> dict[str, float]:
    return dict(found.select("figure", "value").iter_rows())


def two(*rows: tuple[str, int | None, int | None]) -> pl.DataFrame:
    made = [(role, 100, pss, private, 90) for role, pss, private in rows]
    return MODEL_PROCESSES.check(pl.DataFrame(made, schema=MODEL_PROCESSES.columns, orient="row"))


def test_the_figures_of_one_process() -> None:
    found = known(figures(log(*ALONE), way="mine", number=1, model_bytes=50 * MIB))
    assert found[Figure.READY_S] == 1.75
    assert found[Figure.SECOND_S] == 1.0
    sizes = {name: value / MIB for name, value in found.items() if name.endswith("_bytes")}
    assert sizes == {
        Figure.IMPORT_BYTES: 30,
        Figure.PEAK_BYTES: 240,
        Figure.STEADY_BYTES: 170,
        Figure.ANON_BYTES: 120,
        Figure.FILE_BYTES: 50,  # shared memory too
        Figure.LOADED_BYTES: 130,
        Figure.RISE_BYTES: 200,
        Figure.TRANSIENT_BYTES: 70,
        Figure.SECOND_BYTES: 95,
        Figure.LEFT_BYTES: 90,
        Figure.TRIMMED_BYTES: 70,
    }
    assert found[Figure.COPIES] == 4  # 200 MiB of 50 MiB


def test_own_and_files_sum_to_what_is_held() -> None:
    found = known(figures(log(*ALONE), way="mine", number=1, model_bytes=None))
    assert found[Figure.ANON_BYTES] + found[Figure.FILE_BYTES] == found[Figure.STEADY_BYTES]


def test_a_lazy_model_has_its_peak_in_the_first_inference() -> None:
    rows = (
        ("load", None, 0.0, 20, 20, 20, 10, 10, 0),
        ("first inference", None, 1.0, 20, 240, 170, 120, 50, 0),
    )
    found = known(figures(log(*rows), way="lazy", number=1, model_bytes=110 * MIB))
    assert found[Figure.PEAK_BYTES] == 240 * MIB
    assert found[Figure.COPIES] == 2


def test_without_the_models_size_and_without_peaks_nothing_is_guessed() -> None:
    rows = (("load", None, 1.0, 40, None, 150, 110, 40, 0),)
    found = known(figures(log(*rows), way="mine", number=1, model_bytes=None))
    assert not {Figure.COPIES, Figure.PEAK_BYTES, Figure.TRANSIENT_BYTES, Figure.SECOND_BYTES} & found.keys()
    assert found[Figure.STEADY_BYTES] == 150 * MIB


def test_a_process_that_loaded_nothing_is_an_error() -> None:
    with pytest.raises(NoDataError, match="loaded no model"):
        figures(log(ALONE[0]), way="mine", number=1, model_bytes=None)


def test_two_processes_together() -> None:
    made = log(mode=FORK, processes=two(("parent", 80, 30), ("child", 60, 20)))
    found = known(figures(made, way="mine", number=1, model_bytes=None))
    assert found == {
        Figure.FORK_TOGETHER_BYTES: 140,
        Figure.FORK_PRIVATE_BYTES: 50,
        Figure.FORK_ADDED_BYTES: 50,  # to the 90 of one alone
    }


def test_what_one_of_two_did_not_tell_is_not_summed() -> None:
    made = log(mode=FORK, processes=two(("parent", 80, 30), ("child", None, 20)))
    assert known(figures(made, way="mine", number=1, model_bytes=None)) == {Figure.FORK_PRIVATE_BYTES: 50}
    with pytest.raises(NoDataError, match="did not both come"):
        figures(log(mode=FORK, processes=two(("parent", 1, 1))), way="mine", number=1, model_bytes=None)


def test_median_and_range_over_rounds() -> None:
    found = pl.concat(
        figures(log(("load", None, float(s), 0, 0, 0, 0, 0, 0)), way="mine", number=s, model_bytes=None)
        for s in (3, 1, 8)
    )
    row = spreads(found).filter(pl.col("figure") == Figure.LOAD_S).row(0, named=True)
    assert (row["n_rounds"], row["value"], row["low_value"], row["high_value"]) == (3, 3, 1, 8)
    assert wide(spreads(found))["mine"][Figure.LOAD_S] == 3


def test_batches_are_above_a_single_input() -> None:
    rows = (
        ("batch", 1, 0.1, 100, 110, 104, 0, 0, 0),
        ("batch", 2, 0.2, 104, 114, 106, 0, 0, 0),
        ("batch", 6, 0.6, 106, 134, 104, 0, 0, 0),
    )
    found = batches({"mine": [log(*rows)]})
    assert found.select("n_inputs", "activation_bytes", "kept_bytes").rows() == [
        (2, 10 * MIB, 2 * MIB),
        (6, 30 * MIB, 0),
    ]
    assert per_input_bytes(found) == {"mine": 5 * MIB}


def test_no_batches_are_an_empty_frame() -> None:
    assert batches({"mine": [log(*ALONE)]}).equals(MODEL_BATCHES.empty())
    assert per_input_bytes(MODEL_BATCHES.empty()) == {}
