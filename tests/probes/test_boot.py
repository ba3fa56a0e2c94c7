"""Probes get into every Python process of a command, and leave the program as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from diagtools import mark
from diagtools.probes import boot
from diagtools.read.markers import read_markers
from tests.support.interpreters import BARE, installed, interpreters

BIN = Path(sys.executable).parent

Row = dict[str, Any]


every_python = pytest.mark.parametrize("python", interpreters(BARE))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def plain_environment(**more: str) -> dict[str, str]:
    return {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGTOOLS_", "PYTEST"))
    } | more


def execute(
    command: Sequence[str], folder: Path, env: Mapping[str, str], *, text: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command], cwd=folder, env=dict(env), input=text, capture_output=True, text=True, timeout=120
    )


def record(command: Sequence[str], run: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = plain_environment(**more)
    return execute(command, run.parent, {**env, **boot.environment(env, str(run))})


def rows_of(run: Path, **where: str) -> list[Row]:
    return read_markers(run, None).frame.filter(**where).to_dicts()


def items_of(run: Path) -> list[str]:
    return sorted(row["name"] for row in rows_of(run, kind="item", edge="end"))


# --- the recorder's side ----------------------------------------------------------------------------------------


def test_the_environment_of_a_plain_recording() -> None:
    assert boot.environment({"HOME": "/h"}, "/r") == {"PYTHONPATH": boot.INJECTED, "DIAGTOOLS_RUN": "/r"}


def test_an_existing_path_is_kept_behind_ours() -> None:
    added = boot.environment({"PYTHONPATH": ":/a:/b"}, "/r")
    assert added["PYTHONPATH"] == f"{boot.INJECTED}::/a:/b"
    assert boot.environment({"PYTHONPATH": ""}, "/r")["PYTHONPATH"] == boot.INJECTED


def test_a_recording_within_a_recording_is_its_own() -> None:
    outer = boot.environment({"PYTHONPATH": "/a"}, "/outer", items_under="/corpus", items_calls="m:f")
    assert boot.environment(outer, "/inner", items_calls="m:g") == {
        "PYTHONPATH": f"{boot.INJECTED}:/a",
        "DIAGTOOLS_RUN": "/inner",
        "DIAGTOOLS_ITEMS_UNDER": "",
        "DIAGTOOLS_ITEMS_CALLS": "m:g",
    }


def test_a_tracker_is_asked_for_and_an_outer_one_is_not_inherited() -> None:
    outer = boot.environment({}, "/outer", allocations="memray follow_fork")
    assert outer["DIAGTOOLS_ALLOCATIONS"] == "memray follow_fork"
    assert boot.environment(outer, "/inner")["DIAGTOOLS_ALLOCATIONS"] == ""
    assert "DIAGTOOLS_ALLOCATIONS" not in boot.environment({}, "/r")


def test_folders_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    added = boot.environment({}, "run", items_under="corpus/")
    assert added["DIAGTOOLS_RUN"] == str(tmp_path / "run")
    assert added["DIAGTOOLS_ITEMS_UNDER"] == str(tmp_path / "corpus")


# --- every way to start Python ----------------------------------------------------------------------------------

MARKS = "from diagtools import mark\nwith mark.item('here'): pass\n"


@every_python
@pytest.mark.parametrize(
    "command",
    [
        "{python} program.py",
        "{python} -m program",
        "{python} -c '{code}'",
        "bash -c '{python} program.py; true'",
    ],
    ids=["script", "module", "code", "bash"],
)
def test_a_program_is_found_whatever_its_command_line(python: str, command: str, run: Path) -> None:
    (run.parent / "program.py").write_text(MARKS)
    code = 'exec(open("program.py").read())'
    result = record(["bash", "-c", command.format(python=python, code=code)], run)
    assert (result.stdout, result.stderr, result.returncode) == ("", "", 0)
    (row,) = rows_of(run, kind="boot")
    version = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
    assert row["name"] == " ".join(version.stdout.split())
    assert (row["edge"], row["status"], row["error"], row["index"]) == ("point", "ok", None, 0)
    assert items_of(run) == ["here"]


def test_a_test_run_and_its_workers_are_found(run: Path) -> None:
    (run.parent / "test_it.py").write_text(
        "import pytest\nfrom diagtools import mark\n"
        "@pytest.mark.parametrize('n', range(4))\n"
        "def test_it(n):\n    with mark.item(f'test {n}'): pass\n"
    )
    command = [str(BIN / "pytest"), "-q", "-p", "xdist", "-p", "no:cacheprovider", "-n", "2", "test_it.py"]
    result = record(command, run, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert result.returncode == 0, result.stdout + result.stderr
    assert len({row["pid"] for row in rows_of(run, kind="boot")}) == 3
    assert items_of(run) == [f"test {n}" for n in range(4)]


@every_python
@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_workers_of_multiprocessing_are_found(method: str, python: str, run: Path) -> None:
    (run.parent / "program.py").write_text(
        textwrap.dedent(
            f"""
            import multiprocessing
            from diagtools import mark
            def work(n):
                with mark.item("work %d" % n):
                    return n
            if __name__ == "__main__":
                with multiprocessing.get_context({method!r}).Pool(2) as pool:
                    print(pool.map(work, range(4), chunksize=2))
                    pool.close()
                    pool.join()
            """
        )
    )
    result = record([python, "-W", "ignore", "program.py"], run)
    assert (result.stdout, result.stderr, result.returncode) == ("[0, 1, 2, 3]\n", "", 0)
    assert items_of(run) == [f"work {n}" for n in range(4)]
    n_booted = len({row["pid"] for row in rows_of(run, kind="boot")})
    assert n_booted == 1 if method == "fork" else n_booted >= 3


def test_a_launcher_is_followed(run: Path) -> None:
    launcher = BIN / "uv"
    if not launcher.exists():
        pytest.skip("uv is not installed here")
    (run.parent / "program.py").write_text(MARKS)
    command = [str(launcher), "run", "--offline", "--no-project", "--python", sys.executable, "program.py"]
    assert record(command, run).returncode == 0
    assert items_of(run) == ["here"]


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_an_isolated_interpreter_runs_without_us_and_says_nothing(option: str, run: Path) -> None:
    result = record([sys.executable, option, "-c", "print(1)"], run)
    assert (result.stdout, result.stderr, result.returncode) == ("1\n", "", 0)
    assert [*run.iterdir()] == []


def test_without_a_run_nothing_happens(tmp_path: Path) -> None:
    env = plain_environment(PYTHONPATH=boot.INJECTED)
    code = "import sys; print(sys.meta_path[-1].__name__, [v for v in vars(sys) if 'diagtools' in v])"
    result = execute([sys.executable, "-c", code], tmp_path, env)
    assert (result.stdout, result.stderr, result.returncode) == ("PathFinder []\n", "", 0)


# --- the program is left as it was ------------------------------------------------------------------------------

#: Shows what a program can see of how it was started.
LOOKS = """
import sys, warnings
print(sys.path, sys.argv, sys.flags, __name__, sys.gettrace(), sys.getprofile())
print("sitecustomize" in sys.modules, "usercustomize" in sys.modules)
print([name for name in sys.modules if "diagtools" in name])
print([path for path in sys.path_importer_cache if "inject" in path])
def fails(n):
    warnings.warn("careful", stacklevel=2)
    return 1 / n
