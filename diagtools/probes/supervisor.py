"""Starts the target as a child of the sampler, passes signals on, and leaves no orphan behind.

The target stays in the process group and on the terminal of whoever asked for the recording, so Ctrl-C and
Ctrl-Z reach it as without us; the sampler leaves both, so that nothing aimed at the target hits it.
prctl(2): a child subreaper gets double-forked grandchildren; PR_SET_PDEATHSIG ends the target with us.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal

from diagtools.probes.hooks import snapshot_signal
from diagtools.probes.options import Options

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
#: What somebody may send to the recorder and means for the target.
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
#: Tells a sampler to end its tree at once; none that a program uses.
KILL_NOW = getattr(signal, "SIGRTMIN", signal.SIGTERM)
_EVERY_DESCRIPTOR = 1 << 16


class StartFailed(Exception):
    """The target could not be started: ``step`` says where, ``errno`` why."""

    def __init__(self, step: str, errno: int) -> None:
        super().__init__(step, errno)
        self.step = step
        self.errno = errno


def adopt_orphans() -> None:
    """From now on grandchildren whose parent ends become children of this process."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def survive_requests() -> None:
    """Lets a request for a snapshot that reaches this process pass; executing a program undoes it for the target."""
    if snapshot_signal():
        signal.signal(snapshot_signal(), lambda *_: None)


def guard_standard_streams() -> None:
    """Puts something behind 0, 1 and 2 where they are closed, so that no file of ours gets such a number.

    The target does not inherit it: what was closed is closed for it too.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) < 3:
        pass
    os.close(descriptor)


def take_descriptors() -> None:
    """Lets this process open as many files as it may: two for each process of the tree.  The target is not changed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _EVERY_DESCRIPTOR if hard == resource.RLIM_INFINITY else min(hard, _EVERY_DESCRIPTOR)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def start(options: Options, stdout: int, stderr: int) -> int:
    """Forks and executes the command of ``options`` with these outputs; returns its pid once it runs.

    The target takes this process's place on the terminal and in its process group, which this one leaves.
    Raises ``StartFailed``.
    """
    libc = ctypes.CDLL(None)
    sampler = os.getpid()
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        raise StartFailed("fork", error.errno or 0) from error
    if pid == 0:
        os.close(reading)
        failure = _become(options, libc, sampler, stdout, stderr)
        os.write(writing, b"%s %d" % (failure.step.encode(), failure.errno))
        os._exit(255)
    os.close(writing)
    leave_terminal()  # at once: a key that reaches the target from now on does not reach us as well
    with os.fdopen(reading, "rb") as pipe:
        message = pipe.read()
    if message:
        os.waitpid(pid, 0)
        step, errno = message.split()
        raise StartFailed(step.decode(), int(errno))
    return pid


def _become(options: Options, libc: ctypes.CDLL, sampler: int, stdout: int, stderr: int) -> StartFailed:
    """Turns the forked copy into the target; returns only where that failed."""
    step = "start"
    try:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != sampler:
            os._exit(255)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        if options.cgroup_procs:
            step = "cgroup"
            with open(options.cgroup_procs, "w") as file:
                file.write("0")
        if options.cwd:
            step = "cwd"
            os.chdir(options.cwd)
        if options.address_space:
            step = "rlimit"
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            soft = (
                options.address_space if hard == resource.RLIM_INFINITY else min(options.address_space, hard)
            )
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        step = "exec"
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (*FORWARDED, signal.SIGWINCH))
        os.execvpe(options.argv[0], options.argv, options.env)
    except OSError as error:
        return StartFailed(step, error.errno or 0)
    except Exception:  # noqa: BLE001 - whatever else went wrong, the parent must hear of it and this copy must end
        return StartFailed(step, 0)


def leave_terminal() -> None:
    """Moves this process into a session of its own, away from terminal and pipes of the target."""
    try:
        os.setsid()
    except OSError:  # already a group leader: it was started in a session of its own
        pass
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def reap() -> list[tuple[int, int, int, int]]:
    """Which children ended since the last call?  Of each pid, exit status (128 + signal if killed), peak, CPU time.

    The peak (bytes) is the most that it held, or one that it waited for, or this process before it became the target:
    the kernel keeps that mark across ``exec`` (getrusage(2)).  CPU time (µs) is its own and of those it waited for.
    """
    ended: list[tuple[int, int, int, int]] = []
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        code = os.waitstatus_to_exitcode(status)
        cpu_us = round((usage.ru_utime + usage.ru_stime) * 1e6)
        ended.append((pid, code if code >= 0 else 128 - code, usage.ru_maxrss * 1024, cpu_us))


def send(pid: int, number: int) -> None:
    """Sends a signal to a process if it still runs and we may."""
    try:
        os.kill(pid, number)
    except OSError:
        pass


def remove_cgroup(procs: str) -> None:
    """Removes the cgroup of the target that has ended: the recorder may be gone."""
    try:
        os.rmdir(os.path.dirname(procs))
    except OSError:
        pass
