"""Starts a target (or attaches to one), samples its whole process tree, and enforces a memory cap.

Runs as a process of its own, beside the target::

    sampler key=value … -- command argument …

Keys: ``folder`` (the run folder), ``hz``, ``recorder`` (pid whose death ends the recording), ``status``
(descriptor for messages: ``started PID``, ``failed STEP ERRNO``, ``leftovers N``, ``survivors N``, ``lost N``,
``ended STATUS``; when its reader is gone the recording ends too), ``cap`` (bytes for the watchdog),
``address_space`` (RLIMIT_AS), ``cgroup_cap``, ``cgroup_procs``, ``cgroup_usage``, ``cgroup_events`` (files),
``cwd``, ``terminals`` (``1``, ``2`` or ``1,2``: outputs that are terminals), ``attach`` (a pid, no command),
``segment`` (bytes of one timeline file).
Variables ``DIAGTOOLS_TARGET_ENV_X`` become ``X`` of the target.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time

from diagtools.probes import procfs, records, supervisor
from diagtools.probes.options import Options
from diagtools.probes.terminal import STREAMS, Outputs
from diagtools.probes.tree import Tree
from diagtools.probes.watchdog import Watchdog
from diagtools.probes.writer import Writer

SLOW_NS = 100_000_000
GRACE_NS = 3_000_000_000
LEAVE_NS = 300_000_000  # a helper that waits for its parent's end (a forkserver) needs a moment to follow it
STARVED_NS = 1_000_000_000


class Sampler:
    """One recording from its first sample to its closing mark."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._period = int(1e9 / options.hz)
        self._watchdog = Watchdog(options.cap)
        self._signals: list[int] = []
        self._has_news_of_child = True
        self._next_slow = 0
        self._oom_kills = 0
        self._n_ticks = self._n_missed = self._n_unsaid = 0
        self._exit_status: int | None = None
        self._cpu_us = 0
        self._kill_at: int | None = None
        self._leave_until: int | None = None
        self._is_over_cap = self._is_abandoned = self._stopping = False

    # --- from start to end ---------------------------------------------------------------------------

    def run(self) -> None:
        """Records until the target has ended, or an attached one's recording is stopped."""
        try:
            self._start()
        except supervisor.StartFailed as failure:
            self._tell(f"failed {failure.step} {failure.errno}")
            return
        except OSError as error:  # no room for the files of the run, or no process to attach to
            self._tell(f"failed {'attach' if self._options.attach else 'files'} {error.errno or 0}")
            return
        self._begin()
        self._loop()
        self._close()

    def _start(self) -> None:
        options = self._options
        self._writer = Writer(options.folder, options.segment)
        supervisor.adopt_orphans()
        self._oom_kills = self._read_oom_kills() or 0
        self._start_ns, wall_ns = time.monotonic_ns(), time.time_ns()
        self._outputs = Outputs(options.folder, () if options.attach else STREAMS, options.terminals)
        self._tree = Tree(options.attach or None, self._writer)
        self._root = self._attach() if options.attach else self._start_target()
        payload = (records.VERSION, procfs.PAGE, wall_ns, int(options.hz * 1000), options.recorder)
        self._writer.header(self._start_ns, self._root, payload)

    def _attach(self) -> int:
        supervisor.leave_terminal()
        return self._options.attach

    def _start_target(self) -> int:
        outputs = self._outputs
        pid = supervisor.start(self._options, outputs.end_of_target(1), outputs.end_of_target(2))
        outputs.started()
        self._tree.trust_last_pid()
        return pid

    def _begin(self) -> None:
        options = self._options
        self._writer.event(
            self._start_ns, "attached" if options.attach else "started", self._root, self._period
        )
        for kind, cap in enumerate((options.cap, options.cgroup_cap, options.address_space)):
            if cap:
                self._writer.event(self._start_ns, "cap", self._root, cap, kind)
        self._tree.meet(self._start_ns, self._root, 0 if options.attach else os.getpid())
        self._writer.flush(self._start_ns)
        self._tell(f"started {self._root}")
        self._listen()
        supervisor.take_descriptors()
        gc.freeze()
        gc.disable()

    def _listen(self) -> None:
        self._wakeup, writing = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        listened = (*supervisor.FORWARDED, supervisor.KILL_NOW, signal.SIGWINCH)
        for number in listened:
            signal.signal(number, lambda number, _: self._signals.append(number))
        signal.signal(signal.SIGCHLD, self._on_child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, listened)
        self._status = select.poll()
        if self._options.status >= 0:
            self._status.register(self._options.status, 0)

    def _loop(self) -> None:
        due = time.monotonic_ns()
        while True:
            now = time.monotonic_ns()
            self._react(now)
            if now >= due:
                self._tick(now)
                due = self._next_due(now, due)
            if self._is_over(now):
                return
            self._wait(due)

    def _next_due(self, now: int, due: int) -> int:
        late = time.monotonic_ns() - due
        missed = late // self._period
        self._n_missed += missed
        self._n_unsaid += missed
        if late >= STARVED_NS:
            self._writer.event(now, "starved", value=late)
        return due + (missed + 1) * self._period

    def _wait(self, due: int) -> None:
        timeout_s = max(0.0, (due - time.monotonic_ns()) / 1e9)
        for descriptor in select.select([self._wakeup, *self._outputs.masters()], [], [], timeout_s)[0]:
            if descriptor == self._wakeup:
                os.read(self._wakeup, 512)
            else:
                self._outputs.pump(descriptor)

    def _close(self) -> None:
        self._outputs.drain()
        now = time.monotonic_ns()
        self._note_output(now)
        self._note_oom_kills(now)
        self._say_missed(now)
        status = self._exit_status
        if status is not None:
            self._writer.event(now, "ended", self._root, status, self._cpu_us)
        self._writer.event(now, "closed", self._root, self._n_ticks, self._n_missed)
        self._writer.flush(now)
        self._tell(f"lost {self._writer.lost}")
        self._tell(f"ended {records.UNKNOWN if status is None else status}")
        self._writer.finish()
        if self._options.cgroup_procs:
            supervisor.remove_cgroup(self._options.cgroup_procs)

    # --- one tick ------------------------------------------------------------------------------------

    def _tick(self, now: int) -> None:
        is_slow = now >= self._next_slow
        if is_slow:
            self._next_slow = now + SLOW_NS
            self._say_missed(now)
            self._look_for_recorder(now)
        try:
            self._observe(now)
            if is_slow:
                self._observe_slowly(now)
            self._n_ticks += 1
        except (OSError, ValueError, IndexError):  # /proc cannot be read, for instance without descriptors:
            self._n_missed += 1  # the target must not suffer from that
            self._n_unsaid += 1
        self._writer.flush(now)

    def _observe(self, now: int) -> None:
        self._tree.refresh(now, self._writer.decimator)
        self._tree.sample(now)
        if self._watchdog.cap and not self._is_over_cap:
            used = self._watchdog.breached(self._tree.living(), now)
            if used:
                self._kill_for_memory(now, used)
        self._note_output(now)

    def _observe_slowly(self, now: int) -> None:
        psi = procfs.psi_some_percent()
        cgroup = procfs.number_in(self._options.cgroup_usage) if self._options.cgroup_usage else None
        payload = (
            records.UNKNOWN if cgroup is None else cgroup,
            procfs.available_bytes(),
            self._tree.swap_and_fds(),
            *self._tree.io_bytes(),
        )
        small = records.NO_SMALL if psi is None else int(psi * 100)
        self._writer.add(records.SYSTEM, now, self._tree.n_threads(), payload, small)
        self._tree.read_pss(now)
        self._note_oom_kills(now)

    def _say_missed(self, now: int) -> None:
        if self._n_unsaid:
            self._writer.event(now, "missed", value=self._n_unsaid)
            self._n_unsaid = 0

    def _look_for_recorder(self, now: int) -> None:
        """The recorder is gone when it is not our parent any more, or when nobody can read our messages.

        One that records itself may close its descriptors, and goes on.
        """
        options = self._options
        is_unheard = options.attach != options.recorder and bool(self._status.poll(0))
        if not self._stopping and (os.getppid() != options.recorder or is_unheard):
            self._writer.event(now, "recorder_died", self._options.recorder)
            self._stop(now, signal.SIGTERM)

    def _note_oom_kills(self, now: int) -> None:
        oom_kills = self._read_oom_kills() or 0
        if oom_kills > self._oom_kills:
            self._writer.event(now, "oom_kill", self._root, oom_kills - self._oom_kills)
            self._oom_kills = oom_kills

    def _read_oom_kills(self) -> int | None:
        path = self._options.cgroup_events
        return procfs.counter_in(path, b"oom_kill") if path else None

    def _note_output(self, now: int) -> None:
        for stream, size in self._outputs.growth():
            self._writer.add(records.OUTPUT, now, self._root, (size,), stream)

    # --- signals -------------------------------------------------------------------------------------

    def _react(self, now: int) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGWINCH:
                if self._outputs.copy_size():
                    self._forward(now, number)
            elif number == supervisor.KILL_NOW or self._options.attach:
                self._stop(now, signal.SIGKILL)
            else:
                self._writer.event(now, "signal", self._root, number)
                self._forward(now, number)
        if self._has_news_of_child:
            self._has_news_of_child = False
            self._reap(now)

    def _on_child(self, *_: object) -> None:
        self._has_news_of_child = True

    def _forward(self, now: int, number: int) -> None:
        """A root that has ended gets nothing: its pid may be another's by now."""
        if self._exit_status is None:
            supervisor.send(self._root, number)
        else:
            self._tree.send(now, number)

    def _reap(self, now: int) -> None:
        for pid, status, peak, cpu_us in supervisor.reap():
            if not self._writer.reaped(pid):
                if pid == self._root:
                    self._tree.held(now, pid, peak)
                self._tree.ended(now, pid, status)
                self._tree.look_again()
                if pid == self._root:
                    self._exit_status, self._cpu_us = status, cpu_us

    # --- the end -------------------------------------------------------------------------------------

    def _kill_for_memory(self, now: int, used: int) -> None:
        self._writer.event(now, "watchdog", self._root, used, self._watchdog.cap)
        self._writer.flush(now)
        self._is_over_cap = True
        self._stop(now, signal.SIGKILL)

    def _stop(self, now: int, number: int) -> None:
        """Ends the tree with this signal, and with SIGKILL when the grace is over; lets an attached one be."""
        self._stopping = True
        if self._options.attach:
            self._writer.event(now, "stopped", self._root)
            return
        self._tree.send(now, number)
        self._kill_at = now if number == signal.SIGKILL else now + GRACE_NS

    def _is_over(self, now: int) -> bool:
        if self._options.attach:
            return self._stopping or not self._tree.is_alive(self._root)
        if self._kill_at is not None and now >= self._kill_at:
            self._tree.send(now, signal.SIGKILL)
        if self._exit_status is None:
            return False
        return not self._has_leftovers(now) or self._is_abandoned

    def _has_leftovers(self, now: int) -> bool:
        """Does anything outlive the root by more than a moment?  Then it is ended; what cannot be is left to itself."""
        ours = self._writer.decimator
        if not self._tree.has_children(ours):
            return False
        self._tree.refresh(now, ours)
        self._tree.drop_ended(now)
        leftovers = len(self._tree.pids())
        if self._leave_until is None:
            self._leave_until = now + LEAVE_NS
        if leftovers and self._kill_at is None and now >= self._leave_until:
            if n_living := len(self._tree.living()):
                self._writer.event(now, "leftovers", self._root, n_living)
                self._tell(f"leftovers {n_living}")
            self._stop(now, signal.SIGTERM)
        elif leftovers and self._kill_at is not None and now >= self._kill_at + GRACE_NS:
            self._writer.event(now, "survivors", self._root, leftovers)
            self._tell(f"survivors {leftovers}")
            self._is_abandoned = True
        return self._tree.has_children(ours)

    def _tell(self, text: str) -> None:
        if self._options.status >= 0:
            try:
                os.write(self._options.status, text.encode() + b"\n")
            except OSError:  # nobody listens any more
                pass


def main() -> None:
    """Runs a sampler from ``sys.argv``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (*supervisor.FORWARDED, signal.SIGWINCH))
    supervisor.survive_requests()
    supervisor.guard_standard_streams()
    options = Options.parse(sys.argv[1:])
    if options.status >= 0:
        os.set_inheritable(options.status, False)
    Sampler(options).run()
