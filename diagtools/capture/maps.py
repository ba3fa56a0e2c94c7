"""What of a running process's memory is where, read from outside?  A snapshot of its mappings, without its help.

Only the kernel is asked: the process runs no code for it, and may be stopped.  What its allocators hold is not to be
had so, nor whose a page is; the file says that it was written from outside, and less is claimed of it.
"""

from __future__ import annotations

import os
import time
import zlib
from pathlib import Path

from diagtools.errors import NoDataError, RecorderError, UnavailableError
from diagtools.probes import heap, heap_maps

KIND = "outside"


def take(pid: int, folder: Path, index: int) -> Path:
    """Write a snapshot of a process into a folder, ``heap.<pid>.<index>.json``, and say where.

    Raises ``NoDataError`` for a process that has ended, ``UnavailableError`` for one that may not be looked at or where
    the kernel tells nothing, and ``RecorderError`` where the file cannot be written.
    """
    t_ns = time.monotonic_ns()
    rows = heap_maps.rows(_smaps(pid))
    if not rows:  # a zombie has given all its memory back, and a thread of the kernel never had any
        raise NoDataError(f"Process {pid} has no memory: it has ended.", hint="ps -o pid,stat,comm -p PID")
    found = {
        "format": heap.FORMAT,
        "pid": pid,
        "index": index,
        "t_ns": t_ns,
        "kind": KIND,
        "edge": "",
        "label": "",
        "from": "outside",
        "page_bytes": os.sysconf("SC_PAGE_SIZE"),
        "memory_devices": heap_maps.memory_devices(pid),
        "missing": [],
        "mapping_fields": heap_maps.FIELDS,
        "mappings": rows,
    }
    try:
        heap.write(os.fspath(folder), found, zlib.crc32)
    except OSError as error:
        raise RecorderError(f"The snapshot of process {pid} cannot be written: {error.strerror}.") from error
    return folder / heap.FILE_GLOB.replace("*", f"{pid}.{index}")


def _smaps(pid: int) -> bytes:
    try:
        return heap_maps.read(pid)
    except PermissionError as error:
        raise UnavailableError(
            f"The memory of process {pid} may not be looked at: {error.strerror}.",
            hint="run as the user whose process it is.",
        ) from error
    except (FileNotFoundError, ProcessLookupError) as error:
        if not Path("/proc/self/smaps").exists():
            raise UnavailableError(
                "This kernel does not tell of mappings.", hint="diagtools doctor says what it does."
            ) from error
        raise NoDataError(f"There is no process {pid}.", hint="ps -e lists those that run.") from error
    except OSError as error:
        raise UnavailableError(f"The mappings of process {pid} cannot be read: {error.strerror}.") from error
