"""Predicted savings beside measured ones."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.frames import VERIFIED_IMPORTS
from diagtools.present.charts.retained import retained_chart

MIB = 2**20


def verified(*rows):
    """VERIFIED_IMPORTS of (place, predicted, (measured, low, high) in MiB or nothing, verdict), and options."""
    columns = {name: [] for name in VERIFIED_IMPORTS.columns}
    for where, predicted, sizes, verdict, *options in rows:
        file, _, line = where.rpartition(":")
        measured, low, high = [int(size * MIB) for size in sizes] if sizes else [None] * 3
        row = {
            "file": file,
            "line": int(line),
            "imports": ["numpy"],
            "predicted_anon_bytes": int(predicted * MIB),
            "measured_anon_bytes": measured,
            "low_anon_bytes": low,
            "high_anon_bytes": high,
            "verdict": verdict,
            "forced_by": [],
            "refused": "",
            "note": "",
        }
        for name, value in {**row, **(options[0] if options else {})}.items():
            columns[name].append(value)
    return VERIFIED_IMPORTS.from_columns(columns)


SAVES = ("shop/a.py:3", 10, (9.5, 9, 10.5), "saves")
FORCED = ("shop/b.py:4", 20, (0, -1, 1), "forced", {"forced_by": ["/x/lib/site-packages/shop/c.py:9"]})
BREAKS = ("shop/d.py:5", 5, (4, 4, 4), "breaks")
REFUSED = (
    "shop/e.py:6",
    4,
    None,
    "not allowed",
    {"refused": "inside a function", "note": "inside a function"},
)
TRY_NOTE = "in a try statement: import it where it is used"
IN_TRY = ("shop/f.py:7", 3, (3, 3, 3), "saves", {"refused": "in a try statement", "note": TRY_NOTE})
WHOLE = ("shop/__init__.py:0", 9, (9, 9, 9), "saves", {"imports": ["all 13 imports"]})


def bars(chart, rows_of):
    return {(row["where"], row["what"].partition(",")[0]): row for row in rows_of(chart) if "what" in row}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([SAVES, FORCED], "shop/a.py:3 made lazy saves 9.50 MiB while unused; 1 of 2 predictions held"),
        ([SAVES], "shop/a.py:3 made lazy saves 9.50 MiB while unused; 10.0 MiB were predicted"),
        (
            [IN_TRY],
            "shop/f.py:7 imported where it is used saves 3.00 MiB while unused; 3.00 MiB were predicted",
        ),
        ([FORCED, REFUSED], "None of the 2 predicted savings came true"),
        ([BREAKS], "The predicted saving did not come true"),
    ],
    ids=["best", "alone", "in a try", "none", "alone and none"],
)
def test_the_title_says_what_was_saved(rows, expected, title_of, drawn) -> None:
    chart = retained_chart(verified(*rows))
    drawn(chart)
    assert title_of(chart) == expected


def test_the_largest_prediction_stands_first(rows_of) -> None:
    found = bars(retained_chart(verified(SAVES, FORCED)), rows_of)
    assert found["shop/b.py:4", "predicted"]["top"] < found["shop/a.py:3", "predicted"]["top"]


def test_predicted_is_hollow_and_measured_has_a_range(rows_of) -> None:
    found = bars(retained_chart(verified(SAVES)), rows_of)
    predicted, measured = found["shop/a.py:3", "predicted"], found["shop/a.py:3", "measured"]
    assert (predicted["mib"], predicted["fill"], predicted["low"]) == (10, "#FFFFFF", None)
    assert (measured["mib"], measured["low"], measured["high"]) == (9.5, 9, 10.5)
    assert measured["range"] == "9.00 MiB to 10.5 MiB"


@pytest.mark.parametrize("row", [BREAKS, REFUSED], ids=["breaks", "not allowed"])
def test_what_saved_nothing_has_no_solid_bar(row, rows_of) -> None:
    found = bars(retained_chart(verified(row)), rows_of)
    assert {what for _, what in found} == {"predicted"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (SAVES, {"saves", "9.50 MiB measured", "10.0 MiB predicted", "imports numpy"}),
        (FORCED, {"forced", "by shop/c.py:9", "0 B measured"}),
        (BREAKS, {"breaks", "no saving"}),
        (REFUSED, {"not allowed", "not measured", "inside a function"}),
        (IN_TRY, {"saves", "in a try statement: import it where it is"}),
    ],
    ids=lambda value: value[3] if isinstance(value, tuple) else "",
)
def test_the_verdict_stands_in_words_with_its_reason(row, expected, words) -> None:
    assert expected <= set(words(retained_chart(verified(row))))


def test_a_saving_is_one_while_unused(words) -> None:
    said = " ".join(words(retained_chart(verified(SAVES))))
    assert "measured with it lazy, saved while unused" in said


def test_of_many_who_forced_it_three_are_named(words) -> None:
    places = [f"{'deep/' * 30}use.py:{number}" for number in range(7)]
    said = words(retained_chart(verified((*FORCED[:4], {"forced_by": places}))))
    assert [word.rpartition(":")[2] for word in said if "use.py" in word] == ["0", "1", "2"]
    assert "and 4 more" in said


def test_below_zero_has_room(rows_of, drawn) -> None:
    chart = retained_chart(verified((*FORCED[:2], (-3, -5, 1), "forced")))
    drawn(chart)
    assert bars(chart, rows_of)["shop/b.py:4", "measured"]["mib"] == -3
    assert chart.to_dict()["layer"][-1]["encoding"] is not None


def test_nothing_predicted_and_nothing_saved_is_drawn(drawn) -> None:
    drawn(retained_chart(verified(("a.py:1", 0, (0, 0, 0), "forced"))))


def test_names_from_others_are_only_names(hostile, words, drawn) -> None:
    row = (f"{hostile}:1", 3, (1, 1, 1), "partly", {"imports": [hostile], "forced_by": [f"{hostile}:2"]})
    chart = retained_chart(verified(row))
    drawn(chart)
    assert not any("\x1b" in word or "\n" in word or "\u202e" in word for word in words(chart))


def test_nothing_verified_is_said() -> None:
    with pytest.raises(NoDataError, match="No import statement was verified"):
        retained_chart(VERIFIED_IMPORTS.empty())


def test_all_imports_of_a_file_have_no_line(drawn, rows_of) -> None:
    chart = retained_chart(verified(WHOLE))
    drawn(chart)
    assert ("shop/__init__.py", "predicted") in bars(chart, rows_of)
