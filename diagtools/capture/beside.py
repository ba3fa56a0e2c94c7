"""Records the process that asks for it, and all that it starts, while it goes on with its own work."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from diagtools.capture import folder as run_folder
from diagtools.capture import manifest as manifests
from diagtools.capture.failures import files_failure
from diagtools.capture.runner import clock_of, observed
from diagtools.capture.sampler_process import BACKEND, SamplerProcess, Streams
from diagtools.errors import DiagtoolsError, RecorderError
from diagtools.probes import supervisor
from diagtools.values import State, Target, Validity

_PATIENCE_S = 3.0


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
            self._sampler = SamplerProcess(BACKEND, given, {}, Streams())
        except (OSError, DiagtoolsError) as error:
            run_folder.discard(self.folder, keep_folder=keep_folder)
            raise error if isinstance(error, DiagtoolsError) else files_failure(self.folder, error) from error

    def close(self, exit_status: int | None) -> None:
        """Ends the sampler and completes ``run.json``; raises ``RecorderError`` where that cannot be written.

        ``exit_status`` is what this process is about to end with.  In a forked child nothing happens.
        """
        if os.getpid() != self._pid:
            return
        with contextlib.closing(self._sampler) as sampler:
            sampler.send(supervisor.KILL_NOW)
            if not sampler.listen_to_the_end(_PATIENCE_S):
                sampler.kill()
        clock = clock_of(self.folder)
        final = manifests.closed(
            self._manifest,
            self.folder,
            exit_status=exit_status,
            duration_s=round(time.monotonic() - self._began_s, 3),
            start_ns=clock.t_ns if clock else None,
            wall_ns=clock.payload[2] if clock else None,
            git=manifests.git_revision(None),
            validity=self._validity(),
        )
        try:
            manifests.write(final, self.folder)
        except OSError as error:
            raise RecorderError(f"'{self.folder}' could not be completed: {error.strerror}.") from error

    def _validity(self) -> tuple[Validity, ...]:
        if self._sampler.is_closed:
            return ()
        return (Validity(what="timeline", state=State.TRUNCATED, note="the sampler was killed"),)
