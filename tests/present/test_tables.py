"""The small table."""

from __future__ import annotations

from html.parser import HTMLParser

import polars as pl

from diagtools.present import tables
from diagtools.present.sanitise import sanitised
from diagtools.present.tables import Table

FRAME = pl.DataFrame(
    {
        "key": ["a/b.py", "c.js"],
        "peak_bytes": [700 * 2**20, None],
        "share": [0.123, 0.5],
        "took_s": [0.35, 200.0],
    }
)
COLUMNS = {
    "key": tables.text("file"),
    "peak_bytes": tables.mib("peak"),
    "share": tables.share("share"),
    "took_s": tables.seconds("took"),
}


class Cells(HTMLParser):
    """The cells of a table, and every tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.add(tag)
        if tag in {"td", "th"}:
            self.cells.append((dict(attrs)["align"], ""))

    def handle_data(self, data) -> None:
        if self.cells:
            self.cells[-1] = (self.cells[-1][0], self.cells[-1][1] + data)


def test_values_have_units_and_numbers_stand_right() -> None:
    cells = Cells(Table(FRAME, COLUMNS)._repr_html_()).cells
    assert cells[:4] == [("left", "file"), ("right", "peak, MiB"), ("right", "share"), ("right", "took")]
    assert cells[4:8] == [("left", "a/b.py"), ("right", "700"), ("right", "12 %"), ("right", "350 ms")]
    assert cells[9] == ("right", "—")


def test_as_text_the_columns_line_up() -> None:
    assert str(Table(FRAME, COLUMNS, title="Who", note="all of it")).splitlines() == [
        "Who",
        "file    peak, MiB  share        took",
        "a/b.py        700   12 %      350 ms",
        "c.js            —   50 %  3 min 20 s",
        "all of it",
    ]


def test_a_frame_of_words_is_shown_as_it_is_numbers_to_the_right() -> None:
    frame = pl.DataFrame(
        {"": ["exit status", "peak", "died in"], "as it is": ["137", "≥ 2.00 GiB", "a.js"], "n": [1, 2, 3000]}
    )
    cells = Cells(Table(frame)._repr_html_()).cells
    assert [side for side, _ in cells[:3]] == ["left", "right", "right"]
    assert cells[-1] == ("right", "3,000")


def test_cells_are_escaped_and_redacted(hostile) -> None:
    table = Table(pl.DataFrame({hostile: [hostile, "token=abc123def"]}), title=hostile, note=hostile)
    html = table._repr_html_()
    assert Cells(html).tags <= {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert "abc123def" not in html + str(table)
    assert "\x1b" not in html + str(table)


def test_the_sanitiser_leaves_it_as_it_is() -> None:
    html = Table(FRAME, COLUMNS, title="t", note="n")._repr_html_()
    assert sanitised(html).replace('"', "'") == html


def test_long_tables_are_counted_not_shown() -> None:
    table = Table(pl.DataFrame({"n": list(range(1000))}), n=10)
    assert len(table.rows) == 10
    assert "and 990 more rows" in str(table)


def test_a_notebook_gets_both_forms() -> None:
    assert set(Table(FRAME)._repr_mimebundle_()) == {"text/html", "text/plain"}


def test_an_empty_frame_is_a_heading() -> None:
    assert str(Table(FRAME.clear(), COLUMNS)) == "file  peak, MiB  share  took"


def test_other_formats() -> None:
    row = pl.DataFrame({"n": [1271], "size": [3 * 2**30], "x": [0.12345], "small": [-int(2.5 * 2**20)]})
    columns = {"n": tables.count("n"), "size": tables.size("size"), "small": tables.mib("small")}
    assert Table(row, columns).rows == [["1,271", "3.00 GiB", "−2.50"]]
    assert Table(row.select("x")).rows == [["0.1235"]]
