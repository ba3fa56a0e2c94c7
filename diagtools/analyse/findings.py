"""What does one run say, in sentences whose every number comes from its frames?"""

from __future__ import annotations

import polars as pl

from diagtools.analyse.contributors import contributors, rise_bytes, top_by_demand
from diagtools.analyse.explain import best_explanation, explain_peaks
from diagtools.analyse.items import in_flight, item_in_flight, success
from diagtools.analyse.logs import last_warnings
from diagtools.analyse.snapshot_times import outside_snapshots
from diagtools.analyse.spans import IN_FLIGHT
from diagtools.analyse.tree import peak_bytes, tree_memory, tree_validity
from diagtools.frames import SNAPSHOT_TIMES
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_seconds, format_share
from diagtools.values import Cause, Death, Finding, Grade, Limit

_CAUSES = {
    Cause.WATCHDOG: "was ended for passing its memory limit",
    Cause.CGROUP_OOM: "was killed by the kernel for the memory limit of its cgroup",
    Cause.KERNEL_OOM: "was killed by the kernel because the machine was out of memory",
    Cause.MEMORY_ERROR: "gave up because an allocation failed",
    Cause.SIGNAL: "was ended by a signal",
    Cause.UNKNOWN: "was ended by somebody unknown",
}
_SNAPSHOTS = {"holders": "a snapshot of objects", "ledger": "a snapshot of the ledger"}
_WARNED_WITHIN_S = 60.0
_N_ODD = 3
_WORTH_SAYING = 0.01  # of the rise, or of the peak


def run_findings(
    *,
    timeline: pl.DataFrame,
    tree: pl.DataFrame,
    items: pl.DataFrame,
    logs: pl.DataFrame,
    death: Death | None,
    limit: Limit | None,
    kinds: pl.DataFrame | None = None,
    attached: bool = False,
    peak_is_bound: bool = False,
    taken: pl.DataFrame | None = None,
    rise: int | None = None,
) -> list[Finding]:
    """What happened in this run, who asked for the memory, and what did the program say?

    ``timeline`` is TIMELINE, ``tree`` TREE, ``items`` ITEMS, ``logs`` LOGS, ``kinds`` a classified CORPUS whose
    paths are the items' names; ``attached`` as for ``peak_bytes``; ``peak_is_bound`` where a part of the timeline is
    missing; ``taken`` is SNAPSHOT_TIMES, ``rise`` what the items' shares are of, where that is not the timeline's.
    The findings are in the order in which one tells them; what has no data has no finding.
    """
    rise = rise_bytes(timeline) if rise is None else rise
    found = (
        peak_finding(timeline, tree, limit, attached=attached, is_bound=peak_is_bound, taken=taken),
        death_finding(death, items),
        demand_finding(items),
        kept_finding(items, rise),
        kind_finding(items, rise, kinds),
        success_finding(items, death),
        best_explanation(explain_peaks(items)),
        warning_finding(logs, death),
    )
    return [finding for finding in found if finding is not None]


def peak_finding(
    timeline: pl.DataFrame,
    tree: pl.DataFrame,
    limit: Limit | None,
    *,
    attached: bool = False,
    is_bound: bool = False,
    taken: pl.DataFrame | None = None,
) -> Finding | None:
    """How high did memory go, when, and how near to the limit?

    Where that was within a snapshot (``taken`` is SNAPSHOT_TIMES), the highest outside of them is said too.
    """
    peak = peak_bytes(timeline, tree, attached=attached)
    if peak is None:
        return None
    at_s = tree.sort("rss_bytes", "t_s", descending=[True, False])["t_s"][0]
    taken = SNAPSHOT_TIMES.empty() if taken is None else taken
    outside = outside_snapshots(timeline, taken)
    program = peak_bytes(outside, tree_memory(outside), attached=attached)
    within = ""
    if not taken.is_empty() and peak - (program or 0) >= _WORTH_SAYING * peak:
        at_s, what = _snapshot_at(_reached_s(timeline, tree, peak), taken)
        within = f", while {what} was taken"
        within += f"; {format_bytes(program)} outside of snapshots" if program else ""
    of_limit = ""
    if limit is not None and limit.counts_rss:
        share = format_share(peak / limit.memory_bytes)
        of_limit = f", {share} of the limit of {format_bytes(limit.memory_bytes)}"
    how = f"reached {format_bytes(peak)} or more: its highest of what is left of the timeline was"
    how = how if is_bound else f"peaked at {format_bytes(peak)}"
    sentence = f"Memory {how} after {format_seconds(at_s)}{of_limit}{within}."
    return Finding(sentence=sentence, value=peak, unit="B", evidence=tree, validity=tree_validity(tree))


