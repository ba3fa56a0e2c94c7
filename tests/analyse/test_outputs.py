"""Does a program print the same as before, but for what differs from run to run anyway?"""

import pytest

from diagtools.analyse.outputs import difference, is_repeatable


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("7 passed in 1.93s", "7 passed in 0.2s"),
        ("===== 7 passed in 9.93s =====", "==== 7 passed in 10.03s ====="),
        ("<object at 0x7f12ab>", "<object at 0x7e00cd>"),
        ("2026-11-21 19:03:26,123 ready", "2027-01-02 01:33:06,999 ready"),
        ("done   ", "done"),
    ],
)
def test_durations_addresses_times_and_filling_are_not_compared(before, after):
    assert difference([[before]], [after]) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("7 passed in 1.93s", "6 passed in 1.93s"),
        ("7 passed in 1.93s", "7 passed"),
        ("total: 12", "total: 13"),
        ("ready", ""),
        ("", "DeprecationWarning: old"),
    ],
)
def test_anything_else_is(before, after):
    found = difference([[before]], [after])
    assert (found.line, found.before, found.after) == (1, before, after)
    assert repr(after) in str(found)


def test_a_word_that_is_another_in_each_run_is_not_compared():
    runs = [["pid 12 found 3 files"], ["pid 15 found 3 files"]]
    assert difference(runs, ["pid 99 found 3 files"]) is None
    assert difference(runs, ["pid 12 found 4 files"]).line == 1


def test_a_line_that_is_another_in_each_run_is_not_compared():
    assert difference([["a"], ["a b c"]], ["x y"]) is None


@pytest.mark.parametrize(("other", "line"), [(["a"], 2), (["a", "b", "c"], 3), ([], 1)])
def test_a_line_more_or_less_is_a_difference(other, line):
    assert difference([["a", "b"]], other).line == line


def test_runs_of_as_many_lines_can_be_compared():
    assert is_repeatable([["a", "b"], ["a", "c"]])
    assert not is_repeatable([["a"], ["a", "b"]])


def test_a_long_line_is_cut_in_what_is_said():
    assert len(difference([["x" * 9000]], ["y" * 9000]).after) < 200
