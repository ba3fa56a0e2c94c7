"""What a terminal shows of the advice: short, in 100 columns, what is to be pasted uncut, nothing hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.analyse.import_advice import Advice, advise
from diagtools.analyse.import_edits import Edit, Refusal
from diagtools.present.import_advice import advice_text
from diagtools.read.import_place import read_import_place


def advice(**changed: object) -> Advice:
    given: dict[str, object] = {
        "file": "/site-packages/pack/fixes.py",
        "line": 3,
        "statement": "import heavy",
        "verdict": "saves",
        "first": (),
        "edits": (),
        "forbidden": (),
    }
    return Advice(**{**given, **changed})  # type: ignore[arg-type]


def edit(text: str, why: str = "Why.") -> Edit:
    return Edit(kind="lazy import", python="3.15", text=text, why=why)


def test_a_whole_advice_reads_from_the_place_to_what_is_closed() -> None:
    shown = advice_text(
        advice(
            edits=(edit("@@ -3,1 +3,1 @@\n-import heavy\n+lazy import heavy\n "),),
            forbidden=(Refusal(kind="function-local import", reason="line 4 deletes `heavy`."),),
        )
    )
    assert shown.split("\n") == [
        "pack/fixes.py:3  saves",
        "  import heavy",
        "  Installed package: a change to offer its authors; until then see --without.",
        "",
        "1. lazy import (Python 3.15 and later)",
        "   Why.",
        "@@ -3,1 +3,1 @@",
        "-import heavy",
        "+lazy import heavy",
        "",
        "",
        "Not here:",
        "  • function-local import: line 4 deletes `heavy`.",
    ]


def test_the_statements_of_a_file_together_have_no_line(tmp_path: Path) -> None:
    shown = advice_text(advice(file="/src/pack/__init__.py", line=0, statement="all 13 imports"))
    assert shown.split("\n") == [
        "/src/pack/__init__.py  saves",
        "  all 13 imports",
        "",
        "Together they save, but no edit can be given here.",
    ]


@pytest.mark.parametrize("folder", ["/opt/lib/python3/dist-packages", "/v/lib/python3.11/site-packages"])
def test_of_an_installed_package_it_is_said_whose_edit_it_is(folder: str) -> None:
    assert "to offer its authors" in advice_text(advice(file=f"{folder}/pack/fixes.py"))
    assert "to offer its authors" not in advice_text(advice(file=f"{folder}x/pack/fixes.py"))


def test_ways_that_are_closed_for_one_reason_share_a_line() -> None:
    refused = tuple(Refusal(kind=kind, reason=why) for kind, why in (("a", "x."), ("b", "y."), ("c", "x.")))
    assert advice_text(advice(forbidden=refused)).endswith("given here:\n  • a, c: x.\n  • b: y.")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("saves", "It saves, but no edit can be given here:"),
        ("partly", "It saves a part, but no edit can be given here:"),
        ("not tested", "No edit can be given here:"),
        ("not allowed", "No edit can be given here:"),
        ("forced", "No edit of this statement alone saves anything in this run."),
        ("breaks", "No edit of this statement alone keeps the program as it is."),
    ],
)
def test_without_an_edit_it_is_said_what_that_means(verdict: str, words: str) -> None:
    shown = advice_text(
        advice(verdict=verdict, forbidden=(Refusal(kind="lazy import", reason="in a `try`."),))
    )
    assert f"\n\n{words}\n" in shown
    assert shown.endswith("\n  • lazy import: in a `try`.")
    assert ("alone saves" in shown) == (verdict == "forced")


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import heavy\n    H, n = 1, 2\nexcept ImportError:\n    H = heavy = None\nx = [H]\n",
        "if True: import heavy\n",
    ],
)
def test_a_statement_that_saves_is_never_said_to_save_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "m.py"
    file.write_text(text)
    line = next(n for n, words in enumerate(text.split("\n"), start=1) if "import heavy" in words)
    shown = advice_text(advise(read_import_place(file, line), "saves"))
    assert "It saves, but no edit can be given here:\n  • " in shown
    assert "saves anything" not in shown


@pytest.mark.parametrize(
    ("verdict", "n"), [("not tested", 1), ("not allowed", 1), ("saves", 0), ("forced", 0)]
)
def test_what_was_not_measured_has_a_caveat_of_one_line(verdict: str, n: int) -> None:
    shown = advice_text(advice(verdict=verdict, edits=(edit("@@ -1,1 +1,1 @@\n+x"),))).split("\n")
    assert shown.count("  Not measured: whether an edit saves anything here is not known.") == n
    assert "1. lazy import (Python 3.15 and later)" in shown


@pytest.mark.parametrize("file", ["/usr/lib/python3.11/json/__init__.py", "<frozen os>"])
def test_of_a_part_of_python_no_edit_is_shown(file: str) -> None:
    shown = advice_text(advice(file=file, edits=(edit("@@ -1,1 +1,1 @@\n-import a\n+lazy import a"),)))
    assert "  Part of Python: leave it, or avoid who imports it." in shown
    assert "to offer its authors" not in shown
    assert "+lazy import a" not in shown
    assert shown.endswith("\n\nFor Python's own developers: lazy import.")
    assert "Part of Python" not in advice_text(advice())


def test_what_holds_it_stands_first() -> None:
    shown = advice_text(advice(verdict="forced", first=("Line 9 uses heavy at import.",)))
    assert "What holds it:\n  • Line 9 uses heavy at import.\n\nNo edit of this statement alone" in shown


def test_prose_and_old_lines_fit_and_new_lines_are_never_cut() -> None:
    new = "+" + "n" * 150
    text = "@@ -1,2 +1,2 @@\n-" + "o" * 150 + "\n " + "c" * 150 + "\n" + new
    shown = advice_text(
        advice(statement="from x import " + ", ".join(["name"] * 90), edits=(edit(text, "why " * 60),))
    ).split("\n")
    assert new in shown
    assert max(len(line) for line in shown if line != new) <= 100
    assert sum(line.startswith("  ") and "name" in line for line in shown) == 2


def test_of_many_lines_that_go_the_middle_is_left_out() -> None:
    text = "@@ -1,9 +1,1 @@\n" + "\n".join(f"-old {n}" for n in range(9)) + "\n+new"
    shown = advice_text(advice(edits=(edit(text),)))
    assert "-old 0\n-old 1\n-… 6 more lines\n-old 8\n+new" in shown


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\u202e", "\x00", "\udcff", "\x85"])
def test_nothing_hostile_reaches_the_terminal(hostile: str) -> None:
    shown = advice_text(
        advice(
            file=f"/x/{hostile}.py",
            statement=f"import {hostile}",
            verdict="forced",
            first=(f"{hostile}.py:1",),
            edits=(edit(f"@@ -1,1 +1,1 @@\n-{hostile}\n+\tx = '{hostile}'", hostile),),
            forbidden=(Refusal(kind="lazy import", reason=hostile),),
        )
    )
    assert hostile not in shown
    assert "+\tx = " in shown, "a tab is pasted as a tab"


def test_a_secret_and_a_home_are_redacted() -> None:
    home = str(Path.home())
    shown = advice_text(
        advice(file=f"{home}/p.py", edits=(edit("@@ -1,1 +1,1 @@\n x\n-password = 'hunter2'"),))
    )
    assert "hunter2" not in shown
    assert home not in shown


def test_what_is_shown_can_be_pasted(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    file.write_text("import heavy\n\n\ndef f():\n    return heavy.b\n")
    shown = advice_text(advise(read_import_place(file, 1), "saves"))
    assert "\n+    import heavy\n+\n     return heavy.b\n" in shown
    assert "\n+lazy import heavy\n" in shown
