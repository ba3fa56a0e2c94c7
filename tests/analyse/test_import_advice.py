"""What is advised for each verdict, and for statements of real packages."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from diagtools.analyse.import_advice import advise_file
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
