"""Under which memory limit did a run stand, by what its recorder noted?"""

from __future__ import annotations

import polars as pl

from diagtools.values import Enforcer, Limit

#: The stored numbers are indices into these: the second value of a ``cap`` (see ``probes.records.EVENTS``).
_ENFORCERS = (Enforcer.WATCHDOG, Enforcer.CGROUP, Enforcer.RLIMIT_AS)


def limit_noted(events: pl.DataFrame) -> Limit | None:
    """Which limit was set, and who enforced it?  For a run whose ``run.json`` is missing.

    ``events`` is EVENTS.  Null where no cap was noted, and where its size or its enforcer is not known.
    """
    caps = events.filter((pl.col("kind") == "cap") & (pl.col("value") > 0))
    for size, number in caps.select("value", "second").iter_rows():
        if number in range(len(_ENFORCERS)):
            return Limit(memory_bytes=size, enforcer=_ENFORCERS[number])
    return None
