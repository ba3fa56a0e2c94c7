"""How much memory did the whole process tree hold?"""

from __future__ import annotations

from typing import cast

import polars as pl

from diagtools import frames
from diagtools.values import State, Validity

#: What a tree held at its end is the highest of so long: a dying one gives memory back piece by piece.
FINAL_S = 0.5


def living(timeline: pl.DataFrame) -> pl.DataFrame:
    """Which samples show a process that holds memory, ordered by process and time?

    ``timeline`` is TIMELINE, and so is the result.  A dying process gives samples with RSS 0: dropped,
    like those whose RSS is unknown.  The order does not depend on the order of the given rows.
    """
    return timeline.filter(pl.col("rss_bytes") > 0).sort("pid", "t_s", "rss_bytes", "hwm_bytes")


def tree_memory(timeline: pl.DataFrame) -> pl.DataFrame:
    """How much memory did the tree hold at each tick?

    ``timeline`` is TIMELINE, where the samples of one tick share ``t_s``; the result is TREE, one row a tick.
    ``rss_bytes`` is the sum over the processes seen at that tick (shared pages counted once a process);
    ``used_bytes`` is anonymous memory summed plus shared memory once, as the largest of the processes has
    it, and null where one of the processes has no such figures.  A process that a tick missed is not
    carried forward from the tick before: nobody saw that it still held its memory.
    """
    unknown = pl.col("anon_bytes").has_nulls() | pl.col("shared_bytes").has_nulls()
    tree = (
        living(timeline)
        .group_by("t_s")
        .agg(
            pl.col("rss_bytes").sum(),
            pl.when(~unknown)
            .then(pl.col("anon_bytes").sum() + pl.col("shared_bytes").max())
            .alias("used_bytes"),
            pl.len().cast(pl.Int64).alias("n_processes"),
        )
        .sort("t_s")
    )
    return frames.TREE.check(tree)


def peak_bytes(timeline: pl.DataFrame, tree: pl.DataFrame, *, attached: bool = False) -> int | None:
    """What is the most memory (RSS) that the tree is known to have held?  Null without a sample.

    ``timeline`` is TIMELINE, ``tree`` the TREE of it.  The highest of the tree's samples and of the
    kernel's high-water marks: at its own peak a process was part of the tree, so every mark is a floor
    of the tree's peak, and exact where only one process lived at that time.  Where processes overlap,
    marks of different moments are never added up.  ``attached``: the processes ran before the recording
    did, so a mark counts only where it rose above that process's first one.
    """
    marks = living(timeline).select("pid", "hwm_bytes").drop_nulls()
    if attached:
        marks = marks.filter(pl.col("hwm_bytes") > pl.col("hwm_bytes").first().over("pid"))
    return cast("int | None", pl.concat([tree["rss_bytes"], marks["hwm_bytes"]]).max())


def tree_validity(tree: pl.DataFrame) -> tuple[Validity, ...]:
    """Does the tree's RSS count pages more than once?

    ``tree`` is TREE.  Empty where never more than one process was seen at a tick.
    """
    most = tree.select(pl.col("n_processes").max()).item()
    if most is None or most < 2:
        return ()
    note = f"up to {most} processes at once; pages that they share are in the sum once for each"
    return (Validity(what="tree RSS", state=State.SHARED_N_TIMES, note=note),)
