"""No marker whose write returned is lost, and none is read that was not written."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given

from diagtools import frames, mark
from diagtools.read.markers import Markers, read_markers
from tests.support.runs import ROOT, START_NS, at, begin, end, flipped, marker, slot

LINES = [
    marker(0.1, "begin", "a.py", index=1, features="size_bytes=120.0", parent=0, rss=4096),
    marker(0.2, "note", "a.py", index=1, features="n_chunks=3.0,longest=80.0"),
    end(0.3, "a.py", index=1),
    begin(0.4, "b\tc\nd", index=2),
    end(0.5, "b\tc\nd", index=2, status="failed", error="ValueError: no\nchunks"),
]


def read(log: bytes | None = None, *, start_ns: int | None = START_NS, **slots: bytes) -> Markers:
    """What a folder with this log says; ``slots`` are named ``pid_100``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if log is not None:
            (folder / mark.LOG_NAME).write_bytes(log)
        for which, content in slots.items():
            (folder / mark.SLOT_GLOB.replace("*", which.removeprefix("pid_"))).write_bytes(content)
        return read_markers(folder, start_ns)


def notes(found: Markers) -> list[str]:
    return [validity.note for validity in found.validity]


WHOLE = read(b"".join(LINES)).frame.rows()


def test_a_marker_carries_what_was_said() -> None:
    assert WHOLE[1] == (
        0.2,
        ROOT,
        ROOT,
        "item",
        "a.py",
        1,
        "note",
        None,
        None,
        None,
        None,
        [{"name": "n_chunks", "value": 3.0}, {"name": "longest", "value": 80.0}],
    )
    assert WHOLE[4] == (
        0.5,
        ROOT,
        ROOT,
        "item",
        "b\tc\nd",
        2,
        "end",
        None,
        None,
        "failed",
        "ValueError: no\nchunks",
        [],
    )


def test_processes_that_lack_markers_are_named() -> None:
    assert read(b"".join(LINES)).lossy == frozenset()
    assert read(LINES[0], pid_100=slot(5, 0.5, edge=mark.END) + slot(4, 0.4)).lossy == {ROOT}
    assert read(LINES[0] + b"torn\n" + LINES[2]).lossy == {ROOT}


def test_a_begin_says_what_its_process_held() -> None:
    assert read(b"".join(LINES)).frame["rss_bytes"].to_list() == [4096, None, None, None, None]
    assert read(pid_100=slot(1, 0.1)).frame["rss_bytes"].to_list() == [None]


def test_a_program_without_markers_is_normal() -> None:
    found = read()
    assert found.frame.schema == pl.Schema(frames.MARKERS.columns)
    assert (found.frame.height, found.validity) == (0, ())


def test_markers_are_in_order_of_time() -> None:
    assert read(LINES[2] + LINES[0] + LINES[1]).frame["edge"].to_list() == ["begin", "note", "end"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"odd \xff byte", "odd \\xff byte"),
        (b"\\n is not a line end", "\\n is not a line end"),
        (b"tab\there\r\n\0", "tab\there\r\n\0"),
        (b"", ""),
        (b"x" * 4000, "x" * 4000),
    ],
)
def test_any_name_comes_back(raw: bytes, shown: str) -> None:
    assert read(marker(0.1, "begin", raw)).frame["name"].to_list() == [shown]


@given(st.binary(max_size=60))
def test_every_name_of_bytes_comes_back(raw: bytes) -> None:
    found = read(marker(0.1, "begin", raw))
    assert found.frame["name"].to_list() == [raw.decode("utf-8", "backslashreplace")]
    assert found.validity == ()


@given(st.integers(0, len(b"".join(LINES))))
def test_a_log_cut_anywhere_gives_every_line_before_the_cut(cut: int) -> None:
    data = b"".join(LINES)[:cut]
    found = read(data)
    n_whole = data.count(b"\n")
    rest = data[data.rfind(b"\n") + 1 :]
    if rest and rest + b"\n" in LINES:  # only the line end is gone
        n_whole, rest = n_whole + 1, b""
    assert found.frame.rows() == WHOLE[:n_whole]
    assert notes(found) == ([f"1 of {n_whole + 1} lines of markers.log damaged and left out"] if rest else [])


