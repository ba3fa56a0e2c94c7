"""What does a reader see of the knowledge base?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import altair as alt

from workloads.knowledge.plain.entities import EntitySummary

MOST_BARS = 20


def mention_chart(summaries: Sequence[EntitySummary]) -> alt.Chart:
    """Which entities are mentioned most? One bar an entity, in the order of the summaries, at most MOST_BARS."""
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