def _reached_s(timeline: pl.DataFrame, tree: pl.DataFrame, peak: int) -> float:
    """When was the peak first seen, as a sample or as a high-water mark?"""
    seen = pl.concat([part["t_s"] for part in (tree.filter(rss_bytes=peak), timeline.filter(hwm_bytes=peak))])
    return float(seen.min())  # type: ignore[arg-type]  # the peak is one of them


def _snapshot_at(t_s: float, taken: pl.DataFrame) -> tuple[float, str]:
    """In which snapshot was this, or after which?  When it was seen at the latest, and what that was of.

    Of several that were going on the longest: it began the others or waited for them.
    """
    long_s = pl.col("end_s") - pl.col("begin_s")
    going_on = taken.filter((pl.col("begin_s") <= t_s) & (pl.col("end_s") >= t_s)).sort(long_s)
    begun = taken.filter(pl.col("begin_s") <= t_s).sort("end_s")
    known = next(each for each in (going_on, begun, taken) if not each.is_empty())
    last = known.row(-1, named=True)
    return max(last["begin_s"], min(t_s, last["end_s"])), _SNAPSHOTS.get(last["instrument"], "a snapshot")


def death_finding(death: Death | None, items: pl.DataFrame) -> Finding | None:
    """What ended the run, how sure is that, and what was it working on?"""
    if death is None:
        return None
    grade = "" if death.grade is Grade.UNKNOWN else f" ({death.grade})"
    when = "" if death.t_s is None else f" after {format_seconds(death.t_s)}"
    item = item_in_flight(items)
    working = "" if item is None else f" while {_shown(item)} was in flight{_others(items)}"
    sentence = f"The run {_CAUSES[death.cause]}{grade}{when}{working}: {death.evidence[0]}."
    return Finding(sentence=sentence, value=death.t_s, unit="s", evidence=in_flight(items))


def demand_finding(items: pl.DataFrame) -> Finding | None:
    """Which item asked for most memory on top of what was held when it began, and what is odd about it?"""
    top = top_by_demand(items, 1)
    if top.is_empty() or top["demand_bytes"][0] <= 0:
        return None
    name, demand = top["item"][0], top["demand_bytes"][0]
    bound = " or more (it had not ended)" if top["status"][0] == IN_FLIGHT else ""
    usual = items.filter(pl.col("item") != name).select(pl.col("demand_bytes").median()).item()
    others = "" if usual is None else f"; the median of the others is {format_bytes(usual)}"
    odd = _odd_features(items, top)
    sentence = (
        f"{_shown(name)} asked for most: {format_bytes(demand)}{bound} on top of what was held{others}{odd}."
    )
    return Finding(sentence=sentence, value=demand, unit="B", evidence=top_by_demand(items, 10))


def kept_finding(items: pl.DataFrame, rise: int) -> Finding | None:
    """Does what is kept point to another item than the demand does?  Null where both agree or hardly any is kept."""
    by_item = contributors(items, rise, by="item").drop_nulls(["delta_bytes", "demand_bytes"])
    if by_item.height < 2 or rise <= 0:
        return None
    kept = by_item.sort("delta_bytes", "key", descending=[True, False]).row(0, named=True)
    asked = by_item.row(0, named=True)
    if kept["key"] == asked["key"] or kept["delta_bytes"] < _WORTH_SAYING * rise:
        return None
    own, most = format_bytes(kept["demand_bytes"]), format_bytes(asked["demand_bytes"])
    sentence = (
        f"{_shown(kept['key'])} kept most, {format_share(kept['share'])} of the rise, but it asked for "
        f"{own} itself, {_shown(asked['key'])} for {most}: "
        "kept is what was still held at an item's end, by the program or by its allocator."
    )
    return Finding(sentence=sentence, value=kept["delta_bytes"], unit="B", evidence=by_item)


