"""The frames of ledgers: what a snapshot of a process found, and what its memory consists of."""

from __future__ import annotations

import polars as pl

from diagtools.frames.frame import FLAG, FLOAT, INT, TEXT, Frame

#: One row a snapshot.  ``moment``: phase begin, phase end, item end, cap, signal, interval, exit; ``origin``: inside
#: the process, or outside, where only the kernel was asked.  ``malloc``: the file that ``malloc`` lies in.  The ``c_``
#: columns are what the C library says, null where that process's ``malloc`` is not its own; ``c_whole_bytes``: what of
#: its free memory are whole pages, worked out from the sizes of free blocks; ``c_found_bytes``: what of
#: ``c_mmapped_bytes`` was found in memory.  ``python_``: of Python's allocator.  ``is_searched``: were the pages looked
#: at one by one?  ``trim_``: RSS before and after ``malloc_trim``, where that was asked for.  ``libraries``: those
#: with a pool or an allocator of their own that are loaded; ``missing``: what the process could not be asked, and why.
LEDGER_SNAPSHOTS = Frame(
    "LEDGER_SNAPSHOTS",
    {
        "t_s": FLOAT,
        "pid": INT,
        "index": INT,
        "moment": TEXT,
        "label": TEXT,
        "origin": TEXT,
        "python": TEXT,
        "libc": TEXT,
        "libc_version": TEXT,
        "malloc": TEXT,
        "page_bytes": INT,
        "is_searched": FLAG,
        "c_system_bytes": INT,
        "c_free_bytes": INT,
        "c_whole_bytes": INT,
        "c_mmapped_bytes": INT,
        "c_found_bytes": INT,
        "python_arena_bytes": INT,
        "python_used_bytes": INT,
        "python_available_bytes": INT,
        "trim_before_bytes": INT,
        "trim_after_bytes": INT,
        "libraries": pl.List(pl.String),
        "missing": pl.List(pl.String),
    },
)

#: One row a mapping of a snapshot, in order of its address.  ``in_memory``: its file lies in a file system that is no
#: cache of a disk; ``n_stacks``: how many threads have their stack in it.
MAPPINGS = Frame(
    "MAPPINGS",
    {
        "pid": INT,
        "index": INT,
        "mapping": INT,
        "start": INT,
        "end": INT,
        "perms": TEXT,
        "device": TEXT,
        "inode": INT,
        "name": TEXT,
        "flags": TEXT,
        "in_memory": FLAG,
        "n_stacks": INT,
        "rss_bytes": INT,
        "anon_bytes": INT,
        "dirty_bytes": INT,
        "huge_bytes": INT,
        "swap_bytes": INT,
    },
)

#: One row a mapping and kind of what was found in it by its header (``probes.heap_pages.KINDS``, "" for all of the
#: mapping): how large that is, what of it is there, and what of that is no other process's too, nor a page of zeros.
CLAIMS = Frame(
    "CLAIMS",
    {
        "pid": INT,
        "index": INT,
        "mapping": INT,
        "kind": TEXT,
        "size_bytes": INT,
        "present_bytes": INT,
        "own_bytes": INT,
    },
)

#: One row a memory pool that counts: what it has handed out, and the most that it ever had.
POOLS = Frame(
    "POOLS",
    {"pid": INT, "index": INT, "library": TEXT, "backend": TEXT, "held_bytes": INT, "peak_bytes": INT},
)

#: One row a snapshot and component.  ``bytes`` of a snapshot sum to its RSS; ``source``: who says so (smaps, pagemap,
#: counter), or ``bound``: it is the most that this can be.  ``bound_bytes``: by how much the row may be wrong, what is
#: wrong there being right in another row; null where that is not known.
LEDGER = Frame(
    "LEDGER",
    {
        "t_s": FLOAT,
        "pid": INT,
        "index": INT,
        "moment": TEXT,
        "label": TEXT,
        "component": TEXT,
        "bytes": INT,
        "share": FLOAT,
        "source": TEXT,
        "bound_bytes": INT,
    },
)

#: One row a component of either ledger: ``delta_bytes`` sum to the change of RSS.
LEDGER_DIFFERENCE = Frame(
    "LEDGER_DIFFERENCE",
    {"component": TEXT, "before_bytes": INT, "after_bytes": INT, "delta_bytes": INT},
)
