"""Who pulled a module in, from the program down to it."""

from __future__ import annotations

import pytest

from diagtools.errors import NoDataError
from diagtools.frames import IMPORT_EDGES, IMPORTS
from diagtools.present.charts.import_chain import import_chain_chart
from diagtools.present.names import from_left, text_px

MIB = 2**20


def chain(*rows):
    """IMPORT_EDGES of (imported, file, line, first); each is imported by the one before, the first by the program."""
    importers = ["<program>", *(row[0] for row in rows)][: len(rows)]
    return IMPORT_EDGES.from_columns(
        {
            "importer": importers,
            "imported": [row[0] for row in rows],
            "file": [row[1] for row in rows],
            "line": [row[2] for row in rows],
            "first": [row[3] for row in rows],
        }
    )


def imports(**total_mib):
    """IMPORTS of which only the total memory matters."""
    columns = {
        name: [0.0 if name.endswith("_s") else 0] * len(total_mib)
        for name, dtype in IMPORTS.columns.items()
        if dtype.is_numeric()
    }
    names = [name.replace("program", "<program>") for name in total_mib]
    columns |= {"module": names, "importer": [None] * len(names), "status": ["ok"] * len(names)}
    return IMPORTS.from_columns(columns | {"total_anon_bytes": [mib * MIB for mib in total_mib.values()]})


SHOP = chain(("shop", "<statement>", 1, True), ("rules", "/x/lib/site-packages/shop/__init__.py", 7, False))
COSTS = imports(program=100, shop=80, rules=20)


def boxes(chart, rows_of):
    return {row["module"]: row for row in rows_of(chart) if "size" in row}


def test_the_title_says_what_it_holds_and_how_far_it_is(title_of, drawn) -> None:
    chart = import_chain_chart(SHOP, COSTS)
    drawn(chart)
    expected = "rules and all it imports hold 20.0 MiB; the program reaches it through 2 import statements"
    assert title_of(chart) == expected
    assert title_of(import_chain_chart(SHOP.head(1), COSTS)).endswith("; the program reaches it directly")


def test_each_box_is_filled_by_its_share_and_stands_lower(rows_of) -> None:
    found = boxes(import_chain_chart(SHOP, COSTS), rows_of)
    shares = {
        name: (row["filled"] - row["left"]) / (row["right"] - row["left"]) for name, row in found.items()
    }
    assert shares == pytest.approx({"the program": 1.0, "shop": 0.8, "rules": 0.2}, abs=1e-3)
    tops = [row["top"] for row in found.values()]
    assert tops == sorted(set(tops))
    assert [row["size"] for row in found.values()] == ["100 MiB", "80.0 MiB", "20.0 MiB"]


def test_each_arrow_says_its_statement_and_whether_it_loaded_the_module(rows_of) -> None:
    arrows = [row for row in rows_of(import_chain_chart(SHOP, COSTS)) if "dash" in row]
    assert [(row["label"], row["dash"]) for row in arrows] == [
        ("the measured statement", "solid"),
        ("shop/__init__.py:7", "dashed"),
    ]


def test_dashes_are_explained_where_there_are_any(words) -> None:
    assert any("dashed:" in word for word in words(import_chain_chart(SHOP, COSTS)))
    assert not any("dashed:" in word for word in words(import_chain_chart(SHOP.head(1), COSTS)))


@pytest.mark.parametrize("n", [1, 2, 12, 30])
def test_long_chains_names_and_paths_stay_in_the_picture(n, rows_of, drawn) -> None:
    long = chain(*((f"m{i}.{'part.' * 40}x", "folder/" * 60 + "a.py", i, True) for i in range(n)))
    chart = import_chain_chart(long, COSTS)
    drawn(chart)
    width = chart.to_dict()["width"]
    for row in rows_of(chart):
        if "size" in row:
            assert row["right"] <= width
            assert text_px(row["label"], 13, bold=True) < row["right"] - row["left"] - 60
        else:
            assert row["stem"] + 12 + text_px(row["label"], 11) <= width
            assert row["label"].endswith(f"a.py:{row['place'].rpartition(':')[2]}")


def test_an_unknown_or_negative_size_fills_nothing(rows_of, title_of, drawn) -> None:
    chart = import_chain_chart(SHOP, imports(program=100, rules=-3))
    drawn(chart)
    found = boxes(chart, rows_of)
    assert [found[name]["size"] for name in ("shop", "rules")] == ["not measured", "−3.00 MiB"]
    assert all(found[name]["filled"] == found[name]["left"] for name in ("shop", "rules"))
    assert title_of(chart) == "rules: the program reaches it through 2 import statements"


def test_names_from_others_are_only_names(hostile, words, drawn) -> None:
    chart = import_chain_chart(chain((hostile, hostile, 3, True)), COSTS)
    drawn(chart)
    assert not any("\x1b" in word or "\n" in word or "\u202e" in word for word in words(chart))


def test_a_place_loses_its_beginning() -> None:
    assert from_left("a/b.py:3", 500, 11) == "a/b.py:3"
    assert from_left("folder/" * 9 + "b.py:3", 60, 11).endswith("/b.py:3")
    assert from_left("wide", 0, 11) == "…"


def test_an_empty_chain_is_said() -> None:
    with pytest.raises(NoDataError, match="no chain of imports to draw"):
        import_chain_chart(IMPORT_EDGES.empty(), COSTS)
