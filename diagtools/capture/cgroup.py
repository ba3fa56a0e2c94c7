"""Memory cgroups, versions 1 and 2: the one we are in, and one of the target's own where the machine allows it.

Sources: cgroups(7), the kernel's cgroup-v2.rst and cgroup-v1/memory.rst.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from diagtools.errors import UnavailableError

_V2_ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
_V1_ROOT = Path("/sys/fs/cgroup/memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryCgroup:
    """One memory cgroup and the files of it that matter."""

    folder: Path
    version: int

    @property
    def usage(self) -> Path:
        """The file that holds the bytes in use."""
        return self.folder / ("memory.current" if self.version == 2 else "memory.usage_in_bytes")

    @property
    def events(self) -> Path:
        """The file that counts ``oom_kill``."""
        return self.folder / ("memory.events" if self.version == 2 else "memory.oom_control")

    @property
    def limit(self) -> Path:
        """The file that holds the limit."""
        return self.folder / ("memory.max" if self.version == 2 else "memory.limit_in_bytes")

    @property
    def procs(self) -> Path:
        """The file a process joins through."""
        return self.folder / "cgroup.procs"


def current() -> MemoryCgroup | None:
    """Which memory cgroup is this process in?  None where no readable one accounts for it."""
    for line in _own_lines():
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _first_readable([_V1_ROOT / path.lstrip("/"), _V1_ROOT], 1)
        if number == "0":
            unified = [root / path.lstrip("/") for root in _V2_ROOTS] + list(_V2_ROOTS)
            if found := _first_readable(unified, 2):
                return found
    return None


def create(memory_bytes: int) -> MemoryCgroup:
    """Makes a cgroup below our own with this memory limit and without swap.

    Raises ``UnavailableError`` with the reason where the machine does not allow it.
    """
    parent = current()
    if parent is None:
        raise UnavailableError("No memory cgroup is visible here.", hint="use --limit-by watchdog.")
    child = MemoryCgroup(
        folder=parent.folder / f"diagtools-{os.getpid()}-{time.monotonic_ns():x}", version=parent.version
    )
    try:
        child.folder.mkdir()
        child.limit.write_text(str(memory_bytes))
    except OSError as error:
        remove(child)
        raise UnavailableError(
            f"A memory cgroup cannot be made below '{parent.folder}': {error.strerror}.",
            hint="use --limit-by watchdog, which needs no rights.",
        ) from error
    swap, most = (
        ("memory.swap.max", 0) if child.version == 2 else ("memory.memsw.limit_in_bytes", memory_bytes)
    )
    with contextlib.suppress(OSError):  # no swap accounting: the limit alone then
        (child.folder / swap).write_text(str(most))
    return child


def remove(group: MemoryCgroup) -> None:
    """Removes a cgroup whose processes have ended."""
    for _ in range(50):
        try:
            group.folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)
        else:
            return


def _own_lines() -> list[str]:
    try:
        return Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []


def _first_readable(folders: list[Path], version: int) -> MemoryCgroup | None:
    for folder in folders:
        group = MemoryCgroup(folder=folder, version=version)
        if os.access(group.usage, os.R_OK):
            return group
    return None
