"""Every number and name of the story comes from the frames."""

from __future__ import annotations

import pytest

from diagtools.analyse.corpus_forecast import Prediction, given_peak
from diagtools.analyse.corpus_story import (
    breaking,
    budget_finding,
    check_finding,
    corpus_findings,
    corpus_validity,
    forecast_findings,
)
from diagtools.analyse.corpus_totals import Tally
from diagtools.frames import PASSED_OVER

MIB = 2**20
MODEL = given_peak(100 * MIB, 10 * MIB)
FILES = (
    {
        "path": "web/app.min.js",
        "kind": "generated",
        "why": "name says minified",
        "size_bytes": 900,
        "n_chunks": 90,
    },
    {"path": "vendor/b.py", "kind": "hand-written", "size_bytes": 60, "n_chunks": 9, "vendored": "vendor"},
    {"path": "a.py", "kind": "hand-written", "size_bytes": 40, "n_chunks": 1},
)
PASSED = (("x", "FIFO", False, 0), ("locked", "cannot be listed: Permission denied", True, None))
LARGEST = (
    "The largest file is 'web/app.min.js', about 90 chunks, generated: name says minified; "
    "the largest hand-written one is 'vendor/b.py', about 9 chunks."
)


@pytest.fixture
def tally(build):
    """The files above, of which those above 39 chunks break a budget of 490 MiB."""
    made = Tally(most=39.0)
    columns = {name: [row[i] for row in PASSED] for i, name in enumerate(PASSED_OVER.columns)}
    made.add(build.corpus(*FILES), PASSED_OVER.from_columns(columns))
    return made


def test_the_corpus_is_told_from_the_whole_to_what_is_in_no_figure(tally):
    assert [str(one) for one in corpus_findings(tally)] == [
        "3 files with 0.98 KiB of text, about 100 chunks (estimated).",
        "Generated: 1 file (33 % of all) holds 90 % of the bytes and 90 % of the chunks.",
        "Vendored (below 'vendor'): 1 file (33 % of all) holds 6.0 % of the bytes and 9.0 % of the chunks.",
        LARGEST,
        "Passed over, and in no figure above: 1 file (FIFO); 1 folder (cannot be listed: Permission denied).",
    ]


def test_where_an_indexer_takes_some_files_the_largest_is_of_those(build):
    tally = Tally(suffixes={".py"})
    tally.add(build.corpus(*FILES), PASSED_OVER.empty())
    told = [str(one) for one in corpus_findings(tally)]
    assert "The largest file that the indexer takes is 'vendor/b.py', about 9 chunks, hand-written." in told
    assert told[0].startswith("3 files")


def test_what_could_not_be_seen_is_said_beside_the_figures(tally):
    assert [str(one) for one in corpus_validity(tally)] == [
        "1 folder: skipped (cannot be listed: Permission denied: locked)"
    ]
    tally.is_folded = True
    assert corpus_validity(tally)[-1].what == "folders"


def test_a_prediction_is_called_one_and_says_what_it_rests_on(tally):
    assert [str(one) for one in forecast_findings(MODEL, tally, "")] == [
        "Predicted peak: 0.98 GiB (892 MiB to 1.08 GiB) for a largest file of about 90 chunks.",
        "The prediction rests on what was given: 10.0 MiB a chunk of the largest file on top of 100 MiB.",
        "Predicted without the generated files: 190 MiB (179 MiB to 201 MiB) for a largest file of about 9 chunks.",
    ]


def test_the_files_that_would_break_a_budget_are_named(tally, build):
    assert str(budget_finding(MODEL, tally, 490 * MIB)) == (
        "Predicted: 1 file would break the budget of 490 MiB, each of more than about 39 chunks: 'web/app.min.js'."
    )
    assert breaking(tally)["path"].to_list() == ["web/app.min.js"]
    assert "no file would break" in str(budget_finding(MODEL, Tally(most=990.0), 10_000 * MIB))
    assert breaking(Tally()).is_empty()


def test_without_files_nothing_is_predicted():
    (finding,) = forecast_findings(MODEL, Tally(), "")
    assert "no peak is predicted" in str(finding)


PREDICTION = Prediction(peak_bytes=200, low_bytes=180, high_bytes=230, value=3, times_seen=1.0)


WITHIN, OUTSIDE = "within the predicted range", "outside the predicted range"
CUT = "which the prediction allows; a run that was cut short cannot say more"


@pytest.mark.parametrize(
    ("peak", "is_bound", "said"),
    [
        (190, False, f"190 B, {WITHIN}: 200 B (180 B to 230 B) (the middle is 5.3 % too high)."),
        (250, False, f"250 B, {OUTSIDE}: 200 B (180 B to 230 B) (the middle is 20 % too low)."),
        (100, True, f"least 100 B, {CUT}: 200 B (180 B to 230 B)."),
        (300, True, f"least 300 B, {OUTSIDE}: 200 B (180 B to 230 B)."),
    ],
)
def test_a_real_peak_is_held_against_the_range(peak, is_bound, said):
    found = check_finding(PREDICTION, peak, is_bound=is_bound, source="run", n_items=3, n_files=3)
    assert str(found) == f"'run' peaked at {said}"


def test_a_run_over_other_files_is_called_that():
    found = check_finding(PREDICTION, 190, is_bound=False, source="run", n_items=3, n_files=5)
    assert str(found).endswith("It began 3 items, the prediction is for 5 files.")


def test_secrets_in_names_are_not_told(build):
    tally = Tally()
    path = "ghp_" + "a1B2" * 9 + "/x.py"
    tally.add(build.corpus({"path": path, "kind": "hand-written", "n_chunks": 1}), PASSED_OVER.empty())
    assert "ghp_" not in " ".join(map(str, corpus_findings(tally)))


def test_the_path_of_a_deep_folder_is_told_by_its_end(build):
    deep = "folder/" * 300
    columns = {
        "path": [f"{deep}locked"],
        "reason": ["cannot be listed: Permission denied"],
        "is_folder": [True],
        "size_bytes": [None],
    }
    made = Tally()
    made.add(build.corpus({**FILES[0], "path": f"{deep}app.js"}), PASSED_OVER.from_columns(columns))
    (note,) = corpus_validity(made)
    assert note.note.startswith("cannot be listed: Permission denied: …")
    assert note.note.endswith("/folder/locked")
    told = " ".join(str(one) for one in corpus_findings(made))
    assert "/folder/app.js'" in told
    assert max(len(line) for line in (note.note, told)) < 600