def kind_finding(items: pl.DataFrame, rise: int, kinds: pl.DataFrame | None) -> Finding | None:
    """Which kind of file asked for most, and how many of the items were of it?"""
    if kinds is None or items.is_empty():
        return None
    by_kind = contributors(items, rise, by="kind", kinds=kinds)
    first = by_kind.row(0, named=True)
    if first["demand_bytes"] is None or by_kind.height < 2:
        return None
    second = by_kind.row(1, named=True)
    rest = (
        ""
        if second["demand_bytes"] is None
        else f" ({second['key']}: {format_bytes(second['demand_bytes'])})"
    )
    sentence = (
        f"A file of kind {first['key']!r} asked for most: {format_bytes(first['demand_bytes'])}{rest}; "
        f"{first['n_items']} of {items.height} items were {first['key']}."
    )
    return Finding(sentence=sentence, value=first["demand_bytes"], unit="B", evidence=by_kind)


def success_finding(items: pl.DataFrame, death: Death | None) -> Finding | None:
    """How many of the items that began ended well?

    Where the run ended well, an item without an end is one whose process (a worker, mostly) was gone before it said so.
    """
    counts = success(items)
    if counts.share_ok is None:
        return None
    parts = (
        (counts.n_failed, "failed"),
        (counts.n_timeout, "timed out"),
        (counts.n_in_flight, "in flight at the end" if death else "whose end nobody told"),
        (counts.n_unknown, "whose end is among the markers that are missing"),
    )
    rest = "".join(f", {n} {what}" for n, what in parts if n)
    share = format_share(counts.share_ok)
    sentence = f"{counts.n_ok} of {counts.n_items} items that began ended well ({share}){rest}."
    return Finding(sentence=sentence, value=counts.share_ok, unit="share", evidence=items)


def warning_finding(logs: pl.DataFrame, death: Death | None) -> Finding | None:
    """What did the program warn of last, in the minute before it died?

    A line without a time was written after the last look at the log: right before the end.
    """
    last = last_warnings(logs)
    if death is None or death.t_s is None or last.is_empty():
        return None
    written_s = last["t_s"][0]
    age_s = None if written_s is None else max(0.0, death.t_s - written_s)
    if age_s is not None and age_s > _WARNED_WITHIN_S:
        return None
    line = last["line"][0].strip()
    when = "right" if age_s is None else format_seconds(age_s)
    sentence = f"The last warning or error in the log came {when} before the end: {line!r}."
    return Finding(sentence=sentence, value=age_s, unit="s", evidence=last_warnings(logs, 5))


def _shown(name: str) -> str:
    return repr(redact_text(name))


def _others(items: pl.DataFrame) -> str:
    n = in_flight(items).height - 1
    return f" (with {n} other{'s' if n > 1 else ''})" if n else ""


def _odd_features(items: pl.DataFrame, top: pl.DataFrame) -> str:
    """Which of this item's features stand at least twice above the median of the others?  The oddest three."""
    values = (
        items.with_columns(is_top=(pl.col("pid") == top["pid"][0]) & (pl.col("index") == top["index"][0]))
        .select("is_top", "features")
        .explode("features")
        .select("is_top", feature=pl.col("features").struct["name"], value=pl.col("features").struct["value"])
        .drop_nulls()
    )
    mine = pl.col("value").filter("is_top").first()
    usual = pl.col("value").filter(~pl.col("is_top")).median()
    odd = (
        values.group_by("feature")
        .agg(mine=mine, usual=usual)
        .filter((pl.col("usual") > 0) & (pl.col("mine") >= 2 * pl.col("usual")))
        .sort(pl.col("mine") / pl.col("usual"), "feature", descending=[True, False])
        .head(_N_ODD)
    )
    parts = [f"{row['feature']} {row['mine']:,.0f} ({row['usual']:,.0f})" for row in odd.to_dicts()]
    return f"; odd about it, with the others' medians: {', '.join(parts)}" if parts else ""
