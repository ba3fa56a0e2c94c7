"""The frames of a leak check: what was counted between the calls of a function, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from diagtools.frames.frame import FLAG, FLOAT, INT, TEXT, Frame
from diagtools.values import Validity

#: One row a reading, in order of time.  ``n_calls``: since the warm-up; ``block`` 0 is before the stage's first call.
#: What is in use, null where nobody can say: ``c_bytes`` of the C library's malloc, ``python_bytes`` in ``n_blocks`` of
#: Python's own allocator; ``n_objects`` of the collector; ``mapped_bytes``: address space of neither of the two.
#: ``is_clearing``: caches that were filling had just been cleared.
LEAK_READINGS = Frame(
    "LEAK_READINGS",
    {
        "stage": INT,
        "block": INT,
        "n_calls": INT,
        "t_s": FLOAT,
        "c_bytes": INT,
        "python_bytes": INT,
        "n_blocks": INT,
        "n_objects": INT,
        "mapped_bytes": INT,
        "rss_bytes": INT,
        "anon_bytes": INT,
        "n_threads": INT,
        "n_fds": INT,
        "is_clearing": FLAG,
    },
)

#: One row a cache of functools and stage in which it got more entries, or was being cleared.  ``most_entries`` is null
#: where it has no limit.
LEAK_CACHES = Frame(
    "LEAK_CACHES",
    {
        "stage": INT,
        "cache": TEXT,
        "before_n": INT,
        "after_n": INT,
        "most_entries": INT,
        "is_cleared": FLAG,
    },
)

#: One row a counter of LEAK_READINGS.  ``course``: level, rising, filling, swinging, unclear, or unknown where nobody
#: could say; ``per_call`` is its slope, ``least_per_call`` the least that is called rising; ``is_witness``: it is told,
#: the verdict does not go by it.
LEAK_COUNTERS = Frame(
    "LEAK_COUNTERS",
    {
        "counter": TEXT,
        "course": TEXT,
        "per_call": FLOAT,
        "least_per_call": FLOAT,
        "first": INT,
        "last": INT,
        "is_witness": FLAG,
        "evidence": TEXT,
    },
)

#: One row a stack that asked for what the calls left behind, the largest first.  ``place``: its innermost line that is
#: the program's or a library's; ``stack``: all its frames, outermost first.  ``n_allocations`` is null
#: where nobody counted them.  ``bytes`` sum to all that they left.
LEAK_SITES = Frame(
    "LEAK_SITES",
    {
        "function": TEXT,
        "file": TEXT,
        "line": INT,
        "place": TEXT,
        "bytes": INT,
        "n_allocations": INT,
        "bytes_per_call": FLOAT,
        "share": FLOAT,
        "stack": pl.List(pl.String),
    },
)

#: One row a stack under which more came to be in use than was given back in so many calls: as it was counted line by
#: line, or as tracemalloc has it.  ``function`` (empty where that is not known), ``file`` and ``line``: its innermost
#: frame that is the program's or a library's; ``stack`` is outermost first.
LEAK_LINES = Frame(
    "LEAK_LINES",
    {"function": TEXT, "file": TEXT, "line": INT, "bytes": INT, "n_calls": INT, "stack": pl.List(pl.String)},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakFailure:
    """Why the function could not be called on: ``kind`` as in ``probes.leaks.FAILURES``, ``place`` the line."""

    kind: str
    n_calls: int
    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeakLog:
    """What one process wrote that called a function again and again.

    ``readings`` is LEAK_READINGS, ``caches`` LEAK_CACHES, ``lines`` LEAK_LINES.  ``n_warm`` calls came before the first
    reading (null where it did not come so far), ``warm_is_cut`` where there was no time for as many as were wanted;
    ``n_planned`` is how many were to come.  ``is_ended``: the process came to its end.
    """

    pid: int
    python: str
    mode: str
    target: str
    n_warm: int | None
    warm_is_cut: bool
    call_s: float | None
    is_async: bool
    n_planned: int
    n_calls: int
    n_forks: int
    is_ended: bool
    failure: LeakFailure | None
    readings: pl.DataFrame
    caches: pl.DataFrame
    lines: pl.DataFrame
    validity: tuple[Validity, ...] = ()
