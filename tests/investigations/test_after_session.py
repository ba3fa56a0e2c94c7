"""What a session leaves to a process of its own: Parquet, the page, the lines."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from diagtools.investigations.after_session import main, write_parquet
from diagtools.pytest_plugin.aside import run_aside
from diagtools.run import Run
from tests.support.runs import ROOT, START_NS, Recording, make_run
from tests.support.suite_logs import MS, ended, line, process, whole_test
from tests.support.suites import Suite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of one test, which ran once more."""
    run = make_run(tmp_path / "run", Recording().start().ramp([50] * 100).close())
    repeat = line("repeat", number=1, phase="call", capture="tests.100-1.memray")
    lines = [process(pid=ROOT, t_ms=START_NS // MS), *whole_test(1, "a.py::t"), repeat, ended()]
    (run / "tests.100.jsonl").write_bytes(b"".join(lines))
    return run


def test_the_frames_are_those_of_the_run(folder: Path) -> None:
    write_parquet(folder)
    session = Run.open(folder).test_session
    for name in ("tests", "phases", "fixtures", "files"):
        assert pl.read_parquet(folder / f"tests.{name}.parquet").equals(getattr(session, name))


def test_it_prints_what_the_terminal_is_to_say(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = folder / "page.html"
    assert main([str(folder), "--lines", "--page", str(page)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a.py::t: 'tests.100-1.memray' is not there any more.",
        f"The page: {page}",
    ]
    assert page.is_file()


def test_without_a_session_it_fails_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "run", Recording().start().ramp([50] * 100).close())
    assert main([str(run)]) == 1
    assert capsys.readouterr().out.startswith("diagtools: 'run' has no test session.")
    with pytest.raises(OSError, match="has no test session"):
        run_aside("diagtools.investigations.after_session", str(run))


class _Loaded(HTMLParser):
    """Whatever a browser would fetch."""

    found: tuple[str, ...] = ()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Attributes that name what is to be loaded."""
        values = [
            value or ""
            for name, value in attrs
            if name in ("src", "href", "srcset", "data", "action", "poster")
        ]
        self.found += tuple(f"{tag} {value[:60]}" for value in values if not value.startswith(("#", "data:")))


def test_the_page_of_a_real_session_needs_no_network_and_escapes_what_is_foreign(tmp_path: Path) -> None:
    text = """
        import sys
        import pytest

        @pytest.mark.parametrize("text", ["<script>alert(1)</script>", "**x** `y` | z", "api_key=sk-hunter2hunter2"])
        def test_odd(text):
            bytearray(64 << 20)

        def test_modules():
            heavy = {"polars", "altair", "numpy", "pandas", "networkx", "nbconvert", "jinja2", "diagtools.run"}
            assert not heavy & set(sys.modules)
    """
    suite = Suite(tmp_path / "suite", {"test_a.py": text})
    options = ("--diag-trace", "--diag-cap=9 GB", "--diag-delta-cap=9 GB", "--diag-html=sub/page.html")
    done = suite.run("--diag", *options)
    assert (done.status, done.n("passed")) == (0, 4), done.text
    assert done.lines(f"The page: {suite.folder / 'sub' / 'page.html'}")
    html = (suite.folder / "sub" / "page.html").read_text()
    assert "<script>alert(1)" not in html
    assert "hunter2hunter2" not in html
    assert "test_odd" in html
    loaded = _Loaded()
    loaded.feed(html)
    assert loaded.found == ()
    assert not re.search(r"@import|url\((?![\"']?(data:|#))", html.partition("</style>")[0])
