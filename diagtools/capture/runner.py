"""Runs a command beside a sampler and leaves a run folder.

Three processes: this one (the recorder: it passes output and signals on and closes the run), the sampler (the
target's parent, in a session of its own), and the target.  Any one of them may be killed: without the recorder
the sampler ends the target and closes the timeline, without the sampler the target dies with it and the recorder
ends what is left.  Where both are killed at once the target dies too, but nobody is left to end its children.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.capture import cgroup, kernel_log, leftovers, snapshots, tracking
from diagtools.capture import folder as run_folder
from diagtools.capture import manifest as manifests
from diagtools.capture.echo import Echo
from diagtools.capture.failures import files_failure, no_such_process, start_failure
from diagtools.capture.sampler_process import BACKEND, SamplerProcess, Streams
from diagtools.capture.signals import Relay
from diagtools.capture.watcher import Look, Watcher
from diagtools.errors import DiagtoolsError, RecorderError, UnavailableError, UsageError
from diagtools.probes import boot, records, supervisor
from diagtools.probes.writer import CURRENT, HISTORY, WAITING
from diagtools.values import Enforcer, Limit, Manifest, State, Target, Validity

__all__ = ["BACKEND", "Captured", "Streams", "attach", "capture"]

_BUSY_S, _IDLE_S = 0.03, 0.1  # between two looks: while there is output, and a while after the last
_IDLE_AFTER_S = 2.0
_PATIENCE_S = 3.0
_QUIET = Streams()


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What is left of a recording: its folder, how the target ended, and what went wrong on our side."""

    folder: Path
    exit_status: int | None
    warnings: tuple[str, ...] = ()


def capture(
    target: Target,
    folder: Path | None = None,
    *,
    hz: float = 100.0,
    streams: Streams = _QUIET,
    backend: str = BACKEND,
    look: Look | None = None,
) -> Captured:
    """Runs the target once, recorded into ``folder`` (a new one in the store by default).

    ``backend`` is ``linux``, or ``psutil`` where there is no /proc (fewer columns, said in the validity).  ``look`` is
    called with the run folder about once a second while it is recorded.
    Raises ``StartError`` where the command cannot be started (nothing is left then), ``RecorderError`` where
    recording itself failed (what was recorded is kept), ``UsageError`` and ``UnavailableError``.
    """
    _check_rate(hz)
    _check_backend(backend, target.limit)
    tracking.check(target)
    keep_folder = folder is not None and folder.is_dir()
    with _own_cgroup(target.limit) as group:
        path = run_folder.new_run_folder(target.argv, folder)
        manifest = manifests.begun(path, target, pid=None, hz=hz, backend=backend)
        recording = _Recording(path, manifest, target, keep_folder=keep_folder, look=look)
        options = [*_options(target, group), "--", *target.argv]
        try:
            env = _environment(target, path)
        except DiagtoolsError:
            run_folder.discard(path, keep_folder=keep_folder)
            raise
        return recording.run(options, env, streams)


def attach(
    pid: int,
    folder: Path | None = None,
    *,
    hz: float = 100.0,
    backend: str = BACKEND,
    look: Look | None = None,
    asked: Mapping[str, str] | None = None,
) -> Captured:
    """Records the timeline of a process that already runs, until it ends or this process gets a signal.

    The process itself is not touched, unless ``look`` does (it is called as by ``capture``): ``asked`` says then which
    snapshots it is to take, by instrument.  Raises ``UsageError`` where there is no such process.
    """
    _check_rate(hz)
    if not _is_running(pid):
        raise no_such_process(pid)
    keep_folder = folder is not None and folder.is_dir()
    path = run_folder.new_run_folder(("pid", str(pid)), folder)
    manifest = manifests.begun(path, None, pid=pid, hz=hz, backend=backend)
    manifest = dataclasses.replace(manifest, snapshots=dict(asked or {}))
    recording = _Recording(path, manifest, None, keep_folder=keep_folder, look=look)
    return recording.run([f"attach={pid}", *observed(None), "--"], {}, _QUIET)


def _check_rate(hz: float) -> None:
    if not 1 <= hz <= 1000:
        raise UsageError(
            f"A sampling rate of {hz:g} Hz is not possible.", hint="choose 1 to 1000; 100 is usual."
        )


def _check_backend(backend: str, limit: Limit | None) -> None:
    if backend == "psutil" and limit and limit.enforcer is not Enforcer.WATCHDOG:
        raise UnavailableError(f"The enforcer '{limit.enforcer}' needs Linux.", hint="use the watchdog.")


def _is_running(pid: int) -> bool:
    """Is it a process that has not ended?  A zombie has: only its status is left."""
    try:
        return pid > 0 and leftovers.start_ticks(pid) >= 0
    except (OSError, OverflowError):
        return False


@contextlib.contextmanager
def _own_cgroup(limit: Limit | None) -> Iterator[cgroup.MemoryCgroup | None]:
    if limit is None or limit.enforcer is not Enforcer.CGROUP:
        yield None
        return
    group = cgroup.create(limit.memory_bytes)
    try:
        yield group
    finally:
        cgroup.remove(group)


