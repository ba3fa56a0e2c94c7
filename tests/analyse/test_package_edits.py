"""One edit for all imports of a package: applied, everybody finds what they found, and pays for what they ask for."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools.analyse.import_advice import Advice, advise_file
from diagtools.analyse.import_edits import GETATTR, LAZY, LAZY_LOADER
from diagtools.read.import_place import read_import_place
from tests.support.imports import applied, edit_text, said, written

HEAVY_PACKAGES = ["polars", "sqlalchemy", "altair", "networkx", "onnxruntime"]


def whole_of(file: Path, verdict: str = "partly") -> Advice:
    """The advice on all imports of a file, those inside functions too."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    lines = [node.lineno for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return advise_file([read_import_place(file, line) for line in lines], verdict)


def stays(advice: Advice, kind: str) -> dict[int, str]:
    """Line → why it stays where it is."""
    told = [each.reason for each in advice.forbidden if each.kind == kind and each.reason.startswith("line")]
    lines = [re.findall(r"\d+", re.split(r" \(| stay", reason)[0]) for reason in told]
    return {int(line): reason for its, reason in zip(lines, told, strict=True) for line in its}


def edited(file: Path, kind: str) -> str:
    source = file.read_text(encoding="utf-8")
    file.write_text(applied(source, edit_text(whole_of(file), kind)), encoding="utf-8")
    return file.read_text(encoding="utf-8")


@pytest.fixture
def knowledge(tmp_path: Path, repository: Path) -> Path:
    """The ``__init__.py`` of a copy of the eager knowledge base, under another name."""
    shutil.copytree(
        repository / "workloads" / "knowledge" / "eager",
        tmp_path / "kept",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for path in (tmp_path / "kept").rglob("*.py"):
        path.write_text(path.read_text(encoding="utf-8").replace("workloads.knowledge.eager", "kept"))
    return tmp_path / "kept" / "__init__.py"


def told(file: Path, repository: Path, program: str) -> object:
    """What a program that prints JSON says, with the copy and the workloads there to be imported."""
    paths = os.pathsep.join([str(file.parents[1]), str(repository)])
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{program}"],
        cwd=file.parents[1],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LOADED = f"print(json.dumps([name for name in {HEAVY_PACKAGES} if name in sys.modules]))"
ONE_NAME = "from kept.config import KnowledgeConfig\n" + LOADED
SAME = """
import ast, importlib, pathlib, kept
homes = {}
for node in ast.walk(ast.parse(pathlib.Path("original.py").read_text())):
    if isinstance(node, ast.ImportFrom):
        homes |= {alias.name: node.module for alias in node.names}
bad = [n for n in kept.__all__ if getattr(kept, n) is not getattr(importlib.import_module(homes[n]), n)]
modules = [(module.split(".")[1], module) for module in homes.values()]
bad += [module for name, module in modules if getattr(kept, name) is not sys.modules[module]]
print(json.dumps([sorted(homes) == sorted(kept.__all__), bad]))
"""
LISTED = "import kept\nprint(json.dumps([sorted(set(kept.__all__) - set(dir(kept))), 'graph' in dir(kept)]))"
STAR = """
import kept
from kept import *
print(json.dumps([name for name in kept.__all__ if globals()[name] is not getattr(kept, name)]))
"""
ABSENT = "import kept\nprint(json.dumps([hasattr(kept, 'absent'), hasattr(kept, '__path__')]))"


@pytest.mark.parametrize("kind", [GETATTR, LAZY_LOADER])
def test_who_asks_a_package_for_one_name_pays_for_that_alone(
    knowledge: Path, repository: Path, kind: str
) -> None:
    assert told(knowledge, repository, ONE_NAME) == HEAVY_PACKAGES
    shutil.copy(knowledge, knowledge.parents[1] / "original.py")
    edited(knowledge, kind)
    assert told(knowledge, repository, ONE_NAME) == []
    assert told(knowledge, repository, SAME) == [True, []], "the same objects, and the modules as attributes"
    assert told(knowledge, repository, LISTED) == [[], True]
    assert told(knowledge, repository, "import kept\ndir(kept)\n" + LOADED) == []
    assert told(knowledge, repository, STAR) == []
    assert told(knowledge, repository, ABSENT) == [False, True]


def test_the_hook_leaves_one_table_and_every_name_to_type_checkers(knowledge: Path) -> None:
    before = knowledge.read_text(encoding="utf-8")
    after = edited(knowledge, GETATTR)
    statements = [line for line in before.split("\n") if line.startswith("from ")]
    assert [line for line in after.split("\n") if line.startswith("    from ")] == [
        f"    {s}" for s in statements
    ]
    assert (
        after.count("if TYPE_CHECKING:") == after.count("_HOME_OF = {") == after.count("import_module\n") == 1
    )
    assert after.endswith(before[before.index("\n__all__ = [") :]), "what follows is as it was"
    assert not after.split("__dir__")[1].split("__all__")[0].endswith("\n\n\n\n"), "two lines between"


def test_type_checkers_see_the_same_names(knowledge: Path, repository: Path) -> None:
    edited(knowledge, GETATTR)
    (knowledge.parents[1] / "use.py").write_text(
        "import kept\n\nreveal_type(kept.KnowledgeConfig.__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--follow-imports=silent", "use.py"],
        cwd=knowledge.parents[1],
        capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": str(repository)},
    )
    assert 'Revealed type is "str"' in done.stdout.replace("builtins.", ""), done.stdout


