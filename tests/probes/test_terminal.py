"""A target on a terminal: it finds one, keys and signals reach it once, and the run is closed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from diagtools.probes import terminal
from tests.capture.processes import PYTHON, command, is_alive, numbers_in, until, wait_gone
from tests.capture.recorded import Recorded
from tests.capture.terminals import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")

#: Notes its signals and its terminal's sizes in files, until it is told to end.
WATCHING = """
import os, signal, sys, time
def note(number, _):
    with open('signals', 'a') as file: file.write(f'{number}\\n')
def size(*_):
    with open('sizes', 'a') as file: file.write(f'{os.get_terminal_size(1)[1]} {os.get_terminal_size(2)[0]}\\n')
for number in (1, 2, 3, 15): signal.signal(number, note)
signal.signal(signal.SIGWINCH, size)
size()
with open('pids', 'w') as file: file.write(f'{os.getpid()}\\n')
print('ready', flush=True)
while not os.path.exists('end'): time.sleep(0.01)
time.sleep(0.3)  # for a signal that comes twice, if one does
raise SystemExit(5)
"""


def record(*argv: str) -> list[str]:
    return command("record", "-o", "run", "--", *argv)


def signals_in(folder: Path) -> list[int]:
    return numbers_in(folder / "signals", 1)


def end_and_wait(terminal: Terminal, folder: Path) -> int:
    (folder / "end").touch()
    return terminal.ends()


def check_closed(folder: Path, status: int) -> None:
    recorded = Recorded(folder / "run")
    recorded.check_whole()
    assert recorded.exit_status == status
    assert '"state": "finished"' in (folder / "run" / "run.json").read_text()


def test_the_command_finds_its_terminal_and_the_log_has_plain_lines(tmp_path: Path) -> None:
    code = (
        "import os, sys; "
        "print([os.isatty(fd) for fd in (0, 1, 2)], os.get_terminal_size(1)); "
        "print('e', file=sys.stderr)"
    )

    with Terminal(record(PYTHON, "-c", code), tmp_path, size=(33, 101)) as screen:
        assert screen.ends() == 0

    size = "os.terminal_size(columns=101, lines=33)"
    assert (tmp_path / "run" / "stdout.log").read_bytes() == f"[True, True, True] {size}\n".encode()
    assert (tmp_path / "run" / "stderr.log").read_bytes() == b"e\n"
    assert size.encode() + b"\r\n" in bytes(screen.screen)
    check_closed(tmp_path, 0)


def test_output_that_is_no_terminal_stays_none(tmp_path: Path) -> None:
    line = f"{' '.join(record(PYTHON))} -c 'import os; print([os.isatty(fd) for fd in (0, 1, 2)])' | cat"

    with Terminal(["sh", "-c", line], tmp_path) as screen:
        screen.ends()

    assert (tmp_path / "run" / "stdout.log").read_text() == "[True, False, True]\n"


def test_what_is_typed_reaches_the_command(tmp_path: Path) -> None:
    with Terminal(record(PYTHON, "-c", "print('got', input('name? '))"), tmp_path) as screen:
        screen.shows(b"name? ")
        screen.type(b"ada\n")
        assert screen.ends() == 0

    assert (tmp_path / "run" / "stdout.log").read_text() == "got ada\n"
    assert (tmp_path / "run" / "stderr.log").read_text() == "name? "  # where Python asks


def test_another_size_of_the_window_reaches_the_command(tmp_path: Path) -> None:
    with Terminal(record(PYTHON, "-c", WATCHING), tmp_path) as screen:
        screen.shows(b"ready")
        screen.resize(40, 132)
        sizes = tmp_path / "sizes"
        until(lambda: sizes.read_text().endswith("40 132\n"), "the new size")
        assert end_and_wait(screen, tmp_path) == 5

    assert sizes.read_text().startswith("24 80\n")


def test_a_flood_of_output_does_not_stop_the_samples(tmp_path: Path) -> None:
    code = "import time\nend = time.monotonic() + 0.5\nwhile time.monotonic() < end: print('y' * 999)"

    with Terminal(record(PYTHON, "-c", code), tmp_path) as screen:
        assert screen.ends() == 0
        shown = screen.screen.count(b"y")

    recorded = Recorded(tmp_path / "run")
    assert len(recorded.samples()) >= 10
    assert recorded.event("closed").payload[0] >= 10
    assert shown == (tmp_path / "run" / "stdout.log").read_bytes().count(b"y")


# --- keys and signals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "number"), [(b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)])
def test_a_key_reaches_the_command_once(tmp_path: Path, key: bytes, number: int) -> None:
    """It reaches the whole foreground group, so nobody needs to pass it on."""
    with Terminal(record(PYTHON, "-c", WATCHING), tmp_path) as screen:
        screen.shows(b"ready")
        screen.type(key)
        signals_in(tmp_path)
        assert end_and_wait(screen, tmp_path) == 5

    assert signals_in(tmp_path) == [number]
    assert not Recorded(tmp_path / "run").events("signal")
    check_closed(tmp_path, 5)


def test_a_key_that_ends_the_command_gives_its_status(tmp_path: Path) -> None:
    with Terminal(record("sh", "-c", "echo ready; exec sleep 100"), tmp_path) as screen:
        screen.shows(b"ready")
        screen.type(b"\x03")
        assert screen.ends() == 128 + signal.SIGINT

    check_closed(tmp_path, 128 + signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_for_the_recorder_alone_reaches_the_command_once(
    tmp_path: Path, number: signal.Signals
) -> None:
    with Terminal(record(PYTHON, "-c", WATCHING), tmp_path) as screen:
        screen.shows(b"ready")
        screen.process.send_signal(number)
        signals_in(tmp_path)
        assert end_and_wait(screen, tmp_path) == 5

    assert signals_in(tmp_path) == [number]
    check_closed(tmp_path, 5)


def test_hanging_up_reaches_a_command_whose_recorder_leads_the_session(tmp_path: Path) -> None:
    """The kernel tells the leader alone, until that one ends."""
    with Terminal(record(PYTHON, "-c", WATCHING), tmp_path) as screen:
        screen.shows(b"ready")
        screen.hang_up()
        assert signals_in(tmp_path) == [signal.SIGHUP]
        assert end_and_wait(screen, tmp_path) == 5

    assert signals_in(tmp_path) == [signal.SIGHUP]
    check_closed(tmp_path, 5)


def test_hanging_up_on_a_shell_ends_the_command_and_closes_the_run(tmp_path: Path) -> None:
    line = f"{' '.join(record('sleep', '100'))}; true"

    with Terminal(["sh", "-c", line], tmp_path) as screen:
        until(lambda: _samples(tmp_path), "samples")
        recorded = Recorded(tmp_path / "run")
        screen.hang_up()
        wait_gone([recorded.root])
        until(lambda: Recorded(tmp_path / "run").events("closed"), "the closing mark")

    Recorded(tmp_path / "run").check_whole()
    assert Recorded(tmp_path / "run").exit_status == 128 + signal.SIGHUP


def test_stopping_and_going_on_in_a_shell(tmp_path: Path) -> None:
    with Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path, PS1="$ ") as screen:
        screen.shows(b"$ ")
        screen.type(
            " ".join(record("sh", "-c", "'echo ready; read word; echo got $word; exit 6'")).encode() + b"\n"
        )
        screen.shows(b"ready\r\n")
        root = Recorded(tmp_path / "run").root
        screen.type(b"\x1a")
        screen.shows(b"Stopped")
        until(lambda: _state(root) == "T", "the command is stopped")
        screen.type(b"fg\n")
        until(lambda: _state(root) == "S", "the command goes on")
        screen.type(b"on\n")
        screen.shows(b"got on")
        screen.type(b"echo status $?\n")
        screen.shows(b"status 6")
        screen.type(b"exit\n")
        screen.ends()

    check_closed(tmp_path, 6)


def test_the_recorder_of_a_terminal_may_be_killed(tmp_path: Path) -> None:
    with Terminal(record("sh", "-c", "echo ready; exec sleep 100"), tmp_path) as screen:
        screen.shows(b"ready")
        pids = [*Recorded(tmp_path / "run").pids()]
        screen.process.kill()
        wait_gone(pids)
        until(lambda: Recorded(tmp_path / "run").events("closed"), "the closing mark")


def _samples(folder: Path) -> bool:
    return (folder / "run" / "timeline.bin").exists() and bool(Recorded(folder / "run").samples())


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] if is_alive(pid) else "gone"


# --- the pseudo-terminal by itself -----------------------------------------------------------------------


def test_what_finds_no_room_in_the_log_goes_to_the_real_terminal() -> None:
    master, real = os.openpty()
    full = os.open("/dev/full", os.O_WRONLY)
    output = terminal.OutputTerminal(full, real)
    os.write(output.slave, b"words\n")

    assert output.pump()
    assert os.read(master, 100) == b"words\r\n"

    output.started()
    assert not output.pump()
    for descriptor in (master, real, full, output.master):
        os.close(descriptor)


def test_a_reader_of_the_terminal_is_not_kept_for_ever(tmp_path: Path) -> None:
    """One call copies at most so much, however fast the target writes."""
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    _, real = os.openpty()
    output = terminal.OutputTerminal(log, real)
    os.set_blocking(output.slave, False)
    os.write(output.slave, b"x" * 4096)

    assert output.pump()
    assert (tmp_path / "log").stat().st_size == 4096
    for descriptor in (_, real, log, output.master, output.slave):
        os.close(descriptor)
