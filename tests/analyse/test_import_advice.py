"""What is advised for each verdict, and for statements of real packages."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from diagtools.analyse.import_advice import advise, advise_file
from diagtools.analyse.import_edits import GETATTR, LAZY, LAZY_LOADER, LOCAL, REMOVE
from diagtools.read.import_place import read_import_place
from tests.support.imports import (
    Used,
    advice_of,
    applied,
    edit_text,
    reasons,
    said,
    written,
)


def test_forced_says_which_lines_must_change_and_offers_no_edit(tmp_path: Path) -> None:
    text = "import heavy\n\n\nclass B:\n    def f(self):\n        return heavy.b\n\n\nB().f()\n"
    file = written(tmp_path, {"program.py": text})
    advice = advice_of(file, "forced", Used("heavy", str(file), 6, "f"), Used("heavy", "/x/other.py", 9))
    assert advice.edits == ()
    assert advice.first == (
        "Line 6 uses heavy at import (function): this function is called at import: call it later.",
        "/x/other.py:9 uses heavy at import: move that into a function called later.",
    )
    partly = advice_of(file, "partly", Used("heavy", str(file), 6, "f"))
    assert partly.first == advice.first[:1]
    assert partly.edits


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("class B(heavy.A): pass", "move the class"),
        ("x = heavy.b", "function that is called"),
        ("x = heavy.__version__", "importlib.metadata.version"),
        ("@heavy.w\ndef f(): 0", "decorat"),
    ],
)
def test_what_forced_is_told_by_its_kind(tmp_path: Path, use: str, words: str) -> None:
    file = written(tmp_path, {"program.py": f"import heavy\n{use}\n"})
    (first,) = advice_of(file, "forced", Used("heavy", str(file), 2)).first
    assert words in first


def test_forced_by_nobody_and_broken_say_so(tmp_path: Path) -> None:
    file = written(tmp_path, {"program.py": "import heavy\ndef f():\n    return heavy\n"})
    for verdict, words in (("forced", "by another import"), ("breaks", "ended differently")):
        advice = advice_of(file, verdict)
        assert advice.edits == ()
        assert words in advice.first[0]


def test_of_statements_together_each_is_told_by_its_own_uses(tmp_path: Path) -> None:
    text = "import heavy\nfrom heavy import b, A\n\n\nclass B(A):\n    x = b\n"
    file = written(tmp_path, {"program.py": text})
    places = [read_import_place(file, line) for line in (2, 1, 1)]
    used = Used("A", str(file), 5, cut_file=str(file), cut_line=2)
    forced = advise_file(places, "forced", [used])
    assert (forced.line, forced.statement, forced.edits) == (0, "all 2 imports", ())
    assert forced.first[0].startswith("Line 5 uses A at import (base class)")
    partly = advise_file(places, "partly", [used])
    assert (partly.first, [edit.kind for edit in partly.edits]) == (forced.first, [LAZY])
    assert "these imports waited" in advise_file(places, "breaks").first[0]
    assert advise_file(places, "breaks").edits == ()


@pytest.mark.parametrize("verdict", ["forced", "partly"])
def test_what_a_command_does_with_the_module_is_its_work(tmp_path: Path, verdict: str) -> None:
    """Nobody can tell a function that import calls from one that the program calls: the command is why it ran."""
    text = "import heavy\n\n\ndef f():\n    return heavy.b\n\n\nif __name__ == '__main__':\n    heavy.go(1)\n"
    file = written(tmp_path, {"program.py": text})
    place = read_import_place(file, 1)
    used = [
        Used("heavy", str(file), 5, "f"),
        Used("heavy", "/x/other.py", 9, "g"),
        Used("heavy", str(file), 9),
    ]
    said = advise(place, verdict, used, is_command=True).first
    assert said[0].startswith(
        "Line 5 in f uses heavy: the program needs it for its work there, so nothing to mend"
    )
    assert said[1].startswith("/x/other.py:9 in g uses heavy: the program needs it for its work there")
    assert said[2].startswith("Line 9 uses heavy: the program needs it")
    assert "call it later" in advise(place, verdict, used).first[0]
    assert "g uses heavy at import: run that later" in advise(place, verdict, used).first[1]
    assert advise_file([place], verdict, used, is_command=True).first == said


def test_what_a_command_does_while_it_imports_is_mended_as_ever(tmp_path: Path) -> None:
    text = (
        "import heavy\n\n\nclass B(heavy.A):\n    x = heavy.b\n    v = heavy.__version__\n\n\ny = heavy.b\n"
    )
    file = written(tmp_path, {"program.py": text})
    used = [Used("heavy", str(file), 4), Used("heavy", str(file), 5, "B"), Used("heavy", str(file), 9)]
    place = read_import_place(file, 1)
    said = advise(place, "forced", used, is_command=True).first
    assert said == advise(place, "forced", used).first
    assert [one.partition(":")[0] for one in said] == [
        "Line 4 uses heavy at import (base class)",
        "Line 5 uses heavy at import (class body)",
        "Line 9 uses heavy at import (module level)",
    ]
    version = advise(place, "forced", [Used("heavy", str(file), 6, "B")], is_command=True)
    assert "importlib.metadata.version" in version.first[0]
    (script,) = advise(
        place, "forced", [Used("heavy", str(file), 9, module="__main__")], is_command=True
    ).first
    assert script.startswith("Line 9 uses heavy: the program needs it for its work there")


@pytest.mark.parametrize("is_command", [False, True])
@pytest.mark.parametrize("file", ["<string>", "<stdin>", "<frozen importlib._bootstrap>"])
def test_code_without_a_file_is_no_place_to_edit(tmp_path: Path, file: str, is_command: bool) -> None:
    place = read_import_place(written(tmp_path, {"program.py": "import heavy\n"}), 1)
    (said,) = advise(place, "forced", [Used("heavy", file, 1)], is_command=is_command).first
    assert said.startswith(f"{file}:1 uses heavy")
    assert "nothing to edit there" in said
    assert "move that" not in said


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("/usr/lib/python3.11/inspect.py", "part of Python, so nothing to edit there"),
        ("/v/lib/python3.11/site-packages/other.py", "an installed package: an edit to offer its authors"),
    ],
)
def test_of_a_file_of_somebody_else_it_is_said_whose_it_is(tmp_path: Path, file: str, words: str) -> None:
    place = read_import_place(written(tmp_path, {"program.py": "import heavy\n"}), 1)
    assert words in advise(place, "forced", [Used("heavy", file, 9, "f")]).first[0]


def test_what_was_not_tested_gets_its_edits_and_no_claim(tmp_path: Path) -> None:
    file = written(tmp_path, {"program.py": "import heavy\n\n\ndef f():\n    return heavy\n"})
    advice = advice_of(file, "not tested")
    assert advice.first == ()
    assert [edit.kind for edit in advice.edits] == [LOCAL, LAZY]
    together = advise_file([read_import_place(file, 1)], "not tested")
    assert (together.first, [edit.kind for edit in together.edits]) == ((), [LAZY])


REAL = [
    ("jsonschema/_format.py", "from rfc3987_syntax import", {LOCAL}, {LAZY}),
    ("sklearn/utils/fixes.py", "import pandas as pd", {REMOVE, GETATTR}, {LAZY}),
    ("sklearn/utils/fixes.py", "import scipy.stats", {LOCAL, LAZY}, set()),
    ("sympy/__init__.py", "from .geometry import", {GETATTR, LAZY_LOADER, LAZY}, {LOCAL}),
    ("pandas/__init__.py", "from pandas.io.api import", {GETATTR, LAZY_LOADER, LAZY}, {LOCAL}),
    ("IPython/__init__.py", "from .core.interactiveshell import", {GETATTR, LAZY}, {LAZY_LOADER}),
    ("workloads.knowledge.eager/__init__.py", "eager.links import", {GETATTR, LAZY_LOADER, LAZY}, {LOCAL}),
    ("workloads.knowledge.eager/analyzer.py", "import polars as pl", {LOCAL}, {LAZY}),
]


@pytest.mark.parametrize(("name", "statement", "offered", "closed"), REAL)
def test_real_statements_get_edits_that_apply(
    name: str, statement: str, offered: set[str], closed: set[str]
) -> None:
    package, _, inside = name.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed")
    file = Path(spec.origin).parent / inside
    source = file.read_text(encoding="utf-8")
    lines = [n for n, text in enumerate(source.split("\n"), start=1) if statement in text]
    if not lines:
        pytest.skip(f"another release of {package}")
    advice = advice_of(file, line=lines[0])
    assert {edit.kind for edit in advice.edits} == offered
    assert closed <= set(reasons(advice))
    for edit in advice.edits:
        edited = applied(source, edit.text)
        if edit.kind != LAZY:
            compile(edited, str(file), "exec", dont_inherit=True)


def test_a_real_package_does_the_same_with_its_edit(tmp_path: Path) -> None:
    """A quarter of what altair costs: jsonschema imports a grammar for a format that hardly anybody checks."""
    found = importlib.util.find_spec("jsonschema")
    if found is None or found.origin is None or importlib.util.find_spec("rfc3987_syntax") is None:
        pytest.skip("jsonschema or rfc3987_syntax is not installed")
    shutil.copytree(
        Path(found.origin).parent, tmp_path / "jsonschema", ignore=shutil.ignore_patterns("tests")
    )
    file = tmp_path / "jsonschema" / "_format.py"
    source = file.read_text(encoding="utf-8")
    line = next(
        (n for n, text in enumerate(source.split("\n"), 1) if "from rfc3987_syntax import" in text), 0
    )
    if not line:
        pytest.skip("another release of jsonschema")
    checks = "[p.FormatChecker().conforms(text, 'iri') for text in ('http://ex\u00e4mple.org/', 'no iri')]"
    program = f"import sys, jsonschema as p\nprint('rfc3987_syntax' in sys.modules)\nprint({checks})"
    before = said(tmp_path, program)
    file.write_text(applied(source, edit_text(advice_of(file, line=line), LOCAL)), encoding="utf-8")
    assert before[:2] == ["True", "[True, False]"]
    assert said(tmp_path, program) == ["False", *before[1:]]
