"""Every frame's columns, dtypes and units, declared once.

Bytes are integers, time is seconds from the run's start on the monotonic clock, ``share`` is 0–1,
unknown is null.  A frame is checked when it leaves ``read`` or ``analyse``.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from diagtools.errors import DamagedError

FEATURES = pl.List(pl.Struct({"name": pl.String, "value": pl.Float64}))


@dataclass(frozen=True, slots=True)
class Frame:
    """The declared shape of one frame: its name and its columns in order."""

    name: str
    columns: dict[str, pl.DataType]

    def empty(self) -> pl.DataFrame:
        """A frame of this shape without rows."""
        return pl.DataFrame(schema=self.columns)

    def from_columns(self, columns: dict[str, list[object]]) -> pl.DataFrame:
        """A frame of this shape from one list a column, in any order."""
        return self.check(pl.DataFrame(columns, schema=self.columns))

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The same frame, if it has exactly these columns and dtypes; raises ``DamagedError``."""
        if dict(frame.schema) == dict(pl.Schema(self.columns)):
            return frame
        found = {name: str(dtype) for name, dtype in frame.schema.items()}
        wanted = {name: str(dtype) for name, dtype in self.columns.items()}
        odd = sorted(set(found.items()) ^ set(wanted.items()))
        raise DamagedError(f"A {self.name} frame has other columns than declared: {odd}.")


_I = pl.Int64()
_F = pl.Float64()
_S = pl.String()
_B = pl.Boolean()

#: One row a process and sample.  ``pss_bytes`` is read rarely (its price is up to 1 % of the time), ``cpu_s`` twice a
#: second: each sample has what was read last.
TIMELINE = Frame(
    "TIMELINE",
    {
        "t_s": _F,
        "pid": _I,
        "rss_bytes": _I,
        "shared_bytes": _I,
        "anon_bytes": _I,
        "hwm_bytes": _I,
        "pss_bytes": _I,
        "cpu_s": _F,
    },
)

#: One row per 0.1 s for the whole tree.  I/O is cumulative, summed over the processes then alive.
SYSTEM = Frame(
    "SYSTEM",
    {
        "t_s": _F,
        "cgroup_bytes": _I,
        "available_bytes": _I,
        "swap_bytes": _I,
        "psi_some": _F,
        "n_threads": _I,
        "n_fds": _I,
        "read_bytes": _I,
        "write_bytes": _I,
    },
)

#: One row a process of the tree.  ``exit_status`` is 128 + signal for a killed one, null if nobody saw it.
PROCESSES = Frame(
    "PROCESSES",
    {"pid": _I, "ppid": _I, "name": _S, "started_s": _F, "ended_s": _F, "exit_status": _I},
)

#: What the recorder did and noticed: ``kind`` is a name of ``probes.records.EVENTS``, which says what ``value`` and
#: ``second`` are; ``second`` is null for the kinds that have none.
EVENTS = Frame("EVENTS", {"t_s": _F, "kind": _S, "pid": _I, "value": _I, "second": _I})

#: How long each output file was at a time; ``stream`` is ``stdout`` or ``stderr``.
OUTPUT_GROWTH = Frame("OUTPUT_GROWTH", {"t_s": _F, "stream": _S, "size_bytes": _I})

#: One row a marker.  ``kind``: phase, item, event, boot, exit; ``edge``: begin, note, end, point; ``index`` joins the
#: edges of one begin; ``status`` of an end: ok, failed, timeout.  ``parent``: of an item's begin the index of the item
#: in whose context it begins, 0 for none, null where that is not known.  ``rss_bytes``: what its process held at a
#: begin or an end; null at other edges, and where the kernel does not say.
MARKERS = Frame(
    "MARKERS",
    {
        "t_s": _F,
        "pid": _I,
        "tid": _I,
        "kind": _S,
        "name": _S,
        "index": _I,
        "edge": _S,
        "parent": _I,
        "rss_bytes": _I,
        "status": _S,
        "error": _S,
        "features": FEATURES,
    },
)

#: One row a line of output.  ``t_s`` is when the file had grown past the line's end: at most one sample late.
LOGS = Frame("LOGS", {"t_s": _F, "pid": _I, "stream": _S, "line": _S})

