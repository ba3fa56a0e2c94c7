"""Commands that are run and measured from outside: started, watched in /proc, waited for with wait4."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGETS = Path(__file__).resolve().parent / "targets"
PYTHON = sys.executable
_PATIENCE_S = 60.0


class NotStartedError(RuntimeError):
    """What was to be measured did not come to life in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended, and the CPU time of it and of all descendants that were waited for."""

    exit_status: int
    cpu_s: float


def target(name: str, *arguments: object) -> list[str]:
    """The command that runs one of the programs in ``targets``."""
    return [PYTHON, str(TARGETS / f"{name}.py"), *map(str, arguments)]


def script(name: str) -> list[str] | None:
    """How is the script of this installed distribution called?  Null where it is not installed."""
    path = Path(sysconfig.get_path("scripts")) / name
    return [str(path)] if path.exists() else None


def diagtools(*arguments: object) -> list[str]:
    """Our own command line, as a user calls it."""
    return [*(script("diagtools") or [PYTHON, "-m", "diagtools"]), *map(str, arguments)]


def environment(**added: str) -> dict[str, str]:
    """The environment of every command, the same on all sides: this checkout, and Python as it is by default.

    Where an outer setting keeps Python from writing bytecode, every start would compile our modules again.
    """
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("DIAGTOOLS_", "PYTHON"))
    }
    return {**inherited, "PYTHONPATH": str(ROOT), **added}


@contextmanager
def running(
    argv: Sequence[str], *, output: Path | None = None, env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs meanwhile; what it prints goes to ``output`` or nowhere.  Ended with the block."""
    with (output or Path(os.devnull)).open("wb") as file:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env or environment()),
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()


def wait(process: subprocess.Popen[bytes]) -> Ended:
    """Waits for a running command; the CPU time is the kernel's (wait4), µs exact."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(exit_status=process.returncode, cpu_s=usage.ru_utime + usage.ru_stime)


def output_of(argv: Sequence[str], **added: str) -> str:
    """What does a command print?  Raises ``CalledProcessError`` where it fails."""
    answer = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(**added),
        check=True,
    )
    return answer.stdout


def awaited_json(path: Path, process: subprocess.Popen[bytes] | None = None) -> dict[str, Any]:
    """What does this file hold, once it is there?  Raises ``NotStartedError`` where it does not come."""
    until = time.monotonic() + _PATIENCE_S
    while not path.exists():
        gone = process is not None and _has_ended(process.pid)
        if (gone and not path.exists()) or time.monotonic() > until:
            end = "the command ended before" if gone else f"nothing came for {_PATIENCE_S:g} s"
            raise NotStartedError(f"The target never wrote {path.name!r}: {end}.")
        time.sleep(0.005)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def descendants(pid: int) -> list[int]:
    """Which processes were started below this one?  Itself first."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
                parents[int(folder.name)] = int(text.rpartition(")")[2].split()[1])
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def cpu_ns(pid: int) -> int:
    """How long has this process been on a CPU?  All its threads, ns (schedstat: exact for one that sleeps)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total


def hwm_bytes(pid: int) -> int:
    """What is the most memory (VmHWM) that this process has held?"""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    return int(text.partition("VmHWM:")[2].split(None, 1)[0]) * 1024


def is_alive(pid: int) -> bool:
    """Does this process still run?  One that waits to be reaped does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def end(pid: int) -> None:
    """Ends one process by its pid, if it still runs."""
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
