"""Which signals does the target still need to be told of?  In a process of its own: they are the process's."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from diagtools.capture.signals import Relay
from tests.capture.processes import PYTHON, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sigtimedwait")

HEAD = (
    "import os, signal\n"
    "from diagtools.capture.signals import Relay\n"
    "def send(*numbers):\n"
    "    for number in numbers: os.kill(os.getpid(), number)\n"
    ""
)


def in_a_process(code: str, **more: bool) -> None:
    done = subprocess.run(
        [PYTHON, "-c", HEAD + code],
        env=environment(),
        capture_output=True,
        text=True,
        **more,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr


def test_signals_are_taken_once_and_do_nothing_else() -> None:
    in_a_process("""
with Relay(take_over=True) as relay:
    assert relay.taken() == []
    send(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    assert sorted(relay.taken()) == sorted([signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
    assert relay.taken() == []
    send(signal.SIGTERM)
assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
""")


def test_a_recorder_that_may_not_take_over_changes_nothing() -> None:
    in_a_process("""
with Relay(take_over=False) as relay:
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    try: send(signal.SIGINT)
    except KeyboardInterrupt: pass
    else: raise AssertionError
    assert relay.taken() == []
    assert not relay.is_asked_to_stop()
""")


def test_a_thread_takes_nothing_over() -> None:
    masks: list[set[int]] = []

    def enter() -> None:
        with Relay(take_over=True) as relay:
            masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
            assert relay.taken() == []

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert masks == [set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))]


def test_a_new_size_of_the_terminal_is_no_request_to_stop() -> None:
    in_a_process("""
with Relay(take_over=True) as relay:
    send(signal.SIGWINCH)
    assert not relay.is_asked_to_stop()
    send(signal.SIGWINCH)
    assert relay.taken() == [signal.SIGWINCH]
    send(signal.SIGWINCH, signal.SIGQUIT)
    assert relay.is_asked_to_stop()
""")


#: A signal as the kernel sends it: an interval timer's stands for a terminal's key.
KERNEL = """
class Info:
    def __init__(self, number): self.si_signo, self.si_code = number, 128
waiting = [Info(number) for number in (signal.SIGINT, signal.SIGHUP)]
signal.sigtimedwait = lambda *_: waiting.pop(0) if waiting else None
"""


@pytest.mark.parametrize(
    ("arguments", "leader", "taken"),
    [
        ("take_over=True", False, []),
        ("take_over=True", True, [signal.SIGHUP]),
        ("take_over=True, target_is_in_group=False", False, [signal.SIGINT, signal.SIGHUP]),
    ],
    ids=["the group has got it", "a hang-up told the leader alone", "the target is elsewhere"],
)
def test_what_the_terminal_sends(arguments: str, leader: bool, taken: list[int]) -> None:
    in_a_process(
        f"{KERNEL}with Relay({arguments}) as relay: assert relay.taken() == {list(map(int, taken))}",
        start_new_session=leader,
    )


def test_a_request_for_a_snapshot_is_heard_whoever_may_take_over() -> None:
    in_a_process("""
from diagtools.probes.hooks import snapshot_signal
for take_over in (True, False):
    with Relay(take_over=take_over) as relay:
        assert not relay.is_asked_for_snapshot()
        send(snapshot_signal(), snapshot_signal())
        assert relay.is_asked_for_snapshot()
        assert not relay.is_asked_for_snapshot()
        assert relay.taken() == []
        assert snapshot_signal() not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.getsignal(snapshot_signal()) == signal.SIG_DFL
""")
