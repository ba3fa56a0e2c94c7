"""A worker of multiprocessing has its end called, though it leaves without atexit."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import multiprocessing, os, sys
from diagtools.probes import workers
class Owner: pass
owner = Owner()
os.register_at_fork(after_in_child=lambda: workers.call_at_end(owner, lambda: print('ended', flush=True)))
def work():
    multiprocessing.util.Finalize(None, print, ('of the program',), {'flush': True}, exitpriority=0)
    if sys.argv[1] == 'fail': raise SystemExit(3)
process = multiprocessing.get_context('fork').Process(target=work)
process.start()
process.join()
print(process.exitcode)
"""


@pytest.mark.parametrize(("how", "status"), [("well", 0), ("fail", 3)])
def test_it_is_the_last_that_is_called(how: str, status: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout == f"of the program\nended\n{status}\n"


def test_without_multiprocessing_nothing_happens() -> None:
    code = "from diagtools.probes import workers; workers.call_at_end(object(), print)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
