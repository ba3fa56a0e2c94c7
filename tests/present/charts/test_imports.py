"""Who imported whom, each as wide as its memory."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.frames import IMPORT_ICICLE
from diagtools.present.charts.imports import icicle_chart

MIB = 2**20


def icicle(*rows):
    """IMPORT_ICICLE of (module, depth, left, right) in MiB; a module's own memory is a tenth of its width."""
    return IMPORT_ICICLE.from_columns(
        {
            "module": [row[0] for row in rows],
            "package": [row[0].partition(".")[0] for row in rows],
            "depth": [row[1] for row in rows],
            "left_bytes": [row[2] * MIB for row in rows],
            "right_bytes": [row[3] * MIB for row in rows],
            "self_anon_bytes": [(row[3] - row[2]) * MIB // 10 for row in rows],
            "total_anon_bytes": [(row[3] - row[2]) * MIB for row in rows],
            "total_wall_s": [0.1 for _ in rows],
        }
    )


SHOP = icicle(("<program>", 0, 0, 100), ("shop", 1, 0, 90), ("shop.heavy", 2, 0, 60), ("json", 2, 60, 61))


def test_the_title_names_the_whole_and_the_dearest(title_of) -> None:
    assert (
        title_of(icicle_chart(SHOP))
        == "The imports hold 100 MiB; the dearest module, shop, takes 9.00 MiB itself"
    )


def test_each_module_stands_below_its_importer_and_small_ones_bear_no_name(rows_of, drawn) -> None:
    chart = icicle_chart(SHOP)
    drawn(chart)
    found = {row["module"]: row for row in rows_of(chart) if "module" in row}
    assert (found["shop"]["top"], found["shop.heavy"]["top"]) == (0, 1)
    assert (found["shop.heavy"]["left"], found["shop.heavy"]["right"]) == (0, 60)
    assert (found["shop.heavy"]["label"], found["json"]["label"]) == ("shop.heavy", "")


def test_names_from_others_are_only_names(words, drawn) -> None:
    chart = icicle_chart(icicle(("<program>", 0, 0, 9), ("<b>\x1b[31mx</b>\n", 1, 0, 9)))
    drawn(chart)
    assert not any("\x1b" in word for word in words(chart))


def test_nothing_imported_is_said() -> None:
    with pytest.raises(NoDataError, match="no imports to draw"):
        icicle_chart(icicle(("<program>", 0, 0, 0)))
