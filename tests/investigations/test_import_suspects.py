"""Which import statements are worth making lazy?"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.investigations.import_suspects import Suspect, dearest

MB = 10**6


def _statements(*rows: tuple[str, str, list[str], int]) -> pl.DataFrame:
    """STATEMENTS of (file, importer, imports, held bytes), as they are sorted."""
    columns: dict[str, list[object]] = {name: [0] * len(rows) for name in frames.STATEMENTS.columns}
    columns |= {
        "file": [row[0] for row in rows],
        "importer": [row[1] for row in rows],
        "imports": [row[2] for row in rows],
        "retained_anon_bytes": [row[3] for row in rows],
        "retained_wall_s": [0.0] * len(rows),
    }
    return frames.STATEMENTS.from_columns(columns)


def test_the_subject_itself_and_what_only_goes_on_are_not_tried() -> None:
    found = dearest(
        _statements(
            ("<statement>", "<program>", ["a"], 1000 * MB),
            ("a.py", "a", ["a.all"], 900 * MB),
            ("a/all.py", "a.all", ["b"], 400 * MB),
            ("b.py", "b", ["b.core"], 395 * MB),
            ("c.py", "c", ["d"], 390 * MB),
            ("e.py", "e", ["f"], 0),
        ),
        1000 * MB,
        5,
    )
    assert found["file"].to_list() == ["a/all.py", "c.py"]


def test_a_call_that_imports_is_no_statement_and_what_it_brings_is_tried(tmp_path: Path) -> None:
    loader, plugin = tmp_path / "loader.py", tmp_path / "plugin.py"
    loader.write_text("from importlib import import_module\nimport_module('plugin')\n")
    plugin.write_text("import heavy\n")
    rows = _statements(
        (str(loader), "loader", ["plugin"], 400 * MB), (str(plugin), "plugin", ["heavy"], 395 * MB)
    )
    lines = rows.with_columns(line=pl.Series([2, 1]))
    assert dearest(lines, 1000 * MB, 5)["file"].to_list() == [str(plugin)]


def test_a_suspect_says_where_it_stands_and_what_it_imports() -> None:
    one = Suspect(
        file="/x/shop/a.py", lines=(3,), imports=("b", "c", "d"), predicted_anon_bytes=1, n_modules=1
    )
    assert (one.place, one.clause) == ("/x/shop/a.py:3", "shop/a.py:3 imports b, c…")
    whole = Suspect(
        file="/x/shop/__init__.py",
        lines=(1, 2),
        imports=(),
        predicted_anon_bytes=1,
        n_modules=1,
        is_file=True,
        runs_along_for="shop.config",
    )
    assert whole.clause == "all 2 imports of shop/__init__.py, which runs for shop.config"


def test_what_a_package_imports_from_elsewhere_may_be_nearly_all() -> None:
    rows = _statements(("a.py", "a", ["big"], 950 * MB), ("b.py", "b", ["b.core"], 940 * MB))
    assert dearest(rows, 1000 * MB, 5)["file"].to_list() == ["a.py"]


def test_nobody_edits_python_itself_nor_a_program_that_runs_already() -> None:
    rows = _statements(
        ("/usr/lib/python3.11/asyncio/__init__.py", "asyncio", ["asyncio.events"], 500 * MB),
        ("app.py", "<program>", ["big"], 400 * MB),
        ("/x/lib/python3.11/site-packages/a.py", "a", ["b"], 300 * MB),
    )
    assert dearest(rows, 1000 * MB, 5)["importer"].to_list() == ["a"]


def test_what_holds_little_is_not_worth_a_line() -> None:
    rows = _statements(("a.py", "a", ["b"], 9 * MB), ("c.py", "c", ["d"], MB // 5))
    assert dearest(rows, 1000 * MB, 5).is_empty()
    assert dearest(rows, 20 * MB, 5)["file"].to_list() == ["a.py"]
