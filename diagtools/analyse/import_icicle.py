"""Where does each module stand in a picture of who imported whom, as wide as its memory?"""

from __future__ import annotations

from collections import defaultdict

import polars as pl

from diagtools import frames

_DEEPEST = 60  # frames a cycle in a hand-made frame would never end


def icicle(imports: pl.DataFrame, *, least_share: float = 0.002) -> pl.DataFrame:
    """Which part of the whole width does each module take, below the one that imported it?

    ``imports`` is IMPORTS; the result is IMPORT_ICICLE, the program first.  A module is as wide as its own anonymous
    memory (none where it gave some back) and what it imported, the widest on the left; its own part is what its
    imports leave free on the right.  Modules below ``least_share`` of the whole are left out.
    """
    below: dict[int, list[int]] = defaultdict(list)
    rows = imports.sort("order").rows(named=True)
    latest = {row["module"]: row["order"] for row in reversed(rows)}
    for row in rows[1:]:
        below[latest.get(row["importer"], 0)].append(row["order"])
    by_order = {row["order"]: row for row in rows}
    widths: dict[int, int] = {}
    for order in sorted(by_order, reverse=True):
        own = max(by_order[order]["self_anon_bytes"], 0)
        widths[order] = own + sum(widths[child] for child in below[order] if child > order)
    least = least_share * widths.get(0, 0)
    placed: list[tuple[int, int, int]] = []
    waiting = [(0, 0, 0)] if by_order else []
    for order, depth, start in waiting:  # grows while it is walked: breadth first
        placed.append((order, depth, start))
        left = start
        for child in sorted(below[order], key=lambda each: -widths[each]):
            if child > order and widths[child] >= least and widths[child] and depth < _DEEPEST:
                waiting.append((child, depth + 1, left))
                left += widths[child]
    return frames.IMPORT_ICICLE.from_columns(
        {
            "module": [by_order[order]["module"] for order, _, _ in placed],
            "package": [by_order[order]["module"].partition(".")[0] for order, _, _ in placed],
            "depth": [depth for _, depth, _ in placed],
            "left_bytes": [left for _, _, left in placed],
            "right_bytes": [left + widths[order] for order, _, left in placed],
            "self_anon_bytes": [by_order[order]["self_anon_bytes"] for order, _, _ in placed],
            "total_anon_bytes": [by_order[order]["total_anon_bytes"] for order, _, _ in placed],
            "total_wall_s": [by_order[order]["total_wall_s"] for order, _, _ in placed],
        }
    )
