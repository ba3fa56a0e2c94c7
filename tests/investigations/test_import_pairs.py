"""Two programs, run in turn."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.investigations.import_pairs import import_pairs
from diagtools.values import Target

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")

MIB = 2**20


def test_statements_take_what_they_import() -> None:
    found = import_pairs(["import json"], ["kept = bytearray(10 << 20)"], pairs=2)
    assert found.after.median_bytes == pytest.approx(10 * MIB, abs=0.3 * MIB)
    assert 0 < found.before.median_bytes < 3 * MIB
    assert found.same_output is True


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("print('a')", "print('a')", True),
        ("print('a')", "print('b')", False),
        ("print('a')", "exit(3)", False),
    ],
)
def test_commands_are_compared_by_what_they_print_and_how_they_end(
    before: str, after: str, same: bool, tmp_path: Path
) -> None:
    targets = []
    for name, code in (("before", before), ("after", after)):
        (tmp_path / f"{name}.py").write_text(f"import json\n{code}\n")
        targets.append(Target(argv=(sys.executable, str(tmp_path / f"{name}.py"))))
    assert import_pairs(*targets, pairs=2).same_output is same


def test_what_was_too_long_to_keep_is_not_compared(tmp_path: Path) -> None:
    """Only the end of it is there."""
    (tmp_path / "loud.py").write_text("import json\nprint('x' * (3 << 20))\n")
    loud = Target(argv=(sys.executable, str(tmp_path / "loud.py")))
    assert import_pairs(loud, loud, pairs=1).same_output is None
