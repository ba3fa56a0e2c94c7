"""A child process that is bounded: in time, in what it prints, and in what it leaves running."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import UsageError

#: More of what it prints is not kept: it is not what is measured, and must not fill the disk.
KEPT_BYTES = 1 << 20
OUTPUTS = ("stdout.log", "stderr.log")
_PATIENCE_S = 20
_OLDEST = (3, 9)
_ASK = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
_COMPILE = (
    "import sys, marshal; path = sys.argv[1]; "
    "sys.stdout.buffer.write(marshal.dumps(compile(open(path, 'rb').read(), path, 'exec')))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended: its exit status (128 + signal where one ended it), null where it took too long and was ended.

    ``is_cut`` where it printed more than was kept.
    """

    status: int | None
    is_cut: bool


def run_child(
    argv: Sequence[str],
    folder: Path,
    *,
    timeout_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """How did this command end?

    What it prints goes into ``folder``; what is left of its process group in the end is ended too.  Raises ``OSError``
    where it cannot be started.
    """
    with (folder / OUTPUTS[0]).open("ab") as stdout, (folder / OUTPUTS[1]).open("ab") as stderr:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        try:
            has_ended, is_cut = _watched(process, folder, time.monotonic() + timeout_s)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
    is_cut = _cut(folder) or is_cut
    return Ended(status=(status if status >= 0 else 128 - status) if has_ended else None, is_cut=is_cut)


def _watched(process: subprocess.Popen[bytes], folder: Path, end_s: float) -> tuple[bool, bool]:
    """Did it end in time, and was what it printed cut?"""
    is_cut = False
    while process.poll() is None:
        if time.monotonic() > end_s:
            return False, is_cut
        is_cut = _cut(folder) or is_cut
        time.sleep(0.01)
    return True, is_cut


def _cut(folder: Path) -> bool:
    long = [folder / name for name in OUTPUTS if (folder / name).stat().st_size > KEPT_BYTES]
    for path in long:
        os.truncate(path, 0)
    return bool(long)


@functools.cache
def compiled(probe: Path, python: str) -> bytes:
    """A probe as this interpreter compiles it; empty where it cannot, which its start will tell."""
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", _COMPILE, str(probe)],
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout


def check_python(python: str) -> str:
    """Which version is this interpreter (``"3.11"``)?  Raises ``UsageError`` where it cannot be measured."""
    hint = "name a CPython from 3.9 on: --python /usr/bin/python3"
    try:
        answer = subprocess.run(
            [python, "-I", "-S", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"'{python}' cannot be started: {reason}.", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"'{python}' did not answer: it is no Python.", hint=hint) from error
    words = answer.stdout.split()
    if answer.returncode or len(words) != 3 or not (words[1] + words[2]).isdigit():
        raise UsageError(f"'{python}' is no Python.", hint=hint)
    version = int(words[1]), int(words[2])
    if words[0] != "cpython" or version < _OLDEST:
        raise UsageError(f"'{python}' is {words[0]} {words[1]}.{words[2]}.", hint=hint)
    return f"{words[1]}.{words[2]}"
