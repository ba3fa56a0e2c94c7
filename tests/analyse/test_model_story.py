"""Sentences that follow their numbers: swap the numbers, and they say something else."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.analyse.model_figures import Figure
from diagtools.analyse.model_story import batch_headline, loading_headline, model_findings, sharing_headline
from diagtools.frames.models import MODEL_ANSWERS, MODEL_BATCHES, MODEL_SPREADS

MIB = 2**20
NO_BATCHES, NO_ANSWERS = MODEL_BATCHES.empty(), MODEL_ANSWERS.empty()


def spreads(**ways: dict[Figure, object]) -> pl.DataFrame:
    """MODEL_SPREADS of two rounds; a figure is its median, or median, lowest and highest."""
    rows = []
    for way, figures in ways.items():
        for figure, told in figures.items():
            value, low, high = told if isinstance(told, tuple) else (told, told, told)
            scale = MIB if figure.endswith("_bytes") else 1
            rows.append((way, str(figure), 2, float(value * scale), float(low * scale), float(high * scale)))
    return MODEL_SPREADS.check(pl.DataFrame(rows, schema=MODEL_SPREADS.columns, orient="row"))


def batches(*rows: tuple[str, int, int, int]) -> pl.DataFrame:
    made = [(way, n, 1, size * MIB, size * MIB, size * MIB, kept * MIB, 0.1) for way, n, size, kept in rows]
    return MODEL_BATCHES.check(pl.DataFrame(made, schema=MODEL_BATCHES.columns, orient="row"))


def answers(*rows: tuple[str, float | None, float | None]) -> pl.DataFrame:
    made = [(way, 8, 384, difference, cosine) for way, difference, cosine in rows]
    return MODEL_ANSWERS.check(pl.DataFrame(made, schema=MODEL_ANSWERS.columns, orient="row"))


def said(found: pl.DataFrame, of: pl.DataFrame = NO_BATCHES, beside: pl.DataFrame = NO_ANSWERS) -> str:
    return "\n".join(map(str, model_findings(found, of, beside)))


def test_who_has_least_for_itself_and_who_most_follows_the_figures() -> None:
    one, other = {Figure.ANON_BYTES: 40, Figure.STEADY_BYTES: 150}, {Figure.ANON_BYTES: 220}
    text = said(spreads(a=one, b=other))
    assert text == (
        "'a' has least memory for itself once it has answered: 40.0 MiB of its 150 MiB RSS, the rest is pages of "
        "files; 'b' has most: 220 MiB."
    )
    assert "'b' has least memory" in said(spreads(a=other, b=one))


def test_copies_and_what_is_gone_after() -> None:
    text = said(
        spreads(a={Figure.COPIES: 3.04, Figure.TRANSIENT_BYTES: (50, 49, 60)}, b={Figure.COPIES: 0.9})
    )
    assert (
        "While 'a' is loaded, memory rises by 3.0 times the size of the model; 50.0 MiB (49.0 MiB to 60.0 MiB)"
        in text
    )
    assert "a limit must have room for it" in text
    assert "With 'b' it rises by 0.9 times that size." in text


def test_times_whose_ranges_overlap_are_not_told_apart() -> None:
    near = said(spreads(a={Figure.READY_S: (1, 0.5, 2)}, b={Figure.READY_S: (3, 1.5, 4)}))
    assert "the runs do not tell them apart" in near
    apart = said(spreads(a={Figure.READY_S: (1, 0.5, 1.4)}, b={Figure.READY_S: (3, 1.5, 4)}))
    assert (
        "'a' has its first answer after 1.0 s (500 ms to 1.4 s), 'b' after 3.0 s (1.5 s to 4.0 s)." in apart
    )


def test_an_import_that_is_most_of_the_time_is_named() -> None:
    text = said(
        spreads(a={Figure.READY_S: 8, Figure.IMPORT_S: 7}, b={Figure.READY_S: 1, Figure.IMPORT_S: 0.4})
    )
    assert "Of the 8.0 s of 'a', 7.0 s is importing." in text
    assert "of 'b'" not in text


def test_a_second_load_is_compared_with_the_first() -> None:
    text = said(
        spreads(
            a={Figure.SECOND_BYTES: 115, Figure.LOADED_BYTES: 130},
            b={Figure.SECOND_BYTES: 1, Figure.LOADED_BYTES: 60},
        )
    )
    assert "'a' takes 115 MiB more, after 130 MiB for the first; 'b' takes 1.00 MiB more: load once" in text


def test_what_the_c_library_kept_is_told_only_where_a_trim_gave_it_back() -> None:
    kept = said(spreads(a={Figure.LEFT_BYTES: 130, Figure.TRIMMED_BYTES: 116}, b={Figure.LEFT_BYTES: 140}))
    assert "both models of 'a' are let go and collected, 130 MiB more" in kept
    assert "malloc_trim gives 116 MiB back, which the C library had kept" in kept
    stays = said(spreads(a={Figure.LEFT_BYTES: 130, Figure.TRIMMED_BYTES: 0}))
    assert "130 MiB more than before the load is still there." in stays
    assert "malloc_trim" not in stays
    assert "every way gives its memory back" in said(spreads(a={Figure.LEFT_BYTES: 0}))


def test_sharing_names_the_way_for_which_the_fork_matters() -> None:
    text = said(
        spreads(
            a={
                Figure.FORK_TOGETHER_BYTES: 150,
                Figure.APART_TOGETHER_BYTES: 300,
                Figure.APART_ADDED_BYTES: 120,
            },
            b={
                Figure.FORK_TOGETHER_BYTES: 110,
                Figure.APART_TOGETHER_BYTES: 112,
                Figure.APART_ADDED_BYTES: 14,
            },
        )
    )
    assert "adds 120 MiB with 'a', and 14.0 MiB with 'b'" in text
    assert "Two processes of 'a' take 300 MiB together" in text
    assert "50 % less" in text


def test_where_the_fork_makes_no_difference_it_says_so() -> None:
    same = {Figure.FORK_TOGETHER_BYTES: 110, Figure.APART_TOGETHER_BYTES: 111}
    assert "makes no difference that the runs show" in said(spreads(a=same))


def test_batches_tell_the_slope_and_what_is_kept() -> None:
    rows = batches(("a", 2, 4, 4), ("a", 12, 54, 54), ("b", 2, 6, 0), ("b", 12, 96, 0))
    text = said(spreads(), rows)
    assert "asks for 9.00 MiB with 'b': 96.0 MiB above a single input for 12 of them." in text
    assert "'a' keeps 100 % of it (54.0 MiB); 'b' keeps 0 % of it (0 B)." in text
    assert (
        batch_headline(rows) == "Each further input of a batch asks for 5.00 MiB to 9.00 MiB, most with 'b'"
    )


def test_who_asks_for_most_is_not_said_where_the_rounds_do_not_tell() -> None:
    rows = batches(("a", 2, 4, 4), ("a", 12, 54, 54), ("b", 2, 6, 0), ("b", 12, 96, 0))
    wide = rows.with_columns(high_bytes=pl.when(pl.col("way") == "a").then(100 * MIB).otherwise("high_bytes"))
    assert batch_headline(wide) == "Each further input of a batch asks for 5.00 MiB to 9.00 MiB"


def test_other_answers_are_never_called_the_same() -> None:
    text = said(spreads(), NO_BATCHES, answers(("a", 0.0, 1.0), ("b", 2e-7, 1.0), ("c", 0.085, 0.873)))
    assert "'b' answers as 'a' does: no number differs by more than 2.0e-07." in text
    assert "'c' does not answer as 'a' does: numbers differ by up to 0.085, and the least cosine" in text
    assert "0.873" in text
    pair = said(spreads(), NO_BATCHES, answers(("a", 0.0, 1.0), ("b", 2e-7, 1.0)))
    assert pair.startswith("'b' answers as 'a' does")
    same = said(spreads(), NO_BATCHES, answers(("a", 0.0, 1.0), ("b", 2e-7, 1.0), ("c", 0.0, 1.0)))
    assert "All other ways answer as 'a' does" in same


def test_one_answer_alone_is_compared_with_nothing() -> None:
    assert said(spreads(), NO_BATCHES, answers(("a", 0.0, 1.0), ("b", None, None))) == ""


@pytest.mark.parametrize("headline", [loading_headline, sharing_headline])
def test_nothing_measured_is_said(headline: object) -> None:
    assert headline(spreads()).startswith("No")  # type: ignore[operator]


def test_headlines_follow_the_figures() -> None:
    found = spreads(
        a={Figure.PEAK_BYTES: 300, Figure.APART_ADDED_BYTES: 200},
        b={Figure.PEAK_BYTES: 100, Figure.APART_ADDED_BYTES: 10},
    )
    assert loading_headline(found) == "Loading 'a' takes up to 300 MiB, 3.0 times as much as 'b'"
    assert sharing_headline(found).endswith("adds 200 MiB with 'a', 10.0 MiB with 'b'")
    alike = spreads(a={Figure.PEAK_BYTES: (101, 99, 103)}, b={Figure.PEAK_BYTES: (100, 98, 102)})
    assert loading_headline(alike) == "All ways take about as much while they load: up to 101 MiB"
    assert loading_headline(spreads(a={Figure.PEAK_BYTES: 300})) == "Loading 'a' takes up to 300 MiB"
