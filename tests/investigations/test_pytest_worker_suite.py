"""Can a package really wait until it is used, and which suites and suspects are there?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.errors import UsageError
from diagtools.investigations.pytest_worker_suite import deferred, known_suite, measured, suite_of
from diagtools.investigations.record import record
from diagtools.values import Target

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that says when it runs, with a module that needs it."""
    folder = tmp_path / "src" / "extra"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("print('extra runs')\nVALUE = 3\n")
    (folder / "sub.py").write_text("from extra import VALUE\nDOUBLE = 2 * VALUE\n")
    monkeypatch.setenv("PYTHONPATH", str(folder.parent))
    monkeypatch.chdir(tmp_path)
    return folder


def printed(program: str, folder: Path) -> list[str]:
    """What a program prints while ``extra`` is deferred."""
    (folder / "program.py").write_text(program)
    run = record(deferred("extra").apply(Target(argv=(sys.executable, "program.py"))), folder=folder / "run")
    assert all(one.is_applied for one in run.changes), run.changes
    return run.logs["line"].to_list()


@linux
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import extra\nprint('first')\nprint(extra.VALUE)", ["first", "extra runs", "3"]),
        ("import extra as e\nimport extra\nprint('unused')", ["unused"]),
        ("from extra import VALUE\nprint('then', VALUE)", ["extra runs", "then 3"]),
        ("import extra.sub\nprint(extra.sub.DOUBLE, extra.VALUE)", ["extra runs", "6 3"]),
        ("import extra\nprint(hasattr(extra, '__warningregistry__'))", ["False"]),
        ("import extra\nprint(extra.__name__, extra.__spec__.name)", ["extra extra"]),
        ("import extra\nprint(hasattr(extra, 'nothing'))", ["extra runs", "False"]),
        (
            "import extra, inspect\nprint(inspect.getsource(extra).splitlines()[1])",
            ["VALUE = 3"],
        ),
        (
            "import extra, importlib\nextra.VALUE\nimportlib.reload(extra)",
            ["extra runs", "extra runs"],
        ),
    ],
)
def test_a_deferred_package_runs_when_it_is_first_used(program: str, said: list[str], extra: Path) -> None:
    assert printed(program, extra.parents[1]) == said


@linux
def test_an_optional_package_that_is_not_installed_is_missed_as_ever(extra: Path) -> None:
    (extra / "__init__.py").unlink()
    (extra / "sub.py").unlink()
    extra.rmdir()
    program = "try:\n    import extra\nexcept ImportError:\n    print('not there')\n"
    assert printed(program, extra.parents[1]) == ["not there"]


def test_the_suite_of_the_knowledge_base_has_its_three_suspects() -> None:
    suite = known_suite(workers=1)
    assert [change.name for change in suite.suspects] == ["lazy twin", "thin fixtures", "polars deferred"]
    assert suite.target.argv[-2:] == ("-n", "1")
    assert "xdist.plugin" in suite.target.argv
    assert "xdist.plugin" not in known_suite(workers=0).target.argv
    assert suite.light is not None
    light = suite.light.apply(suite.target)
    assert light.env["KNOWLEDGE_FIXTURES"] == "thin"
    assert light.argv[-1].startswith("--ignore=")
    assert Path(light.argv[-1].partition("=")[2]).is_dir()


def test_a_suite_of_ones_own_has_the_switches_that_were_named() -> None:
    suite = suite_of(
        "pytest tests",
        workers=2,
        switches="lazy: A=1 B=2; thin: C=3",
        defer="polars, torch",
        mocks_off="MOCKS=off",
        light="-m light",
    )
    names = ["lazy", "thin", "polars deferred", "torch deferred"]
    assert [change.name for change in suite.suspects] == names
    assert suite.suspects[0].apply(suite.target).env == {"A": "1", "B": "2"}
    assert suite.target.argv == ("pytest", "tests", "-n", "2")
    assert measured(suite.target).argv[-1] == "--diag"
    assert suite.mocks_off is not None
    assert suite.mocks_off.apply(suite.target).env == {"MOCKS": "off"}


@pytest.mark.parametrize("switches", ["A=1", "lazy:", "lazy: A"])
def test_what_is_no_switch_is_refused(switches: str) -> None:
    with pytest.raises(UsageError):
        suite_of("pytest", workers=0, switches=switches)
