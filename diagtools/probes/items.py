"""Which files does the program open for reading under a folder, where it does not mark its items itself?

Each becomes an item, as if the program had called ``mark.item``.  They are seen by an audit hook.  An item is named
by its path below the folder and carries ``size_bytes``.  Nothing tells when a file is closed: its item ends with the
thread's next one, with its thread, or at exit, as ``ok`` unless an exception ends the program.  The same file opened
again at once is the same item.  Not seen: files that C code opens itself, those that the program writes, and code
that Python imports.
"""

from __future__ import annotations

import _thread
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from typing import Any

ITEM = 1  # index into mark.KINDS

_ACCESS_WITHOUT_READING = (
    os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)
)  # fmt: skip


def watch(folder: str, recorder: Any) -> None:
    """Make an item of each file that is opened for reading under ``folder``."""
    names = _NamesUnder(folder)
    local = _thread._local()

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event != "open":
            return
        try:
            path, mode, flags = args
            if flags & _ACCESS_WITHOUT_READING or _runs_code():
                return
            name = names.name_of(path)
            if name is None or (mode and not _only_reads(mode)) or _is_bytecode(name):
                return
            found = os.stat(path)
            current = (recorder.pid, name)
            if stat.S_ISREG(found.st_mode) and getattr(local, "current", None) != current:
                local.current = current
                recorder.begin(ITEM, name, {"size_bytes": found.st_size}, "opened")
        except Exception:  # noqa: BLE001 - it would fail the program's open()
            pass

    sys.addaudithook(hook)


class _NamesUnder:
    """Names of files below a folder, whichever way their path leads there.

    A path that does not begin with the folder is looked at once a directory: it may lead there through a link.
    """

    _N_CACHED = 4096

    def __init__(self, folder: str) -> None:
        self._real = os.path.join(os.path.realpath(folder), "")
        self._beginnings = (os.path.join(os.path.normpath(folder), ""), self._real)
        self._by_directory: dict[str, str | None] = {}

    def name_of(self, asked: Any) -> str | None:
        """What is this file called below the folder?  ``None`` for any other, and for a descriptor."""
        if asked is None or type(asked) is int:
            return None
        path = asked if type(asked) is str else os.fsdecode(asked)
        if not path.startswith("/"):
            path = os.path.join(os.getcwd(), path)
        if path.startswith(self._beginnings):
            clean = os.path.normpath(path)
            for beginning in self._beginnings:
                if clean.startswith(beginning):
                    return clean[len(beginning) :]
        directory, _, name = path.rpartition("/")
        try:
            below = self._by_directory[directory]
        except KeyError:
            below = self._remember(directory)
        return None if below is None else below + name

    def _remember(self, directory: str) -> str | None:
        if len(self._by_directory) >= self._N_CACHED:
            self._by_directory.clear()
        real = os.path.join(os.path.realpath(directory or "/"), "")
        below = real[len(self._real) :] if real.startswith(self._real) else None
        self._by_directory[directory] = below
        return below


def _only_reads(mode: str) -> bool:
    return not any(letter in mode for letter in "wax+")


def _is_bytecode(name: str) -> bool:
    return name.endswith((".pyc", ".pyo")) or "__pycache__" in name


def _runs_code() -> bool:
    """Is it the interpreter that opens a file, to run it?"""
    try:
        opener = sys._getframe(2)  # 0 is this function, 1 the hook
    except ValueError:
        return True  # nobody runs yet: it is the program itself
    # importlib and zipimport, which looks into every program; runpy is not frozen before 3.11
    return opener.f_code.co_filename.startswith("<frozen ") or opener.f_globals.get("__name__") == "runpy"
