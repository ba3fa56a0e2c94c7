"""The frames of recorded runs: what was sampled, marked and printed, and what follows from it."""

from __future__ import annotations

from diagtools.frames.frame import FEATURES, FLOAT, INT, TEXT, Frame

#: One row a process and sample.  ``pss_bytes`` is read rarely (its price is up to 1 % of the time), ``cpu_s`` twice a
#: second: each sample has what was read last.
TIMELINE = Frame(
    "TIMELINE",
    {
        "t_s": FLOAT,
        "pid": INT,
        "rss_bytes": INT,
        "shared_bytes": INT,
        "anon_bytes": INT,
        "hwm_bytes": INT,
        "pss_bytes": INT,
        "cpu_s": FLOAT,
    },
)

#: One row per 0.1 s for the whole tree.  I/O is cumulative, summed over the processes then alive.
SYSTEM = Frame(
    "SYSTEM",
    {
        "t_s": FLOAT,
        "cgroup_bytes": INT,
        "available_bytes": INT,
        "swap_bytes": INT,
        "psi_some": FLOAT,
        "n_threads": INT,
        "n_fds": INT,
        "read_bytes": INT,
        "write_bytes": INT,
    },
)

#: One row a process of the tree.  ``exit_status`` is 128 + signal for a killed one, null if nobody saw it.
PROCESSES = Frame(
    "PROCESSES",
    {"pid": INT, "ppid": INT, "name": TEXT, "started_s": FLOAT, "ended_s": FLOAT, "exit_status": INT},
)

#: What the recorder did and noticed: ``kind`` is a name of ``probes.records.EVENTS``, which says what ``value`` and
#: ``second`` are; ``second`` is null for the kinds that have none.
EVENTS = Frame("EVENTS", {"t_s": FLOAT, "kind": TEXT, "pid": INT, "value": INT, "second": INT})

#: How long each output file was at a time; ``stream`` is ``stdout`` or ``stderr``.
OUTPUT_GROWTH = Frame("OUTPUT_GROWTH", {"t_s": FLOAT, "stream": TEXT, "size_bytes": INT})

#: One row a marker.  ``kind``: phase, item, event, boot, exit; ``edge``: begin, note, end, point; ``index`` joins the
#: edges of one begin; ``status`` of an end: ok, failed, timeout.  ``parent``: of an item's begin the index of the item
#: in whose context it begins, 0 for none, null where that is not known.  ``rss_bytes``: what its process held at a
#: begin or an end; null at other edges, and where the kernel does not say.
MARKERS = Frame(
    "MARKERS",
    {
        "t_s": FLOAT,
        "pid": INT,
        "tid": INT,
        "kind": TEXT,
        "name": TEXT,
        "index": INT,
        "edge": TEXT,
        "parent": INT,
        "rss_bytes": INT,
        "status": TEXT,
        "error": TEXT,
        "features": FEATURES,
    },
)

#: One row a line of output.  ``t_s`` is when the file had grown past the line's end: at most one sample late.
LOGS = Frame("LOGS", {"t_s": FLOAT, "pid": INT, "stream": TEXT, "line": TEXT})

#: One row an item.  ``status``: ok, failed, timeout, in_flight, unknown; without an end marker ok where its process
#: exited with status 0 or executed another program, unknown where its end is among markers that are missing, else
#: in_flight.  ``begin_rss_bytes`` and ``end_rss_bytes``: what its process held then, as its own markers read it; null
#: where no marker did (only a slot holds it, another system, no end).  ``delta_bytes``: memory kept (RSS at its end
#: minus at its begin, shared out evenly where items of one process overlap).  ``peak_bytes``: highest RSS of its
#: process while it ran; ``demand_bytes``: that minus the RSS at its begin: the item's own peak demand.
#: Without what snapshots of the process took, and left behind.
ITEMS = Frame(
    "ITEMS",
    {
        "item": TEXT,
        "index": INT,
        "pid": INT,
        "tid": INT,
        "begin_s": FLOAT,
        "end_s": FLOAT,
        "status": TEXT,
        "error": TEXT,
        "begin_rss_bytes": INT,
        "end_rss_bytes": INT,
        "delta_bytes": INT,
        "peak_bytes": INT,
        "demand_bytes": INT,
        "features": FEATURES,
    },
)

#: One row a phase: what ``ITEMS`` is for items.
PHASES = Frame(
    "PHASES", {"phase": TEXT, "pid": INT, "begin_s": FLOAT, "end_s": FLOAT, "status": TEXT, "peak_bytes": INT}
)

#: The memory of the whole tree: ``rss_bytes`` sums the processes (shared pages counted n times),
#: ``used_bytes`` is what a cap compares: anonymous summed plus shared once.
TREE = Frame("TREE", {"t_s": FLOAT, "rss_bytes": INT, "used_bytes": INT, "n_processes": INT})

#: Contributors by any key (item, folder, kind).  ``delta_bytes`` is of the growth, ``share`` of the rise (highest minus
#: first), null where nothing rose; ``demand_bytes`` is the largest own peak demand of its items.
CONTRIBUTORS = Frame(
    "CONTRIBUTORS",
    {
        "key": TEXT,
        "n_items": INT,
        "n_failed": INT,
        "delta_bytes": INT,
        "share": FLOAT,
        "peak_bytes": INT,
        "demand_bytes": INT,
    },
)

#: How well one feature explains the items' peaks.  ``of``: the feature itself or its running maximum.
EXPLAINED = Frame(
    "EXPLAINED",
    {
        "feature": TEXT,
        "of": TEXT,
        "explains": TEXT,
        "r2": FLOAT,
        "bytes_per_unit": FLOAT,
        "intercept_bytes": FLOAT,
        "n_items": INT,
    },
)

#: One row a run and metric of an experiment.  ``outcome``: finished, failed, killed; ``value`` is what was seen,
#: a lower bound where the run was killed.
PAIRS = Frame(
    "PAIRS",
    {
        "pair": INT,
        "order": INT,
        "variant": TEXT,
        "outcome": TEXT,
        "metric": TEXT,
        "value": FLOAT,
        "run": TEXT,
        "item_in_flight": TEXT,
    },
)
