"""The command line as a whole: wrong use is one line, help costs nothing, a closed pipe is no error."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from diagtools import __version__
from diagtools.cli import arguments
from tests.capture.processes import PYTHON, command, diagtools, environment


def test_without_a_command_it_explains_itself(tmp_path: Path) -> None:
    done = diagtools(cwd=tmp_path)

    assert done.returncode == 0
    assert all(name in done.stdout for name in arguments.COMMANDS)
    assert "diagtools record --limit 2GiB -- python app.py" in done.stdout


def test_its_version(tmp_path: Path) -> None:
    assert diagtools("--version", cwd=tmp_path).stdout == f"diagtools {__version__}\n"


@pytest.mark.parametrize("name", sorted(arguments.COMMANDS))
def test_every_command_has_help(tmp_path: Path, name: str) -> None:
    done = diagtools(name, "--help", cwd=tmp_path)

    assert done.returncode == 0
    assert (arguments.COMMANDS[name].__doc__ or "?") in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["--nonsense"],
        ["doctor", "--nonsense"],
        ["doctor", "more"],
        ["doctor", "--", "true"],
        ["runs", "--keep", "many"],
        ["export"],
        ["new"],
    ],
)
def test_wrong_use_is_one_line_with_a_hint_and_2(tmp_path: Path, words: list[str]) -> None:
    done = diagtools(*words, cwd=tmp_path)

    assert done.returncode == 2
    first, hint = done.stderr.splitlines()
    assert first.startswith("diagtools: ")
    assert hint.startswith("  Hint: ")
    assert done.stdout == ""


def test_wrong_use_is_an_object_for_scripts(tmp_path: Path) -> None:
    done = diagtools("doctor", "--json", "--nonsense", cwd=tmp_path)

    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "usage"
    assert done.stderr == ""


def test_the_doctor_answers_for_people_and_for_scripts(tmp_path: Path) -> None:
    people, scripts = diagtools("doctor", cwd=tmp_path), diagtools("doctor", "--json", cwd=tmp_path)

    found = json.loads(scripts.stdout)["capability"]
    assert (people.returncode, scripts.returncode) == (0, 0)
    assert [line.split()[1] for line in people.stdout.splitlines()] == list(found)
    assert all(set(answer) == {"available", "why"} for answer in found.values())
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    line = f"{' '.join(command('doctor'))} | true; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("0\n", "")


LOADED = """
import sys
before = set(sys.modules)
sys.argv = ['diagtools', *sys.argv[1:]]
from diagtools.cli import main
try: main()
except SystemExit: pass
ours = {name.partition('.')[0] for name in set(sys.modules) - before}
print(sorted(ours - set(sys.stdlib_module_names) - {'diagtools'}), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["record", "--", "true"], ["doctor"], ["--help"], ["record", "--help"]])
def test_what_must_start_fast_loads_nothing_of_others(tmp_path: Path, words: list[str]) -> None:
    done = subprocess.run(
        [PYTHON, "-c", LOADED, *words], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert done.stderr.splitlines()[-1] == "[]"


def test_the_package_itself_loads_nothing_of_others() -> None:
    code = "import sys; before = set(sys.modules); import diagtools; print(sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [
            PYTHON,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.append(sys.argv[1]); {code}",
            str(Path(__file__).parents[2]),
        ],
        capture_output=True,
        text=True,
    )

    loaded = set(json.loads(done.stdout.replace("'", '"')))
    assert not loaded & {"polars", "altair", "psutil", "argparse", "subprocess", "pathlib", "dataclasses"}
