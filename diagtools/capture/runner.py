"""Runs a command beside a sampler and leaves a run folder.

Three processes: this one (the recorder: it passes output and signals on and closes the run), the sampler (the
target's parent, in a session of its own), and the target.  Any one of them may be killed: without the recorder
the sampler ends the target and closes the timeline, without the sampler the target dies with it and the recorder
ends what is left.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diagtools.capture import cgroup, kernel_log, leftovers
from diagtools.capture import folder as run_folder
from diagtools.capture import manifest as manifests
from diagtools.capture.echo import Echo
from diagtools.capture.signals import Relay
from diagtools.errors import RecorderError, StartError, UnavailableError, UsageError
from diagtools.probes import boot, records, supervisor
from diagtools.values import Enforcer, Limit, Manifest, State, Target, Validity

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_BOOTSTRAP = "import sys; sys.path.insert(0, sys.argv.pop(1)); from {} import main; main()"
_SAMPLERS = {
    "linux": ("-I", "-S", "-c", _BOOTSTRAP.format("diagtools.probes.sampler")),
    "psutil": ("-c", _BOOTSTRAP.format("diagtools.capture.portable")),
}
BACKEND = "linux" if sys.platform == "linux" else "psutil"
_POLL_S = 0.03
_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What is left of a recording: its folder, how the target ended, and what went wrong on our side."""

    folder: Path
    exit_status: int | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """What the target gets as its standard streams; the default suits a notebook.

    ``interactive`` passes this process's own stdin and terminal on; ``stdout`` and ``stderr`` are the
    descriptors that its output is copied to (null: it is only kept).
    """

    interactive: bool = False
    stdout: int | None = None
    stderr: int | None = None


_QUIET = Streams()


def capture(
    target: Target,
    folder: Path | None = None,
    *,
    hz: float = 100.0,
    streams: Streams = _QUIET,
    backend: str = BACKEND,
) -> Captured:
    """Runs the target once, recorded into ``folder`` (a new one in the store by default).

    ``backend`` is ``linux``, or ``psutil`` where there is no /proc (fewer columns, said in the validity).
    Raises ``StartError`` where the command cannot be started (nothing is left then), ``RecorderError`` where
    recording itself failed (what was recorded is kept), ``UsageError`` and ``UnavailableError``.
    """
    _check_rate(hz)
    _check_backend(backend, target.limit)
    group = _own_cgroup(target.limit)
    path = run_folder.new_run_folder(target.argv, folder)
    manifest = manifests.begun(path, target, pid=None, hz=hz, backend=backend)
    recording = _Recording(path, manifest, target)
    try:
        return recording.run([*_options(target, group), "--", *target.argv], _environment(target, path), streams)
    finally:
        if group is not None:
            cgroup.remove(group)


def attach(pid: int, folder: Path | None = None, *, hz: float = 100.0, backend: str = BACKEND) -> Captured:
    """Records the timeline of a process that already runs, until it ends or this process gets a signal.

    The process itself is never touched.  Raises ``UsageError`` where there is no such process.
    """
    _check_rate(hz)
    if not _is_running(pid):
        raise UsageError(f"There is no process {pid}.", hint="`ps` lists those that run.")
    path = run_folder.new_run_folder(("pid", str(pid)), folder)
    manifest = manifests.begun(path, None, pid=pid, hz=hz, backend=backend)
    return _Recording(path, manifest, None).run([f"attach={pid}", *_observed(None), "--"], {}, _QUIET)


def _check_rate(hz: float) -> None:
    if not 1 <= hz <= 1000:
        raise UsageError(f"A sampling rate of {hz:g} Hz is not possible.", hint="choose 1 to 1000; 100 is usual.")


def _check_backend(backend: str, limit: Limit | None) -> None:
    if backend == "psutil" and limit and limit.enforcer is not Enforcer.WATCHDOG:
        raise UnavailableError(f"The enforcer '{limit.enforcer}' needs Linux.", hint="use the watchdog.")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return pid > 0


def _own_cgroup(limit: Limit | None) -> cgroup.MemoryCgroup | None:
    return cgroup.create(limit.memory_bytes) if limit and limit.enforcer is Enforcer.CGROUP else None


