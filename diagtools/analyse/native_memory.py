"""How much of what Python and C have in use belongs to no Python object?

The ledger counts what the allocators have handed out, a snapshot of objects what the objects take.  Objects lie in both
allocators, and in no other: what is handed out beyond them is C code's own.
"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.ledger import OUTSIDE, Component, at_snapshot
from diagtools.frames import ObjectGraph
from diagtools.units import format_bytes
from diagtools.values import Finding

_IN_USE = (Component.PYTHON_USED, Component.C_USED, Component.C_MMAPPED)
_WORTH_SAYING = 0.05  # of the RSS
#: Measured: programs that import numpy, polars or pyarrow and hold nothing in C have 5 to 10 MiB in use beside their
#: objects: what C sets up once, and what blocks are rounded up to.
_LEAST_BYTES, _LEAST_SHARE = 16 << 20, 0.2
_SAME_MOMENT_S = 2.0


def ledger_of_graph(ledgers: pl.DataFrame, graph: ObjectGraph) -> pl.DataFrame | None:
    """Which ledger was taken together with these objects?  LEDGER of one snapshot; null where none was.

    ``ledgers`` is LEDGER of a run.
    """
    if graph.t_s is None:
        return None
    far_s = pl.max_horizontal(graph.t_s - pl.col("t_s"), pl.col("t_s") - (graph.t_s + graph.pause_s), 0.0)
    same = (
        (pl.col("pid") == graph.pid) & (pl.col("moment") == graph.moment) & (pl.col("label") == graph.label)
    )
    near = ledgers.with_columns(far_s=far_s).filter(same & (pl.col("far_s") <= _SAME_MOMENT_S)).sort("far_s")
    return None if near.is_empty() else at_snapshot(ledgers, pid=graph.pid, index=near["index"][0])


def native_finding(
    ledger: pl.DataFrame, snapshots: pl.DataFrame, objects_bytes: int, *, process: str = ""
) -> Finding | None:
    """What do Python and C have in use that belongs to no Python object?  Null where that is not worth saying.

    ``ledger`` is LEDGER of one snapshot, ``snapshots`` LEDGER_SNAPSHOTS, ``objects_bytes`` what all objects took then,
    ``process`` names the process where the run has several.  Null too where the C library does not say what of its
    memory is in use.
    """
    snapshot = at_snapshot(snapshots, pid=ledger["pid"][0], index=ledger["index"][0]).row(0, named=True)
    if snapshot["c_system_bytes"] is None or snapshot["origin"] == OUTSIDE:
        return None
    in_use = int(ledger.filter(pl.col("component").is_in([*_IN_USE]))["bytes"].sum())
    native = in_use - objects_bytes
    least = max(_LEAST_BYTES, _LEAST_SHARE * in_use, _WORTH_SAYING * int(ledger["bytes"].sum()))
    if native < least:
        return None
    whose = f" of {process}" if process else ""
    held = f"{format_bytes(objects_bytes)} of the {format_bytes(in_use)} that Python and C have in use"
    sentence = (
        f"Python's objects{whose} take {held}: {format_bytes(native)} belongs to no Python object. "
        "C code holds it, or buffers of a library; diagtools record --memray --native says who asked for it."
    )
    return Finding(sentence=sentence, value=native, unit="B", evidence=ledger)
