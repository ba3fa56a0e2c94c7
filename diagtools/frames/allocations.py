"""The frames of allocation captures, tracemalloc snapshots and flamegraph exports.

``unit`` says what a size is: ``bytes`` of memory, ``ns`` of time, ``samples``.  Whatever it is, it is a whole number
and the sizes of a view sum to its total exactly.
"""

from __future__ import annotations

from diagtools.frames.frame import FLAG, FLOAT, INT, TEXT, Frame

#: One row a stack, allocator, process and thread.  ``kind``: the view, see ``profile.View``.  ``allocator``: what was
#: called (malloc, mmap, pymalloc_malloc, …), empty where nobody said; ``pid`` null, ``thread`` empty where they are
#: unknown or were merged.
ALLOCATIONS = Frame(
    "ALLOCATIONS",
    {
        "stack_id": INT,
        "kind": TEXT,
        "size": INT,
        "unit": TEXT,
        "n_allocations": INT,
        "allocator": TEXT,
        "pid": INT,
        "thread": TEXT,
    },
)

#: The call tree, one row a path from the outermost frame: a stack is its last row, its frames are found over
#: ``parent_id`` (null at depth 0).  A parent stands before its children.
STACKS = Frame("STACKS", {"stack_id": INT, "parent_id": INT, "depth": INT, "location_id": INT})

#: One row a place in the code.  ``origin``: own, third-party, standard library, native, interpreter, unknown; ``role``:
#: import for the import system, runner for what only starts a program, else empty.  ``line`` is 0 where it is unknown.
LOCATIONS = Frame(
    "LOCATIONS",
    {
        "location_id": INT,
        "function": TEXT,
        "file": TEXT,
        "line": INT,
        "module": TEXT,
        "package": TEXT,
        "origin": TEXT,
        "role": TEXT,
    },
)

#: One row an allocator: what it handed out.  ``is_mapping``: it maps memory that need never have been touched.
ALLOCATORS = Frame(
    "ALLOCATORS",
    {
        "allocator": TEXT,
        "size": INT,
        "n_allocations": INT,
        "share": FLOAT,
        "is_mapping": FLAG,
        "unit": TEXT,
    },
)

#: One row a group of allocations of one stack with the same begin and end, as the tracker's snapshots bound them:
#: ``begin_s`` is the end of the interval in which they were made, ``end_s`` of that in which they were freed, null for
#: never.
LIFETIMES = Frame(
    "LIFETIMES",
    {
        "stack_id": INT,
        "begin_s": FLOAT,
        "end_s": FLOAT,
        "size": INT,
        "n_allocations": INT,
        "allocator": TEXT,
        "pid": INT,
        "thread": TEXT,
    },
)

#: What the tracker itself saw over time, a row a snapshot: ``heap_bytes`` is what was allocated and not freed, mappings
#: that were never touched too; ``rss_bytes`` is null where it did not look.
TRACKED = Frame("TRACKED", {"t_s": FLOAT, "pid": INT, "rss_bytes": INT, "heap_bytes": INT})

#: One row a place (a line, a function, a module or a package: what ``key`` names).  ``self``: what it asked for itself;
#: ``total``: with all that it called, once where it stands in a stack more than once, null where stacks are not known.
SITES = Frame(
    "SITES",
    {
        "key": TEXT,
        "function": TEXT,
        "file": TEXT,
        "line": INT,
        "module": TEXT,
        "package": TEXT,
        "origin": TEXT,
        "self_size": INT,
        "total_size": INT,
        "self_n": INT,
        "total_n": INT,
        "share": FLOAT,
        "unit": TEXT,
    },
)

#: One row a caller or a callee of a place: what passed between the two.
CALLS = Frame(
    "CALLS",
    {
        "side": TEXT,
        "key": TEXT,
        "function": TEXT,
        "file": TEXT,
        "line": INT,
        "package": TEXT,
        "size": INT,
        "n_allocations": INT,
        "unit": TEXT,
    },
)

#: One row a node of the icicle, from ``left`` to ``right`` in its unit, ``depth`` rows down; the root is the whole.
#: What of a node's width is free below it is its own, and what was too narrow to be kept.
ICICLE = Frame(
    "ICICLE",
    {
        "node_id": INT,
        "parent_id": INT,
        "depth": INT,
        "name": TEXT,
        "function": TEXT,
        "file": TEXT,
        "line": INT,
        "package": TEXT,
        "origin": TEXT,
        "left": INT,
        "right": INT,
        "self_size": INT,
        "total_size": INT,
        "total_n": INT,
        "unit": TEXT,
    },
)

#: One row a line of a function of either side of a difference; what a side has not is null.  ``path``: the file as its
#: package names it; ``file_id`` is the same for both sides' names of one file.
MATCHES = Frame(
    "MATCHES",
    {
        "place_id": INT,
        "file_id": INT,
        "function": TEXT,
        "path_before": TEXT,
        "line_before": INT,
        "path_after": TEXT,
        "line_after": INT,
        "file": TEXT,
        "path": TEXT,
        "module": TEXT,
        "package": TEXT,
        "origin": TEXT,
    },
)

#: One row a place of either capture.  ``delta`` is after minus before; the rows sum to the change of the total.
#: ``certainty``: certain, likely, within noise, one run each.  ``low`` and ``high``: range of the delta over repeats.
DIFFERENCE = Frame(
    "DIFFERENCE",
    {
        "key": TEXT,
        "function": TEXT,
        "file": TEXT,
        "line_before": INT,
        "line_after": INT,
        "module": TEXT,
        "package": TEXT,
        "origin": TEXT,
        "before_size": INT,
        "after_size": INT,
        "delta_size": INT,
        "before_n": INT,
        "after_n": INT,
        "low_size": INT,
        "high_size": INT,
        "certainty": TEXT,
        "unit": TEXT,
    },
)

#: One row a node of the icicle of a difference: as wide as the larger side, coloured by what changed.
DIFFERENCE_ICICLE = Frame(
    "DIFFERENCE_ICICLE",
    {
        "node_id": INT,
        "parent_id": INT,
        "depth": INT,
        "name": TEXT,
        "function": TEXT,
        "file": TEXT,
        "package": TEXT,
        "origin": TEXT,
        "left": INT,
        "right": INT,
        "before_size": INT,
        "after_size": INT,
        "delta_size": INT,
        "unit": TEXT,
    },
)

#: One row a node and a slice of time: what of it was live then, on average over the slice, for the icicle that follows
#: a brush over the timeline.  ``order`` and ``depth`` place the node in the tree (a walk that meets parents first).
LIVE = Frame(
    "LIVE",
    {
        "node_id": INT,
        "order": INT,
        "depth": INT,
        "name": TEXT,
        "package": TEXT,
        "slice": INT,
        "begin_s": FLOAT,
        "end_s": FLOAT,
        "self_size": INT,
        "total_size": INT,
        "is_cut": FLAG,
    },
)
