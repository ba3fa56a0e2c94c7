"""Starts a target (or attaches to one), samples its whole process tree, and enforces a memory cap.

Runs as a process of its own, beside the target::

    sampler key=value … -- command argument …

Keys: ``folder`` (the run folder), ``hz``, ``recorder`` (pid whose death ends the recording), ``status``
(descriptor for messages: ``started PID``, ``failed STEP ERRNO``, ``ended STATUS``), ``cap`` (bytes for the
watchdog), ``address_space`` (RLIMIT_AS), ``cgroup_procs``, ``cgroup_usage``, ``cgroup_events`` (files),
``cwd``, ``terminals`` (``1``, ``2`` or ``1,2``: outputs that are terminals), ``attach`` (a pid, no command),
``segment`` (bytes of one timeline file).  Variables ``DIAGTOOLS_TARGET_ENV_X`` become ``X`` of the target.
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
from diagtools.probes.terminal import OutputTerminal
from diagtools.probes.tree import Tree
from diagtools.probes.watchdog import Watchdog
from diagtools.probes.writer import Writer

SLOW_NS = 100_000_000
GRACE_NS = 3_000_000_000
_STREAMS = ((1, "stdout.log"), (2, "stderr.log"))


class Sampler:
    """One recording from its first sample to its closing mark."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._period = int(1e9 / options.hz)
        self._writer = Writer(options.folder, options.segment)
        self._watchdog = Watchdog(options.cap)
        self._poll = select.poll()
        self._signals: list[int] = []
        self._terminals: dict[int, OutputTerminal] = {}
        self._logs: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._next_slow = 0
        self._oom_kills = 0
        self._n_ticks = self._n_missed = 0
        self._exit_status: int | None = None
        self._kill_at: int | None = None
        self._stopping = False

    # --- from start to end ---------------------------------------------------------------------------

    def run(self) -> None:
        """Records until the target has ended, or an attached one's recording is stopped."""
        supervisor.adopt_orphans()
        self._oom_kills = self._read_oom_kills() or 0
        self._start_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        try:
            self._root = self._options.attach or self._start_target()
        except supervisor.StartFailed as failure:
            self._tell(f"failed {failure.step} {failure.errno}")
            return
        self._writer.header(
            self._start_ns,
            self._root,
            (records.VERSION, procfs.PAGE, wall_ns, int(self._options.hz * 1000), self._options.recorder),
        )
        self._tree = Tree(self._root if self._options.attach else None, self._writer)
        self._begin()
        self._loop()
        self._close()

    def _start_target(self) -> int:
        for stream, name in _STREAMS:
            path = os.path.join(self._options.folder, name)
            self._logs[stream] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if stream in self._options.terminals:
                self._terminals[stream] = OutputTerminal(self._logs[stream], stream)
        outputs = {s: self._terminals[s].slave if s in self._terminals else self._logs[s] for s, _ in _STREAMS}
        pid = supervisor.start(self._options, outputs[1], outputs[2])
        for terminal in self._terminals.values():
            terminal.started()
        return pid

    def _begin(self) -> None:
        options = self._options
        self._writer.event(self._start_ns, "attached" if options.attach else "started", self._root, self._period)
        for kind, cap in enumerate((options.cap, options.cgroup_cap, options.address_space)):
            if cap:
                self._writer.event(self._start_ns, "cap", self._root, cap, kind)
        self._writer.flush(self._start_ns)
        self._tell(f"started {self._root}")
        self._listen()
        supervisor.leave_terminal()
        gc.freeze()
        gc.disable()

    def _listen(self) -> None:
        self._wakeup, writing = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (*supervisor.FORWARDED, supervisor.KILL_NOW, signal.SIGWINCH):
            signal.signal(number, lambda number, _: self._signals.append(number))
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*supervisor.FORWARDED, signal.SIGWINCH))
        self._poll.register(self._wakeup, select.POLLIN)
        for terminal in self._terminals.values():
            self._poll.register(terminal.master, select.POLLIN)

    def _loop(self) -> None:
        due = time.monotonic_ns()
        while True:
            now = time.monotonic_ns()
            if now >= due:
                self._tick(now)
                missed, due = self._next_due(due)
                if missed:
                    self._n_missed += missed
                    self._writer.event(now, "missed", value=missed)
                if self._is_over(now):
                    return
            self._wait(due)
            self._react(time.monotonic_ns())
            if self._exit_status is not None and self._kill_at is None:
                due = time.monotonic_ns()

    def _next_due(self, due: int) -> tuple[int, int]:
        late = time.monotonic_ns() - due
        missed = late // self._period
        return missed, due + (missed + 1) * self._period

    def _wait(self, due: int) -> None:
        timeout_ms = max(0.0, (due - time.monotonic_ns()) / 1e6)
        for descriptor, _ in self._poll.poll(timeout_ms):
            if descriptor == self._wakeup:
                os.read(self._wakeup, 512)
            else:
                self._pump(descriptor)

    def _pump(self, descriptor: int) -> None:
        for terminal in self._terminals.values():
            if terminal.master == descriptor and not terminal.pump():
                self._poll.unregister(descriptor)

    def _close(self) -> None:
        for terminal in self._terminals.values():
            terminal.pump()
        now = time.monotonic_ns()
        self._note_output(now)
        self._note_oom_kills(now)
        status = self._exit_status
        if status is not None:
            self._writer.event(now, "ended", self._root, status)
        self._writer.event(now, "closed", self._root, self._n_ticks, self._n_missed)
        self._writer.flush(now)
        self._tell(f"lost {self._writer.lost}")
        self._tell(f"ended {records.UNKNOWN if status is None else status}")

    # --- one tick ------------------------------------------------------------------------------------

    def _tick(self, now: int) -> None:
        self._n_ticks += 1
        self._tree.refresh(now, self._writer.decimator)
        self._tree.sample(now)
        if self._watchdog.cap and self._kill_at is None:
            used = self._watchdog.breached(self._tree.living(), now)
            if used:
                self._kill_for_memory(now, used)
        self._note_output(now)
        if now >= self._next_slow:
            self._next_slow = now + SLOW_NS
            self._slow_tick(now)
        self._writer.flush(now)

    def _slow_tick(self, now: int) -> None:
        psi = procfs.psi_some_percent()
        cgroup = procfs.number_in(self._options.cgroup_usage) if self._options.cgroup_usage else None
        reading, writing = self._tree.io_bytes()
        payload = (
            records.UNKNOWN if cgroup is None else cgroup,
            procfs.available_bytes(),
            self._tree.swap_kib() | self._tree.n_fds() << 32,
            reading,
            writing,
        )
        small = records.NO_SMALL if psi is None else int(psi * 100)
        self._writer.add(records.SYSTEM, now, self._tree.n_threads(), payload, small)
        self._tree.read_pss(now)
        self._note_oom_kills(now)
        if os.getppid() != self._options.recorder and not self._stopping:
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
        for stream, log in self._logs.items():
            size = os.fstat(log).st_size
            if size != self._sizes.get(stream, 0):
                self._sizes[stream] = size
                self._writer.add(records.OUTPUT, now, self._root, (size,), stream)

    # --- ends and signals ----------------------------------------------------------------------------

    def _react(self, now: int) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGWINCH:
                for terminal in self._terminals.values():
                    terminal.copy_size()
                supervisor.send([self._root], number)
            elif number == supervisor.KILL_NOW or self._options.attach:
                self._stop(now, signal.SIGKILL)
            else:
                self._writer.event(now, "signal", self._root, number)
                supervisor.send([self._root], number)
        for pid, status in supervisor.reap():
            if not self._writer.reaped(pid):
                self._tree.ended(now, pid, status)
                if pid == self._root:
                    self._exit_status = status

    def _kill_for_memory(self, now: int, used: int) -> None:
        self._writer.event(now, "watchdog", self._root, used, self._watchdog.cap)
        self._writer.flush(now)
        supervisor.send(self._tree.pids(), signal.SIGKILL)
        self._stopping = True
        self._kill_at = now

    def _stop(self, now: int, number: int) -> None:
        """Ends the tree with this signal, and with SIGKILL when the grace is over; lets an attached one be."""
        self._stopping = True
        if self._options.attach:
            self._writer.event(now, "stopped", self._root)
            return
        supervisor.send(self._tree.pids(), number)
        self._kill_at = now if number == signal.SIGKILL else now + GRACE_NS

    def _is_over(self, now: int) -> bool:
        if self._options.attach:
            return self._stopping or not self._tree.living()
        if self._kill_at is not None and now >= self._kill_at:
            supervisor.send(self._tree.pids(), signal.SIGKILL)
        if self._exit_status is None:
            return False
        leftovers = self._tree.pids()
        if leftovers and self._kill_at is None:
            self._writer.event(now, "leftovers", self._root, len(leftovers))
            self._stop(now, signal.SIGTERM)
        return not leftovers

    def _tell(self, text: str) -> None:
        if self._options.status >= 0:
            try:
                os.write(self._options.status, text.encode() + b"\n")
            except OSError:  # nobody listens any more
                pass


def main() -> None:
    """Runs a sampler from ``sys.argv``."""
    Sampler(Options.parse(sys.argv[1:])).run()
