"""When each import ran, below the memory over time."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.frames import IMPORT_STAIRCASE, IMPORT_WATERFALL
from diagtools.present.charts.import_waterfall import import_waterfall_chart
from diagtools.present.names import text_px

MIB = 2**20


def waterfall(*rows):
    """IMPORT_WATERFALL of (module, depth, begin, end, total MiB) and a status; itself is half of each."""
    return IMPORT_WATERFALL.from_columns(
        {
            "module": [row[0] for row in rows],
            "package": [row[0].partition(".")[0] for row in rows],
            "depth": [row[1] for row in rows],
            "begin_s": [row[2] for row in rows],
            "end_s": [row[3] for row in rows],
            "self_wall_s": [(row[3] - row[2]) / 2 for row in rows],
            "total_wall_s": [row[3] - row[2] for row in rows],
            "self_anon_bytes": [int(row[4] * MIB) // 2 for row in rows],
            "total_anon_bytes": [int(row[4] * MIB) for row in rows],
            "status": [row[5] if len(row) > 5 else "ok" for row in rows],
        }
    )


def staircase(*points):
    """IMPORT_STAIRCASE of (second, MiB)."""
    return IMPORT_STAIRCASE.from_columns(
        {"t_s": [float(t) for t, _ in points], "anon_bytes": [int(mib * MIB) for _, mib in points]}
    )


SHOP = waterfall(
    ("<program>", 0, 0.0, 10.0, 90),
    ("shop", 1, 1.0, 9.0, 80),
    ("shop.heavy", 2, 2.0, 5.0, 50),
    ("json", 2, 5.001, 5.002, 1),
    ("shop.gone", 2, 7.0, 8.0, 5, "failed"),
)
STEPS = staircase((0, 0), (1, 5), (2, 10), (5, 60), (7, 100), (9, 90), (10, 90))


def bars(chart, rows_of):
    return {row["module"]: row for row in rows_of(chart) if "module" in row}


def test_the_title_names_the_whole_and_the_slowest(title_of, drawn) -> None:
    chart = import_waterfall_chart(SHOP, STEPS)
    drawn(chart)
    expected = "The imports take 10.0 s and hold 90.0 MiB; the slowest module, shop, takes 4.0 s itself"
    assert title_of(chart) == expected


def test_memory_given_back_is_no_cost(title_of, drawn) -> None:
    found = waterfall(("<program>", 0, 0.0, 1.0, -4), ("a", 1, 0.0, 1.0, -4))
    chart = import_waterfall_chart(found, staircase((0, 0), (1, -4)))
    drawn(chart)
    assert title_of(chart).startswith("The imports take 1.0 s and give 4.00 MiB back")


def test_each_bar_stands_in_time_and_below_its_importer(rows_of) -> None:
    found = bars(import_waterfall_chart(SHOP, STEPS), rows_of)
    assert (found["shop"]["begin_s"], found["shop"]["end_s"], found["shop"]["top"]) == (1, 9, 0)
    assert (found["shop.heavy"]["top"], found["shop.heavy"]["bottom"]) == (1, 2)
    assert "<program>" not in found


def test_a_narrow_bar_has_its_name_beside_it(rows_of) -> None:
    found = bars(import_waterfall_chart(SHOP, STEPS), rows_of)
    assert (found["shop.heavy"]["label"], found["shop.heavy"]["name_s"]) == ("shop.heavy", 2)
    assert found["json"]["label"] == "json"
    assert found["json"]["name_s"] >= found["json"]["end_s"] > 5.002


def test_a_failed_import_is_said_and_edged(rows_of) -> None:
    found = bars(import_waterfall_chart(SHOP, STEPS), rows_of)
    assert found["shop.gone"]["label"].endswith("gone (failed)")
    assert found["shop.gone"]["edge"] != found["shop"]["edge"]


def test_the_end_the_peak_and_the_largest_rises_are_named(words) -> None:
    said = set(words(import_waterfall_chart(SHOP, STEPS)))
    assert {
        "90.0 MiB at the end",
        "100 MiB at the peak",
        "+50.0 MiB in shop.heavy",
        "+40.0 MiB in shop",
    } <= said


def test_a_scale_of_milliseconds_where_it_is_short(words) -> None:
    short = waterfall(("<program>", 0, 0.0, 0.02, 1), ("a", 1, 0.0, 0.02, 1))
    assert "time since the start, ms" in words(import_waterfall_chart(short, staircase((0, 0), (0.02, 1))))
    assert "time since the start, s" in words(import_waterfall_chart(SHOP, STEPS))


def test_what_is_left_out_is_said(words) -> None:
    deep = waterfall(
        ("<program>", 0, 0.0, 10.0, 90), *((f"m{depth}", depth, 0.0, 9.0, 1) for depth in range(1, 20))
    )
    assert any("3 below row 16 left out" in word for word in words(import_waterfall_chart(deep, STEPS)))
    assert any("small ones left out" in word for word in words(import_waterfall_chart(SHOP.head(2), STEPS)))


@pytest.mark.parametrize("n", [1, 2000])
def test_names_of_a_row_never_cover_the_next_bar(n, rows_of, drawn) -> None:
    many = [(f"package_{i % 40}.module_{i}", 1, i / n, (i + 0.9) / n, 1) for i in range(n)]
    chart = import_waterfall_chart(waterfall(("<program>", 0, 0.0, 1.0, n), *many), staircase((0, 0), (1, n)))
    drawn(chart)
    width = chart.to_dict()["vconcat"][1]["width"]
    found = sorted(bars(chart, rows_of).values(), key=lambda row: row["begin_s"])
    ends = [row["begin_s"] * width for row in found[1:]] + [width]
    for row, end in zip(found, ends, strict=True):
        assert not row["label"] or row["name_s"] * width + text_px(row["label"], 11) < end


@pytest.mark.parametrize("mib", [0, 0.001, -5])
def test_no_time_and_hardly_any_memory_are_drawn(mib, drawn) -> None:
    found = waterfall(("<program>", 0, 0.0, 0.0, mib), ("a", 1, 0.0, 0.0, mib))
    drawn(import_waterfall_chart(found, staircase((0, 0), (0, mib))))


def test_names_from_others_are_only_names(hostile, words, drawn) -> None:
    found = waterfall(("<program>", 0, 0.0, 1.0, 9), (hostile, 1, 0.0, 1.0, 9))
    chart = import_waterfall_chart(found, staircase((0, 0), (1, 9)))
    drawn(chart)
    assert not any("\x1b" in word or "\n" in word or "\u202e" in word for word in words(chart))


def test_nothing_imported_is_said() -> None:
    with pytest.raises(NoDataError, match="no imports to draw"):
        import_waterfall_chart(SHOP.head(1), STEPS)
