"""Sees to it that the allocations of a command are recorded, as far as that can be known before it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from diagtools.errors import UnavailableError
from diagtools.redact import redact_path
from diagtools.values import Limit, Target, Tool, Tracking

_PATIENCE_S = 20
_NO_TRACKER = 98  # the status of an interpreter for which there is none
#: For any Python, even 2, which cannot compile the probe.  The folder of the probe is not put on the path, as it would
#: be where the file itself was run.
_ASK = f"""
import sys
name = getattr(getattr(sys, 'implementation', None), 'name', 'cpython')
if name != 'cpython' or sys.version_info < (3, 9):
    sys.stdout.write(name.replace('cpython', 'CPython').replace('pypy', 'PyPy') + ' %d.%d.%d' % sys.version_info[:3])
    sys.exit({_NO_TRACKER})
p = sys.argv[1]
exec(compile(open(p).read(), p, 'exec'), {{'__name__': '__main__', '__file__': p}})
"""


def asked(tracking: Tracking, limit: Limit | None) -> str:
    """What stands in ``DIAGTOOLS_ALLOCATIONS`` (see ``probes.allocations`` and ``probes.traces``)?"""
    words: list[str] = [tracking.tool]
    if tracking.tool is Tool.MEMRAY:
        flags = {
            "native": tracking.native,
            "python_allocators": tracking.python_allocators,
            "follow_fork": tracking.follow_fork,
            "aggregated": tracking.aggregated,
        }
        words += [name for name, is_wanted in flags.items() if is_wanted]
        words.append(f"interval_ms={tracking.interval_ms}")
    else:
        words.append(f"n_frames={tracking.n_frames}")
        if tracking.snapshot_every_s is not None:
            words.append(f"every_s={tracking.snapshot_every_s:g}")
        if limit is not None and limit.counts_rss:
            words.append(f"cap={limit.memory_bytes}")
    return " ".join(words)


def described(tracking: Tracking) -> dict[str, str]:
    """The same for ``run.json``: the tool, and each option that it has."""
    tool, *words = asked(tracking, None).split()
    return {
        "tool": tool,
        **{name: value or "yes" for name, _, value in (word.partition("=") for word in words)},
    }


def check(target: Target) -> None:
    """Raises ``UnavailableError`` where memray is asked for and the command's interpreter cannot load it.

    A command that is no Python is not asked: what starts in it says itself which tracker it has (see ``tracked``).
    """
    if target.tracking is None or target.tracking.tool is not Tool.MEMRAY:
        return
    if sys.platform not in ("linux", "darwin"):
        raise UnavailableError(f"memray does not run on {sys.platform}.", hint="use --tracemalloc.")
    from diagtools.capture.interpreter import interpreter_of  # here: other targets wait for what this imports

    env = {**os.environ, **target.env}
    python = interpreter_of(target.argv[0], env, target.cwd)
    if python is not None:
        _check_interpreter(python, env, target.cwd)


def _check_interpreter(python: str, env: Mapping[str, str], cwd: Path | None) -> None:
    import subprocess

    from diagtools.probes import memray_alone

    try:
        answer = subprocess.run(
            [python, "-c", _ASK, memray_alone.__file__],
            env={name: value for name, value in env.items() if not name.startswith("DIAGTOOLS_")},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # it is the command's own start that is to fail, and to say why
    if answer.returncode == 0:
        return
    shown = redact_path(python)
    if answer.returncode == _NO_TRACKER:
        found = answer.stdout.decode(errors="replace").strip()
        raise UnavailableError(
            f"'{shown}' is {found}: both trackers, memray and tracemalloc, take CPython 3.9 or newer.",
            hint="use CPython 3.9 or newer; `diagtools record` without a tracker takes any.",
        )
    output = answer.stdout if answer.returncode == memray_alone.EXIT_STATUS else answer.stderr
    lines = output.decode(errors="replace").strip().splitlines()
    raise UnavailableError(
        f"'{shown}' cannot load memray: {lines[-1] if lines else f'status {answer.returncode}'}.",
        hint=f"{shown} -m pip install memray, or record with --tracemalloc, which needs no package.",
    )
