"""Records the process that asks for it, and all that it starts, while it goes on with its own work."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from diagtools.capture import folder as run_folder
from diagtools.capture import manifest as manifests
from diagtools.capture.failures import files_failure
from diagtools.capture.runner import clock_of, observed
from diagtools.capture.sampler_process import BACKEND, SamplerProcess, Streams
from diagtools.errors import DiagtoolsError, RecorderError
from diagtools.probes import supervisor
from diagtools.values import Manifest, State, Target, Validity

_PATIENCE_S = 3.0
_OUT_OF_THE_WAY = 512  # programs that close descriptors by number close the low ones; 1,024 are usual


class BesideRecording:
    """One recording of this process, from its making until ``close``.

    The sampler is a child of this process, and no part of what it samples.  Where this process is killed, the sampler
    notices, closes the timeline and ends: the run opens, and says that nobody closed it.
    """

    def __init__(self, argv: tuple[str, ...], folder: Path | None = None, *, hz: float = 100.0) -> None:
        """``argv`` is what this process is, for ``run.json``; ``folder`` as for ``capture``.

        Raises ``RecorderError`` and ``UsageError`` where the folder cannot be had or the sampler not be started.
        """
        keep_folder = folder is not None and folder.is_dir()
        self.folder = run_folder.new_run_folder(argv, folder)
        self._pid, self._began_s = os.getpid(), time.monotonic()
        try:
            self._manifest = manifests.begun(self.folder, Target(argv=argv), pid=None, hz=hz, backend=BACKEND)
            manifests.write(self._manifest, self.folder)
            given = [f"folder={self.folder}", f"hz={hz}", f"attach={self._pid}", *observed(None), "--"]
            self._sampler = _HardySampler(BACKEND, given, {}, Streams())
            self._is_sampling = True
        except (OSError, DiagtoolsError) as error:
            run_folder.discard(self.folder, keep_folder=keep_folder)
            raise error if isinstance(error, DiagtoolsError) else files_failure(self.folder, error) from error

    def stop(self) -> None:
        """Samples no more: what this process does from here on is not to be in the timeline.

        A sampler that is still starting would die of being told to end: it is waited for.
        """
        if not self._is_sampling or os.getpid() != self._pid:
            return
        self._is_sampling = False
        with contextlib.closing(self._sampler) as sampler:
            sampler.listen_to_the_start(_PATIENCE_S)
            sampler.send(supervisor.KILL_NOW)
            if not sampler.listen_to_the_end(_PATIENCE_S):
                sampler.kill()

    def close(self, exit_status: int | None) -> None:
        """Ends the sampler and completes ``run.json``; raises ``RecorderError`` where that cannot be written.

        ``exit_status`` is what this process is about to end with.  In a forked child nothing happens.
        """
        if os.getpid() != self._pid:
            return
        self.stop()
        try:
            manifests.write(self._completed(exit_status), self.folder)
        except OSError as error:  # also where a program removed the folder
            raise RecorderError(f"'{self.folder}' could not be completed: {error.strerror}.") from error

    def _completed(self, exit_status: int | None) -> Manifest:
        clock = clock_of(self.folder)
        return manifests.closed(
            self._manifest,
            self.folder,
            exit_status=exit_status,
            duration_s=round(time.monotonic() - self._began_s, 3),
            start_ns=clock.t_ns if clock else None,
            wall_ns=clock.payload[2] if clock else None,
            git=manifests.git_revision(None),
            validity=self._validity(),
        )

    def _validity(self) -> tuple[Validity, ...]:
        if self._sampler.is_closed or self._sampler.returncode == 0:
            return ()
        return (Validity(what="timeline", state=State.TRUNCATED, note="the sampler was killed"),)


class _HardySampler(SamplerProcess):
    """A sampler beside a program that may close every descriptor, ours too, and open others under their numbers."""

    def __init__(
        self, backend: str, options: Sequence[str], env: Mapping[str, str], streams: Streams
    ) -> None:
        super().__init__(backend, options, env, streams)
        low = self._messages
        with contextlib.suppress(OSError):  # no descriptor may be so high: it stays where it is
            self._messages = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
            os.close(low)
        self._pipe = os.fstat(self._messages)

    def listen_to_the_start(self, patience_s: float) -> None:
        """Until it samples, or cannot."""
        until = time.monotonic() + patience_s
        while self._has_pipe() and self.started_pid is None and self.failure is None:
            left = until - time.monotonic()
            if left <= 0 or not self.listen(left):
                return

    def listen_to_the_end(self, patience_s: float) -> bool:
        """As always; without the pipe, did it end within this time?"""
        if self._has_pipe():
            return super().listen_to_the_end(patience_s)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """As always, and closes nothing of others."""
        if self._has_pipe():
            os.close(self._messages)
        self._process.wait()

    def _has_pipe(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._messages), self._pipe)
        except OSError:
            return False
