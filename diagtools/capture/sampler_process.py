"""The sampler beside the target: starts it, takes in what it says, passes signals on to it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import RecorderError, UsageError
from diagtools.probes import records, supervisor

BACKEND = "linux" if sys.platform == "linux" else "psutil"
_PACKAGE = Path(__file__).resolve().parents[1]
#: A bare package stands for the public front, which the sampler does not need.
_BARE = (
    "import sys; package = sys.modules['diagtools'] = type(sys)('diagtools'); package.__path__ = [sys.argv.pop(1)]; "
    "from diagtools.{} import main; main()"
)
_SAMPLERS = {
    "linux": ("-I", "-S", "-c", _BARE.format("probes.sampler")),
    "psutil": ("-P", "-c", _BARE.format("capture.portable")),
}
_FIRST_FREE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """What the target gets as its standard streams; the default suits a notebook.

    ``interactive`` passes this process's own stdin and terminal on; ``stdout`` and ``stderr`` are the
    descriptors that its output is copied to (null: it is only kept).
    """

    interactive: bool = False
    stdout: int | None = None
    stderr: int | None = None


class SamplerProcess:
    """One running sampler and what it has said so far.

    ``failure`` is the step and errno of a target that could not be started; ``is_closed`` says that the
    recording was brought to its end, ``exit_status`` then is the target's (null where it had none).  ``n_lost``
    counts records, ``n_leftovers`` processes that outlived the target, ``n_survivors`` those that could not be ended.
    """

    def __init__(
        self, backend: str, options: Sequence[str], env: Mapping[str, str], streams: Streams
    ) -> None:
        """``options`` are those of ``probes.sampler``, ``env`` is added to the target's environment.

        Raises ``RecorderError`` where it cannot be started, ``UsageError`` where the target's words cannot be
        passed to any process.
        """
        self.started_pid: int | None = None
        self.failure: tuple[str, int] | None = None
        self.exit_status: int | None = None
        self.is_closed = False
        self.n_lost = self.n_leftovers = self.n_survivors = 0
        self._text = b""
        self._has_said_all = False
        self._messages, writing = _pipe()
        fixed = [f"recorder={os.getpid()}", f"status={writing}", f"terminals={_terminals(streams)}"]
        command = [*sampler_command(backend), *fixed, *options]
        try:
            self._process = _spawn(command, env, writing, interactive=streams.interactive)
        except BaseException:
            os.close(self._messages)
            raise
        finally:
            os.close(writing)

    def listen(self, timeout_s: float, room_wanted: Sequence[int] = ()) -> bool:
        """Takes in what the sampler says; false once it has said everything.

        Returns early where one of the descriptors in ``room_wanted`` can be written to.
        """
        if self._has_said_all:
            return False
        poll = select.poll()
        poll.register(self._messages, select.POLLIN)
        for descriptor in room_wanted:
            poll.register(descriptor, select.POLLOUT)
        if all(descriptor != self._messages for descriptor, _ in poll.poll(timeout_s * 1000)):
            return True
        text = os.read(self._messages, 4096)
        *lines, self._text = (self._text + text).split(b"\n")
        for line in lines:
            self._hear(*line.decode().split())
        self._has_said_all = not text
        return bool(text)

    def _hear(self, word: str, *numbers: str) -> None:
        if word == "started":
            self.started_pid = int(numbers[0])
        elif word == "failed":
            self.failure = (numbers[0], int(numbers[1]))
        elif word in ("lost", "leftovers", "survivors"):
            setattr(self, f"n_{word}", int(numbers[0]))
        elif word == "ended":
            self.is_closed = True
            self.exit_status = None if int(numbers[0]) == records.UNKNOWN else int(numbers[0])

    def listen_to_the_end(self, patience_s: float) -> bool:
        """Did it say everything within this time?"""
        until = time.monotonic() + patience_s
        while (left := until - time.monotonic()) > 0:
            if not self.listen(left):
                return True
        return False

    def send(self, number: int) -> None:
        """Sends it a signal, which it passes on to the target."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kills the sampler, and with it the target."""
        self._process.kill()

    @property
    def returncode(self) -> int | None:
        """Its own exit status, once it is closed."""
        return self._process.returncode

    def close(self) -> None:
        """Waits for its end.  From here on it can tell nothing; where it has a target still, it ends that."""
        os.close(self._messages)
        self._process.wait()


def sampler_command(backend: str) -> list[str]:
    """The command line of a sampler, before its options."""
    return [sys.executable, *_SAMPLERS[backend], str(_PACKAGE)]


def _spawn(
    command: Sequence[str], env: Mapping[str, str], writing: int, *, interactive: bool
) -> subprocess.Popen[bytes]:
    """Starts with the signals blocked that are meant for the target: until it listens, they wait."""
    stream = None if interactive else subprocess.DEVNULL
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, supervisor.FORWARDED)
    try:
        return subprocess.Popen(
            command,
            stdin=stream,
            stdout=stream,
            stderr=stream,
            env={**os.environ, **{f"DIAGTOOLS_TARGET_ENV_{name}": value for name, value in env.items()}},
            pass_fds=(writing,),
        )
    except ValueError as error:
        raise UsageError(f"The command cannot be passed to a process: {error}.") from error
    except OSError as error:
        raise RecorderError(f"The sampler cannot be started: {error.strerror}.") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are no standard streams, also where those are closed in this process."""
    ends = os.pipe()
    try:
        reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for end in ends)
    finally:
        for end in ends:
            os.close(end)
    return reading, writing


def _terminals(streams: Streams) -> str:
    if not streams.interactive:
        return ""
    outputs = {1: streams.stdout, 2: streams.stderr}
    return ",".join(
        str(stream) for stream, output in outputs.items() if output == stream and os.isatty(stream)
    )