def test_the_lazy_word_stands_before_each_line(knowledge: Path) -> None:
    before = knowledge.read_text(encoding="utf-8")
    assert edited(knowledge, LAZY) == before.replace("\nfrom ", "\nlazy from ")


MIXED = """
'''Text.'''

import os
from typing import TYPE_CHECKING
from heavy import go as went

if TYPE_CHECKING:
    from .other import T

from . import part
from .base import Base, helper
from .more import (  # why
    one,
    two as second,
)
from .star import *
from .twin import twin
try:
    from .absent import gone
except ImportError:
    gone = None
import heavy as h


class Own(Base):
    pass


def f(x: one = 1):
    '''Text.'''
    return second(x), os.sep


def g():
    return h.b, went(1)
"""
FILES = {
    "pack/__init__.py": MIXED,
    "pack/part.py": "print('part')\n",
    "pack/base.py": "class Base: pass\ndef helper(): pass\n",
    "pack/more.py": "import pack\nprint('more')\none = int\ndef two(x): return x + 1\n",
    "pack/star.py": "shine = 1\n",
    "pack/twin.py": "def twin(): return 2\n",
    "pack/other.py": "T = int\n",
    "pack/inner/__init__.py": "from pack.inner import bud\n",
    "pack/inner/leaf.py": "",
    "pack/inner/bud.py": "",
}


def test_what_cannot_wait_stays_and_is_told_by_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, FILES)
    advice = whole_of(file)
    told_at = stays(advice, GETATTR)
    words = {
        11: "`Base` is a base class",
        16: "star import",
        17: "also a module",
        19: "`try`",
        22: "whole module",
    }
    assert set(told_at) == set(words)
    assert all(word in told_at[line] for line, word in words.items())
    assert set(stays(advice, LAZY)) == {11, 16, 19}
    assert "cannot rename" in stays(advice, LAZY_LOADER)[12]
    assert (advice.line, advice.statement) == (0, "all 11 imports")


def test_what_can_wait_waits_in_the_middle_of_the_rest(tmp_path: Path) -> None:
    file = written(tmp_path, FILES)
    program = (
        "import pack as p\nprint('imported')\nprint(p.f(1), p.g(), p.second(3), p.one, p.shine, p.twin())\n"
    )
    program += "print(p.part.__name__, p.more.__name__, p.went(1))\n"
    before = said(tmp_path, program)
    after = edited(file, GETATTR)
    assert before[:2] == ["part", "more"]
    assert said(tmp_path, program) == ["imported", "more", before[3], "part", *before[4:]]
    assert "from __future__ import annotations" in after, "an annotation uses a name"
    assert "import os\n" in after
    assert after.count("import TYPE_CHECKING\n") == 1, "none is added where it is there"


@pytest.mark.parametrize("parameter", ["name", "attribute"])
def test_a_hook_that_is_there_is_asked_after_the_table(tmp_path: Path, parameter: str) -> None:
    text = f"""
    from .more import one, two as second

    __all__ = ["one", "second"]


    def __getattr__({parameter}):
        if {parameter} == "old":
            return 1
        raise AttributeError({parameter})
    """
    file = written(tmp_path, {**FILES, "pack/__init__.py": text})
    program = "import pack as p\nprint(p.old, p.second(1), p.one, hasattr(p, 'absent'), p.more.__name__)"
    before = said(tmp_path, program)
    assert "`attach` would replace" in stays(whole_of(file), LAZY_LOADER)[1]
    edited(file, GETATTR)
    assert said(tmp_path, program) == before


