"""What does a reader see of the knowledge base?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from workloads.knowledge.plain.entities import EntitySummary

if TYPE_CHECKING:
    import altair as alt

MOST_BARS = 20


def mention_chart(summaries: Sequence[EntitySummary]) -> alt.Chart:
    """Which entities are mentioned most? One bar an entity, in the order of the summaries, at most MOST_BARS."""
    import altair as alt

    shown = summaries[:MOST_BARS]
    title = f"{shown[0].name} is mentioned most" if shown else "Nothing is mentioned"
    chart: alt.Chart = (
        alt.Chart(alt.Data(values=[asdict(summary) for summary in shown]), title=title)
        .mark_bar()
        .encode(
            x=alt.X("n_mentions:Q", title="mentions"),
            y=alt.Y("name:N", title=None, sort=[summary.name for summary in shown]),
            tooltip=["name:N", "n_mentions:Q", "n_documents:Q"],
        )
    )
    return chart
