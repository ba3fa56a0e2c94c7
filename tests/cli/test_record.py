"""``diagtools record``, as a shell sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.capture.processes import (
    PYTHON,
    command,
    diagtools,
    environment,
    is_alive,
    numbers_in,
    started,
    until,
)
from tests.capture.recorded import Recorded, manifest_of, run_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")


def test_how_long_it_lasted_is_one_figure(tmp_path: Path) -> None:
    """The command itself, not what outlived it nor the recorder's own work."""
    diagtools("record", "--", "sh", "-c", "trap '' TERM; sleep 1 & sleep 0.2", cwd=tmp_path)

    listed = json.loads(diagtools("runs", "--json", cwd=tmp_path).stdout)["runs"]
    shown = json.loads(diagtools("show", "--json", cwd=tmp_path).stdout)
    assert [row["duration_s"] for row in listed] == [shown["duration_s"]]


# --- how it ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 137", 137),
        ("kill -TERM $$", 128 + signal.SIGTERM),
        ("kill -KILL $$", 128 + signal.SIGKILL),
        ("kill -SEGV $$", 128 + signal.SIGSEGV),
    ],
)
def test_the_status_of_the_command_is_passed_on(tmp_path: Path, script: str, status: int) -> None:
    done = diagtools("record", "--", "sh", "-c", script, cwd=tmp_path)

    assert done.returncode == status
    assert done.stderr.count("\n") == 1
    recorded = Recorded(run_in(tmp_path))
    recorded.check_whole()
    assert recorded.exit_status == status
    assert manifest_of(recorded.folder)["exit_status"] == status
    assert manifest_of(recorded.folder)["state"] == "finished"


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (["no-such-command-here"], 127, "There is no command"),
        (["./nothing/here"], 127, "There is no command"),
        (["./plain"], 126, "Permission denied"),
        (["."], 126, "Permission denied"),
        (["./text"], 126, "Exec format error"),
        (["./lost"], 127, "interpreter"),
        ([""], 125, "There is no command to record"),
    ],
)
def test_a_command_that_cannot_start_is_one_error_and_leaves_nothing(
    tmp_path: Path, argv: list[str], status: int, said: str
) -> None:
    (tmp_path / "plain").write_text("echo")
    for name, text in {"text": "echo", "lost": "#!/no/such/interpreter\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    done = diagtools("record", "--", *argv, cwd=tmp_path)

    assert done.returncode == status
    assert said in done.stderr
    assert done.stderr.startswith("diagtools: ")
    assert [line[:8] for line in done.stderr.splitlines()[1:]] == ["  Hint: "]
    assert not list((tmp_path / "runs").iterdir()) if (tmp_path / "runs").exists() else True


def test_a_folder_that_was_there_stays_when_the_command_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    done = diagtools("record", "-o", "mine", "--", "no-such-command-here", cwd=tmp_path)

    assert done.returncode == 127
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_path_entry_that_is_a_file_does_not_make_a_missing_command_unexecutable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = f"{os.environ['PATH']}:{tmp_path}/file"

    done = diagtools("record", "--", "no-such-command-here", cwd=tmp_path, env={"PATH": path})

    assert done.returncode == 127


def test_a_command_that_dies_at_once_is_a_whole_run(tmp_path: Path) -> None:
    done = diagtools("record", "--hz", "1", "--", "true", cwd=tmp_path)

    assert done.returncode == 0
    recorded = Recorded(run_in(tmp_path))
    recorded.check_whole()
    assert recorded.root in recorded.pids()


def test_what_outlives_the_command_is_ended_and_said(tmp_path: Path) -> None:
    done = diagtools("record", "--", "sh", "-c", "sleep 1000 & exit 5", cwd=tmp_path)

    assert done.returncode == 5
    assert done.stderr.startswith(
        "diagtools: 1 process outlived the command and was ended.\ndiagtools: The command"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--hz", "0", "--", "true"],
        ["--hz", "1001", "--", "true"],
        ["--hz", "nan", "--", "true"],
        ["--hz", "fast", "--", "true"],
        ["--limit", "400", "--", "true"],
        ["--limit", "400 pounds", "--", "true"],
        ["--limit", "0B", "--", "true"],
        ["--limit-by", "prayer", "--", "true"],
        ["--limit-by", "cgroup", "--", "true"],
        ["--limit-by", "watchdog", "--", "true"],
        ["--limit-by", "rlimit_as", "--pid", "1"],
        ["--items-calls", "nothing", "--", "true"],
        ["--items-opened-under", "no-such-folder", "--", "true"],
        ["--no-such-option", "--", "true"],
        ["--pid", "1", "--", "true"],
        ["--pid", "zero"],
        ["--pid", "0"],
        ["--pid", "4194305"],
        ["--pid", "99999999999999999999"],
        ["--"],
        [],
    ],
)
def test_wrong_use_is_one_line_with_a_hint_and_125(tmp_path: Path, arguments: list[str]) -> None:
    done = diagtools("record", *arguments, cwd=tmp_path)

    assert done.returncode == 125
    first, *hints = done.stderr.splitlines()
    assert first.startswith("diagtools: ")
    assert all(hint.startswith("  Hint: ") for hint in hints)
    assert len(hints) <= 1
    assert done.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_who_enforces_a_limit_needs_one(tmp_path: Path) -> None:
    """It would be ignored otherwise."""
    done = diagtools("record", "--limit-by", "rlimit_as", "--", "true", cwd=tmp_path)

    assert done.stderr.splitlines() == [
        "diagtools: --limit-by needs --limit.",
        "  Hint: --limit 2GiB --limit-by rlimit_as",
    ]