#: One row an item.  ``status``: ok, failed, timeout, in_flight, unknown; without an end marker ok where its process
#: exited with status 0 or executed another program, unknown where its end is among markers that are missing, else
#: in_flight.  ``delta_bytes``: memory kept (RSS at its end minus at its begin, shared out evenly
#: where items of one process overlap).  ``peak_bytes``: highest RSS of its process while it ran; ``demand_bytes``:
#: that minus the RSS at its begin: the item's own peak demand.
ITEMS = Frame(
    "ITEMS",
    {
        "item": _S,
        "index": _I,
        "pid": _I,
        "tid": _I,
        "begin_s": _F,
        "end_s": _F,
        "status": _S,
        "error": _S,
        "delta_bytes": _I,
        "peak_bytes": _I,
        "demand_bytes": _I,
        "features": FEATURES,
    },
)

#: One row a phase: what ``ITEMS`` is for items.
PHASES = Frame("PHASES", {"phase": _S, "pid": _I, "begin_s": _F, "end_s": _F, "status": _S, "peak_bytes": _I})

#: The memory of the whole tree: ``rss_bytes`` sums the processes (shared pages counted n times),
#: ``used_bytes`` is what a cap compares: anonymous summed plus shared once.
TREE = Frame("TREE", {"t_s": _F, "rss_bytes": _I, "used_bytes": _I, "n_processes": _I})

#: Contributors by any key (item, folder, kind).  ``delta_bytes`` is of the growth, ``share`` of the rise (highest minus
#: first), null where nothing rose; ``demand_bytes`` is the largest own peak demand of its items.
CONTRIBUTORS = Frame(
    "CONTRIBUTORS",
    {
        "key": _S,
        "n_items": _I,
        "n_failed": _I,
        "delta_bytes": _I,
        "share": _F,
        "peak_bytes": _I,
        "demand_bytes": _I,
    },
)

#: One row a file of a corpus.  ``kind``: generated, hand-written, unreadable; ``why`` names the rule that fired.
CORPUS = Frame(
    "CORPUS",
    {
        "path": _S,
        "size_bytes": _I,
        "longest_line": _I,
        "n_lines": _I,
        "mean_line": _F,
        "space_share": _F,
        "kind": _S,
        "why": _S,
    },
)

#: How well one feature explains the items' peaks.  ``of``: the feature itself or its running maximum.
EXPLAINED = Frame(
    "EXPLAINED",
    {
        "feature": _S,
        "of": _S,
        "explains": _S,
        "r2": _F,
        "bytes_per_unit": _F,
        "intercept_bytes": _F,
        "n_items": _I,
    },
)

#: One row a run and metric of an experiment.  ``outcome``: finished, failed, killed; ``value`` is what was seen,
#: a lower bound where the run was killed.
PAIRS = Frame(
    "PAIRS",
    {
        "pair": _I,
        "order": _I,
        "variant": _S,
        "outcome": _S,
        "metric": _S,
        "value": _F,
        "run": _S,
        "item_in_flight": _S,
    },
)

#: One row an event of a program's imports; ``kind`` and ``name`` as in ``probes.imports``; the times are of its clock.
IMPORT_EVENTS = Frame(
    "IMPORT_EVENTS",
    {
        "kind": _S,
        "t_ns": _I,
        "cpu_ns": _I,
        "rss_bytes": _I,
        "anon_bytes": _I,
        "tid": _I,
        "name": _S,
    },
)

#: One row an import statement, the place where it stands and the module being initialised ("" for the program).
IMPORT_CALLS = Frame(
    "IMPORT_CALLS",
    {
        "initialising": _S,
        "file": _S,
        "line": _I,
        "function": _S,
        "module": _S,
        "names": pl.List(pl.String),
        "level": _I,
        "package": _S,
    },
)

#: One row a module, the program itself first.  ``self`` is what it cost itself, ``total`` with all that was imported
#: for it; ``status``: ok, failed, unfinished; ``step`` counts the statements of a measured list from 1.
IMPORTS = Frame(
    "IMPORTS",
    {
        "order": _I,
        "module": _S,
        "importer": _S,
        "step": _I,
        "status": _S,
        "self_wall_s": _F,
        "self_cpu_s": _F,
        "self_rss_bytes": _I,
        "self_anon_bytes": _I,
        "total_wall_s": _F,
        "total_cpu_s": _F,
        "total_rss_bytes": _I,
        "total_anon_bytes": _I,
    },
)

