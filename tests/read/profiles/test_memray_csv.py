"""A table of `memray transform csv` sums to memray's own peak; a row that is not whole is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, UsageError
from diagtools.profile import Source, View
from diagtools.read.profiles.memray_csv import HEADER, read_memray_csv, stack_of
from tests.support.damage import CAPTURES, cuts, flips, is_digit_for_digit, outcome

ROWS = [
    "MALLOC,2,30,1,0x1,load;/app/io.py;7|main;/app/run.py;3",
    "MMAP,1,50,1,0x1,load;/app/io.py;7|main;/app/run.py;3",
    "PYMALLOC_MALLOC,1,4,1,0x1,",
    'MALLOC,1,16,1,"a ""thread"", named","std::map<int, int>::at;/app/a,b.cpp;9|main;/app/run.py;3"',
]


def written(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "memray.csv"
    path.write_bytes("".join(f"{row}\r\n" for row in (header, *rows)).encode())
    return path


def test_a_table(tmp_path: Path) -> None:
    found = read_memray_csv(written(tmp_path, *ROWS), view=View.LEAKED)
    assert (found.total, found.view, found.source, found.validity) == (
        100,
        View.LEAKED,
        Source.MEMRAY_CSV,
        (),
    )
    assert found.allocations.select("stack_id", "size", "n_allocations", "allocator").rows() == [
        (1, 30, 2, "malloc"),
        (1, 50, 1, "mmap"),
        (2, 4, 1, "pymalloc_malloc"),
        (3, 16, 1, "malloc"),
    ]
    assert found.stacks.rows() == [(0, None, 0, 0), (1, 0, 1, 1), (2, None, 0, 2), (3, 0, 1, 3)]
    assert found.locations.select("function", "file", "line").rows() == [
        ("main", "/app/run.py", 3),
        ("load", "/app/io.py", 7),
        ("[no Python stack]", "", 0),
        ("std::map<int, int>::at", "/app/a,b.cpp", 9),
    ]


def test_without_a_view_the_peak_is_assumed_and_said(tmp_path: Path) -> None:
    found = read_memray_csv(written(tmp_path, *ROWS))
    assert (found.view, [doubt.what for doubt in found.validity]) == (View.PEAK, ["view"])


def test_a_name_may_hold_what_separates_names() -> None:
    assert stack_of("operator|;/a.cpp;1|f;/b;c.py;2") == [("f;/b", "c.py", 2), ("operator|", "/a.cpp", 1)]
    assert stack_of("") == []


@pytest.mark.parametrize(
    "row",
    [
        "MALLOC,2,30,1,0x1",
        "MALLOC,2,-30,1,0x1,f;a.py;1",
        "MALLOC,2,3.5,1,0x1,f;a.py;1",
        "MALLOC,0,30,1,0x1,f;a.py;1",
        "MALLOC,1,9999999999999999999,1,0x1,f;a.py;1",
        "malloc,2,30,1,0x1,f;a.py;1",
        'MALLOC,2,30,1,0x1,"f;a.py;1',
        'MALLOC,2,30,1,0x1,f;a"b.py;1',
        "MALLOC,2,30,1,0x1,f;a.py",
        "MALLOC,2,30,1,0x1,f;a.py;x",
        "MALLOC,2,30,1,0x1,f;a.py;1,more",
        "",
    ],
)
def test_a_row_that_is_not_whole_is_refused(row: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_memray_csv(written(tmp_path, ROWS[0], row, ROWS[1]))


def test_sums_beyond_what_a_frame_holds_are_refused(tmp_path: Path) -> None:
    row = ROWS[0].replace(",30,", f",{2**62},")
    with pytest.raises(DamagedError, match="2⁶³"):
        read_memray_csv(written(tmp_path, row, row))


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a table of memray"):
        read_memray_csv(written(tmp_path, *ROWS, header="a,b"))


def test_a_million_quotes_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_memray_csv(written(tmp_path, 'MALLOC,1,1,1,0x1,"' + '""' * 1_000_000))


def test_its_sum_is_memrays_own_to_the_byte() -> None:
    sums = json.loads((CAPTURES / "memray-sums.json").read_text())["high_watermark"]
    found = read_memray_csv(CAPTURES / "memray.csv")
    assert (found.total, found.allocations["n_allocations"].sum()) == (sums["bytes"], sums["n"])


def test_a_table_that_was_cut_or_changed_gives_no_wrong_sum(tmp_path: Path) -> None:
    """But where it was cut between two rows, and where a digit became another: it says nothing twice."""
    data, path = (CAPTURES / "memray.csv").read_bytes(), tmp_path / "memray.csv"
    whole = read_memray_csv(CAPTURES / "memray.csv")
    torn = [cut for cut in cuts(data) if not cut.endswith(b"\n")]
    assert {outcome(read_memray_csv, path, cut, whole) for cut in torn} == {"refused"}
    for bit, flipped in flips(data, n=200):
        may_pass = is_digit_for_digit(data, bit)
        assert may_pass or not outcome(read_memray_csv, path, flipped, whole).startswith("WRONG"), bit
