"""The script that runs a cell: what is passed to it, and which text is Python."""

from __future__ import annotations

import enum
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import UsageError
from diagtools.notebook.cell_source import command, plain_python, script


class Colour(enum.IntEnum):
    RED = 1


class Name(str):
    """Looks like a str, and is more."""

    __slots__ = ()


def given_to_the_cell(value: object) -> object:
    """What the cell finds: the script is executed as it is in the process, but for the cell's own hooks."""
    names: dict[str, object] = {}
    text = script("run", "", {"value": value})
    call = text.splitlines()[-1].replace('_own["start"]', "take")
    exec(call, {"take": lambda _globals, _label, _text, given: names.update(given)})
    return names["value"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_values_that_json_knows_arrive_as_they_are(value: object) -> None:
    assert repr(given_to_the_cell(value)) == repr(value)


def test_numbers_that_have_no_literal() -> None:
    assert (
        repr(given_to_the_cell([float("nan"), float("inf"), -float("inf"), -0.0])) == "[nan, inf, -inf, -0.0]"
    )


@pytest.mark.parametrize("path", [Path("data") / "x y", PurePosixPath("/d/ü")])
def test_a_path_arrives_as_its_text(path: PurePosixPath) -> None:
    assert given_to_the_cell({"at": path}) == {"at": str(path)}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "a value of type object"),
        ((1, 2), "a value of type tuple"),
        ({1, 2}, "a value of type set"),
        (b"x", "a value of type bytes"),
        ([1, [Colour.RED]], f"a value of type {__name__}.Colour"),
        (Name("x"), f"a value of type {__name__}.Name"),
        ({1: 2}, "a dict with the key 1 (int)"),
        (len, "a value of type builtin_function_or_method"),
    ],
)
def test_other_values_are_refused_by_name_and_type(value: object, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        script("run", "", {"table": value})
    assert raised.value.message == f"-p table: {said} cannot be passed to another process."


def test_a_list_that_contains_itself() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(UsageError, match="-p endless: it contains itself"):
        script("run", "", {"endless": endless})


# --- text --------------------------------------------------------------------------------------------


def never(text: str) -> str:
    raise AssertionError(text)


@pytest.mark.parametrize(
    "cell",
    [
        "x = 1",
        "",
        's = """\n!ls\n    %time\n"""\n',
        "await x",
        "async with a as b:\n    pass",
        "[i async for i in x]",
        "x %timeit",
        "'\\d'",
        "# -*- coding: latin-1 -*-\nx = 'ü'",
    ],
)
def test_python_is_not_touched(cell: str) -> None:
    assert plain_python(cell, never) == cell


def test_what_is_no_python_either_way_is_left_to_the_interpreter() -> None:
    assert plain_python("def f(:", str.upper) == "def f(:"


def test_prompts_and_an_indent_of_the_whole_are_taken_off() -> None:
    assert plain_python("  x = 1", str.lstrip) == "x = 1"


@pytest.mark.parametrize("name", ["run", "größe"])
def test_the_script_runs_the_text_to_the_letter(name: str, tmp_path: Path) -> None:
    text = 'value = """\n\tüß\\n\r    %ls {x} \'\'\'\n"""\nassert ascii(value) == expected, ascii(value)\n'
    names: dict[str, str] = {}
    exec(compile(text.partition("assert")[0], "x", "exec"), names)
    path = tmp_path / "cell.py"
    path.write_text(script(name, text, {"expected": ascii(names["value"])}), encoding="utf-8")
    done = subprocess.run(command(sys.executable, path), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