def test_wrong_use_is_an_error_object_for_scripts(tmp_path: Path) -> None:
    done = diagtools("record", "--json", "--limit", "400", "--", "true", cwd=tmp_path)

    error = json.loads(done.stdout)["error"]
    assert done.returncode == 125
    assert error["kind"] == "usage"
    assert "400" in error["message"]
    assert error["hint"]


# --- what the command gets -------------------------------------------------------------------------------


def test_words_arrive_as_they_were_given(tmp_path: Path) -> None:
    words = [
        b"two words",
        b"line\nbreak",
        b"\xff\xfe",
        "ü".encode(),
        b"--json",
        b"--",
        b"-o",
        b"",
        b"a=b",
        b"'\"$x",
    ]
    code = "import os, sys; open('got', 'wb').write(b'|'.join(map(os.fsencode, sys.argv[1:])))"
    argv = [*command("record", "--"), PYTHON, "-c", code]

    done = subprocess.run([*argv, *words], cwd=tmp_path, env=environment(), capture_output=True)

    assert done.returncode == 0
    assert (tmp_path / "got").read_bytes() == b"|".join(words)
    shown = manifest_of(run_in(tmp_path))["argv"]
    assert isinstance(shown, list)
    assert "\\udcff\\udcfe" in shown


def test_standard_input_and_environment_and_folder_are_those_of_the_shell(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdin.read() + os.environ['FLAVOUR'] + os.getcwd(), end='')"

    done = diagtools(
        "record", "--", PYTHON, "-c", code, cwd=tmp_path, stdin="given ", env={"FLAVOUR": "salt "}
    )

    assert done.stdout == f"given salt {tmp_path}"


def test_the_command_finds_no_descriptor_of_ours(tmp_path: Path) -> None:
    script = "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$n ] && echo $n; done"

    done = diagtools("record", "--", "sh", "-c", script, cwd=tmp_path)

    assert done.stdout == "0\n1\n2\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_stay_closed_for_the_command(tmp_path: Path, closed: str) -> None:
    code = (
        "import os; "
        "n = [fd for fd in (0, 1, 2) if os.path.exists(f'/proc/self/fd/{fd}')]; "
        "open('open', 'w').write(str(n))"
    )
    words = " ".join(f"'{word}'" for word in [*command("record", "--hz", "1000", "--"), PYTHON, "-c"])
    line = f'{words} "$CODE" {closed}'

    done = subprocess.run(
        ["sh", "-c", line],
        cwd=tmp_path,
        env=environment(CODE=code),
        capture_output=True,
    )

    assert done.returncode == 0, done.stderr
    recorded = Recorded(run_in(tmp_path))
    recorded.check_whole()
    assert recorded.exit_status == 0
    # Its output is recorded, so that 1 and 2 are files for it.
    assert (tmp_path / "open").read_text() == ("[1, 2]" if "<&-" in closed else "[0, 1, 2]")


