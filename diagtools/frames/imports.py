"""The frames of measured imports."""

from __future__ import annotations

import polars as pl

from diagtools.frames.frame import FLAG, FLOAT, INT, TEXT, Frame

#: One row an event of a program's imports; ``kind`` and ``name`` as in ``probes.imports``; the times are of its clock.
IMPORT_EVENTS = Frame(
    "IMPORT_EVENTS",
    {
        "kind": TEXT,
        "t_ns": INT,
        "cpu_ns": INT,
        "rss_bytes": INT,
        "anon_bytes": INT,
        "tid": INT,
        "name": TEXT,
    },
)

#: One row an import statement, the place where it stands and the module being initialised ("" for the program).
IMPORT_CALLS = Frame(
    "IMPORT_CALLS",
    {
        "initialising": TEXT,
        "file": TEXT,
        "line": INT,
        "function": TEXT,
        "module": TEXT,
        "names": pl.List(pl.String),
        "level": INT,
        "package": TEXT,
    },
)

#: One row a module, the program itself first.  ``self`` is what it cost itself, ``total`` with all that was imported
#: for it; ``status``: ok, failed, unfinished; ``step`` counts the statements of a measured list from 1.
IMPORTS = Frame(
    "IMPORTS",
    {
        "order": INT,
        "module": TEXT,
        "importer": TEXT,
        "step": INT,
        "status": TEXT,
        "self_wall_s": FLOAT,
        "self_cpu_s": FLOAT,
        "self_rss_bytes": INT,
        "self_anon_bytes": INT,
        "total_wall_s": FLOAT,
        "total_cpu_s": FLOAT,
        "total_rss_bytes": INT,
        "total_anon_bytes": INT,
    },
)

#: One row a top-level package: its modules together, without what they import.
IMPORT_PACKAGES = Frame(
    "IMPORT_PACKAGES",
    {
        "package": TEXT,
        "n_modules": INT,
        "self_wall_s": FLOAT,
        "self_cpu_s": FLOAT,
        "self_rss_bytes": INT,
        "self_anon_bytes": INT,
    },
)

#: One row a module in the picture of who imported whom: from ``left_bytes`` to ``right_bytes``, ``depth`` rows down.
IMPORT_ICICLE = Frame(
    "IMPORT_ICICLE",
    {
        "module": TEXT,
        "package": TEXT,
        "depth": INT,
        "left_bytes": INT,
        "right_bytes": INT,
        "self_anon_bytes": INT,
        "total_anon_bytes": INT,
        "total_wall_s": FLOAT,
    },
)

#: One row a module worth a bar in the picture of imports over time, the program first (``depth`` 0).  It begins where
#: its package was there; ``depth`` is the row: below who imported it, and further down where another thread stands.
IMPORT_WATERFALL = Frame(
    "IMPORT_WATERFALL",
    {
        "module": TEXT,
        "package": TEXT,
        "depth": INT,
        "begin_s": FLOAT,
        "end_s": FLOAT,
        "self_wall_s": FLOAT,
        "total_wall_s": FLOAT,
        "self_anon_bytes": INT,
        "total_anon_bytes": INT,
        "status": TEXT,
    },
)

#: Anonymous memory over the time of the imports, both since the first event: each value is what was seen at its time.
IMPORT_STAIRCASE = Frame("IMPORT_STAIRCASE", {"t_s": FLOAT, "anon_bytes": INT})

#: One row a module that a statement leads to; ``first`` where it was really loaded along it.
IMPORT_EDGES = Frame(
    "IMPORT_EDGES", {"importer": TEXT, "imported": TEXT, "file": TEXT, "line": INT, "first": FLAG}
)

#: One row an import statement and the module being initialised; ``retained``: what only it leads to, a prediction.
STATEMENTS = Frame(
    "STATEMENTS",
    {
        "file": TEXT,
        "line": INT,
        "importer": TEXT,
        "imports": pl.List(pl.String),
        "n_modules": INT,
        "retained_rss_bytes": INT,
        "retained_anon_bytes": INT,
        "retained_wall_s": FLOAT,
    },
)

#: One row a package whose file was executed only because ``wanted``, a module in it, was imported; what is retained
#: hangs on the import statements of that file (at ``lines``) together, and on nothing else.
PACKAGES_RUN_ALONG = Frame(
    "PACKAGES_RUN_ALONG",
    {
        "package": TEXT,
        "wanted": TEXT,
        "file": TEXT,
        "lines": pl.List(pl.Int64),
        "n_modules": INT,
        "retained_rss_bytes": INT,
        "retained_anon_bytes": INT,
        "retained_wall_s": FLOAT,
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
        "file": TEXT,
        "line": INT,
        "imports": pl.List(pl.String),
        "predicted_anon_bytes": INT,
        "measured_anon_bytes": INT,
        "low_anon_bytes": INT,
        "high_anon_bytes": INT,
        "verdict": TEXT,
        "forced_by": pl.List(pl.String),
        "refused": TEXT,
        "note": TEXT,
    },
)
