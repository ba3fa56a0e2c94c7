"""Who holds what, drawn: the titles say the finding, nothing of a name is markup, every chart compiles."""

from __future__ import annotations

import json

import polars as pl
import pytest
import vl_convert

from diagtools.errors import NoDataError
from diagtools.frames import HOLDERS, ICICLE
from diagtools.present.charts.holders import holder_icicle_chart, holder_path_chart

MIB = 1 << 20


def holders(*rows: tuple[str, str, str, int, list[str]]) -> pl.DataFrame:
    """HOLDERS of (root, kind, path, MiB, shared_with)."""
    return HOLDERS.from_columns(
        {
            "root": [row[0] for row in rows],
            "kind": [row[1] for row in rows],
            "path": [row[2] for row in rows],
            "type": ["str"] * len(rows),
            "n_objects": [7] * len(rows),
            "retained_bytes": [row[3] * MIB for row in rows],
            "shared_with": [row[4] for row in rows],
        }
    )


def icicle(*rows: tuple[str, int, int, int]) -> pl.DataFrame:
    """ICICLE of (name, depth, left, right) in MiB, parents first."""
    n = len(rows)
    return ICICLE.from_columns(
        {
            "node_id": list(range(n)),
            "parent_id": [None, *[0] * (n - 1)],
            "depth": [row[1] for row in rows],
            "name": [row[0] for row in rows],
            "function": [row[0] for row in rows],
            "file": [""] * n,
            "line": [0] * n,
            "package": ["", *["global"] * (n - 1)],
            "origin": [""] * n,
            "left": [row[2] * MIB for row in rows],
            "right": [row[3] * MIB for row in rows],
            "self_size": [MIB] * n,
            "total_size": [(row[3] - row[2]) * MIB for row in rows],
            "total_n": [3] * n,
            "unit": ["bytes"] * n,
        }
    )


HELD = holders(
    ("app.rates", "global", "app.rates._cache → list → app.Rate × 1,000", 300, []),
    ("app.A", "global", "app.A → str × 20,000", 100, ["app.B"]),
    ("<script>alert(1)</script>", "global", "<script>alert(1)</script>", 0, []),
)
DRAWN = icicle(
    ("all objects", 0, 0, 400), ("app.rates", 1, 0, 300), ("list", 2, 0, 280), ("app.A + app.B", 1, 300, 400)
)


def test_the_title_names_the_holder() -> None:
    spec = holder_path_chart(HELD).to_dict()
    assert spec["title"]["text"] == ["app.rates holds 300 MiB, 75 % of all objects"]
    together = holder_path_chart(HELD.tail(2)).to_dict()
    assert together["title"]["text"] == ["app.A + app.B together hold 100 MiB, 100 % of all objects"]
    assert holder_icicle_chart(DRAWN).to_dict()["title"]["text"] == [
        "app.rates holds 300 MiB of 400 MiB of Python objects"
    ]


def test_a_box_a_step() -> None:
    (rows,) = holder_path_chart(HELD).to_dict()["datasets"].values()
    assert [row["label"] for row in rows][:5] == [
        "app.rates",
        "._cache",
        "list",
        "app.Rate × 1,000",
        "app.A + app.B",
    ]
    assert rows[0]["filled"] == pytest.approx(0.75 * rows[0]["right"], abs=0.1)
    assert rows[0]["size"] == "300 MiB · 75 %"
    tops = [row["top"] for row in rows]
    assert tops == sorted(set(tops))


def test_every_chart_compiles() -> None:
    for chart in (holder_path_chart(HELD), holder_icicle_chart(DRAWN)):
        svg = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()))
        assert "app.rates" in svg
        assert "<script>" not in svg


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(NoDataError, match="no holders"):
        holder_path_chart(HOLDERS.empty())
    with pytest.raises(NoDataError, match="no objects"):
        holder_icicle_chart(ICICLE.empty())
