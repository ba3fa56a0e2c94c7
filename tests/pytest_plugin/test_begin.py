"""Only what was asked for is put to work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.suites import Suite

LOOKING = """
    import sys, tracemalloc

    def test_a(pytestconfig):
        manager = pytestconfig.pluginmanager
        names = {str(name) for name, _ in manager.list_name_plugin()}
        ours = sorted(name.removeprefix("diagtools-") for name in names if name.startswith("diagtools-"))
        print("OURS", *ours, "TRACED", tracemalloc.is_tracing())
"""
ALWAYS = {"limits", "no-leak"}


@pytest.mark.parametrize(
    ("words", "expected", "is_traced"),
    [
        ([], set(), False),
        (["--diag"], {"session", "measuring"}, False),
        (["--diag-trace", "--diag-threshold=9 GB"], {"session", "measuring", "repeats"}, True),
        (["--diag-cap=9 GB", "--diag-delta-cap=9 GB"], {"session", "measuring", "caps"}, False),
        (["--diag-html"], {"session", "measuring"}, False),
    ],
    ids=["nothing", "diag", "trace and threshold", "caps", "html"],
)
def test_what_is_registered(tmp_path: Path, words: list[str], expected: set[str], is_traced: bool) -> None:
    done = Suite(tmp_path / "suite", {"test_a.py": LOOKING}).run("-s", *words)
    assert done.status == 0, done.text
    (told,) = done.lines("OURS ")
    found = told[told.index("OURS ") :].split()
    at = found.index("TRACED")
    measured = {"limits", "no-leak", "session", "measuring", "repeats", "caps"}
    assert set(found[1:at]) & measured == ALWAYS | expected
    assert found[at + 1] == str(is_traced)
    assert len(done.run_folders) == bool(words)
    if "--diag-html" in words:
        assert (done.run.path / "report.html").stat().st_size > 100_000