#: One row a top-level package: its modules together, without what they import.
IMPORT_PACKAGES = Frame(
    "IMPORT_PACKAGES",
    {
        "package": _S,
        "n_modules": _I,
        "self_wall_s": _F,
        "self_cpu_s": _F,
        "self_rss_bytes": _I,
        "self_anon_bytes": _I,
    },
)

#: One row a module in the picture of who imported whom: from ``left_bytes`` to ``right_bytes``, ``depth`` rows down.
IMPORT_ICICLE = Frame(
    "IMPORT_ICICLE",
    {
        "module": _S,
        "package": _S,
        "depth": _I,
        "left_bytes": _I,
        "right_bytes": _I,
        "self_anon_bytes": _I,
        "total_anon_bytes": _I,
        "total_wall_s": _F,
    },
)

#: One row a module worth a bar in the picture of imports over time, the program first (``depth`` 0).  It begins where
#: its package was there; ``depth`` is the row: below who imported it, and further down where another thread stands.
IMPORT_WATERFALL = Frame(
    "IMPORT_WATERFALL",
    {
        "module": _S,
        "package": _S,
        "depth": _I,
        "begin_s": _F,
        "end_s": _F,
        "self_wall_s": _F,
        "total_wall_s": _F,
        "self_anon_bytes": _I,
        "total_anon_bytes": _I,
        "status": _S,
    },
)

#: Anonymous memory over the time of the imports, both since the first event: each value is what was seen at its time.
IMPORT_STAIRCASE = Frame("IMPORT_STAIRCASE", {"t_s": _F, "anon_bytes": _I})

#: One row a module that a statement leads to; ``first`` where it was really loaded along it.
IMPORT_EDGES = Frame("IMPORT_EDGES", {"importer": _S, "imported": _S, "file": _S, "line": _I, "first": _B})

#: One row an import statement and the module being initialised; ``retained``: what only it leads to, a prediction.
STATEMENTS = Frame(
    "STATEMENTS",
    {
        "file": _S,
        "line": _I,
        "importer": _S,
        "imports": pl.List(pl.String),
        "n_modules": _I,
        "retained_rss_bytes": _I,
        "retained_anon_bytes": _I,
        "retained_wall_s": _F,
    },
)

#: One row a package whose file was executed only because ``wanted``, a module in it, was imported; what is retained
#: hangs on the import statements of that file (at ``lines``) together, and on nothing else.
PACKAGES_RUN_ALONG = Frame(
    "PACKAGES_RUN_ALONG",
    {
        "package": _S,
        "wanted": _S,
        "file": _S,
        "lines": pl.List(pl.Int64),
        "n_modules": _I,
        "retained_rss_bytes": _I,
        "retained_anon_bytes": _I,
        "retained_wall_s": _F,
    },
)

#: One row an import statement made lazy, or all of a file together (``line`` 0).  ``measured``: what that saved while
#: its names were unused, the median of the pairs, ``low`` to ``high`` their range; null where it cannot be lazy, and
#: ``refused`` says why.  ``forced_by``: which places (``file:line``) used a name at once.
#: ``verdict``: saves, partly, forced, breaks, not tested, not allowed; ``note``: why,
#: where nobody forced it, empty for nothing to say.
VERIFIED_IMPORTS = Frame(
    "VERIFIED_IMPORTS",
    {
        "file": _S,
        "line": _I,
        "imports": pl.List(pl.String),
        "predicted_anon_bytes": _I,
        "measured_anon_bytes": _I,
        "low_anon_bytes": _I,
        "high_anon_bytes": _I,
        "verdict": _S,
        "forced_by": pl.List(pl.String),
        "refused": _S,
        "note": _S,
    },
)

ALL = (
    TIMELINE,
    SYSTEM,
    PROCESSES,
    EVENTS,
    OUTPUT_GROWTH,
    MARKERS,
    LOGS,
    ITEMS,
    PHASES,
    TREE,
    CONTRIBUTORS,
    CORPUS,
    EXPLAINED,
    PAIRS,
    IMPORT_EVENTS,
    IMPORT_CALLS,
    IMPORTS,
    IMPORT_PACKAGES,
    IMPORT_ICICLE,
    IMPORT_WATERFALL,
    IMPORT_STAIRCASE,
    IMPORT_EDGES,
    STATEMENTS,
    PACKAGES_RUN_ALONG,
    VERIFIED_IMPORTS,
)
