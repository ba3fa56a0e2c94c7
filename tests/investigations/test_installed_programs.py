"""Kills in two installed programs that nobody here wrote, explained without editing either."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

SCRIPTS = Path(sys.executable).parent


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """Four notebooks, the third with 30 MB of printed output."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("a-intro", "b-clean", "c-explore", "d-report"):
        cells = [nbformat.v4.new_code_cell(f"x = {n}") for n in range(20)]
        if name == "c-explore":
            text = "a line of a very long log 0123456789 <b>\n" * 700_000
            cells[-1].outputs = [nbformat.v4.new_output("stream", text=text)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    return folder


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Three test files, the second with a table of 150,000 rows that somebody pasted in."""
    folder = tmp_path / "suite"
    folder.mkdir()
    for name in ("test_first", "test_prices", "test_third"):
        (folder / f"{name}.py").write_text("def test_nothing():\n    assert True\n")
    rows = "".join(f"    ({n}, 'name {n}', {n}.5),\n" for n in range(150_000))
    (folder / "test_prices.py").write_text(f"PRICES = [\n{rows}]\n\ndef test_prices():\n    assert PRICES\n")
    return folder


def _recorded(folder: Path, *words: str) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "diagtools", "record", "--json", "-o", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    shown = subprocess.run(
        [sys.executable, "-m", "diagtools", "show", str(folder)], capture_output=True, text=True, check=True
    )
    return done.returncode, {**json.loads(done.stdout), "text": shown.stdout}


def test_nbconvert_dies_in_the_notebook_with_the_long_output(tmp_path: Path, notebooks: Path) -> None:
    """The console script `jupyter nbconvert`, items from the files it opens."""
    files = [str(path) for path in sorted(notebooks.glob("*.ipynb"))]
    status, shown = _recorded(
        tmp_path / "run",
        *("--limit", "400MB", "--items-opened-under", str(notebooks)),
        *("--", str(SCRIPTS / "jupyter"), "nbconvert", "--to", "html", *files),
    )
    assert status == 137
    assert shown["item_in_flight"] == "c-explore.ipynb"
    assert shown["death"]["cause"] == "watchdog"
    assert shown["items"][0]["item"] == "c-explore.ipynb"
    assert "c-explore.ipynb" in str(shown["text"])


def test_nbconvert_items_from_the_calls_of_a_function(tmp_path: Path, notebooks: Path) -> None:
    """The same kill, items from the calls of a method deep inside the program."""
    files = [str(path) for path in sorted(notebooks.glob("*.ipynb"))]
    status, shown = _recorded(
        tmp_path / "run",
        *("--limit", "400MB", "--items-calls", "nbconvert.exporters.exporter:Exporter.from_filename"),
        *("--", str(SCRIPTS / "jupyter"), "nbconvert", "--to", "html", *files),
    )
    assert status == 137
    assert str(shown["item_in_flight"]).endswith("c-explore.ipynb")


def test_pytest_dies_in_the_test_file_with_the_pasted_table(tmp_path: Path, suite: Path) -> None:
    """Pytest rewrites assertions: a pasted table becomes a syntax tree of hundreds of megabytes."""
    status, shown = _recorded(
        tmp_path / "run",
        *("--limit", "250MB", "--items-opened-under", str(suite)),
        *("--", str(SCRIPTS / "pytest"), "-q", "-p", "no:cacheprovider", str(suite)),
    )
    assert status == 137
    assert shown["item_in_flight"] == "test_prices.py"
    assert "test_prices.py" in str(shown["text"])
