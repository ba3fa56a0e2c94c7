"""What a worker holds before its first test, by the import that brought it: parts that sum to what was measured."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.worker_baseline import Part, baseline_parts, other_ways_in, way_to
from diagtools.frames import IMPORT_EDGES, IMPORTS

PROGRAM = "<program>"


def imports_of(*rows: tuple[str, str | None, int]) -> pl.DataFrame:
    """IMPORTS of (module, importer, own memory), the program first."""
    every = [(PROGRAM, None, 0), *rows]
    columns: dict[str, list[object]] = {name: [0] * len(every) for name in IMPORTS.columns}
    columns |= {
        "order": [*range(len(every))],
        "module": [row[0] for row in every],
        "importer": [row[1] for row in every],
        "status": ["ok"] * len(every),
        "self_anon_bytes": [row[2] for row in every],
    }
    return pl.DataFrame(columns, schema=IMPORTS.columns)


def edges_of(*rows: tuple[str, str, str, int, bool]) -> pl.DataFrame:
    return IMPORT_EDGES.from_columns(
        {
            "importer": [row[0] for row in rows],
            "imported": [row[1] for row in rows],
            "file": [row[2] for row in rows],
            "line": [row[3] for row in rows],
            "first": [row[4] for row in rows],
        }
    )


#: pytest and a plugin; a conftest that brings a package with polars below it; a test module; an import when tests ran.
SUITE = imports_of(
    ("execnet", PROGRAM, 3),
    ("json", "execnet", 1),
    ("_pytest.config", PROGRAM, 11),
    ("nbmake.pytest_plugin", PROGRAM, 10),
    ("nbformat", "nbmake.pytest_plugin", 20),
    ("app", PROGRAM, 2),
    ("app.tests.conftest", PROGRAM, 0),
    ("app.tests.fixtures", "app.tests.conftest", 4),
    ("app.rag", "app.tests.fixtures", 6),
    ("polars", "app.rag", 30),
    ("polars.series", "polars", 15),
    ("tiny", "app.rag", 1),
    ("app.tests.test_search", PROGRAM, 5),
    ("late", PROGRAM, 50),
)


def rows_of(parts: pl.DataFrame) -> list[tuple[str, str, int, int]]:
    return list(parts.iter_rows())


def test_each_import_belongs_to_who_asked_for_it() -> None:
    parts = baseline_parts(SUITE, edges_of(), interpreter_bytes=5, rss_bytes=160, anon_bytes=120)
    assert rows_of(parts) == [
        ("interpreter", "the interpreter", 0, 5),
        ("pytest", "pytest itself", 3, 15),
        ("plugins", "nbmake", 2, 30),
        ("conftest and fixtures", "polars", 2, 45),
        ("conftest and fixtures", "app", 4, 12),
        ("conftest and fixtures", "other packages", 1, 1),
        ("test modules", "test modules", 1, 5),
        ("no import", "collecting tests, and what else is no import", 0, 7),
        ("pages of files", "pages of files (shared, can be dropped)", 0, 40),
    ]


@given(rss=st.integers(0, 500), own=st.integers(0, 500) | st.none(), interpreter=st.integers(0, 50))
def test_the_parts_sum_to_what_was_measured(rss: int, own: int | None, interpreter: int) -> None:
    parts = baseline_parts(SUITE, edges_of(), interpreter_bytes=interpreter, rss_bytes=rss, anon_bytes=own)
    assert parts["bytes"].sum() == rss


def test_what_tests_import_when_they_run_is_no_part_of_it() -> None:
    parts = baseline_parts(SUITE, edges_of(), interpreter_bytes=5, rss_bytes=160, anon_bytes=120)
    assert "late" not in parts["name"].to_list()
    assert parts.filter(pl.col("part") == Part.REST)["bytes"].item() == 120 - 5 - (15 + 30 + 58 + 5)


def test_a_conftest_that_is_executed_without_an_import_is_known_by_the_place_of_its_imports() -> None:
    suite = imports_of(
        ("_pytest", PROGRAM, 10), ("app", PROGRAM, 40), ("helper", PROGRAM, 3), ("x", PROGRAM, 9)
    )
    edges = edges_of(
        (PROGRAM, "app", "/src/tests/conftest.py", 3, True),
        (PROGRAM, "helper", "/src/tests/test_app.py", 1, True),
        (PROGRAM, "x", "/src/app.py", 1, True),
    )
    parts = baseline_parts(suite, edges, interpreter_bytes=0, rss_bytes=60, anon_bytes=60)
    sizes = {(row[0], row[1]): row[3] for row in rows_of(parts)}
    assert sizes["conftest and fixtures", "app"] == 40
    assert sizes["test modules", "test modules"] == 3
    assert sizes["pytest", "pytest itself"] == 10
    assert sum(sizes.values()) == 60


def test_what_was_there_before_the_plugins_is_no_conftests_though_one_asks_first() -> None:
    suite = imports_of(
        ("pytest", PROGRAM, 10), ("plug", PROGRAM, 20), ("opt", PROGRAM, 2), ("app", PROGRAM, 40)
    )
    edges = edges_of(
        (PROGRAM, "pytest", "/src/tests/conftest.py", 1, True),
        (PROGRAM, "plug", "/lib/importlib/metadata/__init__.py", 202, True),
        (PROGRAM, "opt", "/lib/site-packages/_pytest/config/__init__.py", 902, True),
        (PROGRAM, "app", "/src/tests/conftest.py", 3, True),
    )
    parts = baseline_parts(suite, edges, interpreter_bytes=0, rss_bytes=72, anon_bytes=72)
    assert [row[:2] + row[3:] for row in rows_of(parts)] == [
        ("interpreter", "the interpreter", 0),
        ("pytest", "pytest itself", 10),
        ("plugins", "plug", 20),
        ("plugins", "opt", 2),
        ("conftest and fixtures", "app", 40),
        ("no import", "collecting tests, and what else is no import", 0),
        ("pages of files", "pages of files (shared, can be dropped)", 0),
    ]


def test_without_a_conftest_or_a_test_module_all_of_it_was_there_before() -> None:
    parts = baseline_parts(
        imports_of(("_pytest", PROGRAM, 10), ("plug", PROGRAM, 40)),
        edges_of(),
        interpreter_bytes=5,
        rss_bytes=60,
        anon_bytes=None,
    )
    assert [row[0] for row in rows_of(parts)] == [
        "interpreter",
        "pytest",
        "plugins",
        "no import",
        "pages of files",
    ]


@pytest.mark.parametrize(("module", "lines"), [("polars", [3, 17, 7]), ("nowhere", [])])
def test_the_way_to_a_module_is_that_over_which_it_was_really_loaded(module: str, lines: list[int]) -> None:
    edges = edges_of(
        ("app.conftest", "app.fixtures", "/src/conftest.py", 3, True),
        ("app.fixtures", "app.rag", "/src/fixtures.py", 17, True),
        ("app.rag", "polars", "/src/rag/__init__.py", 7, True),
        ("app.conftest", "polars", "/src/conftest.py", 9, False),
    )
    assert way_to(module, edges)["line"].to_list() == lines


def test_a_circle_has_an_end() -> None:
    edges = edges_of(("b", "a", "/b.py", 1, True), ("a", "b", "/a.py", 2, True))
    assert way_to("a", edges)["line"].to_list() == [1]


WAY = [
    ("app.tests.conftest", "app.tests.fixtures", "/src/app/tests/conftest.py", 3, True),
    ("app.tests.fixtures", "app.rag", "/src/app/tests/fixtures.py", 17, True),
    ("app.rag", "polars", "/src/app/rag/__init__.py", 7, True),
]


def test_others_that_import_what_the_conftest_leads_to_are_found() -> None:
    edges = edges_of(
        *WAY,
        ("app.skills", "app.rag.search", "/src/app/skills.py", 5, False),
        ("app.skills", "app.rag", "/src/app/skills.py", 5, False),
        ("app.rag.search", "app.rag", "/src/app/rag/search.py", 1, False),
        ("app.skills", "polars", "/src/app/skills.py", 6, False),
    )
    found = other_ways_in(way_to("polars", edges), edges)
    assert found.select("importer", "line").rows() == [("app.skills", 5)]


def test_where_only_the_conftest_leads_to_it_there_is_no_other_way() -> None:
    edges = edges_of(*WAY)
    assert other_ways_in(way_to("polars", edges), edges).is_empty()
    assert other_ways_in(way_to("nowhere", edges), edges).is_empty()