def _options(target: Target, group: cgroup.MemoryCgroup | None) -> list[str]:
    options = _observed(group)
    if target.cwd:
        options.append(f"cwd={target.cwd}")
    if target.limit:
        key = {Enforcer.WATCHDOG: "cap", Enforcer.CGROUP: "cgroup_cap", Enforcer.RLIMIT_AS: "address_space"}
        options.append(f"{key[target.limit.enforcer]}={target.limit.memory_bytes}")
    if group:
        options.append(f"cgroup_procs={group.procs}")
    return options


def _observed(group: cgroup.MemoryCgroup | None) -> list[str]:
    watched = group or cgroup.current()
    return [f"cgroup_usage={watched.usage}", f"cgroup_events={watched.events}"] if watched else []


def _environment(target: Target, path: Path) -> dict[str, str]:
    source = target.items
    wanted = {**os.environ, **target.env}
    under = str(source.opened_under.resolve()) if source and source.opened_under else None
    added = boot.environment(wanted, str(path), items_under=under, items_calls=source.calls if source else None)
    return {**target.env, **added}


class _Recording:
    """One recording seen from the recorder."""

    def __init__(self, path: Path, manifest: Manifest, target: Target | None) -> None:
        self._path = path
        self._manifest = manifest
        self._target = target
        self._messages = b""
        self._started_pid: int | None = None
        self._failure: tuple[str, int] | None = None
        self._status: int | None = None
        self._is_closed = False
        self._n_lost = 0

    def run(self, options: list[str], env: Mapping[str, str], streams: Streams) -> Captured:
        manifests.write(self._manifest, self._path)
        began = time.monotonic()
        with Relay(take_over=streams.interactive or self._target is None) as relay:
            sampler, messages = self._spawn(options, env, streams)
            echo = Echo(self._path, streams.stdout, streams.stderr)
            try:
                self._follow(sampler, messages, echo, relay)
            except KeyboardInterrupt as interrupt:
                self._end_after_interrupt(sampler, messages, echo)
                interrupt.add_note(f"The run until here is kept in '{self._path}'.")
                self._close(sampler, time.monotonic() - began)
                raise
            finally:
                os.close(messages)
                echo.close()
        return self._close(sampler, time.monotonic() - began)

    # --- while it runs -------------------------------------------------------------------------------

    def _spawn(
        self, options: list[str], env: Mapping[str, str], streams: Streams
    ) -> tuple[subprocess.Popen[bytes], int]:
        reading, writing = os.pipe()
        command = [sys.executable, *_SAMPLERS[self._manifest.backend], str(_PACKAGE_ROOT), f"folder={self._path}"]
        command += [f"hz={self._manifest.hz}", f"recorder={os.getpid()}", f"status={writing}"]
        command += [f"terminals={_terminals(streams)}", *options]
        inherited = None if streams.interactive else subprocess.DEVNULL
        try:
            sampler = subprocess.Popen(
                command,
                stdin=inherited,
                stdout=inherited,
                stderr=None if inherited is None else subprocess.DEVNULL,
                env={**os.environ, **{f"DIAGTOOLS_TARGET_ENV_{name}": value for name, value in env.items()}},
                pass_fds=(writing,),
            )
        except OSError as error:
            os.close(reading)
            raise RecorderError(f"The sampler cannot be started: {error.strerror}.") from error
        finally:
            os.close(writing)
        return sampler, reading

    def _follow(self, sampler: subprocess.Popen[bytes], messages: int, echo: Echo, relay: Relay) -> None:
        while self._listen(messages, _POLL_S):
            echo.forward()
            for number in relay.taken():
                sampler.send_signal(number)
        sampler.wait()

    def _listen(self, messages: int, timeout_s: float) -> bool:
        """Takes in what the sampler says; false once it has said everything."""
        if not select.select([messages], [], [], timeout_s)[0]:
            return True
        text = os.read(messages, 4096)
        *lines, self._messages = (self._messages + text).split(b"\n")
        for line in lines:
            word, *numbers = line.decode().split()
            if word == "started":
                self._started_pid = int(numbers[0])
            elif word == "failed":
                self._failure = (numbers[0], int(numbers[1]))
            elif word == "lost":
                self._n_lost = int(numbers[0])
            elif word == "ended":
                self._is_closed = True
                self._status = None if int(numbers[0]) == records.UNKNOWN else int(numbers[0])
        return bool(text)

    def _end_after_interrupt(self, sampler: subprocess.Popen[bytes], messages: int, echo: Echo) -> None:
        """The target shares our process group, so it has been interrupted too: wait, then insist."""
        for number in (None, signal.SIGINT, signal.SIGTERM, supervisor.KILL_NOW):
            if number is not None:
                sampler.send_signal(number)
            until = time.monotonic() + _PATIENCE_S
            while time.monotonic() < until:
                if not self._listen(messages, _POLL_S):
                    sampler.wait()
                    return
                echo.forward()
        sampler.kill()
        sampler.wait()

    # --- when it has ended ---------------------------------------------------------------------------

    def _close(self, sampler: subprocess.Popen[bytes], duration_s: float) -> Captured:
        if self._failure is not None:
            run_folder.discard(self._path)
            raise _start_error(self._target, *self._failure)
        if self._started_pid is None:
            run_folder.discard(self._path)
            raise RecorderError(
                f"The sampler ended with status {sampler.returncode} before it could start anything.",
                hint="`diagtools doctor` says what this machine allows.",
            )
        validity = self._validity()
        if not self._is_closed:
            leftovers.end(self._path)
        warnings = [str(row) for row in validity]
        try:
            self._write_manifest(duration_s, validity)
        except OSError as error:
            warnings.append(f"run.json could not be completed ({error.strerror}): the timeline says the rest.")
        if not self._is_closed:
            raise RecorderError(
                f"The sampler was killed; the target was ended with it. What it had recorded is in '{self._path}'.",
                hint=f"diagtools show {self._path}",
            )
        return Captured(folder=self._path, exit_status=self._status, warnings=tuple(warnings))

    def _validity(self) -> tuple[Validity, ...]:
        found = []
        if self._manifest.backend == "psutil":
            note = "no /proc here: shared and anonymous memory, high-water marks, PSI and cgroups are unknown"
            found.append(Validity(what="timeline", state=State.SKIPPED, note=note))
        if not self._is_closed:
            found.append(Validity(what="timeline", state=State.TRUNCATED, note="the sampler was killed"))
        if self._n_lost:
            note = f"{self._n_lost} records found no room on the disk"
            found.append(Validity(what="timeline", state=State.TRUNCATED, note=note))
        return tuple(found)

    def _write_manifest(self, duration_s: float, validity: tuple[Validity, ...]) -> None:
        clock = _clock(self._path)
        pids = leftovers.pids(self._path)
        final = manifests.closed(
            self._manifest,
            self._path,
            exit_status=self._status,
            duration_s=round(duration_s, 3),
            start_ns=clock.t_ns if clock else None,
            wall_ns=clock.payload[2] if clock else None,
            kernel_log=kernel_log.oom_lines(pids) if self._status == 128 + signal.SIGKILL else (),
            validity=validity,
        )
        manifests.write(final, self._path)


