"""What does it mean for the user that a sampler could not start?"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from diagtools.errors import DiagtoolsError, RecorderError, StartError, UnavailableError, UsageError
from diagtools.values import Target

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


def no_such_process(pid: int) -> UsageError:
    """The process to attach to does not run."""
    return UsageError(f"There is no process {pid}, or it has ended.", hint="`ps` lists those that run.")


def start_failure(target: Target, step: str, number: int) -> DiagtoolsError:
    """The error for a start that failed at this step of ``probes.supervisor`` with this errno (0: unknown)."""
    reason = os.strerror(number) if number else "unknown reason"
    if step == "exec":
        return _not_executed(target, number, reason)
    if step == "cwd":
        return UsageError(
            f"The working folder '{target.cwd}' cannot be entered: {reason}.", hint="name an existing folder."
        )
    if step == "cgroup":
        return UnavailableError(
            f"The target could not join its memory cgroup: {reason}.", hint="use --limit-by watchdog."
        )
    if step == "files":
        return RecorderError(
            f"The files of the run cannot be made: {reason}.", hint="is there room on the disk?"
        )
    return RecorderError(
        f"The target could not be prepared ({step}): {reason}.",
        hint="`diagtools doctor` says what is possible here.",
    )


def files_failure(folder: Path, error: OSError) -> RecorderError:
    """The files of a run cannot be written."""
    return RecorderError(
        f"The run folder '{folder}' cannot be written: {error.strerror}.",
        hint="name a folder on a disk with room with -o.",
    )


def _not_executed(target: Target, number: int, reason: str) -> StartError:
    import shutil

    command = target.argv[0]
    is_path = os.sep in command
    found = _exists(target, command) if is_path else shutil.which(command) is not None
    if number in (errno.ENOENT, errno.ENOTDIR) and not found:
        return StartError(
            f"There is no command '{command}'.",
            exit_status=_NOT_FOUND,
            hint="check the spelling and PATH; a script needs its interpreter: `-- python app.py`.",
        )
    if number == errno.ENOENT:
        return StartError(
            f"'{command}' cannot be executed: the interpreter that its first line names is missing.",
            exit_status=_NOT_FOUND,
            hint=f"for a Python file: `-- python {command}`.",
        )
    return StartError(
        f"'{command}' cannot be executed: {reason}.",
        exit_status=_NOT_EXECUTABLE,
        hint=f"is it a program? For a Python file: `-- python {command}`.",
    )


def _exists(target: Target, command: str) -> bool:
    return os.path.lexists(Path(target.cwd or "", command))