@pytest.mark.parametrize("name", ["a b", "line\nbreak", "a=b", "ünï", "--", "'\"$x"])
def test_a_run_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "run"

    done = diagtools("record", "-o", str(folder), "--", "sh", "-c", "echo hi", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "hi\n")
    Recorded(folder).check_whole()


def test_a_run_folder_may_have_a_name_that_is_no_text(tmp_path: Path) -> None:
    argv = [*map(os.fsencode, command("record", "-o")), b"run-\xff", b"--", b"true"]

    done = subprocess.run(argv, cwd=tmp_path, env=environment(), capture_output=True)

    assert done.returncode == 0
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run-\xff"))
    Recorded(folder).check_whole()
    assert manifest_of(folder)["name"] == "run-\\udcff"


def test_no_secret_of_the_command_line_or_the_environment_is_kept(tmp_path: Path) -> None:
    env = {"FOO_TOKEN": "hunter1", "PYTHONHASHSEED": "7"}

    done = diagtools(
        "record", "--", "true", "--password", "hunter2", "--api-key=hunter3", cwd=tmp_path, env=env
    )

    folder = run_in(tmp_path)
    text = (folder / "run.json").read_text()
    assert done.returncode == 0
    assert "hunter" not in text + folder.name
    assert manifest_of(folder)["env"] == {**_kept(manifest_of(folder)), "PYTHONHASHSEED": "7"}


def _kept(manifest: dict[str, object]) -> dict[str, str]:
    kept = manifest["env"]
    assert isinstance(kept, dict)
    return kept


# --- where the output goes -------------------------------------------------------------------------------


def test_output_is_passed_on_and_kept_apart(tmp_path: Path) -> None:
    done = diagtools("record", "--", "sh", "-c", "echo out; echo err >&2", cwd=tmp_path)

    folder = run_in(tmp_path)
    assert done.stdout == "out\n"
    assert done.stderr.startswith("err\ndiagtools: The command exited with 0. See: diagtools show runs/")
    assert (folder / "stdout.log").read_text() == "out\n"
    assert (folder / "stderr.log").read_text() == "err\n"
    streams = {record.small: record.payload[0] for record in Recorded(folder).records if record.kind == 6}
    assert streams == {1: 4, 2: 4}


def test_much_output_arrives_whole(tmp_path: Path) -> None:
    code = "import sys; [sys.stdout.write('%09d\\n' % n) for n in range(800_000)]"

    done = diagtools("record", "--", PYTHON, "-c", code, cwd=tmp_path)

    assert done.stdout == (run_in(tmp_path) / "stdout.log").read_text()
    assert done.stdout.splitlines()[-1] == "000799999"


def test_a_reader_that_goes_away_does_not_touch_the_command(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "for n in range(300): print('line', n, flush=True)\n"
        "time.sleep(0.5)\n"
        "open('done', 'w').close()\n"
        "print('last')\n"
        "raise SystemExit(9)"
    )
    line = f'{" ".join(command("record", "-o", "run", "--"))} {PYTHON} -c "$CODE" | head -1; echo ${{PIPESTATUS[0]}}'

    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment(CODE=code), capture_output=True, text=True
    )

    assert done.stdout == "line 0\n9\n"
    assert (tmp_path / "done").exists()
    assert (tmp_path / "run" / "stdout.log").read_text().endswith("line 299\nlast\n")
    assert "Error" not in done.stderr


def test_a_reader_of_everything_that_goes_away_does_not_change_the_status(tmp_path: Path) -> None:
    code = "import sys, time; print('x', flush=True); time.sleep(0.5); sys.exit(9)"
    words = " ".join(command("record", "-o", "run", "--"))
    line = f'{words} {PYTHON} -c "$CODE" 2>&1 | head -1; echo ${{PIPESTATUS[0]}}'

    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment(CODE=code), capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("x\n9\n", "")


