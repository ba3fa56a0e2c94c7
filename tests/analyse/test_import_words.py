"""Statements as they are written into a file: short lines, whole words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from diagtools.analyse.import_words import (
    filled,
    free_name,
    global_lines,
    in_short,
    names_of,
    wrapped,
    written,
)
from tests.support.imports import place_of

NAMES = [f"name_{n}" for n in range(30)]


@pytest.mark.parametrize("statement", ["from ..pack.heavy import a, b as c", "import heavy.part as p"])
def test_a_statement_is_written_as_it_was(tmp_path: Path, statement: str) -> None:
    place = place_of(tmp_path, statement)
    assert written(place, place.bound) == [in_short(place)] == [statement]
    assert written(place, place.bound[:1]) == [statement.removesuffix(", b as c")]


def test_a_long_one_is_wrapped_between_names(tmp_path: Path) -> None:
    place = place_of(tmp_path, f"from heavy import {', '.join(NAMES)}\n")
    lines = written(place, place.bound)
    assert max(map(len, lines)) <= 88
    assert ast.unparse(ast.parse("\n".join(lines))) == in_short(place)


def test_words_fill_lines_and_none_is_cut() -> None:
    words = ['"a name": "a home"', "x" * 200, "y"]
    assert filled(words) == [f"{words[0]},", f"{words[1]},", "y,"]
    assert wrapped("[", ["a", "b"], "]") == ["[a, b]"]
    assert wrapped("    [", NAMES, "]")[0::99] + wrapped("    [", NAMES, "]")[-1:] == ["    [", "    ]"]
    assert [name.strip() for line in global_lines(NAMES) for name in line[7:].split(",")] == NAMES


def test_a_name_that_the_file_has_is_not_taken(tmp_path: Path) -> None:
    place = place_of(tmp_path, "import heavy\n_LAZY = _LAZY_NAMES = 1\n")
    assert free_name(place, "_LAZY") == "_LAZY_NAMES_"
    assert free_name(place, "_TABLE") == "_TABLE"
    assert names_of(place_of(tmp_path, "from heavy import a, b, c, d\n").bound) == "a, b, c and 1 more"
