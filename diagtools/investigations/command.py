"""The command that an experiment is about, as a caller names it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from diagtools.values import Limit, Target


def as_target(command: Target | Sequence[str] | str, limit: str | None = None) -> Target:
    """A command line (split as a shell does, without a shell), its words, or a ``Target``, which has its own limit."""
    if isinstance(command, Target):
        return command
    argv = shlex.split(command) if isinstance(command, str) else [os.fspath(word) for word in command]
    return Target(argv=tuple(argv), limit=None if limit is None else Limit.parse(limit))