fails(0)
"""


@every_python
@pytest.mark.parametrize("more", [{}, {"PYTHONPATH": "lib::other"}], ids=["", "with a path"])
def test_a_program_sees_no_difference(more: dict[str, str], python: str, run: Path) -> None:
    (run.parent / "program.py").write_text(LOOKS)
    for command in [
        [python, "program.py", "a"],
        [python, "-m", "program"],
        [python, "-X", "dev", "-c", LOOKS],
    ]:
        plain = execute(command, run.parent, plain_environment(**more))
        seen = record(command, run, **more)
        assert (seen.stdout, seen.stderr, seen.returncode) == (plain.stdout, plain.stderr, plain.returncode)
        assert "ZeroDivisionError" in plain.stderr


@pytest.mark.parametrize(
    "code",
    [
        "",
        "raise SystemExit(3)",
        "raise SystemExit('no')",
        "1/0",
        "import os; os._exit(7)",
        "import os; os.abort()",
    ]
    + [f"import os, signal; os.kill(os.getpid(), {number})" for number in (2, 9, 15)],
)
def test_the_exit_status_is_the_programs_own(code: str, run: Path) -> None:
    plain = execute([sys.executable, "-c", code], run.parent, plain_environment())
    seen = record([sys.executable, "-c", code], run)
    assert (seen.returncode, seen.stderr) == (plain.returncode, plain.stderr)


@every_python
@pytest.mark.parametrize(
    "custom",
    ["import sys; print('RAN', sys.path[:3], __name__, __file__)", "1/0", "import missing"],
    ids=["well", "error", "import error"],
)
def test_the_sitecustomize_of_the_program_runs_as_it_would(custom: str, python: str, run: Path) -> None:
    (run.parent / "lib").mkdir()
    (run.parent / "lib" / "sitecustomize.py").write_text(custom)
    code = "import sys; print(sys.modules.get('sitecustomize'), sys.path)"
    plain = execute([python, "-c", code], run.parent, plain_environment(PYTHONPATH=str(run.parent / "lib")))
    seen = record([python, "-c", code], run, PYTHONPATH=str(run.parent / "lib"))
    assert (seen.stdout, seen.stderr, seen.returncode) == (plain.stdout, plain.stderr, plain.returncode)
    assert ("RAN" in plain.stdout) == ("RAN" in custom)


def test_a_sitecustomize_that_exits_does(run: Path) -> None:
    (run.parent / "sitecustomize.py").write_text("raise SystemExit(4)")
    plain = execute([sys.executable, "-c", ""], run.parent, plain_environment(PYTHONPATH=str(run.parent)))
    seen = record([sys.executable, "-c", ""], run, PYTHONPATH=str(run.parent))
    assert seen.returncode == plain.returncode != 0
    assert seen.stderr.splitlines()[-1] == plain.stderr.splitlines()[-1] == "SystemExit: 4"


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8"])
def test_an_old_python_passes_through(version: str, run: Path) -> None:
    for python in installed(version)[:1] or [pytest.skip(f"no Python {version} here")]:
        (run.parent / "lib").mkdir()
        (run.parent / "lib" / "sitecustomize.py").write_text("print('custom')")
        code = "import sys; print(sys.path, sys.modules.get('sitecustomize')); raise SystemExit(3)"
        for more in [{}, {"PYTHONPATH": str(run.parent / "lib")}]:
            env = {**more, "PYTHONDONTWRITEBYTECODE": "1"}
            plain = execute([python, "-c", code], run.parent, plain_environment(**env))
            seen = record([python, "-c", code], run, **env)
            assert (seen.stdout, seen.stderr, seen.returncode) == (plain.stdout, plain.stderr, 3)
    assert [*run.iterdir()] == []


# --- which diagtools.mark a program gets ------------------------------------------------------------------------


@every_python
def test_where_the_program_has_none_ours_is_supplied(python: str, run: Path) -> None:
    code = """
    import importlib
    import diagtools
    import diagtools.mark
    assert diagtools.mark.recording() and importlib.import_module("diagtools.mark") is diagtools.mark
    assert importlib.reload(diagtools.mark) is diagtools.mark
    diagtools.mark.phase("supplied")
    try:
        import diagtools.present
    except ModuleNotFoundError as error:
        print(error)
    """
    result = record([python, "-c", textwrap.dedent(code)], run)
    assert (result.stdout, result.stderr) == ("No module named 'diagtools.present'\n", "")
    assert [row["name"] for row in rows_of(run, edge="begin")] == ["supplied"]


def test_where_the_program_has_one_that_is_used_with_the_same_recorder(run: Path) -> None:
    own = run.parent / "own" / "diagtools"
    own.mkdir(parents=True)
    (own / "__init__.py").write_text("whose = 'own'")
    shutil.copy(mark.__file__, own / "mark.py")
    code = (
        "import diagtools; from diagtools import mark; print(diagtools.whose, mark.__file__); mark.item('a')"
    )
    result = record([sys.executable, "-c", code], run, PYTHONPATH=str(own.parent))
    assert (result.stdout, result.stderr) == (f"own {own / 'mark.py'}\n", "")
    assert [row["index"] for row in rows_of(run, kind="item")] == [1, 1]
    assert len([*run.glob(mark.SLOT_GLOB)]) == 1


def test_a_foreign_namespace_of_that_name_gets_mark_too(run: Path) -> None:
    (run.parent / "diagtools").mkdir()
    (run.parent / "program.py").write_text(MARKS)
    result = record([sys.executable, "program.py"], run)
    assert (result.stderr, result.returncode) == ("", 0)
    assert items_of(run) == ["here"]


# --- a failure of ours ------------------------------------------------------------------------------------------


def broken_copy(folder: Path, name: str, text: str) -> Path:
    """Our probes with one file broken; the folder to put on the path."""
    probes = folder / "copy" / "probes"
    shutil.copytree(boot.INJECTED, probes / "inject", ignore=shutil.ignore_patterns("__pycache__"))
    source = Path(boot.__file__).parent
    for each in (source / "boot.py", source / "items.py", source / "calls.py"):
        shutil.copy(each, probes / each.name)
    shutil.copy(mark.__file__, probes.parent / "mark.py")
    (probes / name).write_text(text)
    return probes / "inject"


def test_a_probe_that_fails_says_so_and_the_program_goes_on(run: Path) -> None:
    injected = broken_copy(run.parent, "calls.py", "raise LookupError('broken')")
    env = {"PYTHONPATH": str(injected), "DIAGTOOLS_RUN": str(run), "DIAGTOOLS_ITEMS_CALLS": "m:f"}
    result = execute([sys.executable, "-c", MARKS + "print(1)"], run.parent, plain_environment(**env))
    assert (result.stdout, result.stderr, result.returncode) == ("1\n", "", 0)
    (row,) = rows_of(run, kind="boot")
    assert (row["status"], row["error"]) == ("failed", "LookupError: broken")
    assert items_of(run) == ["here"]


@pytest.mark.parametrize(
    ("variable", "needless"),
    [
        ("DIAGTOOLS_ITEMS_UNDER", ["calls.py"]),
        ("DIAGTOOLS_ITEMS_CALLS", ["items.py"]),
        ("DIAGTOOLS_HZ", ["calls.py", "items.py"]),
    ],
)
def test_a_probe_that_nobody_asked_for_is_not_loaded(variable: str, needless: list[str], run: Path) -> None:
    for name in needless:
        injected = broken_copy(run.parent / name, name, "raise LookupError('loaded')")
        env = {"PYTHONPATH": str(injected), "DIAGTOOLS_RUN": str(run), variable: "m:f"}
        result = execute([sys.executable, "-c", "print(1)"], run.parent, plain_environment(**env))
        assert (result.stdout, result.stderr) == ("1\n", "")
    assert [row["status"] for row in rows_of(run, kind="boot")] == ["ok"] * len(needless)


@pytest.mark.parametrize("name", ["boot.py", "../mark.py"])
def test_a_boot_that_fails_altogether_is_not_the_programs_concern(name: str, run: Path) -> None:
    injected = broken_copy(run.parent, name, "this is not Python")
    env = {"PYTHONPATH": str(injected), "DIAGTOOLS_RUN": str(run)}
    result = execute([sys.executable, "-c", "print(1)"], run.parent, plain_environment(**env))
    assert (result.stdout, result.stderr, result.returncode) == ("1\n", "", 0)
    assert [*run.iterdir()] == []


def test_a_run_folder_that_is_gone_is_not_the_programs_concern(run: Path) -> None:
    run.rmdir()
    result = record([sys.executable, "-c", MARKS + "print(1)"], run)
    assert (result.stdout, result.stderr, result.returncode) == ("1\n", "", 0)
    assert not run.exists()


def test_what_any_python_may_meet_is_plain_ascii() -> None:
    path = Path(boot.INJECTED) / "sitecustomize.py"
    assert path.read_bytes().isascii()  # Python 2 would refuse anything else