def _terminals(streams: Streams) -> str:
    if not streams.interactive:
        return ""
    outputs = {1: streams.stdout, 2: streams.stderr}
    return ",".join(str(stream) for stream, output in outputs.items() if output == stream and os.isatty(stream))


def _clock(path: Path) -> records.Record | None:
    with (path / "timeline.bin").open("rb") as file:
        first = file.read(records.SIZE)
    return records.unpack(first) if records.is_whole(first) else None


def _start_error(target: Target | None, step: str, number: int) -> Exception:
    command = target.argv[0] if target else "?"
    reason = os.strerror(number) if number else "unknown reason"
    if step == "cwd" and target:
        return UsageError(f"The working folder '{target.cwd}' cannot be entered: {reason}.")
    if step == "cgroup":
        return UnavailableError(f"The target could not join its memory cgroup: {reason}.", hint="--limit-by watchdog")
    if step != "exec":
        return RecorderError(f"The target could not be prepared ({step}): {reason}.")
    if number == errno.ENOENT and not os.path.exists(command):
        return StartError(
            f"There is no command '{command}'.",
            exit_status=127,
            hint="check the spelling and PATH; a script needs its interpreter: `diagtools record -- python app.py`.",
        )
    return StartError(
        f"'{command}' cannot be executed: {reason}.",
        exit_status=127 if number == errno.ENOENT else 126,
        hint=f"is it a program? For a Python file: `diagtools record -- python {command}`.",
    )
