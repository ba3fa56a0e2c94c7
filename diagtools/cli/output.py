"""What becomes of output that cannot be written: a full disk, a closed descriptor, a reader that went away."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from diagtools.errors import DiagtoolsError


def is_broken(stream: TextIO | None) -> bool:
    """Is there something that this stream cannot get rid of?"""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        return True
    return False


def discard(stream: TextIO) -> None:
    """From now on what is written to this stream goes nowhere: a failing flush at exit would give status 120."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def printed(text: str) -> OSError | None:
    """Prints this; what kept it from being written is returned, and then nothing more goes to stdout."""
    try:
        print(text, flush=True)
    except OSError as error:
        discard(sys.stdout)
        return error
    return None


def not_written(error: OSError) -> DiagtoolsError:
    """The error of an output that could not be written."""
    return DiagtoolsError(
        f"The output cannot be written: {error.strerror or error}.", hint="send it to a disk with room."
    )
