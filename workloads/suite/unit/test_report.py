"""Does the report count every file once, and is it written whole or not at all?"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.config import IndexConfig
from workloads.rag.corpus import walk_folder
from workloads.rag.errors import ConfigError
from workloads.rag.filters import select
from workloads.rag.report import Counts, Failure, IndexReport, clear_report, write_report


@pytest.fixture
def report(tree: Callable[..., Path]) -> IndexReport:
    """Four files: one indexed, one failed, two left out."""
    root = tree({"a.py": "x = 1\n", "b.py": b"\0", "logo.png": b"x", "a.d.ts": "x"})
    corpus = walk_folder(root)
    return IndexReport(
        config=IndexConfig(folder=root, batch=8, threads=1),
        corpus=corpus,
        selection=select(corpus.files, root, exclude_generated=False),
        counts=Counts(files_indexed=1, chunks=1, graph_nodes=1, graph_edges=0, vectors_bytes=1536),
        failures=(Failure(path="b.py", status="failed", error="binary"),),
        duration_s=0.25,
    )


def test_every_file_is_counted_once(report: IndexReport) -> None:
    """Found is left out, failed or indexed."""
    told = json.loads(report.as_json())
    out = sum(told["excluded_by_reason"].values())
    assert told["files_found"] == out + told["files_failed"] + told["files_indexed"] == 4


def test_the_text_has_no_times(report: IndexReport) -> None:
    """The same work prints the same."""
    assert report.as_text().splitlines() == [
        "corpus tree: 4 files found, 2 selected (left out: 1 not source code, 1 type declarations)",
        "indexed 1 files, 1 failed, 1 chunks",
        "graph 1 nodes and 0 edges, vectors 1536 bytes",
    ]


def test_no_batch_is_said_in_words(report: IndexReport) -> None:
    """A null would be taken for unknown."""
    assert json.loads(report.as_json())["options"]["batch"] == 8


def test_a_report_takes_the_place_of_an_earlier_one(report: IndexReport, tmp_path: Path) -> None:
    """And leaves no half of it."""
    path = tmp_path / "report.json"
    path.write_text("{}")
    clear_report(path)
    assert not path.exists()
    write_report(report, path)
    assert json.loads(path.read_text())["files_indexed"] == 1
    assert [one.name for one in tmp_path.glob("report*")] == ["report.json"]


def test_a_report_that_cannot_be_written_is_one_clear_error(report: IndexReport, tmp_path: Path) -> None:
    """Before an hour of indexing, not after."""
    with pytest.raises(ConfigError, match=r"No report can be written .* Hint: pass --report"):
        clear_report(tmp_path / "absent" / "report.json")
