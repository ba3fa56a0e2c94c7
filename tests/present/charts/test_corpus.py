"""Where the bytes and chunks of a corpus are, in one picture."""

from __future__ import annotations

import polars as pl
import pytest

from diagtools.errors import NoDataError
from diagtools.frames import CORPUS_TOTALS
from diagtools.present.charts.corpus import corpus_chart

MIB = 2**20


def branches(*rows):
    """CORPUS_TOTALS of (folder, size, generated) in MiB, ten files and 700 chunks a MiB each."""
    full = [
        (key, 10, int(size * MIB), int(700 * size), int(part * MIB), part / size if size else None)
        for key, size, part in rows
    ]
    return pl.DataFrame(full, schema=CORPUS_TOTALS.columns, orient="row")


def bars(chart, rows_of):
    return {row["name"]: row for row in rows_of(chart) if "written" in row}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [("web", 30, 15), ("src", 10, 0), ("others", 60, 0)],
            "100 MiB of text, 15 % of it generated; web holds most, 30 %",
        ),
        ([("all files", 2, 0)], "2.00 MiB of text, none of it generated"),
        ([("all files", 0, 0)], "No text"),
    ],
)
def test_the_title_says_how_much_is_generated_and_where_most_is(rows, expected, title_of, drawn) -> None:
    chart = corpus_chart(branches(*rows))
    drawn(chart)
    assert title_of(chart) == expected


def test_a_bar_is_the_hand_written_part_and_then_the_generated_one(rows_of) -> None:
    row = bars(corpus_chart(branches(("web", 30, 12), ("src", 10, 0))), rows_of)["web"]
    assert (row["zero"], row["written"], row["end"]) == (0, 18, 30)
    assert (row["size"], row["chunks"], row["files"], row["generated"]) == (
        "30.0 MiB",
        "21,000",
        "10",
        "40 %",
    )


def test_the_unit_suits_the_largest(rows_of, words) -> None:
    chart = corpus_chart(branches(("a", 0.25, 0), ("b", 0.125, 0)))
    assert bars(chart, rows_of)["a"]["end"] == 256
    assert "KiB" in words(chart)


def test_others_stand_last_however_many_they_are(rows_of) -> None:
    found = bars(corpus_chart(branches(("others", 90, 0), ("web", 30, 0), ("src", 40, 0))), rows_of)
    assert sorted(found, key=lambda name: found[name]["place"]) == ["src", "web", "others"]


def test_an_unknown_share_is_a_dash(rows_of) -> None:
    assert bars(corpus_chart(branches(("a", 0, 0))), rows_of)["a"]["generated"] == "—"


def test_names_from_others_are_only_names(hostile, words, drawn) -> None:
    chart = corpus_chart(branches((hostile, 3, 1), ("deep/" * 40 + "end", 2, 0)))
    assert "<script" not in drawn(chart)
    assert not any("\x1b" in word or "\n" in word or "\u202e" in word for word in words(chart))


def test_an_empty_corpus_is_said() -> None:
    with pytest.raises(NoDataError, match="no files"):
        corpus_chart(CORPUS_TOTALS.empty())
