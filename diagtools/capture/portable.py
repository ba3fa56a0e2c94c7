"""The sampler for systems without ``/proc``: psutil, the same records, less in them.

Takes the options of ``probes.sampler``.  Unknown here, and null in
the frames: the shared part of RSS (so anonymous memory too), high-water marks, cgroups, PSI.  Processes that
detach themselves from the tree are not followed, and output goes to files only.
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

from diagtools.probes import records
from diagtools.probes.options import Options
from diagtools.probes.writer import Writer

_GRACE_S = 3.0
_REFRESH_NS = 50_000_000


class PortableSampler:
    """One recording through psutil."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._writer = Writer(options.folder, options.segment)
        self._signals: list[int] = []
        self._known: dict[int, psutil.Process] = {}
        self._sizes: dict[int, int] = {}
        self._next_refresh = 0
        self._n_ticks = 0
        self._stopped = False

    def run(self) -> None:
        """Records until the target has ended, or an attached one's recording is stopped."""
        start_ns, wall_ns = time.monotonic_ns(), time.time_ns()
        target = None if self._options.attach else self._start()
        if not self._options.attach and target is None:
            return
        root = target.pid if target else self._options.attach
        payload = (records.VERSION, 4096, wall_ns, int(self._options.hz * 1000), self._options.recorder)
        self._writer.header(start_ns, root, payload)
        kind, period_ns = "started" if target else "attached", int(1e9 / self._options.hz)
        self._writer.event(start_ns, kind, root, period_ns)
        if self._options.cap:
            self._writer.event(start_ns, "cap", root, self._options.cap)
        self._tell(f"started {root}")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        status = self._loop(psutil.Process(root), target)
        self._close(root, status)

    def _start(self) -> subprocess.Popen[bytes] | None:
        outputs = [(Path(self._options.folder) / name).open("ab") for name in ("stdout.log", "stderr.log")]
        env = {os.fsdecode(name): os.fsdecode(value) for name, value in self._options.env.items()}
        try:
            return subprocess.Popen(
                self._options.argv, stdout=outputs[0], stderr=outputs[1], env=env, cwd=self._options.cwd or None
            )
        except OSError as error:
            self._tell(f"failed exec {error.errno or 0}")
            return None
        finally:
            for output in outputs:
                output.close()

    def _loop(self, root: psutil.Process, target: subprocess.Popen[bytes] | None) -> int | None:
        while not self._stopped:
            now = time.monotonic_ns()
            self._n_ticks += 1
            used = self._sample(now, root)
            self._note_output(now, root.pid)
            if self._options.cap and used > self._options.cap:
                self._writer.event(now, "watchdog", root.pid, used, self._options.cap)
                self._end(signal.SIGKILL)
            if os.getppid() != self._options.recorder:
                self._writer.event(now, "recorder_died", self._options.recorder)
                self._end(signal.SIGTERM)
            self._writer.flush(now)
            self._forward(root, target)
            if target is None and not root.is_running():
                return None
            if target is not None and (code := target.poll()) is not None:
                self._end(signal.SIGTERM)
                self._wait_for_rest(root.pid)
                return code if code >= 0 else 128 - code
            time.sleep(1 / self._options.hz)
        return None

    def _sample(self, now: int, root: psutil.Process) -> int:
        if now >= self._next_refresh:
            self._next_refresh = now + _REFRESH_NS
            with contextlib.suppress(psutil.Error):
                for process in [root, *root.children(recursive=True)]:
                    self._meet(now, process)
        used = 0
        for pid, process in list(self._known.items()):
            try:
                rss = process.memory_info().rss
                cpu = process.cpu_times()
            except psutil.Error:
                del self._known[pid]
                self._writer.add(records.EXIT, now, pid, (records.UNKNOWN,))
                continue
            if rss:
                used += rss
                cpu_us = int((cpu.user + cpu.system) * 1e6)
                unknown = records.UNKNOWN
                self._writer.add(records.SAMPLE, now, pid, (rss, unknown, unknown, cpu_us, unknown))
        return used

    def _meet(self, now: int, process: psutil.Process) -> None:
        if process.pid not in self._known:
            self._known[process.pid] = process
            self._writer.process(now, process.pid, process.ppid(), 0, process.name().encode())

    def _note_output(self, now: int, root: int) -> None:
        for stream, name in ((1, "stdout.log"), (2, "stderr.log")):
            path = Path(self._options.folder) / name
            size = path.stat().st_size if path.exists() else 0
            if size != self._sizes.get(stream, 0):
                self._sizes[stream] = size
                self._writer.add(records.OUTPUT, now, root, (size,), stream)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _forward(self, root: psutil.Process, target: subprocess.Popen[bytes] | None) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if target is None:
                self._stopped = True
            else:
                self._writer.event(time.monotonic_ns(), "signal", root.pid, number)
                target.send_signal(number)

    def _end(self, number: int) -> None:
        for process in self._known.values():
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)

    def _wait_for_rest(self, root: int) -> None:
        others = [process for pid, process in self._known.items() if pid != root]
        for process in psutil.wait_procs(others, timeout=_GRACE_S)[1]:
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _close(self, root: int, status: int | None) -> None:
        now = time.monotonic_ns()
        self._note_output(now, root)
        if status is not None:
            self._writer.add(records.EXIT, now, root, (status,))
            self._writer.event(now, "ended", root, status)
        self._writer.event(now, "closed", root, self._n_ticks, 0)
        self._writer.flush(now)
        self._tell(f"lost {self._writer.lost}")
        self._tell(f"ended {records.UNKNOWN if status is None else status}")

    def _tell(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._options.status, text.encode() + b"\n")


def main() -> None:
    """Runs a sampler from ``sys.argv``."""
    PortableSampler(Options.parse(sys.argv[1:])).run()
