"""What does one recorded run say?  Joins its frames for ``diagtools show`` and for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from diagtools.analyse.contributors import contributors, growth_bytes, rise_bytes, unattributed_bytes
from diagtools.analyse.findings import run_findings
from diagtools.errors import UsageError
from diagtools.present.charts.timeline import timeline_chart
from diagtools.present.json import show_json
from diagtools.present.renderer import draw_png
from diagtools.present.text import run_summary
from diagtools.run import Run
from diagtools.values import Finding


@dataclass(frozen=True)
class Explanation:
    """One run and what follows from its frames; ``kinds`` is a classified CORPUS of its items."""

    run: Run
    kinds: pl.DataFrame | None = None

    @cached_property
    def growth_bytes(self) -> int:
        """By how much did the tree's processes grow, summed?"""
        return 0 if self.run.tree.is_empty() else growth_bytes(self.run.timeline, self.run.markers)

    @cached_property
    def rise_bytes(self) -> int:
        """How far did the tree's processes rise, summed?  The items' shares are of this."""
        return 0 if self.run.tree.is_empty() else rise_bytes(self.run.timeline)

    @property
    def unattributed_bytes(self) -> int | None:
        """Which part of the growth belongs to no item?  Null where no memory was sampled."""
        return None if self.run.tree.is_empty() else unattributed_bytes(self.run.items, self.growth_bytes)

    @cached_property
    def by_item(self) -> pl.DataFrame:
        """CONTRIBUTORS by item."""
        return contributors(self.run.items, self.rise_bytes, by="item")

    @cached_property
    def by_folder(self) -> pl.DataFrame:
        """CONTRIBUTORS by folder."""
        return contributors(self.run.items, self.rise_bytes, by="folder")

    @cached_property
    def findings(self) -> list[Finding]:
        """What the run shows, a sentence each."""
        run = self.run
        if run.tree.is_empty():
            return []
        return run_findings(
            timeline=run.timeline,
            tree=run.tree,
            items=run.items,
            logs=run.logs,
            death=run.death,
            limit=run.limit,
            kinds=self.kinds,
            attached=run.is_attached,
            peak_is_bound=run.peak_is_bound,
        )

    def chart(self) -> alt.TopLevelMixin:
        """The run's memory over time."""
        run = self.run
        return timeline_chart(
            run.tree,
            phases=run.phases,
            items=run.items,
            limit_bytes=run.limit_bytes,
            death=run.death,
            item_in_flight=run.item_in_flight,
        )

    def as_text(self) -> str:
        """The run for a terminal."""
        run = self.run
        return run_summary(
            name=str(run.path),
            argv=run.manifest.argv,
            death=run.death,
            exit_status=run.exit_status,
            ending=run.ending,
            peak_bytes=run.peak_rss_bytes,
            peak_is_bound=run.peak_is_bound,
            limit_bytes=run.limit_bytes,
            limit_counts_rss=run.limit is None or run.limit.counts_rss,
            duration_s=run.duration_s,
            item_in_flight=run.item_in_flight,
            by_item=self.by_item,
            by_folder=self.by_folder,
            unattributed_bytes=self.unattributed_bytes,
            last_log_lines=run.last_log_lines(5),
            findings=self.findings,
            validity=run.validity,
        )

    def as_json(self) -> dict[str, Any]:
        """The run for scripts: the contract of ``show --json``."""
        run = self.run
        return show_json(
            run=str(run.path),
            death=run.death,
            exit_status=run.exit_status,
            peak_bytes=run.peak_rss_bytes,
            limit_bytes=run.limit_bytes,
            duration_s=run.duration_s,
            item_in_flight=run.item_in_flight,
            by_item=self.by_item,
            by_folder=self.by_folder,
            unattributed_bytes=self.unattributed_bytes,
            last_log_lines=run.last_log_lines(5),
            findings=self.findings,
            validity=run.validity,
        )


def explain(run: Run, kinds: pl.DataFrame | None = None) -> Explanation:
    """What does this run say, and (where ``kinds``, a classified CORPUS, knows its items) which kind of item asked?"""
    return Explanation(run=run, kinds=kinds)


def draw(run: Run, picture: Path) -> None:
    """Draws the run's timeline as a PNG.  Raises ``UsageError`` for any other file and where it cannot be written."""
    if picture.suffix.lower() != ".png":
        raise UsageError(
            f"'{picture}' is not the name of a PNG, the only kind of picture there is.",
            hint=f"--png {picture.with_suffix('.png') if picture.name else 'timeline.png'}",
        )
    try:
        picture.write_bytes(draw_png(explain(run).chart().to_dict()))
    except OSError as error:
        raise UsageError(
            f"'{picture}' cannot be written: {error.strerror}.",
            hint="name a file in a folder that takes one.",
        ) from error
