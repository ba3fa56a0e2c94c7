"""The frame of a search among releases."""

from __future__ import annotations

from diagtools.frames.frame import FLOAT, INT, TEXT, Frame

#: One row a release of a bisect, the oldest first.  ``step``: in which experiment it was tried, from 1 on (the two ends
#: share the first); ``side``: good, bad, cannot run, unclear; both null where it was not tried.  ``value``: the median
#: of its runs that were not killed, ``low_value`` and ``high_value`` their range, in the unit of the metric.
RELEASES = Frame(
    "RELEASES",
    {
        "release": TEXT,
        "step": INT,
        "side": TEXT,
        "value": FLOAT,
        "low_value": FLOAT,
        "high_value": FLOAT,
        "n_runs": INT,
        "n_killed": INT,
        "note": TEXT,
    },
)
