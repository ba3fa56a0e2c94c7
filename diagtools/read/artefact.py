"""Files of a run folder, opened so that none outside it is ever read."""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path

from diagtools.errors import DamagedError

#: More than a recorder writes into one file: a run folder from somebody else may hold one without an end.
MOST_BYTES = 256 << 20


def find_artefact(folder: Path, name: str) -> Path | None:
    """Where is this file of the folder?  ``None`` where there is none of that name.

    Raises ``DamagedError`` for a name or a link that leads out of the folder and for anything that is
    not a plain file (a FIFO would block the reader, a device never ends).
    """
    if not is_inside(name):
        raise DamagedError(f"{name!r} is not the name of a file inside {folder.name!r}: it is not read.")
    path = folder / name
    try:
        real = path.resolve(strict=True)
        is_plain = stat.S_ISREG(real.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise DamagedError(f"{name!r} in {folder.name!r} is a link to nothing.") from None
        return None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise _unreadable(folder, name, error) from error
    if not real.is_relative_to(folder.resolve()):
        raise DamagedError(
            f"{name!r} in {folder.name!r} is a link that leads out of the folder: it is not read."
        )
    if not is_plain:
        raise DamagedError(f"{name!r} in {folder.name!r} is not a plain file: it is not read.")
    return real


def open_artefact(folder: Path, name: str) -> BufferedReader | None:
    """Which bytes does this file of the folder hold?  ``None`` where there is none; raises ``DamagedError``."""
    path = find_artefact(folder, name)
    try:
        return None if path is None else path.open("rb")
    except FileNotFoundError:  # gone meanwhile: a recorder at work renames and removes segments
        return None
    except OSError as error:
        raise _unreadable(folder, name, error) from error


def read_artefact(folder: Path, name: str, *, max_bytes: int = MOST_BYTES) -> bytes | None:
    """What does this file of the folder hold (at most ``max_bytes`` of it)?  As ``open_artefact``."""
    file = open_artefact(folder, name)
    if file is None:
        return None
    with file:
        try:
            return file.read(max_bytes)
        except OSError as error:
            raise _unreadable(folder, name, error) from error


def is_inside(name: str) -> bool:
    """Does this name stay inside the folder that it is looked up in?"""
    path = Path(name)
    try:
        is_a_name = bool(path.parts) and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return is_a_name and not path.is_absolute() and ".." not in path.parts


def name_of(raw: bytes) -> str:
    r"""How is a name that need not be UTF-8 written in a frame?  Odd bytes as ``\xff``."""
    return raw.decode("utf-8", "backslashreplace")


def _unreadable(folder: Path, name: str, error: Exception) -> DamagedError:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DamagedError(
        f"{name!r} in {folder.name!r} cannot be read: {cause}.", hint=f"ls -l {os.fspath(folder)}"
    )
