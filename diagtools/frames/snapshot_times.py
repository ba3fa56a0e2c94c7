"""The frame of snapshots: when each process stood still for one."""

from __future__ import annotations

from diagtools.frames.frame import FLOAT, INT, TEXT, Frame

#: One row a snapshot that a process took of itself, as it noted it when it was done.  ``instrument``: ledger, holders.
SNAPSHOT_TIMES = Frame(
    "SNAPSHOT_TIMES", {"pid": INT, "instrument": TEXT, "index": INT, "begin_s": FLOAT, "end_s": FLOAT}
)
