"""A change that came to nothing is not taken for one: what its processes noted tells."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture.applied import applied
from diagtools.capture.tracked import UNSEEN
from diagtools.errors import UsageError
from diagtools.investigations.record import record
from diagtools.run import Run
from diagtools.values import Applied, Changes, Overlay, Patch, Target

LIBRARY = "import decimal\n\ndef fill(n):\n    return [n]\n\ndef unused():\n    pass\n"
PROGRAM = "import library\nprint(library.fill(3))\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "library.py").write_text(LIBRARY)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def run_with(place: Path, changes: Changes, *argv: str) -> Run:
    words = argv or (sys.executable, "program.py")
    return record(Target(argv=words, cwd=place, changes=changes), folder=place / "run")


def patched(code: str, when: str | None = None) -> Changes:
    return Changes(patches=(Patch(name="fix.py", code=code, when=when),))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (patched("replace('library:fill', lambda n: n)"), ""),
        (patched("module.fill", when="library"), ""),
        (patched("pass"), ""),
        (
            patched("replace('library:fill', lambda n: n); replace('nowhere:x', 1)"),
            "nowhere was never imported",
        ),
        (patched("pass", when="nowhere"), "nowhere was never imported"),
        (patched("wrap('library:unused', len)"), "library:unused was never called"),
        (
            patched("wrap('library:fill', None)"),
            "TypeError: None cannot be called, line 1",
        ),
        (patched("replace('library:none', 1)"), "there is no library:none"),
        (patched("1 / 0"), "ZeroDivisionError: division by zero, line 1"),
        (
            patched(
                "wrap('library:fill', lambda f, n: f(n), optional=True); wrap('no:x', len, optional=True)"
            ),
            "",
        ),
        (
            patched("wrap('library:unused', len, optional=True); wrap('no:x', len, optional=True)"),
            "none of these was called: library:unused, no:x",
        ),
        (patched("every(60, lambda: None)"), "every 60 s: <lambda> was never called"),
        (Changes(without=("decimal",)), ""),
        (Changes(without=("numpy",)), "nothing asked for numpy"),
    ],
)
def test_it_is_known_whether_a_change_came_to_anything(place: Path, changes: Changes, why: str) -> None:
    found = run_with(place, changes).changes
    assert [one.why for one in found] == [why]
    assert [one.is_applied for one in found] == [not why]


def test_a_lazy_import_is_applied_where_its_statement_was_reached(place: Path) -> None:
    run = run_with(place, Changes(lazy=(f"{place}/library.py:1",)))
    assert [one.is_applied for one in run.changes] == [True]
    assert run.exit_status == 0


def test_an_import_that_is_no_statement_is_an_error_before_it_runs(place: Path) -> None:
    with pytest.raises(UsageError, match="cannot be lazy there"):
        run_with(place, Changes(lazy=(f"{place}/library.py:4",)))
    assert not (place / "run").exists()


def overlay(place: Path, *modules: str) -> Overlay:
    folder = place / "over"
    folder.mkdir()
    (folder / "shelf.py").write_text("RATE = 2\n")
    return Overlay(folder=folder, brings=(("shelf", "2.0"),), modules=modules)


def test_a_package_comes_from_the_overlay_or_it_is_said_whence(place: Path) -> None:
    (place / "program.py").write_text("import shelf\nprint(shelf.RATE)\n")
    run = run_with(place, Changes(overlay=overlay(place, "shelf")))
    assert run.changes == (Applied(change="with shelf 2.0", is_applied=True),)
    assert run.last_log_lines() == ["2"]


def test_what_stands_beside_the_script_wins_and_that_is_said(place: Path) -> None:
    (place / "program.py").write_text("import shelf\nprint(shelf.RATE)\n")
    (place / "shelf.py").write_text("RATE = 1\n")
    run = run_with(place, Changes(overlay=overlay(place, "shelf")))
    assert [one.is_applied for one in run.changes] == [False]
    assert run.changes[0].why.startswith("shelf came from")


def test_an_overlay_that_nobody_imports_is_not_applied(place: Path) -> None:
    run = run_with(place, Changes(overlay=overlay(place, "shelf")))
    assert [one.why for one in run.changes] == ["none of its modules was imported (shelf)"]


def test_a_process_that_reads_no_environment_is_not_changed(place: Path) -> None:
    run = run_with(place, patched("replace('library:fill', len)"), sys.executable, "-I", "-c", "print(1)")
    assert [one.why for one in run.changes] == [UNSEEN]


def test_a_child_process_is_changed_too(place: Path) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, 'program.py'], check=True)"
    run = run_with(place, patched("replace('library:fill', lambda n: 'changed')"), sys.executable, "-c", code)
    assert [one.is_applied for one in run.changes] == [True]
    assert run.last_log_lines() == ["changed"]


def test_the_snippet_is_kept_with_the_run(place: Path) -> None:
    run = run_with(place, patched("pass  # the fix"))
    assert (run.path / "patch.0.py").read_text() == "pass  # the fix"
    assert "patch.0.py" in run.manifest.artefacts


def test_without_notes_nothing_is_called_applied(tmp_path: Path) -> None:
    asked = {"without a": "a", "patch 0": "fix.py", "with b 1": "b"}
    assert not any(one.is_applied for one in applied(asked, tmp_path, made_lazy=(), is_seen=True))


def test_a_package_that_ends_the_program_while_it_is_imported_was_brought(place: Path) -> None:
    """Killed there, in every run: the version was tried all the same."""
    made = overlay(place, "shelf")
    (made.folder / "shelf.py").write_text("import os\nos._exit(9)\n")
    (place / "program.py").write_text("import shelf\n")
    run = run_with(place, Changes(overlay=made))
    assert run.exit_status == 9
    assert [one.is_applied for one in run.changes] == [True]
