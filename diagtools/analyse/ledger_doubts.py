"""How far can the figures of one ledger be trusted?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from diagtools.analyse.ledger import OUTSIDE, Component
from diagtools.units import format_bytes
from diagtools.values import State, Validity

_DOUBTFUL = 0.02  # of the RSS


def doubts(one: pl.DataFrame, snapshot: dict[str, Any]) -> Iterator[Validity]:
    """What must be said beside the figures of this one?  ``one`` is LEDGER of it, ``snapshot`` its LEDGER_SNAPSHOTS."""
    if snapshot["origin"] == OUTSIDE:
        note = "read from outside: what Python and the C library hold cannot be told apart, nor what of it is in use"
        yield Validity(what="ledger", state=State.SKIPPED, note=note)
        return
    for missing in snapshot["missing"]:
        yield Validity(what="ledger", state=State.SKIPPED, note=f"not to be had in the process: {missing}")
    yield from _unknown_c(snapshot)
    if snapshot["python_used_bytes"] is None:
        note = "Python's own allocator is not in use, or does not say: its objects are among what C or others hold"
        yield Validity(what="Python used", state=State.SKIPPED, note=note)
    yield from _clamped(one, snapshot)


def _unknown_c(snapshot: dict[str, Any]) -> Iterator[Validity]:
    if snapshot["c_system_bytes"] is not None:
        return
    if snapshot["libc"] == "glibc" and snapshot["malloc"]:
        note = f"malloc is that of {snapshot['malloc']}, which is not asked: it is among the other allocators"
    else:
        note = "this C library does not say what of its memory is in use"
    yield Validity(what="C used", state=State.SKIPPED, note=note)


def _clamped(one: pl.DataFrame, snapshot: dict[str, Any]) -> Iterator[Validity]:
    rss = int(one["bytes"].sum())
    counted, found = snapshot["c_mmapped_bytes"], snapshot["c_found_bytes"]
    if found is not None and counted is not None and abs(counted - found) > _DOUBTFUL * max(rss, 1):
        note = (
            f"glibc counts {format_bytes(counted)} of large blocks, {format_bytes(found)} was found in memory"
        )
        yield Validity(what="C mmapped", state=State.CLAMPED, note=note)
    for bound in one.filter(pl.col("component") == Component.C_USED)["bound_bytes"]:
        if bound > _DOUBTFUL * rss:
            note = f"up to {format_bytes(bound)} of it may be free: pages that are not there are taken for free ones"
            yield Validity(what=Component.C_USED, state=State.CLAMPED, note=note)
    for bound in one.filter(pl.col("component") == Component.UNEXPLAINED)["bound_bytes"]:
        if bound > _DOUBTFUL * rss:
            note = f"up to {format_bytes(bound)} of it may be blocks of C that were not found, or parts of huge pages"
            yield Validity(what=Component.UNEXPLAINED, state=State.CLAMPED, note=note)
    if not snapshot["is_searched"]:
        note = "the pages were not looked at: what is allocated and not touched yet may be counted"
        yield Validity(what="Python used, C mmapped", state=State.CLAMPED, note=note)
