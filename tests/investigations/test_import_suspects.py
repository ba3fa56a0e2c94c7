"""Which import statements are worth making lazy?"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from diagtools import frames
from diagtools.investigations.import_suspects import Suspect, dearest


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
            ("<statement>", "<program>", ["a"], 1000),
            ("a.py", "a", ["a.all"], 900),
            ("a/all.py", "a.all", ["b"], 400),
            ("b.py", "b", ["b.core"], 395),
            ("c.py", "c", ["d"], 390),
            ("e.py", "e", ["f"], 0),
        ),
        1000,
        5,
    )
    assert found["file"].to_list() == ["a/all.py", "c.py"]


def test_a_call_that_imports_is_no_statement_and_what_it_brings_is_tried(tmp_path: Path) -> None:
    loader, plugin = tmp_path / "loader.py", tmp_path / "plugin.py"
    loader.write_text("from importlib import import_module\nimport_module('plugin')\n")
    plugin.write_text("import heavy\n")
    rows = _statements((str(loader), "loader", ["plugin"], 400), (str(plugin), "plugin", ["heavy"], 395))
    lines = rows.with_columns(line=pl.Series([2, 1]))
    assert dearest(lines, 1000, 5)["file"].to_list() == [str(plugin)]


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
