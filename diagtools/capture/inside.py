"""Snapshots that a process which runs already takes of itself, because it is asked to.

From CPython 3.14 on an interpreter runs a file for whoever may debug it, between two instructions of its main thread
(PEP 768, ``sys.remote_exec``).  Both sides must be of one version: so the target's own interpreter is started to ask.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from diagtools.errors import NoDataError, UnavailableError
from diagtools.probes import boot

_PYTHON = re.compile(r"python3(\.[0-9]+)?t?d?")
_SINCE = "a CPython from 3.14 on"
_CAN_ASK = "import sys; print(hasattr(sys, 'remote_exec') and sys.is_remote_debug_enabled())"
_ASK = "import sys; sys.remote_exec(int(sys.argv[1]), sys.argv[2])"
_PATIENCE_S = 20.0
_START_IT = "start it recorded: diagtools record --holders -- CMD"


class Asker:
    """Asks at its first look, and then every ``every_s`` seconds.

    ``asked`` is what ``boot.take_now`` gets: instruments, each with its words.  Raises ``NoDataError`` for a process
    that has ended, ``UnavailableError`` for one that cannot be asked.
    """

    def __init__(self, pid: int, asked: Sequence[str], every_s: float) -> None:
        self._pid, self._asked, self._every_s = pid, tuple(asked), every_s
        self._python = _interpreter(pid)
        self._due_s = 0.0
        self._request: Path | None = None

    def look(self, folder: Path) -> None:
        """Ask if it is time; the answer comes when the main thread of the process next executes Python code.

        While one request is not answered there is no other.  Raises ``UnavailableError`` where the kernel does not
        allow it.
        """
        is_waiting = self._request is not None and self._request.exists()
        if time.monotonic() < self._due_s or is_waiting:
            return
        self._request = self._request or Path(tempfile.mkdtemp(prefix="diagtools-")) / "ask.py"
        self._request.write_text(
            _script(self._request, folder, self._asked), encoding="utf-8", errors="surrogateescape"
        )
        said = _said(self._python, _ASK, str(self._pid), os.fspath(self._request))
        if said.returncode and Path(f"/proc/{self._pid}").exists():
            self._request.unlink(missing_ok=True)
            raise UnavailableError(
                f"Process {self._pid} could not be asked for a snapshot: {_last_line(said.stderr)}",
                hint="run as root, or allow it: sysctl kernel.yama.ptrace_scope=0",
            )
        self._due_s = time.monotonic() + self._every_s

    def close(self) -> None:
        """Nothing more is wanted: a request that was not answered so far does nothing but take itself away."""
        if self._request is None:
            return
        if self._request.exists() and Path(f"/proc/{self._pid}").exists():
            self._request.write_text(_taking_away(self._request), errors="surrogateescape")
        else:
            self._request.unlink(missing_ok=True)
            self._request.parent.rmdir()


def _script(request: Path, folder: Path, asked: Sequence[str]) -> str:
    """It takes itself away as soon as it runs, and leaves no name behind."""
    return (
        f"__import__('os').unlink({os.fspath(request)!r})\n"
        f"names = {{'__name__': 'diagtools.probes.boot', '__file__': {boot.__file__!r}}}\n"
        f"exec(compile(open({boot.__file__!r}, 'rb').read(), {boot.__file__!r}, 'exec'), names)\n"
        f"names['take_now']({list(asked)!r}, {os.fspath(folder.absolute())!r})\n"
        "names.clear()\n"
    )


def _taking_away(request: Path) -> str:
    return f"__import__('os').unlink({os.fspath(request)!r})\n__import__('os').rmdir({os.fspath(request.parent)!r})\n"


def _interpreter(pid: int) -> str:
    try:
        process = Path(f"/proc/{pid}")
        path, owner = process.joinpath("exe").readlink(), process.stat().st_uid
    except FileNotFoundError as error:
        raise NoDataError(f"There is no process {pid}.", hint="ps -e lists those that run.") from error
    except OSError as error:
        raise UnavailableError(
            f"Process {pid} may not be looked at: {error.strerror}.",
            hint="run as the user whose process it is.",
        ) from error
    if owner != os.geteuid():  # it reads what we write, and writes beside it
        raise UnavailableError(
            f"Process {pid} is another user's, and would have to write the snapshot itself.",
            hint="run as the user whose process it is.",
        )
    here = Path("/proc/self")
    if any(
        process.joinpath(name).readlink() != here.joinpath(name).readlink() for name in ("ns/mnt", "root")
    ):
        raise UnavailableError(
            f"Process {pid} sees other folders (a container?): it could not read what it is asked.",
            hint="run diagtools within it.",
        )
    # No other program is started: who knows what it would do.
    if not _PYTHON.fullmatch(path.name) or _said(os.fspath(path), _CAN_ASK).stdout.strip() != "True":
        raise UnavailableError(
            f"The objects of process {pid} cannot be looked at while it runs: that takes {_SINCE}.",
            hint=_START_IT,
        )
    return os.fspath(path)


def _said(python: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [python, "-I", "-S", "-c", code, *arguments]
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=_PATIENCE_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(argv, 1, stdout="", stderr=str(error))


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it did not say why"])[-1]
