"""Exports of other tools, opened so that none of them can block, fill the memory or be taken for what it is not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from diagtools.errors import DamagedError, UsageError
from diagtools.read.artefact import MOST_BYTES
from diagtools.read.profiles.assemble import Gathered
from diagtools.read.profiles.foreign import refuse_foreign

#: More different stacks than any report holds; each costs a few hundred bytes.
MOST_STACKS = 2_000_000
#: The largest sum that a frame holds.
LARGEST = 2**63 - 1

_BEGINNING = 64 << 10


def content_of(path: Path, *, max_bytes: int = MOST_BYTES) -> bytes:
    """What does this file hold?

    Raises ``UsageError`` for what is no plain file, is larger than ``max_bytes`` or of a kind that is no export, and
    ``DamagedError`` for an empty one.
    """
    data = _read(path, max_bytes + 1)
    if len(data) > max_bytes:
        raise UsageError(
            f"'{path.name}' is larger than the {max_bytes >> 20} MiB that are read of an export.",
            hint="export less: a shorter recording, or `memray run --aggregate`.",
        )
    refuse_foreign(path.name, data[:_BEGINNING])
    return data


def beginning_of(path: Path, n_bytes: int = _BEGINNING) -> bytes:
    """How does this file begin?  Raises ``UsageError`` for what is no plain file, ``DamagedError`` for an empty one."""
    return _read(path, n_bytes)


def check_stack(stack_id: int) -> int:
    """The same id of a stack; raises ``DamagedError`` where the file holds more than can be kept."""
    if stack_id >= MOST_STACKS:
        raise DamagedError(f"The file holds more than {MOST_STACKS:,} different stacks: no report does.")
    return stack_id


def check_sums(gathered: Gathered) -> Gathered:
    """The same rows; raises ``DamagedError`` where their sum is larger than a frame can hold."""
    for what, values in (("sizes", gathered.sizes), ("counts", gathered.counts)):
        if sum(values) > LARGEST:
            raise DamagedError(f"The {what} sum to more than 2⁶³: no program asked for that.")
    return gathered


def _read(path: Path, n_bytes: int) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a NUL in the name
        raise UsageError(f"{path.name!r} cannot be the name of a file.") from error
    except OSError as error:
        raise UsageError(
            f"'{path.name}' cannot be read: {error.strerror}.", hint=f"ls -l {path.parent}"
        ) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise UsageError(
            f"'{path.name}' is not a plain file.", hint="name one file: a capture or an export of a profiler."
        )
    with os.fdopen(file, "rb") as opened:
        try:
            data = opened.read(n_bytes)
        except OSError as error:
            raise DamagedError(f"'{path.name}' cannot be read: {error.strerror}.") from error
    if not data:
        raise DamagedError(
            f"'{path.name}' is empty: the program that wrote it did not get to its end.",
            hint="export it again.",
        )
    return data