def test_a_hook_that_uses_the_names_itself_loads_them_for_its_own_answer_only(tmp_path: Path) -> None:
    """It is asked for much else: what it imports imports back, and asks it too."""
    text = """
    from pack.more import one

    def __getattr__(name):
        if name == "old":
            return one
        raise AttributeError(name)
    """
    more = "import pack\nfrom pack import part\none = part.__name__, hasattr(pack, 'absent')\n"
    file = written(tmp_path, {**FILES, "pack/__init__.py": text, "pack/more.py": more})
    program = "import pack as p\nprint('imported')\nprint(p.old, p.one, hasattr(p, 'absent'))"
    edited(file, GETATTR)
    one = "('pack.part', False)"
    assert said(tmp_path, program) == ["imported", "part", f"{one} {one} False", ""]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "from .more import one\nfrom .star import *\ndef __getattr__(name):\n    raise E\n",
            "line 2 stays and is imported between",
        ),
        ("from .more import one\ndef __getattr__(name):\n    return one[name]\n", "whatever it is asked for"),
        ("from .more import one\ndef f(): return one\n", "stands on one line"),
        ("from .more import one\n__getattr__ = make()\n", "is no plain function"),
        ("from .inner import leaf, bud\n", "`leaf` is a module that only an import statement finds"),
    ],
)
def test_a_file_that_cannot_offer_names_later_says_why(tmp_path: Path, text: str, words: str) -> None:
    advice = whole_of(written(tmp_path, {**FILES, "pack/__init__.py": text}))
    assert any(words in each.reason for each in advice.forbidden if each.kind == GETATTR)
    assert GETATTR not in {edit.kind for edit in advice.edits}


def test_a_module_that_imports_back_finds_the_names(tmp_path: Path) -> None:
    """Those that stay run after the hook is there: it stands where the first of the others stood."""
    files = {
        "pack/__init__.py": "from .more import one\nfrom .base import Base\n\n\nclass Own(Base):\n    pass\n",
        "pack/base.py": "from pack import one\nclass Base: value = one\n",
        "pack/more.py": "one = 1\n",
    }
    file = written(tmp_path, files)
    edited(file, GETATTR)
    assert said(tmp_path, "import pack\nprint(pack.Own.value)")[0] == "1"


def test_a_package_of_modules_needs_no_table(tmp_path: Path) -> None:
    file = written(tmp_path, {**FILES, "pack/__init__.py": "from . import more, part\n"})
    program = "import pack as p\nprint('imported')\nprint(p.part.__name__, p.more.one)\n"
    after = edited(file, GETATTR)
    assert said(tmp_path, program) == ["imported", "part", "more", "pack.part <class 'int'>", ""]
    assert "_HOME_OF" not in after


def test_the_standard_library_is_left_alone_unless_there_is_nothing_else(tmp_path: Path) -> None:
    file = written(
        tmp_path, {"pack/__init__.py": "import json\nfrom .more import one\n", "pack/more.py": "one = 1\n"}
    )
    assert edited(file, LAZY) == "import json\nlazy from .more import one\n"
    file.write_text("from asyncio import run\n")
    assert edited(file, LAZY) == "lazy from asyncio import run\n"


def test_of_a_module_that_is_no_package_only_the_lazy_word_serves_all(tmp_path: Path) -> None:
    file = written(
        tmp_path, {"program.py": "import heavy\nfrom heavy import b\n\n\ndef f():\n    return heavy, b\n"}
    )
    advice = whole_of(file)
    assert [edit.kind for edit in advice.edits] == [LAZY]
    assert all("no package" in reason for reason in stays(advice, GETATTR).values())


@pytest.mark.parametrize("package", ["pandas", "sympy", "jsonschema", "sqlalchemy", "IPython", "networkx"])
def test_real_packages_get_edits_that_apply(package: str) -> None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed")
    file = Path(spec.origin)
    source = file.read_text(encoding="utf-8")
    advice = whole_of(file)
    for edit in advice.edits:
        after = applied(source, edit.text)
        if edit.kind != LAZY:
            compile(after, str(file), "exec", dont_inherit=True)


@pytest.mark.parametrize("kind", [GETATTR, LAZY_LOADER])
def test_a_real_package_offers_the_same_with_its_edit(tmp_path: Path, kind: str) -> None:
    found = importlib.util.find_spec("jinja2")
    if found is None or found.origin is None:
        pytest.skip("jinja2 is not installed")
    shutil.copytree(
        Path(found.origin).parent, tmp_path / "jinja2", ignore=shutil.ignore_patterns("__pycache__")
    )
    names = "[n for n in NAMES if getattr(getattr(jinja2, n), '__name__', '') != n]"
    program = "import sys, jinja2\nprint('jinja2.compiler' in sys.modules)\n"
    program += (
        "NAMES = [n for n in dir(jinja2) if n[0].isupper() and n[1].islower()]\nprint(len(NAMES), "
        + names
        + ")"
    )
    before = said(tmp_path, program)
    edited(tmp_path / "jinja2" / "__init__.py", kind)
    assert before[0] == "True"
    assert said(tmp_path, program) == ["False", *before[1:]]