@given(st.integers(0, 8 * len(b"".join(LINES)) - 1))
def test_a_flipped_bit_never_changes_a_marker(bit: int) -> None:
    data = b"".join(LINES)
    found = read(flipped(data, bit))
    hit = data[: bit // 8].count(b"\n")
    if data[bit // 8] == 10:  # the end of a line: both lines stand beside each other, both whole
        assert found.frame.rows() == WHOLE
    else:
        assert found.frame.rows() == WHOLE[:hit] + WHOLE[hit + 1 :]
        assert "damaged and left out" in notes(found)[0]


@given(st.lists(st.tuples(st.integers(0, len(b"".join(LINES)) - 1), st.integers(0, 255)), max_size=20))
def test_no_damage_invents_a_marker(changes: list[tuple[int, int]]) -> None:
    data = bytearray(b"".join(LINES))
    for place, value in changes:
        data[place] = value
    assert all(row in WHOLE for row in read(bytes(data)).frame.rows())


def test_a_line_behind_a_torn_one_is_read() -> None:
    """Another process wrote before the torn line was ended."""
    found = read(LINES[0] + LINES[1][:30] + LINES[2])
    assert found.frame.rows() == [WHOLE[0], WHOLE[2]]
    assert notes(found) == ["1 of 3 lines of markers.log damaged and left out"]


@pytest.mark.parametrize(
    "line",
    [
        marker(0.1, "begin", kind="unheard"),
        marker(0.1, "middle"),
        marker(0.1, "note", features="size=large"),
        marker(0.1, "begin", pid=2**70),
        b"hello\n",
        b"\t\t\t\t\n",
    ],
)
def test_a_line_of_another_form_is_counted_as_damaged(line: bytes) -> None:
    found = read(line)
    assert found.frame.is_empty()
    assert notes(found) == ["1 of 1 lines of markers.log damaged and left out"]


# --- slots ---------------------------------------------------------------------------------------------


def test_a_slot_whose_marker_is_in_the_log_adds_nothing() -> None:
    found = read(b"".join(LINES[:1]), pid_100=bytes(mark.SLOT_SIZE) + slot(1, 0.1))
    assert (found.frame.rows(), found.validity) == (WHOLE[:1], ())


def test_a_marker_that_only_its_slot_holds_is_added() -> None:
    """The disk was full, or the kill came between the two writes."""
    found = read(LINES[0], pid_100=slot(2, 0.2, edge=mark.END) + slot(1, 0.1))
    assert found.frame.row(1) == (0.2, ROOT, ROOT, "item", "a.py", 1, "end", None, None, None, None, None)
    assert notes(found) == ["1 read from a slot alone: status, error and features of these are unknown"]


def test_markers_that_a_slot_counts_and_nothing_holds_are_told() -> None:
    found = read(LINES[0], pid_100=slot(8, 0.8, index=4) + slot(7, 0.7, index=3))
    assert found.frame["index"].to_list() == [1, 3, 4]
    assert "5 of 8 markers missing" in notes(found)


def test_a_probe_that_came_up_is_not_counted_by_the_slot() -> None:
    boot = marker(0.0, "point", "3.11.7", kind="boot", index=0, status="ok")
    assert read(boot + LINES[0], pid_100=bytes(mark.SLOT_SIZE) + slot(1, 0.1)).validity == ()


def test_times_count_from_the_first_marker_where_the_start_is_unknown() -> None:
    found = read(LINES[0] + LINES[2], start_ns=None)
    assert found.frame["t_s"].to_list() == [0.0, pytest.approx(0.2)]
    assert notes(found) == ["the start of the run is unknown: times count from the first marker"]


def test_a_log_that_is_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "others.log").write_bytes(LINES[0])
    (folder / mark.LOG_NAME).symlink_to(tmp_path / "others.log")
    found = read_markers(folder, START_NS)
    assert found.frame.is_empty()
    assert "link that leads out" in notes(found)[0]


def test_what_the_real_module_writes_is_read(tmp_path: Path) -> None:
    recorder = mark.Recorder(str(tmp_path))
    with recorder.begin(mark.ITEM, "src/\udcff\t.py", {"size_bytes": 12}) as item:
        item.note(n_chunks=3)
    recorder.event("cache cleared", {})
    found = read_markers(tmp_path, at(0.0))
    assert found.frame.select("kind", "edge", "name", "status", "features").rows() == [
        ("item", "begin", "src/\\xff\t.py", None, [{"name": "size_bytes", "value": 12.0}]),
        ("item", "note", "src/\\xff\t.py", None, [{"name": "n_chunks", "value": 3.0}]),
        ("item", "end", "src/\\xff\t.py", "ok", []),
        ("event", "point", "cache cleared", None, []),
    ]
    assert found.validity == ()