def _options(target: Target, group: cgroup.MemoryCgroup | None) -> list[str]:
    options = observed(group)
    if target.cwd:
        options.append(f"cwd={target.cwd}")
    if target.limit:
        key = {Enforcer.WATCHDOG: "cap", Enforcer.CGROUP: "cgroup_cap", Enforcer.RLIMIT_AS: "address_space"}
        options.append(f"{key[target.limit.enforcer]}={target.limit.memory_bytes}")
    if group:
        options.append(f"cgroup_procs={group.procs}")
    return options


def observed(group: cgroup.MemoryCgroup | None) -> list[str]:
    """Which options of the sampler name the cgroup that it reads?"""
    watched = group or cgroup.current()
    return [f"cgroup_usage={watched.usage}", f"cgroup_events={watched.events}"] if watched else []


def _environment(target: Target, path: Path) -> dict[str, str]:
    source = target.items
    wanted = {**os.environ, **target.env}
    under = str(Path(source.opened_under).resolve()) if source and source.opened_under else None
    added = boot.environment(
        wanted,
        str(path),
        items_under=under,
        items_calls=source.calls if source else None,
        allocations=tracking.asked(target.tracking, target.limit) if target.tracking else None,
        **(snapshots.asked(target.snapshots, target.limit) if target.snapshots else {}),
        **_changed(target, path),
    )
    return {**target.env, **added}


def _changed(target: Target, path: Path) -> dict[str, str]:
    if target.changes is None:
        return {}
    from diagtools.capture import changes  # here: other targets wait for what this imports

    return changes.prepared(target.changes, target, path)


