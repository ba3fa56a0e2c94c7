"""A scan as tables, text and JSON: what a file is called is never more than its name."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from diagtools.frames import CORPUS, CORPUS_TOTALS, PASSED_OVER_TOTALS
from diagtools.present.corpus import corpus_json, corpus_text, files_table, passed_over_table, totals_table
from diagtools.values import Finding, State, Validity

SECRET = "ghp_" + "a1B2" * 9


def totals(*rows: tuple[object, ...]) -> pl.DataFrame:
    """CORPUS_TOTALS from rows."""
    return pl.DataFrame(rows, schema=CORPUS_TOTALS.columns, orient="row")


def files(**row: object) -> pl.DataFrame:
    """CORPUS of one file."""
    return CORPUS.from_columns({name: [row.get(name)] for name in CORPUS.columns})


PASSED = pl.DataFrame(
    [("FIFO", 2, 0, 0, "a/x"), ("ignored by git", 1, 3, 500, "build")],
    schema=PASSED_OVER_TOTALS.columns,
    orient="row",
)
KINDS = totals(("hand-written", 3, 2048, 4, 0, 0.0), ("generated", 1, 1024, 2, 1024, 1.0))
FOLDERS = totals((".", 3, 2048, 4, 0, 0.0), ("web", 1, 1024, 2, 1024, 1.0), ("empty", 0, 0, 0, 0, None))


def test_sizes_and_shares_are_written_for_people() -> None:
    assert str(totals_table(FOLDERS, "folder")).splitlines() == [
        "folder  files      size  chunks  generated",
        ".           3  2.00 KiB       4        0 %",
        "web         1  1.00 KiB       2      100 %",
        "empty       0       0 B       0          —",
    ]


def test_a_file_of_which_nothing_is_known_is_a_row_of_dashes() -> None:
    assert str(files_table(files(path="a.py"))).splitlines()[1].split() == ["a.py", "—", "—", "—", "—"]


def test_what_was_passed_over_is_counted_by_reason() -> None:
    shown = str(passed_over_table(PASSED))
    assert "FIFO                2        0                0 B  a/x" in shown.splitlines()


def as_json(**options: Any) -> dict[str, Any]:
    """The JSON of the frames above, as a script reads it."""
    found = corpus_json(
        folder="/home/ada/code",
        whole={"n_files": 4, "size_bytes": 3072, "n_chunks": 6},
        kinds=KINDS,
        folders=FOLDERS,
        vendored=KINDS.clear(),
        passed_over=PASSED,
        largest=options.pop("largest", CORPUS.empty()),
        **options,
    )
    return dict(json.loads(json.dumps(found, allow_nan=False)))


def test_the_json_has_what_the_contract_promises_and_adds_up() -> None:
    found = as_json(findings=[Finding(sentence="So it is.")])
    assert {"files", "bytes", "skipped", "kinds", "folders", "predicted_peak_bytes", "findings"} <= set(found)
    assert (found["folder"], found["skipped"], found["predicted_peak_bytes"]) == ("~/code", 6, None)
    assert set(found["kinds"][0]) >= {"kind", "files", "bytes", "chunks"}
    assert set(found["folders"][0]) >= {"folder", "files", "bytes", "chunks", "generated_share"}
    for part in ("kinds", "folders"):
        for name in ("files", "bytes", "chunks"):
            assert sum(row[name] for row in found[part]) == found[name]


@pytest.mark.parametrize("name", [f"{SECRET}/x.py", "a\x1b[31m.py", "</td><script>alert(1)</script>.py"])
def test_a_name_from_others_is_text_without_secrets(name: str) -> None:
    table = files_table(files(path=name, size_bytes=1, n_chunks=1))
    said = f"{table}{table._repr_html_()}{json.dumps(as_json(largest=files(path=name)))}"
    assert SECRET not in said
    assert "\x1b" not in said
    assert "<script" not in table._repr_html_()


def test_the_text_wraps_what_it_says_and_ends_with_what_is_not_known() -> None:
    doubt = Validity(what="1 folder", state=State.SKIPPED, note="cannot be listed\x1b[31m")
    said = corpus_text(
        folder="/home/ada/code",
        findings=[Finding(sentence="long " * 60)],
        shown=[totals_table(KINDS, "kind")],
        validity=[doubt],
    )
    lines = said.splitlines()
    assert lines[0] == "~/code"
    assert max(map(len, lines)) <= 100
    assert lines[-1] == "Note: 1 folder: skipped (cannot be listed\\x1b[31m)"
