"""A corpus is scanned, its peak predicted from a run, and a later run held against it."""

from __future__ import annotations

import sys
from itertools import accumulate
from pathlib import Path

import polars as pl
import pytest

from diagtools.errors import BudgetBreached, NoDataError, UsageError
from diagtools.frames import CORPUS
from diagtools.investigations.record import record
from diagtools.investigations.scan import scan
from diagtools.run import Run
from diagtools.values import ItemSource, Target
from tests.support.runs import MIB, Recording, begin, end, make_run

LINE = "a line of text\n"
CHUNKS = (1, 2, 1, 4, 3, 8, 2, 12, 1, 6)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Ten hand-written files of about so many chunks each, a minified one of 25, and what is no text."""
    root = tmp_path / "corpus"
    (root / "web").mkdir(parents=True)
    for index, n in enumerate(CHUNKS):
        (root / f"{index}.py").write_text(LINE * (1_600 * n // len(LINE)))
    (root / "web" / "app.min.js").write_text("x" * 50_000)
    (root / "binary").write_bytes(b"\0")
    return root


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run over the hand-written files that says nothing of their chunks."""
    return calibration(tmp_path / "calibration", "{}.py")


def calibration(folder: Path, name: str, *, told: bool = False) -> Run:
    """A run that holds 100 MiB, and 10 MiB for each chunk of the largest item so far."""
    recording, markers = Recording().start(), []
    for index, highest in enumerate(accumulate(CHUNKS, max)):
        recording.sample(index + 0.5, (100 + 10 * highest) * MIB)
        features = f"chunks={CHUNKS[index]:.1f}" if told else ""
        item = name.format(index)
        markers.append(begin(index, item, index=index + 1, features=features))
        markers.append(end(index + 0.9, item, index=index + 1))
    return Run.open(make_run(folder, recording.close(exit_status=0), markers=markers))


def said(found: object) -> str:
    """All findings in one text."""
    return " ".join(map(str, found.findings()))  # type: ignore[attr-defined]


def test_kinds_and_folders_sum_to_the_whole(corpus: Path) -> None:
    found = scan(corpus).as_json()
    assert (found["files"], found["skipped"]) == (11, 1)
    assert found["bytes"] == sum(path.stat().st_size for path in corpus.rglob("*.*") if path.is_file())
    for part in ("kinds", "folders"):
        assert sum(row["chunks"] for row in found[part]) == found["chunks"]
    assert {row["kind"]: row["files"] for row in found["kinds"]} == {"generated": 1, "hand-written": 10}
    assert {row["folder"]: row["generated_share"] for row in found["folders"]} == {".": 0.0, "web": 1.0}
    assert found["predicted_peak_bytes"] is None


def test_a_run_of_the_indexer_predicts_its_peak_over_files_that_it_takes(corpus: Path, run: Run) -> None:
    """The run told no chunks: those of its files are estimated from their shapes.  It took no JavaScript."""
    found = scan(corpus, learn=run)
    assert found.predicted is not None
    assert found.predicted.value == 12
    assert found.predicted.peak_bytes == pytest.approx(220 * MIB, rel=0.01)
    assert found.predicted.low_bytes < 220 * MIB < found.predicted.high_bytes
    assert "10.0 MiB a chunk of the largest file on top of 100 MiB" in said(found)
    assert "10 files whose names end as those of the run do (.py)" in said(found)


def test_items_that_are_no_files_leave_all_files_in(corpus: Path, tmp_path: Path) -> None:
    """They told their chunks themselves."""
    run = calibration(tmp_path / "documents", "document {}", told=True)
    found = scan(corpus, learn=run)
    assert (found.tally.n_taken, found.tally.suffixes) == (11, None)
    assert found.predicted is not None
    assert found.predicted.peak_bytes == pytest.approx(350 * MIB, rel=0.01)  # the minified file's 25 chunks
    assert "It counts all files" in said(found)


def test_a_larger_corpus_is_predicted_as_a_range(corpus: Path, run: Run) -> None:
    (corpus / "huge.py").write_text(LINE * 10_000)
    found = scan(corpus, learn=run, budget="500MiB")
    assert found.predicted is not None
    assert found.predicted.is_far
    assert "a range is all that can be said" in said(found)
    assert "1 file would break the budget of 500 MiB" in said(found)
    assert "'huge.py'" in said(found)
    with pytest.raises(BudgetBreached, match="The predicted peak is"):
        found.check_budget()


def test_a_later_run_is_held_against_the_prediction(corpus: Path, run: Run) -> None:
    found = scan(corpus, learn=run, check=run)
    assert "'calibration' peaked at 220 MiB, within the predicted range" in said(found)
    assert "It began" not in said(found)
    (corpus / "more.py").write_text(LINE)
    assert "It began 10 items, the prediction is for 11 files" in said(scan(corpus, learn=run, check=run))


