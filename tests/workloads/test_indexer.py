"""Is every file indexed, failed or excluded, and does one bad file spoil only itself?"""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag import markers
from workloads.rag.config import Arena, IndexConfig
from workloads.rag.errors import CorpusError
from workloads.rag.indexer import index
from workloads.rag.manifest import Entry, Manifest, write_manifest

GOOD = "import os\n\n\ndef add(left, right):\n    return left + right\n"
LARGE = "def large():\n" + "    value = 'of one long function'\n" * 12_000  # some 200 chunks


@pytest.mark.usefixtures("model")
class TestWithTheModel:
    def test_a_folder_of_good_and_bad_files(self, tree: Callable[..., Path]) -> None:
        root = tree(
            {
                "a.py": GOOD,
                "binary.py": b"a\0b",
                "latin.py": "é".encode("latin-1"),
                "new\nline.py": GOOD,
                "empty.py": "",
                "types.d.ts": "x",
            }
        )
        Path(os.fsdecode(os.fsencode(root) + b"/\xff.py")).write_text(GOOD)
        report = index(IndexConfig(folder=root))
        assert {failure.path: (failure.status, failure.error) for failure in report.failures} == {
            "binary.py": ("failed", "binary: it holds NUL bytes"),
            "latin.py": ("failed", "not UTF-8: byte 0 of 1"),
        }
        assert report.excluded_by_reason == {"type declarations": 1}
        assert (report.counts.files_indexed, report.counts.chunks) == (4, 3)
        assert report.counts.vectors_bytes == 3 * 384 * 4
        assert report.counts.graph_nodes == 4 + 3 + 1  # files, the three add, os
        assert report.counts.graph_edges == 3 + 3
        json.loads(report.as_json())
        assert "\n" not in report.as_text().splitlines()[0]

    def test_a_file_that_went_away_is_a_failed_item(
        self, tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = tree({"a.py": GOOD, "b.py": GOOD})

        def remove_b(name: str, **features: float) -> markers.Span:
            (root / "b.py").unlink(missing_ok=True)
            return item(name, **features)

        item = markers.item
        monkeypatch.setattr(markers, "item", remove_b)
        report = index(IndexConfig(folder=root))
        assert [(f.path, f.status, f.error) for f in report.failures] == [
            ("b.py", "failed", "No such file or directory")
        ]
        assert report.counts.files_indexed == 1

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
    def test_an_unreadable_file_is_a_failed_item(self, tree: Callable[..., Path]) -> None:
        root = tree({"a.py": GOOD, "b.py": GOOD})
        (root / "b.py").chmod(0)
        report = index(IndexConfig(folder=root))
        assert [(f.path, f.error) for f in report.failures] == [("b.py", "Permission denied")]

    def test_a_breached_timeout_is_a_failed_item_and_the_run_goes_on(self, tree: Callable[..., Path]) -> None:
        root = tree({"a.py": LARGE, "b.py": GOOD})
        report = index(IndexConfig(folder=root, batch=8, file_timeout_s=0.5, threads=1))
        assert [(f.path, f.status, f.error) for f in report.failures] == [
            ("a.py", "timeout", "embedding exceeded 0.5 s")
        ]
        assert report.counts.files_indexed == 1

    def test_the_mends_change_no_count(self, tree: Callable[..., Path]) -> None:
        root = tree({"a.py": GOOD * 60, "b.md": "some words\n" * 600})
        faulty = index(IndexConfig(folder=root))
        mended = index(IndexConfig(folder=root, batch=2, arena=Arena.SHRUNK, exclude_generated=True))
        assert faulty.counts == mended.counts
        assert faulty.as_text() == mended.as_text()

    def test_the_decisive_warning_comes_before_the_embedding(
        self, tree: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        root = tree({"a.py": LARGE})
        with caplog.at_level(logging.INFO):
            index(IndexConfig(folder=root, batch=8, file_timeout_s=0.01, threads=1))
        messages = [record.getMessage() for record in caplog.records]
        assert messages[:2] == [
            "indexing 1/1 a.py",
            f"function 'large' too large ({len(LARGE)} characters), using fixed chunking",
        ]


def test_drift_is_one_warning_with_the_first_names(
    tree: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    files = tuple(Entry(path=f"{n}.py", size_bytes=1, sha256="0") for n in range(5))
    manifest = Manifest(name="gone", rule="by hand", root="folder", packages=(), files=files)
    path = tree({"other.py": "x"}) / "corpus.json"
    write_manifest(manifest, path)
    with pytest.raises(CorpusError, match="No files to index in 'gone'"):
        index(IndexConfig(manifest=path))
    (warning,) = caplog.messages
    assert warning.startswith("corpus gone has drifted in 5 places: 0.py missing: ")
    assert "2.py" in warning
    assert "3.py" not in warning


def test_an_empty_corpus_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"No files to index .* 0 found.* Hint: "):
        index(IndexConfig(folder=tmp_path))


def test_a_corpus_that_is_left_out_whole_is_one_clear_error(tree: Callable[..., Path]) -> None:
    root = tree({"node_modules/a.js": "x", "b.png": "x"})
    with pytest.raises(CorpusError, match="2 found, every one left out"):
        index(IndexConfig(folder=root))
