"""One change to a command at a time, and what cannot be changed is an error before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.investigations import changes
from diagtools.investigations.changes import Change
from diagtools.investigations.stock import ALL, STOCK, stock
from diagtools.values import Changes, Patch, Target

TARGET = Target(argv=(sys.executable, "app.py"), env={"A": "1"})


def test_variables_and_arguments_are_added() -> None:
    assert changes.env("B=2", "A=").apply(TARGET).env == {"A": "", "B": "2"}
    assert changes.arguments("--batch '3 2'").apply(TARGET).argv == (*TARGET.argv, "--batch", "3 2")
    assert changes.instead("other -x").apply(TARGET).argv == ("other", "-x")


def test_what_is_secret_stands_in_no_name() -> None:
    assert "hunter2secret" not in changes.env("API_TOKEN=hunter2secret").name
    assert changes.env("API_TOKEN=hunter2secret").apply(TARGET).env["API_TOKEN"] == "hunter2secret"


def test_packages_lazy_imports_and_patches_add_up() -> None:
    both = changes.together(
        [
            changes.without("numpy"),
            changes.lazily("app.py:3"),
            changes.patch("import gc", name="a"),
            changes.patch("x = 1", name="b", when="json"),
        ]
    )
    assert both.apply(TARGET).changes == Changes(
        without=("numpy",),
        lazy=(f"{Path.cwd()}/app.py:3",),
        patches=(Patch(name="a", code="import gc"), Patch(name="b", code="x = 1", when="json")),
    )


def test_a_patch_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "fix.py").write_text("replace('a:b', 1)\n")
    found = changes.patch_file(f"package.module={tmp_path}/fix.py").apply(TARGET).changes
    assert found is not None
    assert found.patches == (
        Patch(name="package.module=fix.py", code="replace('a:b', 1)\n", when="package.module"),
    )


def test_another_interpreter_runs_scripts_too(tmp_path: Path) -> None:
    assert changes.interpreter("/other/python").apply(TARGET).argv == ("/other/python", "app.py")
    script = tmp_path / "tool"
    script.write_text(f"#!{sys.executable}\n")
    script.chmod(0o755)
    found = changes.interpreter("/other/python").apply(Target(argv=(str(script), "-v")))
    assert found.argv == ("/other/python", str(script), "-v")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: changes.env("NAME"), "no environment variable"),
        (lambda: changes.env("=1"), "no environment variable"),
        (lambda: changes.arguments(" "), "no arguments"),
        (lambda: changes.without("scikit-learn"), "is no package"),
        (lambda: changes.without("json"), "part of Python"),
        (lambda: changes.patch("def", name="x"), "is no Python"),
        (lambda: changes.patch("'nothing'\npass", name="x"), "does nothing"),
        (lambda: changes.versions("rich"), "names no version"),
        (lambda: changes.patch("a\0b", name="x"), "is no Python"),
        (lambda: changes.patch("y = 1", name="x", when="no module"), "is no module"),
        (lambda: changes.patch_file("no-such-file.py"), "cannot be read: No such file"),
        (lambda: changes.together([changes.env("A=1")]), "no combination"),
        (lambda: changes.interpreter("python3").apply(Target(argv=("ls",))), "not run by a Python"),
        (lambda: changes.python_of(Target(argv=("ls",))), "does not say which Python"),
        (lambda: stock("magic"), "no stock theory"),
    ],
)
def test_what_makes_no_sense_is_an_error(change: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        change()  # type: ignore[operator]


def test_a_patch_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "fix.py").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        changes.patch_file(str(tmp_path / "fix.py"))


@pytest.mark.parametrize("kind", [*STOCK, ALL])
def test_each_stock_theory_says_what_it_would_mean(kind: str) -> None:
    found = stock(kind)
    assert found
    assert len({change.name for change in found}) == len(found)
    for change in found:
        assert change.meaning, change.name
        assert change.apply(TARGET) != TARGET


def test_all_of_them_are_those_of_each_kind() -> None:
    assert [change.name for change in stock(ALL)] == [change.name for kind in STOCK for change in stock(kind)]


def test_a_change_is_a_variant() -> None:
    variant = changes.env("B=2", meaning="b matters").variant(TARGET)
    assert (variant.name, variant.change, variant.meaning) == ("B=2", "B=2", "b matters")
    assert isinstance(changes.env("B=2"), Change)
