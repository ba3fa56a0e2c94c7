"""Real processes for tests: started, waited for on a condition, and ended by their pid."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from diagtools.capture.sampler_process import sampler_command
from diagtools.probes import procfs

REPOSITORY = Path(__file__).parents[2]
PYTHON = sys.executable
GENEROUS_S = 60.0
#: Notes the pids of a family of N_FAMILY: a root with a child, a grandchild, and a daemon that nobody knows any more.
FAMILY = """
import os, time
def note():
    with open('pids', 'a') as file: file.write(f'{os.getpid()}\\n')
def born(then):
    if os.fork() == 0:
        then()
        note()
        time.sleep(1000)
def detach():
    os.setsid()
    if os.fork(): os._exit(0)
born(lambda: None)
born(lambda: born(lambda: None))
born(detach)
note()
"""
N_FAMILY = 5
FAMILY_THAT_STAYS = FAMILY + "time.sleep(1000)\n"
_Found = TypeVar("_Found")


def until(condition: Callable[[], _Found], what: str, timeout_s: float = GENEROUS_S) -> _Found:
    """Waits for a condition to hold; its value.  The bound is there to fail, not to measure."""
    end = time.monotonic() + timeout_s
    while True:
        if found := condition():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:g} s for: {what}")
        time.sleep(0.01)


def environment(**more: str) -> dict[str, str]:
    """Our own environment, with the package to test on the path."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DIAGTOOLS_")}
    return {**inherited, "PYTHONPATH": str(REPOSITORY), **more}


def command(*arguments: str) -> list[str]:
    """The command line of ``diagtools``."""
    return [PYTHON, "-m", "diagtools", *arguments]


def diagtools(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None, stdin: str = "", timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs ``diagtools`` to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**(env or {})),
        input=stdin,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=timeout,
    )


@contextlib.contextmanager
def started(
    argv: Sequence[str], *, cwd: Path | None = None, env: dict[str, str] | None = None, **streams: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with the block, whatever happened."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    process: subprocess.Popen[bytes] = subprocess.Popen(
        argv,
        cwd=cwd,
        env=environment(**(env or {})),
        **{**quiet, **streams},  # type: ignore[call-overload]
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(GENEROUS_S)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


@contextlib.contextmanager
def sampler(
    folder: Path,
    argv: Sequence[str],
    *options: str,
    prefix: Sequence[str] = (),
    process_group: int | None = None,
) -> Iterator[SamplerUnderTest]:
    """A sampler without a recorder: this process listens to it.  ``prefix`` is a command that executes it."""
    folder.mkdir(exist_ok=True)
    reading, low = os.pipe()
    writing = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 50)  # so that it counts in no limit that a test sets
    os.close(low)
    fixed = [f"folder={folder}", f"recorder={os.getpid()}", f"status={writing}"]
    process = subprocess.Popen(
        [*prefix, *sampler_command("linux"), *fixed, *options, "--", *argv],
        stdin=subprocess.DEVNULL,
        env=environment(),
        pass_fds=(writing,),
        process_group=process_group,
    )
    os.close(writing)
    under_test = SamplerUnderTest(process, reading)
    try:
        yield under_test
    finally:
        under_test.close()


class SamplerUnderTest:
    """A running sampler, and what it says."""

    def __init__(self, process: subprocess.Popen[bytes], reading: int) -> None:
        self.process = process
        self._messages = os.fdopen(reading, "rb")

    def says(self) -> list[str]:
        """The words of its next message; empty once it has said everything."""
        return self._messages.readline().decode().split()

    def root(self) -> int:
        """The pid of the target, once it runs."""
        word, pid = self.says()
        assert word == "started"
        return int(pid)

    def rest(self) -> list[list[str]]:
        """All that it says until it ends."""
        return [line.decode().split() for line in self._messages]

    def hang_up(self) -> None:
        """Stops listening."""
        self._messages.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(GENEROUS_S)
        self._messages.close()


def is_alive(pid: int) -> bool:
    """Does this process run, and is it no zombie?"""
    return not procfs.has_ended(pid)


def wait_gone(pids: Sequence[int], what: str = "the processes are gone") -> None:
    """Waits until none of these processes runs."""
    until(lambda: not any(map(is_alive, pids)), f"{what}: {list(pids)}")


def numbers_in(path: Path, n: int) -> list[int]:
    """The numbers in a file, one a line, once there are as many."""

    def found() -> list[int]:
        lines = path.read_text().split() if path.exists() else []
        return [int(line) for line in lines] if len(lines) >= n else []

    return until(found, f"{n} lines in {path.name}")


def end(pid: int) -> None:
    """Kills one process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
