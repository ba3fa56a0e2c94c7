"""What memory is read from: the kernel's mark, the thread that samples, tracemalloc."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from diagtools.capture.meters import SampledPeak
from tests.capture.processes import PYTHON, environment, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's marks are those of Linux")

MIB = 2**20
AFTER_A_SPIKE = """
from diagtools.capture.block import track_memory
def mark():
    return next(int(line.split()[1]) // 1024 for line in open('/proc/self/status') if line.startswith('VmHWM'))
bytearray(300 << 20)
with track_memory('calm', traced=False) as calm:
    keep = bytearray(40 << 20)
print(mark() >= 300, calm.rss_demand_bytes >= 40 << 20, calm.rss_demand_bytes < 60 << 20)
print(*calm.validity, sep='; ')
"""


def after_a_spike(**variables: str) -> tuple[str, str]:
    command = [PYTHON, "-c", AFTER_A_SPIKE]
    done = subprocess.run(command, env=environment(**variables), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told, doubts = done.stdout.splitlines()
    return told, doubts


def test_the_kernels_mark_begins_anew_with_a_block() -> None:
    told, doubts = after_a_spike()
    assert told == "False True True"
    assert doubts == "memory: in-process (of the whole process, other threads and tasks included)"


def test_under_a_recording_the_mark_is_left_to_its_sampler(tmp_path: Path) -> None:
    told, doubts = after_a_spike(DIAGTOOLS_RUN=str(tmp_path))
    assert told == "True True True"
    assert "peak RSS: truncated (the kernel's mark is not reset here (a recording of ours reads it)" in doubts


def test_the_thread_sees_a_peak_below_the_mark_of_the_process() -> None:
    """The mark was lifted before, so it does not show this one."""
    bytearray(200 * MIB)
    meter = SampledPeak("in a test")
    meter.reset()
    begin = meter.read()
    assert begin is not None

    def is_seen() -> bool:
        held = bytearray(64 * MIB)
        time.sleep(0.02)
        del held
        level = meter.read()
        return (
            level is not None
            and level.peak_bytes - begin.now_bytes >= 60 * MIB > level.now_bytes - begin.now_bytes
        )

    try:
        until(is_seen, "a sample of the peak")
        meter.reset()
        level = meter.read()
        assert level is not None
        assert level.peak_bytes - begin.now_bytes < 60 * MIB
    finally:
        meter.stop()


def test_the_mark_of_the_kernel_shows_a_peak_above_all_before_that_no_sample_saw() -> None:
    code = """
from diagtools.capture.meters import SampledPeak
meter = SampledPeak('in a test')
meter.stop()  # its thread takes no sample
meter.reset()
before = meter.read()
bytearray(200 << 20)
after = meter.read()
print(after.peak_bytes - before.now_bytes >= 199 << 20, after.now_bytes - before.now_bytes < 20 << 20)
"""
    done = subprocess.run([PYTHON, "-c", code], env=environment(), capture_output=True, text=True)
    assert done.stdout == "True True\n", done.stderr
