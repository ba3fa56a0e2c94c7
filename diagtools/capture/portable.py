"""The sampler for systems without ``/proc``: psutil, the same records, less in them.

Takes the options of ``probes.sampler``.  Unknown here, and null in the frames: the shared part of RSS (so
anonymous memory too), high-water marks, cgroups, PSI.  Processes that detach themselves from the tree are not
followed, output goes to files only, and a target outlives a killed sampler until the recorder ends it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import psutil

from diagtools.capture import leftovers
from diagtools.probes import records, supervisor
from diagtools.probes.options import Options
from diagtools.probes.terminal import STREAMS
from diagtools.probes.writer import Writer

_GRACE_S = 3.0
_REFRESH_NS = 50_000_000
_UNKNOWN = records.UNKNOWN


class PortableSampler:
    """One recording through psutil."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._signals: list[int] = []
        self._known: dict[int, psutil.Process] = {}
        self._sizes: dict[int, int] = {}
        self._next_refresh = 0
        self._n_ticks = self._n_missed = 0
        self._is_over = False

    def run(self) -> None:
        """Records until the target has ended, or an attached one's recording is stopped."""
        start_ns, wall_ns = time.monotonic_ns(), time.time_ns()
        options = self._options
        try:
            self._writer = Writer(options.folder, options.segment)
            self._target = None if options.attach else self._start()
            self._root = psutil.Process(self._target.pid if self._target else options.attach)
        except supervisor.StartFailed as failure:
            self._tell(f"failed {failure.step} {failure.errno}")
            return
        except (OSError, psutil.Error) as error:
            self._tell(f"failed {'attach' if options.attach else 'files'} {getattr(error, 'errno', 0) or 0}")
            return
        payload = (
            records.VERSION,
            os.sysconf("SC_PAGE_SIZE"),
            wall_ns,
            int(options.hz * 1000),
            options.recorder,
        )
        self._writer.header(start_ns, self._root.pid, payload)
        self._event(start_ns, "started" if self._target else "attached", int(1e9 / options.hz))
        if options.cap:
            self._event(start_ns, "cap", options.cap)
        self._meet(start_ns, self._root)
        self._writer.flush(start_ns)
        self._tell(f"started {self._root.pid}")
        for number in supervisor.FORWARDED:
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, supervisor.FORWARDED)
        supervisor.leave_terminal()
        self._close(self._loop())

    def _start(self) -> subprocess.Popen[bytes]:
        options = self._options
        env = {os.fsdecode(name): os.fsdecode(value) for name, value in options.env.items()}
        with contextlib.ExitStack() as outputs:
            out, err = (
                outputs.enter_context((Path(options.folder) / name).open("ab")) for _, name in STREAMS
            )
            try:
                return subprocess.Popen(
                    options.argv,
                    stdout=out,
                    stderr=err,
                    env=env,
                    cwd=options.cwd or None,
                    preexec_fn=_unblock,  # noqa: PLW1509 - there are no threads here
                )
            except OSError as error:
                step = "cwd" if options.cwd and error.filename == options.cwd else "exec"
                raise supervisor.StartFailed(step, error.errno or 0) from error

    # --- while it runs -------------------------------------------------------------------------------

    def _loop(self) -> int | None:
        """One tick after the other, until the root has ended; returns its exit status."""
        due, period_ns = time.monotonic_ns(), int(1e9 / self._options.hz)
        while True:
            self._tick(time.monotonic_ns())
            status = self._ended()
            if status is not None or self._is_over:
                return status
            missed = (time.monotonic_ns() - due) // period_ns
            self._n_missed += missed
            due += (missed + 1) * period_ns
            time.sleep(max(0.0, (due - time.monotonic_ns()) / 1e9))

    def _tick(self, now: int) -> None:
        self._n_ticks += 1
        used = self._sample(now)
        self._note_output(now)
        self._forward(now)
        if self._options.cap and used > self._options.cap:
            self._event(now, "watchdog", used, self._options.cap)
            self._end(signal.SIGKILL)
        elif os.getppid() != self._options.recorder:
            self._event(now, "recorder_died", self._options.recorder)
            self._stop()
        self._writer.flush(now)
        if self._writer.decimator and os.waitpid(self._writer.decimator, os.WNOHANG)[0]:
            self._writer.reaped(self._writer.decimator)

    def _sample(self, now: int) -> int:
        """Adds one SAMPLE record a living process; returns the tree's RSS."""
        if now >= self._next_refresh:
            self._next_refresh = now + _REFRESH_NS
            self._refresh(now)
        used = 0
        for pid, process in list(self._known.items()):
            try:
                rss, cpu = process.memory_info().rss, process.cpu_times()
            except psutil.Error:
                del self._known[pid]
                self._writer.add(records.EXIT, now, pid, (_UNKNOWN, _UNKNOWN, _UNKNOWN))
                continue
            if rss:
                used += rss
                cpu_us = int((cpu.user + cpu.system) * 1e6)
                self._writer.add(records.SAMPLE, now, pid, (rss, _UNKNOWN, _UNKNOWN, cpu_us, _UNKNOWN))
        return used

    def _refresh(self, now: int) -> None:
        with contextlib.suppress(psutil.Error):
            for process in self._root.children(recursive=True):
                self._meet(now, process)

    def _meet(self, now: int, process: psutil.Process) -> None:
        if process.pid in self._known:
            return
        with contextlib.suppress(psutil.Error, OSError, ValueError):
            ppid, name, ticks = process.ppid(), process.name(), leftovers.start_ticks(process.pid)
            self._known[process.pid] = process
            self._writer.process(now, process.pid, ppid, ticks, os.fsencode(name))

    def _note_output(self, now: int) -> None:
        for stream, name in () if self._options.attach else STREAMS:
            size = (Path(self._options.folder) / name).stat().st_size
            if size != self._sizes.get(stream, 0):
                self._sizes[stream] = size
                self._writer.add(records.OUTPUT, now, self._root.pid, (size,), stream)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _forward(self, now: int) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if self._target is None:
                self._event(now, "stopped")
                self._is_over = True
            else:
                self._event(now, "signal", number)
                self._target.send_signal(number)

    # --- the end -------------------------------------------------------------------------------------

    def _ended(self) -> int | None:
        """How did the root end?  Null while it runs, and always for one that is only attached to."""
        if self._target is None:
            with contextlib.suppress(psutil.Error):
                if self._root.is_running() and self._root.status() != psutil.STATUS_ZOMBIE:
                    return None
            self._is_over = True
            return None
        code = self._target.poll()
        if code is None:
            return None
        self._end_leftovers()
        return code if code >= 0 else 128 - code

    def _stop(self) -> None:
        """Ends the tree: SIGTERM, then SIGKILL when the grace is over.  An attached one is let be."""
        self._is_over = True
        if self._target is None:
            return
        self._end(signal.SIGTERM)
        try:
            self._target.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._end(signal.SIGKILL)
            self._target.wait()

    def _end(self, number: int) -> None:
        for process in self._known.values():
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)

    def _end_leftovers(self) -> None:
        others = [
            process for pid, process in self._known.items() if pid != self._root.pid and process.is_running()
        ]
        if others:
            self._event(time.monotonic_ns(), "leftovers", len(others))
            self._tell(f"leftovers {len(others)}")
        self._end(signal.SIGTERM)
        for process in psutil.wait_procs(others, timeout=_GRACE_S)[1]:
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _close(self, status: int | None) -> None:
        now = time.monotonic_ns()
        with contextlib.suppress(OSError):
            self._note_output(now)
        if status is not None:
            self._writer.add(records.EXIT, now, self._root.pid, (status, _UNKNOWN, _UNKNOWN))
            self._event(now, "ended", status)
        if self._n_missed:
            self._event(now, "missed", self._n_missed)
        self._event(now, "closed", self._n_ticks, self._n_missed)
        self._writer.flush(now)
        self._tell(f"lost {self._writer.lost}")
        self._tell(f"ended {_UNKNOWN if status is None else status}")
        self._writer.finish()

    def _event(self, now: int, name: str, value: int = 0, second: int = 0) -> None:
        self._writer.event(now, name, self._root.pid, value, second)

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._options.status, text.encode() + b"\n")


def _unblock() -> None:
    """For the target, before it is executed: the signals that wait until the sampler listens."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, supervisor.FORWARDED)


def main() -> None:
    """Runs a sampler from ``sys.argv``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, supervisor.FORWARDED)
    supervisor.survive_requests()
    supervisor.guard_standard_streams()
    options = Options.parse(sys.argv[1:])
    os.set_inheritable(options.status, False)
    PortableSampler(options).run()
