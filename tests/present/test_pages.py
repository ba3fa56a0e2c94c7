"""One offline page of what shows itself: nothing foreign runs, nothing is loaded, no secret is on it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from diagtools.errors import UsageError
from diagtools.present import renderer, tables
from diagtools.present.charts.suite import suite_chart
from diagtools.present.pages import write_page
from diagtools.present.prose import Prose
from diagtools.present.tables import Table
from diagtools.values import Finding
from tests.present.charts.test_suite import sessions_tests

HOSTILE = "a.py::t[<script>alert(1)</script><img src=http://x.invalid/a.png>]"


@pytest.fixture
def page(tmp_path: Path) -> str:
    """A page of one of each."""
    renderer.enable()
    token = "ghp_" + "a1B2" * 9  # as GitHub's are
    table = Table(
        pl.DataFrame({"name": [HOSTILE, f"token={token}"]}), {"name": tables.text("name", n_characters=300)}
    )
    prose = Prose([Finding(sentence=f"It is **{HOSTILE}** and `x`.")])
    chart = suite_chart(sessions_tests((HOSTILE, 90, 5, "passed")))
    path = write_page(
        [prose, table, chart], tmp_path / "new" / "page.html", heading="Of tests", source="the run r"
    )
    assert path == tmp_path / "new" / "page.html"
    return path.read_text()


def test_everything_is_on_it(page: str) -> None:
    assert "Of tests" in page
    assert "the run r" in page
    assert "vega" in page


def test_what_is_foreign_is_text(page: str) -> None:
    assert "<script>alert(1)" not in page
    assert "<img src=http://x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<strong>a.py" not in page  # its markdown is text too


def test_no_secret_is_on_it(page: str) -> None:
    assert "ghp_" not in page


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "page.html", tmp_path):
        with pytest.raises(UsageError, match="cannot be written") as caught:
            write_page([], place, heading="x", source="y")
        assert "Hint: " in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
