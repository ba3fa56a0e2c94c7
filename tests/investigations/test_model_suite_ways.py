"""What do the words of a notebook's reader mean: which ways, which suite?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.investigations.model_suite_ways import OWN_WAYS, Way, read_ways, suite_command, target_of


def test_a_way_sets_variables_and_adds_words() -> None:
    assert read_ways("as it is:; fast: CACHE=1 NAME='a b' --diag-models=mock -k 'x or y'; ") == (
        Way(name="as it is"),
        Way(
            name="fast",
            words=("--diag-models=mock", "-k", "x or y"),
            env={"CACHE": "1", "NAME": "a b"},
        ),
    )


def test_an_equals_sign_behind_the_first_word_sets_nothing() -> None:
    (_, way) = read_ways("a: ; b: -m x A=1")
    assert (way.words, way.env) == (("-m", "x", "A=1"), {})


def test_a_way_is_said_as_one_would_type_it() -> None:
    (first, way) = read_ways("a: ; b: NAME='a b' -k 'x or y'")
    assert (first.change, way.change) == ("nothing added", "NAME='a b' -k 'x or y'")


def test_the_ways_of_the_suite_under_study_are_four() -> None:
    assert [way.name for way in read_ways(OWN_WAYS)] == ["per test", "cached", "on demand", "mocked"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names 0 way"),
        ("a: X=1", "names 1 way"),
        ("a: ; a: X=1", "Two ways have the same name"),
        ("a: ; X=1", "'X=1' has no name"),
        ("a: ; : X=1", "has no name"),
        ("a: ; b: 'x", "no command line: No closing quotation"),
    ],
)
def test_what_names_no_ways_is_an_error(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        read_ways(text)
    assert raised.value.hint


def test_a_folder_is_run_by_pytest_here_and_measured(tmp_path: Path) -> None:
    command = suite_command(str(tmp_path))
    assert command == (sys.executable, "-m", "pytest", "--diag", "-q", str(tmp_path))
    target = target_of(command, Way(name="fast", words=("-x",), env={"CACHE": "1"}))
    assert (target.argv, target.env) == ((*command, "-x"), {"CACHE": "1"})


def test_a_command_is_taken_as_it_stands() -> None:
    assert suite_command("sh -c 'pytest --diag'") == ("sh", "-c", "pytest --diag")


@pytest.mark.parametrize("suite", ["no/such/folder", "no-such-program tests", "   "])
def test_a_suite_that_is_not_there_is_an_error(suite: str) -> None:
    with pytest.raises(UsageError, match="There is no suite"):
        suite_command(suite)
