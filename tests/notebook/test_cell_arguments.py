"""The line of ``%%record``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.notebook.cell_arguments import parse
from diagtools.values import Limit, Tool


def test_a_name_alone() -> None:
    chosen = parse("run")
    assert (chosen.name, chosen.python, chosen.hz) == ("run", sys.executable, 100.0)
    assert (chosen.limit, chosen.folder, chosen.tracking) == (None, None, None)
    assert chosen.passed == ()
    assert not chosen.is_quiet


def test_everything_at_once() -> None:
    chosen = parse(
        "big --limit '1.5 GiB' --hz 500 --python py -p a -p b -p a -o 'my runs/1' --quiet --memray --native"
    )
    assert chosen.limit == Limit(memory_bytes=3 * 2**29)
    assert (chosen.name, chosen.hz, chosen.python, chosen.passed) == ("big", 500.0, "py", ("a", "b"))
    assert chosen.folder == Path("my runs/1")
    assert chosen.is_quiet
    assert chosen.tracking is not None
    assert (chosen.tracking.tool, chosen.tracking.native) == (Tool.MEMRAY, True)


@pytest.mark.parametrize(
    ("options", "tool", "native"),
    [("--memray", "memray", False), ("--native", "memray", True), ("--tracemalloc", "tracemalloc", False)],
)
def test_trackers(options: str, tool: str, native: bool) -> None:
    tracking = parse(f"run {options}").tracking
    assert tracking is not None
    assert (tracking.tool, tracking.native) == (tool, native)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "required: NAME"),
        ("a b", "unrecognized arguments: b"),
        ("run --nope", "unrecognized arguments: --nope"),
        ("run --mem", "unrecognized arguments: --mem"),
        ("run --hz many", "invalid float value"),
        ("run --echo --quiet", "not allowed with"),
        ("run --memray --tracemalloc", "not allowed with"),
        ("run --tracemalloc --native", "tracemalloc has no native frames"),
        ("run --limit 400", "has no unit"),
        ("run -o 'x", "No closing quotation"),
        ("1run", "'1run' is no name for a variable"),
        ("class", "'class' is no name for a variable"),
        ("run.x", "'run.x' is no name for a variable"),
    ],
)
def test_lines_that_make_no_sense(line: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(line)
    assert said in raised.value.message
    assert raised.value.hint