class _Recording:
    """One recording seen from the recorder."""

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        target: Target | None,
        *,
        keep_folder: bool,
        look: Look | None = None,
    ) -> None:
        self._path = path
        self._manifest = manifest
        self._target = target
        self._keep_folder = keep_folder
        self._watcher = Watcher(look, path)

    def run(self, options: Sequence[str], env: Mapping[str, str], streams: Streams) -> Captured:
        began = time.monotonic()
        attached = self._target is None
        interrupt: KeyboardInterrupt | None = None
        with (
            Relay(take_over=streams.interactive or attached, target_is_in_group=not attached) as relay,
            contextlib.closing(self._begin(options, env, streams)) as sampler,
            contextlib.closing(Echo(self._path, streams.stdout, streams.stderr)) as echo,
        ):
            try:
                self._follow(sampler, echo, relay)
            except KeyboardInterrupt as error:
                interrupt = error
                self._end_after_interrupt(sampler, echo)
        captured = self._close(sampler, time.monotonic() - began, tuple(echo.not_passed_on()))
        if interrupt is not None:
            interrupt.add_note(f"The run until here is kept in '{self._path}'.")
            raise interrupt
        return captured

    def _begin(self, options: Sequence[str], env: Mapping[str, str], streams: Streams) -> SamplerProcess:
        try:
            manifests.write(self._manifest, self._path)
            given = [f"folder={self._path}", f"hz={self._manifest.hz}", *options]
            return SamplerProcess(self._manifest.backend, given, env, streams)
        except OSError as error:
            self._discard()
            raise files_failure(self._path, error) from error
        except DiagtoolsError:
            self._discard()
            raise

    def _discard(self) -> None:
        run_folder.discard(self._path, keep_folder=self._keep_folder)

    # --- while it runs -------------------------------------------------------------------------------

    def _follow(self, sampler: SamplerProcess, echo: Echo, relay: Relay) -> None:
        waiting: list[int] = []
        last_output, n_copied = time.monotonic(), 0
        while sampler.listen(_pause(last_output), room_wanted=waiting):
            waiting = echo.forward()
            if echo.n_copied != n_copied:
                last_output, n_copied = time.monotonic(), echo.n_copied
            self._watcher.look()
            for number in relay.taken():
                sampler.send(number)
            if relay.is_asked_for_snapshot():
                snapshots.ask(self._path)
        while echo.forward() and not relay.is_asked_to_stop():
            echo.wait_for_room(_BUSY_S)

    def _end_after_interrupt(self, sampler: SamplerProcess, echo: Echo) -> None:
        """The target shares our process group, so it has been interrupted too: wait, then insist."""
        attached = self._target is None
        for number in (None, signal.SIGINT, signal.SIGTERM, supervisor.KILL_NOW)[attached:]:
            if number is not None:
                sampler.send(number)
            if sampler.listen_to_the_end(_PATIENCE_S):
                break
        else:
            sampler.kill()
        echo.forward()

    # --- when it has ended ---------------------------------------------------------------------------

    def _close(self, sampler: SamplerProcess, duration_s: float, unheard: tuple[str, ...]) -> Captured:
        if not sampler.is_closed:
            leftovers.end(self._path)
        self._check_start(sampler)
        validity = self._validity(sampler)
        said = [each for each in validity if each.state is not State.UNDER_TRACKER]  # that was asked for
        warnings = [*map(str, said), *unheard, *_said_of_leftovers(sampler)]
        warnings += [self._watcher.problem] if self._watcher.problem else []
        try:
            self._write_manifest(sampler, duration_s, validity)
        except OSError as error:
            warnings.append(
                f"run.json could not be completed ({error.strerror}): the timeline says the rest."
            )
        if not sampler.is_closed:
            ended = (
                "was killed" if (sampler.returncode or 0) < 0 else f"failed with status {sampler.returncode}"
            )
            raise RecorderError(
                f"The sampler {ended}; the target was ended with it. What it had recorded is in '{self._path}'.",
                hint=f"diagtools show {self._path}",
            )
        return Captured(folder=self._path, exit_status=sampler.exit_status, warnings=tuple(warnings))

    def _check_start(self, sampler: SamplerProcess) -> None:
        """Raises where nothing was recorded; then nothing is left either."""
        if sampler.failure is None and sampler.started_pid is not None:
            return
        self._discard()
        if sampler.failure is None:
            raise RecorderError(
                f"The sampler ended with status {sampler.returncode} before it could start anything.",
                hint="`diagtools doctor` says what this machine allows.",
            )
        if self._target is None:
            raise no_such_process(int(self._manifest.argv[-1]))
        raise start_failure(self._target, *sampler.failure)

    def _validity(self, sampler: SamplerProcess) -> tuple[Validity, ...]:
        found = []
        if self._manifest.backend == "psutil":
            note = "no /proc here: shared and anonymous memory, high-water marks, PSI and cgroups are unknown"
            found.append(Validity(what="timeline", state=State.SKIPPED, note=note))
        if not sampler.is_closed:
            found.append(Validity(what="timeline", state=State.TRUNCATED, note="the sampler was killed"))
        if sampler.n_lost:
            note = f"{sampler.n_lost:,} records found no room on the disk"
            found.append(Validity(what="timeline", state=State.TRUNCATED, note=note))
        if self._target is not None and self._target.tracking is not None:
            from diagtools.capture import tracked

            found.extend(tracked.validity(tracked.read_notes(self._path), self._target.tracking))
        if self._manifest.snapshots:
            found.extend(snapshots.validity(self._path, self._manifest.snapshots))
        return tuple(found)

    def _tracking(self) -> dict[str, str]:
        """The manifest's own, and in which version it was found."""
        if not self._manifest.tracking:
            return {}
        from diagtools.capture import tracked

        said = tracked.version(tracked.read_notes(self._path))
        return {**self._manifest.tracking, **({"tracker": said} if said else {})}

    def _write_manifest(
        self, sampler: SamplerProcess, duration_s: float, validity: tuple[Validity, ...]
    ) -> None:
        clock = clock_of(self._path)
        was_killed = sampler.exit_status == 128 + signal.SIGKILL
        final = manifests.closed(
            self._manifest,
            self._path,
            exit_status=sampler.exit_status,
            duration_s=_lasted_s(self._path, clock, sampler.started_pid) or round(duration_s, 3),
            start_ns=clock.t_ns if clock else None,
            wall_ns=clock.payload[2] if clock else None,
            git=manifests.git_revision(self._target.cwd) if self._target else {},
            tracking=self._tracking(),
            kernel_log=_kernel_log(self._path, clock) if was_killed else (),
            validity=validity,
        )
        manifests.write(final, self._path)


def _pause(last_output: float) -> float:
    return _BUSY_S if time.monotonic() - last_output < _IDLE_AFTER_S else _IDLE_S


def _said_of_leftovers(sampler: SamplerProcess) -> Iterator[str]:
    n, left = sampler.n_leftovers, sampler.n_survivors
    if n:
        yield f"{n} process{'es' if n > 1 else ''} outlived the command and {'were' if n > 1 else 'was'} ended."
    if left:
        yield f"{left} could not be ended and may still run: see `ps`."


def _kernel_log(path: Path, clock: records.Record | None) -> tuple[str, ...]:
    return kernel_log.oom_lines(leftovers.pids(path), clock.t_ns if clock else 0)


def _lasted_s(path: Path, clock: records.Record | None, pid: int | None) -> float | None:
    """How long did the target run, as the timeline tells it?  Null where that does not hold its end."""
    ended_ns = leftovers.ended_ns(path, pid) if pid is not None else None
    return None if ended_ns is None or clock is None else round((ended_ns - clock.t_ns) / 1e9, 9)


def clock_of(path: Path) -> records.Record | None:
    """The header of the recording, with which each of its files begins."""
    for name in (CURRENT, WAITING, HISTORY):
        with contextlib.suppress(OSError), (path / name).open("rb") as file:
            first = file.read(records.SIZE)
            if records.is_whole(first) and records.unpack(first).kind == records.HEADER:
                return records.unpack(first)
    return None