def test_a_signal_is_passed_on_while_nobody_reads_the_output(tmp_path: Path) -> None:
    """A pipe that is full must not hold up the recorder."""
    code = (
        "import signal, sys\n"
        "signal.signal(15, lambda *_: sys.exit(3))\n"
        "open('ready', 'w').close()\n"
        "while True: print('y' * 1000)"
    )
    argv = command("record", "-o", "run", "--", PYTHON, "-c", code)

    with started(argv, cwd=tmp_path, stdout=subprocess.PIPE) as recorder:
        log = tmp_path / "run" / "stdout.log"
        until(lambda: log.exists() and log.stat().st_size > 1_000_000, "a full pipe")
        recorder.send_signal(signal.SIGTERM)
        root = Recorded(tmp_path / "run").root
        until(lambda: not is_alive(root), "the target ends")
        assert recorder.stdout is not None
        recorder.stdout.close()
        assert recorder.wait(60) == 3


def test_with_json_the_output_goes_to_stderr_and_stdout_is_one_object(tmp_path: Path) -> None:
    done = diagtools("record", "--json", "--", "sh", "-c", "echo out; echo err >&2; exit 4", cwd=tmp_path)

    assert done.returncode == 4
    assert json.loads(done.stdout)["exit_status"] == 4
    assert sorted(done.stderr.splitlines()) == ["err", "out"]


# --- signals ---------------------------------------------------------------------------------------------

COUNTING = """
import os, signal, sys, time
def note(number, _):
    with open('signals', 'a') as file: file.write(f'{number}\\n')
for number in map(int, sys.argv[1].split(',')): signal.signal(number, note)
with open('pids', 'w') as file: file.write(f'{os.getpid()}\\n')
while not os.path.exists('signals'): time.sleep(0.005)
time.sleep(0.5)  # for a second one, if it were to come
raise SystemExit(5)
"""


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]
)
def test_a_signal_for_the_recorder_alone_reaches_the_command_once(
    tmp_path: Path, number: signal.Signals
) -> None:
    argv = command("record", "-o", "run", "--", PYTHON, "-c", COUNTING, str(int(number)))

    with started(argv, cwd=tmp_path) as recorder:
        numbers_in(tmp_path / "pids", 1)
        recorder.send_signal(number)
        assert recorder.wait(60) == 5

    assert (tmp_path / "signals").read_text() == f"{int(number)}\n"
    recorded = Recorded(tmp_path / "run")
    recorded.check_whole()
    assert recorded.event("signal").payload[0] == number
    assert manifest_of(recorded.folder)["state"] == "finished"


def test_a_signal_before_the_command_runs_is_not_lost(tmp_path: Path) -> None:
    """It waits until the sampler listens."""
    argv = command("record", "-o", "run", "--", "sleep", "100")

    with started(argv, cwd=tmp_path) as recorder:
        until((tmp_path / "run" / "run.json").exists, "the run folder")
        recorder.send_signal(signal.SIGTERM)
        status = recorder.wait(60)

    # Before it takes signals over, the recorder ends as any program does, and has started nothing.
    assert status in (128 + signal.SIGTERM, -signal.SIGTERM)


# --- places that cannot be written -----------------------------------------------------------------------


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("all of it")

    done = diagtools("record", "-o", "taken", "--", "touch", "ran", cwd=tmp_path)

    assert done.returncode == 125
    assert "exists already" in done.stderr
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["thesis.txt"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("place", ["file", "file/store", "x" * 300])
def test_a_store_that_cannot_be_is_one_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("I am a file")

    done = diagtools("record", "--", "touch", "ran", cwd=tmp_path, env={"DIAGTOOLS_STORE": place})

    assert done.returncode == 125
    assert done.stderr.startswith(f"diagtools: The store '{place}' cannot be written: ")
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "file").read_text() == "I am a file"


def test_a_working_folder_that_is_gone_is_no_crash(tmp_path: Path) -> None:
    words = " ".join(command("record", "-o", str(tmp_path / "run"), "--", "sh", "-c", "'exit 6'"))
    script = f"mkdir gone; cd gone; rmdir ../gone; {words}"

    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert done.returncode == 6
    assert done.stderr.endswith(f"See: diagtools show {tmp_path / 'run'}\n")
