"""The command line as a whole: wrong use is one line, help costs nothing, a closed pipe is no error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diagtools import __version__
from diagtools.cli import arguments, main
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


needs_a_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


def on_a_full_disk(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command with its output on a disk without room."""
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            command(*words), cwd=cwd, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True
        )


@needs_a_full_disk
@pytest.mark.parametrize("words", [["doctor"], ["doctor", "--json"], ["runs"]])
def test_output_that_cannot_be_written_is_one_clear_error(tmp_path: Path, words: list[str]) -> None:
    done = on_a_full_disk(*words, cwd=tmp_path)

    assert done.returncode == 1
    first, hint = done.stderr.splitlines()
    assert first == "diagtools: The output cannot be written: No space left on device."
    assert hint.startswith("  Hint: ")


@needs_a_full_disk
def test_a_wrong_use_keeps_its_status_without_room_for_its_words(tmp_path: Path) -> None:
    done = on_a_full_disk("doctor", "--json", "--nonsense", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("diagtools: Unrecognized arguments: --nonsense.\n")


@needs_a_full_disk
@pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")
@pytest.mark.parametrize("status", [0, 7])
def test_the_status_of_a_recorded_command_counts_more_than_a_full_disk(tmp_path: Path, status: int) -> None:
    done = on_a_full_disk("record", "--json", "--", "sh", "-c", f"exit {status}", cwd=tmp_path)

    assert done.returncode == status
    assert done.stderr == "diagtools: The output cannot be written: No space left on device.\n"


def test_a_file_that_cannot_be_written_is_no_traceback(tmp_path: Path) -> None:
    done = diagtools("new", "indexing-oom", "-o", "/proc/nowhere", cwd=tmp_path)

    assert done.returncode == 1
    assert "'/proc/nowhere'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["--limit", "-5GiB"], ["--limit=-5GiB"], ["--limit", "0GiB"], ["--limit"]])
def test_a_limit_that_is_none_is_one_clear_error(tmp_path: Path, words: list[str]) -> None:
    done = diagtools("record", *words, "--", "true", cwd=tmp_path)

    assert done.returncode == 125
    first, hint = done.stderr.splitlines()
    assert "above zero" in first
    assert hint == "  Hint: a limit is a size above zero such as 2GiB."
    assert not (tmp_path / "runs").exists()


def test_an_empty_limit_is_not_taken_for_none(tmp_path: Path) -> None:
    assert diagtools("record", "--limit", "", "--", "true", cwd=tmp_path).returncode == 125


def test_an_error_for_scripts_holds_no_secret_and_is_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["show", "--json", "token=abc123def \udcff"]) == 2

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == "not-a-run"
    assert error["message"] == "'token=[redacted] \\udcff' does not exist, so it is no run."
    assert error["hint"]


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
