"""What do the caches of functools say beside the counters of a leak check?"""

from __future__ import annotations

import polars as pl

from diagtools.frames import LeakLog
from diagtools.units import format_bytes

_N_NAMED = 2


def unlimited_words(log: LeakLog) -> str:
    """Which caches grow without a limit, as a sentence?  Empty where none does."""
    last = log.caches.filter(pl.col("most_entries").is_null()).group_by("cache").agg(pl.col("after_n").last())
    rows = last.sort("after_n", "cache", descending=[True, False]).head(_N_NAMED)
    said = [f"the cache of {name} has no limit and holds {n:,} entries" for name, n in rows.iter_rows()]
    return _sentence(" and ".join(said)) if said else ""


def limited_words(log: LeakLog) -> str:
    """Which caches were filling, and what would the one that did hold when it is full?  A prediction is called one."""
    cleared = log.caches.filter("is_cleared").select("cache", "most_entries").unique().sort("cache")
    names = ", ".join(cleared["cache"])
    said = f"What grows goes with what has a limit: the cache of {names} was filling."
    if cleared.height != 1:
        return said
    name, most = cleared.row(0)
    full_bytes = _full_bytes(log, name, most)
    if full_bytes is None:
        return said
    return f"{said} Predicted: with all its {most:,} entries it holds {format_bytes(full_bytes)}."


def _full_bytes(log: LeakLog, name: str, most: int) -> int | None:
    """What an entry took while the cache was filling, times its limit; null where nobody could count."""
    filling = log.readings.filter(~pl.col("is_clearing"))
    entries = log.caches.filter((pl.col("cache") == name) & ~pl.col("is_cleared"))
    if filling.height < 2 or entries.is_empty():
        return None
    gained = int(entries["after_n"].item(-1)) - int(entries["before_n"].item(0))
    used = filling.select(used=pl.col("c_bytes") + pl.col("python_bytes"))["used"]
    if gained <= 0 or used.item(0) is None or used.item(-1) is None:
        return None
    return max(0, round(int(used.item(-1) - used.item(0)) / gained * most))


def _sentence(words: str) -> str:
    return f" {words[:1].upper()}{words[1:]}."
