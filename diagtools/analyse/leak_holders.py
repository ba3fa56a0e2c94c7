"""Who keeps what the calls of a function left behind?"""

from __future__ import annotations

import polars as pl

from diagtools import frames
from diagtools.analyse.holders.growth import holder_growth
from diagtools.analyse.holders.holding import CODE, SMALLER
from diagtools.analyse.holders.story import leak_findings
from diagtools.frames import ObjectGraph
from diagtools.values import Finding

_WORTH_SAYING = 0.05  #: of what the calls left behind
_LEAST_BYTES = 512


def leak_holders(before: ObjectGraph, after: ObjectGraph, left_bytes: float) -> pl.DataFrame:
    """Which holders keep more alive after the calls than before?  HOLDER_GROWTH, what gained most first.

    Only those that gained something worth saying of what the calls left behind (``left_bytes``); code stands last.
    """
    grown = holder_growth(before, after)
    is_large = pl.col("delta_bytes") >= max(_LEAST_BYTES, _WORTH_SAYING * left_bytes)
    is_rest = (pl.col("kind") == CODE) | pl.col("root").str.starts_with(SMALLER)
    return frames.HOLDER_GROWTH.check(
        grown.filter(is_large).sort(is_rest, "delta_bytes", descending=[False, True])
    )


def unheld(before: ObjectGraph, after: ObjectGraph) -> list[Finding]:
    """Of which types has C code taken references that it did not give back, and not before the calls already?"""
    known = {str(finding) for finding in leak_findings(before)}
    return [finding for finding in leak_findings(after) if str(finding) not in known]
