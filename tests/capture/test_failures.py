"""Each way in which a target cannot start is one error that says what to do."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from diagtools.capture.failures import no_such_process, start_failure
from diagtools.errors import DiagtoolsError, RecorderError, StartError, UnavailableError, UsageError
from diagtools.values import Target


@pytest.mark.parametrize(
    ("step", "number", "kind", "said"),
    [
        ("exec", errno.ENOENT, StartError, "There is no command"),
        ("exec", errno.EACCES, StartError, "Permission denied"),
        ("exec", errno.E2BIG, StartError, "Argument list too long"),
        ("cwd", errno.ENOTDIR, UsageError, "working folder 'here' cannot be entered"),
        ("cgroup", errno.EINVAL, UnavailableError, "could not join its memory cgroup"),
        ("files", errno.ENOSPC, RecorderError, "No space left"),
        ("fork", errno.EAGAIN, RecorderError, "could not be prepared (fork)"),
        ("rlimit", 0, RecorderError, "unknown reason"),
    ],
)
def test_every_step_has_its_error(step: str, number: int, kind: type[DiagtoolsError], said: str) -> None:
    error = start_failure(Target(argv=("no-such-command-here",), cwd=Path("here")), step, number)

    assert type(error) is kind
    assert said in error.message
    assert error.hint


def test_a_relative_command_is_looked_for_where_the_target_runs(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")

    there = start_failure(Target(argv=("./script",), cwd=tmp_path), "exec", errno.ENOENT)
    elsewhere = start_failure(Target(argv=("./script",), cwd=tmp_path / "x"), "exec", errno.ENOENT)

    assert "interpreter that its first line names is missing" in there.message
    assert "There is no command './script'" in elsewhere.message
    assert (there.exit_status, elsewhere.exit_status) == (127, 127)


def test_a_process_that_is_not_there() -> None:
    assert "77" in no_such_process(77).message
