"""Is a file that takes too long given up, and only that file?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.config import IndexConfig
from workloads.rag.indexer import index
from workloads.suite.search import Embeds

pytestmark = pytest.mark.use_real_models

LONG = ["word " * 300] * 24
LARGE = "def large():\n" + "    value = 'of one long function'\n" * 6_000


def test_a_run_that_takes_too_long_is_stopped(embedder: Embeds) -> None:
    """The next one works."""
    with pytest.raises(TimeoutError, match=r"embedding exceeded 0\.001 s"):
        embedder.embed(LONG, timeout_s=0.001)
    assert embedder.embed(LONG[:1], timeout_s=60.0).shape == (1, 384)


def test_a_file_that_takes_too_long_is_a_failure_of_its_own(tree: Callable[..., Path]) -> None:
    """The files after it are indexed."""
    root = tree({"a.py": LARGE, "b.py": "x = 1\n"})
    report = index(IndexConfig(folder=root, batch=4, file_timeout_s=0.1, threads=1))
    assert [(one.path, one.status) for one in report.failures] == [("a.py", "timeout")]
    assert report.counts.files_indexed == 1