def test_what_a_chunk_costs_may_be_given(corpus: Path) -> None:
    found = scan(corpus, base="100MiB", chunk_cost="10MiB", budget="300MiB")
    assert found.predicted is not None
    assert found.predicted.peak_bytes == 350 * MIB  # 25 chunks of the minified file
    told = found.as_json()
    assert (told["files_over_budget"], [row["path"] for row in told["over_budget"]]) == (
        1,
        ["web/app.min.js"],
    )
    with pytest.raises(BudgetBreached):
        found.check_budget()
    scan(corpus, base="100MiB", chunk_cost="10MiB", budget="400MiB").check_budget()


def test_a_run_whose_peaks_follow_nothing_predicts_nothing(corpus: Path, tmp_path: Path) -> None:
    markers = [
        one for n in range(9) for one in (begin(n, "0.py", index=n + 1), end(n + 0.5, "0.py", index=n + 1))
    ]
    recording = Recording().start()
    for n in range(9):
        recording.sample(n + 0.2, 50 * MIB)
    flat = Run.open(make_run(tmp_path / "flat", recording.close(exit_status=0), markers=markers))
    found = scan(corpus, learn=flat, budget="1GiB")
    assert found.predicted is None
    assert "No peak is predicted" in said(found)
    with pytest.raises(NoDataError, match="cannot be judged"):
        found.check_budget()


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"budget": "1GiB"}, "no peak can be predicted"),
        ({"check": "."}, "no peak can be predicted"),
        ({"base": "1MiB"}, "--base alone"),
        ({"learn": ".", "chunk_cost": "1MiB"}, "not both"),
        ({"chunk_chars": 0}, "A chunk of 0 characters"),
        ({"chunk_cost": "10"}, "no unit"),
        ({"out": Path("corpus.csv")}, "not the name of a Parquet file"),
        ({"learn": "nowhere"}, "nowhere"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_scanned(
    tmp_path: Path, options: dict[str, object], fact: str
) -> None:
    with pytest.raises(UsageError, match=fact) as refused:
        scan(tmp_path / "not there either", **options)  # type: ignore[arg-type]
    assert refused.value.hint


def test_a_run_without_items_teaches_nothing(corpus: Path, tmp_path: Path) -> None:
    bare = make_run(tmp_path / "bare", Recording().start().ramp([10, 20]).close(exit_status=0))
    with pytest.raises(NoDataError, match="no items to learn from"):
        scan(corpus, learn=bare)


def test_every_file_may_be_written(corpus: Path, tmp_path: Path) -> None:
    found = scan(corpus, out=tmp_path / "all.parquet")
    rows = CORPUS.check(pl.read_parquet(tmp_path / "all.parquet"))
    assert rows.height == found.tally.whole["n_files"]
    assert rows["n_chunks"].sum() == found.tally.whole["n_chunks"]
    assert rows.filter(pl.col("kind") == "generated")["path"].to_list() == ["web/app.min.js"]


def test_an_indexer_that_knows_nothing_of_diagtools_is_learned_from(corpus: Path, tmp_path: Path) -> None:
    """It holds 200 times each file that it opens, and keeps its largest: the sizes are those of the files."""
    program = tmp_path / "indexer.py"
    program.write_text(
        "import pathlib, sys, time\n"
        "kept = b''\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*.py')):\n"
        "    text = path.read_bytes()\n"
        "    if 200 * len(text) > len(kept):\n"
        "        del kept\n"
        "        kept = bytearray(200 * len(text))\n"
        "    time.sleep(0.08)\n"
    )
    target = Target(argv=(sys.executable, str(program), str(corpus)), items=ItemSource(opened_under=corpus))
    learned = record(target, folder=tmp_path / "learned")
    (corpus / "larger.py").write_text(LINE * 2_500)  # 37,500 bytes: twice the largest that was seen
    found = scan(corpus, learn=learned)
    assert found.predicted is not None
    checked = record(target, folder=tmp_path / "checked")
    assert checked.peak_rss_bytes is not None
    assert found.predicted.low_bytes <= checked.peak_rss_bytes <= found.predicted.high_bytes


def test_what_is_doubtful_of_the_run_is_so_of_the_prediction(corpus: Path, run: Run) -> None:
    assert scan(corpus, learn=run).validity == ()
    (run.path / "timeline.bin").write_bytes((run.path / "timeline.bin").read_bytes()[:-640])
    cut = scan(corpus, learn=run.path)
    assert any(one.what.startswith("calibration, ") for one in cut.validity)
    assert "Note: calibration, " in cut.as_text()


def test_it_shows_itself(corpus: Path) -> None:
    found = scan(corpus)
    assert repr(found) == found.as_text()
    assert "web/app.min.js" in found._repr_mimebundle_()["text/html"]
    assert found.chart().to_dict()["title"]["text"]
    assert "binary" in str(found.passed_over())
    assert not found.breaking().rows
    assert "11 files with" in str(found.summary())
