"""Limits on a block of one's own code: each in a process of its own, for they act on the whole process."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading

import pytest

from diagtools.capture.limits import limited
from diagtools.errors import LimitExceeded, UnavailableError, UsageError
from tests.capture.processes import PYTHON, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS as Linux has it")

HEAD = """
import mmap, resource, signal, threading
from diagtools import limited
from diagtools.errors import *
address, cpu = resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)
handler = signal.getsignal(signal.SIGXCPU)
def check():
    assert resource.getrlimit(resource.RLIMIT_AS) == address
    assert resource.getrlimit(resource.RLIMIT_CPU) == cpu
    assert signal.getsignal(signal.SIGXCPU) == handler
def raised(then):
    try: then()
    except LimitExceeded as error: return error
"""


def in_a_process(code: str) -> None:
    done = subprocess.run([PYTHON, "-c", HEAD + code], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_block_within_its_limits_changes_nothing() -> None:
    in_a_process("""
with limited(memory='200 MB', cpu_s=5):
    keep = bytearray(50_000_000)
    assert resource.getrlimit(resource.RLIMIT_AS)[0] < 2**40
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] <= 7
check()
""")


def test_memory_beyond_the_limit_is_an_error_that_says_so() -> None:
    in_a_process("""
def block():
    with limited(memory='100 MB'):
        bytearray(150_000_000)
error = raised(block)
assert '95.4 MiB' in error.message, error.message
assert isinstance(error.__cause__, MemoryError)
assert error.hint
check()
assert len(bytearray(150_000_000))
""")


def test_a_mapping_beyond_the_limit_is_the_same_error() -> None:
    in_a_process("""
def block():
    with limited(memory='100 MB'):
        mmap.mmap(-1, 150_000_000)
assert isinstance(raised(block).__cause__, OSError)
check()
""")


def test_an_error_of_the_block_is_its_own() -> None:
    in_a_process("""
for kind in (KeyError, FileNotFoundError, KeyboardInterrupt):
    try:
        with limited(memory='100 MB', cpu_s=5):
            raise kind(2, 'x')
    except kind as error:
        assert error.__cause__ is None
    else:
        raise AssertionError
    check()
""")


def test_nested_blocks_keep_the_tighter_limit() -> None:
    in_a_process("""
with limited(memory='100 MB', cpu_s=3):
    outer = resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)
    def inner():
        with limited(memory='10 GB', cpu_s=50):
            assert (resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)) == outer
            bytearray(150_000_000)
    assert raised(inner)
    assert (resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)) == outer
    with limited(memory='20 MB'):
        assert resource.getrlimit(resource.RLIMIT_AS)[0] < outer[0][0]
check()
""")


def test_a_process_that_is_near_its_limit_already_may_use_it() -> None:
    in_a_process("""
in_use = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
near = (in_use + 5_000_000, address[1])
resource.setrlimit(resource.RLIMIT_AS, near)
def block():
    with limited(memory='1 GB'):
        assert resource.getrlimit(resource.RLIMIT_AS) == near
        bytearray(50_000_000)
assert raised(block)
assert resource.getrlimit(resource.RLIMIT_AS) == near
resource.setrlimit(resource.RLIMIT_AS, address)
def tiny():
    with limited(memory='1 B'):
        bytearray(50_000_000)
assert raised(tiny)
check()
""")


def test_cpu_time_beyond_the_limit_is_an_error_that_says_so_each_time() -> None:
    in_a_process("""
import time
for _ in range(2):
    begin = time.process_time()
    def block():
        with limited(cpu_s=0.3):
            while True: pass
    assert '300 ms of CPU time' in raised(block).message
    assert time.process_time() - begin >= 0.3
check()
""")


@pytest.mark.parametrize("limits", [{"memory": "100 MB"}, {"cpu_s": 5.0}])
def test_other_threads_are_refused(limits: dict[str, str | float]) -> None:
    """The limits are those of the process: two threads would restore each other's."""
    raised: list[Exception] = []

    def block() -> None:
        try:
            with limited(**limits):  # type: ignore[arg-type]
                pass
        except UnavailableError as error:
            raised.append(error)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert "main thread only" in str(raised)


@pytest.mark.parametrize("memory", ["400", "lots", "-5 MB", "0 MB"])
def test_sizes_that_are_none(memory: str) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(UsageError), limited(memory=memory):
        pass
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@pytest.mark.parametrize("cpu_s", [0, -1, float("nan"), float("inf")])
def test_times_that_are_none(cpu_s: float) -> None:
    with pytest.raises(UsageError, match="is not possible"), limited(cpu_s=cpu_s):
        pass


def test_a_block_without_limits_is_just_a_block() -> None:
    with pytest.raises(LimitExceeded), limited():
        raise LimitExceeded("mine")
