"""What does a Python source file say?  It is read and parsed, never executed."""

from __future__ import annotations

import ast
import io
import os
import stat
import tokenize
import warnings
from pathlib import Path
from shlex import quote

from diagtools.errors import DamagedError, NoDataError, UnavailableError

#: The longest generated modules of the large packages have 3 MB.
MOST_BYTES = 8 << 20


def read_source(file: Path) -> str:
    """The text of a file, in its own encoding.

    Raises ``NoDataError`` without it, and ``DamagedError`` for what is no source text.
    """
    try:
        with open(file, "rb", opener=_without_waiting) as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise DamagedError(
                    f"'{file.name}' is not a plain file: it is not read.", hint=f"ls -l {quote(str(file))}"
                )
            data = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NoDataError(f"There is no file '{file}'.", hint=f"ls {quote(str(file.parent))}") from None
    except (OSError, ValueError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise DamagedError(
            f"'{file.name}' cannot be read: {cause}.", hint=f"ls -l {quote(str(file))}"
        ) from error
    if len(data) > MOST_BYTES:
        raise DamagedError(
            f"'{file.name}' is larger than {MOST_BYTES >> 20} MiB: no source text.",
            hint=f"wc -c {quote(str(file))}",
        )
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except (SyntaxError, ValueError, LookupError) as error:
        raise DamagedError(
            f"'{file.name}' is no text in its own encoding: {error}.", hint=f"file {quote(str(file))}"
        ) from error


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a FIFO would block


def parsed(source: str, file: Path) -> ast.Module:
    """Its syntax tree.  Raises ``UnavailableError`` for syntax that this Python does not parse."""
    hint = f"python -m py_compile {quote(str(file))}, with the Python it is written for."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        at = f" at line {error.lineno}" if isinstance(error, SyntaxError) else ""
        cause = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UnavailableError(
            f"This Python does not parse '{file.name}'{at}: {cause}.", hint=hint
        ) from error
    except (RecursionError, MemoryError) as error:
        raise UnavailableError(f"'{file.name}' is nested too deeply to be parsed.", hint=hint) from error
