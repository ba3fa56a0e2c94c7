"""What does a curve of memory say, in words?  The points of a timeline that matter, its title and subtitle."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from diagtools.present.charts.items import heaviest
from diagtools.present.charts.memory import samples
from diagtools.present.names import file_name
from diagtools.present.wording import count, of_limit, where_it_ended
from diagtools.units import format_bytes, format_seconds
from diagtools.values import Death

_COUNTED_APART = 0.05  #: of the peak: from here on the limit visibly compares something else than the RSS


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of the curve."""

    t_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One recorded run as a timeline tells it; ``tree`` is a TREE with at least one sample, in order of time."""

    tree: pl.DataFrame
    items: pl.DataFrame | None
    limit_bytes: int | None
    death: Death | None
    item_in_flight: str | None

    @classmethod
    def of(
        cls,
        tree: pl.DataFrame,
        *,
        items: pl.DataFrame | None,
        limit_bytes: int | None,
        death: Death | None,
        item_in_flight: str | None,
    ) -> Story:
        """The story of a TREE and its ITEMS; raises ``NoDataError`` where the tree has no samples."""
        found = samples(tree)
        return cls(
            tree=found, items=items, limit_bytes=limit_bytes, death=death, item_in_flight=item_in_flight
        )

    @property
    def peak(self) -> Point:
        """Where was memory highest, the first time?"""
        return self._point(int(self.tree["rss_bytes"].arg_max() or 0))

    @property
    def last(self) -> Point:
        """Where did the curve end?"""
        return self._point(-1)

    @property
    def end_s(self) -> float:
        """When did the run end?"""
        return max(self.last.t_s, (self.death and self.death.t_s) or 0.0)

    @property
    def counts_apart(self) -> bool:
        """Do shared pages make the RSS visibly larger than what a limit compares?"""
        apart = (self.tree["rss_bytes"] - self.tree["used_bytes"]).max()
        return isinstance(apart, int) and apart > _COUNTED_APART * self.peak.rss_bytes

    @property
    def size_at_death(self) -> int:
        """The last known size: what the limit compares, where that is something else than the RSS."""
        used = self.tree["used_bytes"].item(-1)
        return int(used) if self.counts_apart and used is not None else self.last.rss_bytes

    def in_words(self, rss_bytes: int) -> str:
        """A height of the curve; beside the limit only where the limit compares the same thing."""
        if self.counts_apart:
            return f"{format_bytes(rss_bytes)}, shared memory counted n times"
        return of_limit(rss_bytes, self.limit_bytes)

    def before_the_end(self) -> Point | None:
        """Where did the curve stand when the item in flight began?"""
        if self.items is None or self.item_in_flight is None:
            return None
        is_it = (pl.col("item") == self.item_in_flight) & (pl.col("status") == "in_flight")
        begun = self.items.filter(is_it)["begin_s"].drop_nulls()
        if begun.is_empty():
            return None
        earlier = self.tree.filter(pl.col("t_s") <= begun.item(-1))
        if earlier.is_empty():
            return None
        return Point(t_s=begun.item(-1), rss_bytes=earlier["rss_bytes"].item(-1))

    def item_at(self, t_s: float) -> str | None:
        """Which item ran at this time?  Nothing where none did, or more than one."""
        if self.items is None:
            return None
        ran = self.items.filter((pl.col("begin_s") <= t_s) & (pl.col("end_s").fill_null(t_s) >= t_s))
        return str(ran["item"].item()) if ran.height == 1 else None

    def title(self) -> str:
        """What does the timeline show, in one sentence?"""
        if self.death is None:
            where = f" in {file_name(name)}" if (name := self.item_at(self.peak.t_s)) else ""
            peak = self.in_words(self.peak.rss_bytes)
            return f"Memory peaked at {peak} after {format_seconds(self.peak.t_s)}{where}"
        sentence = where_it_ended(self.death, self.size_at_death, self.item_in_flight)
        return f"{sentence[0].upper()}{sentence[1:]}, {format_seconds(self.end_s)} after the start"

    def subtitle(self) -> str:
        """What stands behind the title: the heaviest item, the peak before it, and how much was seen?"""
        parts = [*self._heaviest(), *self._items(), count(self.tree.height, "sample")]
        return " · ".join(parts)

    def _heaviest(self) -> list[str]:
        top = heaviest(self.items)
        if top is None or top["demand_bytes"] <= 0:
            return []
        at_least = "at least " if top["status"] == "in_flight" else ""  # it was cut short
        sentence = (
            f"{file_name(top['item'])} asked for {at_least}{format_bytes(top['demand_bytes'])} on its own"
        )
        before = self.tree.filter(pl.col("t_s") < top["begin_s"])["rss_bytes"].max()
        if isinstance(before, int):
            sentence += f"; before it, memory had peaked at {self.in_words(before)}"
        return [sentence]

    def _items(self) -> list[str]:
        if self.items is None or self.items.is_empty():
            return []
        n_failed = self.items.filter(pl.col("status").is_in(["failed", "timeout"])).height
        return [count(self.items.height, "item") + (f", {n_failed:,} failed (orange)" if n_failed else "")]

    def _point(self, row: int) -> Point:
        return Point(t_s=self.tree["t_s"].item(row), rss_bytes=self.tree["rss_bytes"].item(row))
