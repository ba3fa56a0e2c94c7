"""Which tests of a session needed most memory, and what of it stayed?"""

from __future__ import annotations

import altair as alt
import polars as pl

from diagtools.errors import NoDataError
from diagtools.frames import CONTRIBUTORS
from diagtools.present.charts.contributors import demand_chart, demand_title

_FAILED = ("failed", "error", "died")


def suite_chart(tests: pl.DataFrame, *, n: int = 15, width: int = 900) -> alt.LayerChart:
    """What the heaviest tests asked for on top of what was there (bar), and what stayed after them (dot).

    ``tests`` is TESTS; a test that ran in several processes is drawn where it needed most.  Raises ``NoDataError``
    where the demand of none is known.
    """
    known = tests.drop_nulls("demand_bytes")
    if known.is_empty():
        raise NoDataError("There is no test to draw: no demand is known.", hint="pytest --diag records them.")
    contributors = CONTRIBUTORS.check(
        known.sort("demand_bytes", descending=True)
        .unique("test", keep="first", maintain_order=True)
        .select(
            key="test",
            n_items=pl.lit(1, dtype=pl.Int64),
            n_failed=pl.col("outcome").is_in(_FAILED).cast(pl.Int64),
            delta_bytes=pl.col("kept_bytes").fill_null(0),
            share=pl.lit(None, dtype=pl.Float64),
            peak_bytes="peak_bytes",
            demand_bytes="demand_bytes",
        )
    )
    return demand_chart(contributors, title=demand_title(contributors), n=n, width=width)
