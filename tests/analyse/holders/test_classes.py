"""Classes that a program makes while it runs, and who refers to them."""

from __future__ import annotations

from pathlib import Path

from diagtools.analyse.holders.classes import n_classes, new_class_holders
from diagtools.analyse.holders.story import growth_findings
from tests.support.objects import looked_at

PROGRAM = """
import app
probing.snapshot()
for n in range(600):
    made = type(f"Row{n}", (), {"text": "x" * 200 + str(n)})
    app.MADE.append(made)
del made
probing.snapshot()
"""


def test_classes_that_are_made_again_and_again_are_said_with_who_keeps_them(tmp_path: Path) -> None:
    before, after = looked_at(tmp_path, PROGRAM, app="MADE = []\n")
    assert n_classes(after) - n_classes(before) == 600
    assert new_class_holders(before, after)[0] == ("app.MADE", 600)
    assert new_class_holders(after, after) == []
    said = " ".join(str(one) for one in growth_findings(before, after))
    assert "600 classes more. Who refers to more of them: app.MADE to 600" in said


def test_a_program_that_makes_none_is_not_said_to(tmp_path: Path) -> None:
    before, after = looked_at(
        tmp_path,
        "import app\nprobing.snapshot()\napp.MADE.append('x' * 10**6)\nprobing.snapshot()",
        app="MADE = []\n",
    )
    assert "classes" not in " ".join(str(one) for one in growth_findings(before, after))
