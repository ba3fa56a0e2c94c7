"""Reports of memray give its own sums to the byte; one that was cut or changed is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import DamagedError, DiagtoolsError, UsageError
from diagtools.profile import Profile, Source, View
from diagtools.read.profiles.memray_html import read_memray_html
from diagtools.read.profiles.memray_page import in_memrays_words
from tests.support.damage import CAPTURES, cuts, flips, is_digit_for_digit, outcome

SUMS = json.loads((CAPTURES / "memray-sums.json").read_text())
VIEWS = {View.PEAK: "high_watermark", View.LEAKED: "leaked", View.TEMPORARY: "temporary"}
STRINGS = ["<root>", "main", "a&lt;b&gt;", "/app/run.py", "0x1 (MainThread)", "merged thread", "..."]
#: A root, main in run.py:3 with 10 bytes of its own, and below it a<b> in run.py:7 and :9 with 5 and 6.
NODES = {
    "name": [0, 1, 2, 2],
    "function": [0, 1, 2, 2],
    "filename": [0, 3, 3, 3],
    "lineno": [0, 3, 7, 9],
    "children": [[1], [2, 3], [], []],
    "value": [21, 21, 5, 6],
    "n_allocations": [4, 4, 1, 2],
    "thread_id": [4, 4, 4, 4],
    "interesting": [1, 1, 1, 1],
    "import_system": [0, 0, 0, 0],
}
SNAPSHOTS = [[1000, 500, 0], [1500, 900, 15], [2500, 800, 6]]


def page(
    data: Any,
    *,
    title: str = "flamegraph report",
    records: Any = SNAPSHOTS,
    peak: str = "21 Bytes",
    **marks: bool,
) -> str:
    return (
        f"<!DOCTYPE html>\n<title>memray - {title}</title>\n"
        "Command line: <code>python -c &#39;const packed_data = 1;\nPeak memory usage: 3&#39;</code><br>\n"
        '<span id="stats-end-time"> 1970-01-01 00:00:03.500000+00:00</span><br>\n'
        f"Peak memory usage: {peak}<br>\n"
        f'<script type="text/javascript">\n    const packed_data = {json.dumps(data)};\n    var data = null;\n'
        f"    const merge_threads = {json.dumps(marks.get('merge_threads', True))};\n"
        f"    const memory_records = {json.dumps(records)};\n"
        f"    const inverted = {json.dumps(marks.get('inverted', False))};\n</script>\n"
    )


def changed(**columns: Any) -> dict[str, Any]:
    return {"nodes": {**NODES, **columns}, "strings": STRINGS}


def written(folder: Path, text: str) -> Path:
    path = folder / "report.html"
    path.write_text(text)
    return path


def stacks_of(profile: Profile) -> dict[tuple[str, ...], int]:
    """What each stack holds, as ``function:line`` from the outermost."""
    names = {row[0]: f"{row[1]}:{row[3]}" for row in profile.locations.iter_rows()}
    paths: dict[int, tuple[str, ...]] = {}
    for stack, parent, _, location in profile.stacks.iter_rows():
        paths[stack] = (*(paths[parent] if parent is not None else ()), names[location])
    found: dict[tuple[str, ...], int] = {}
    for stack, size in profile.allocations.select("stack_id", "size").iter_rows():
        found[paths[stack]] = found.get(paths[stack], 0) + size
    return found


def test_a_flamegraph(tmp_path: Path) -> None:
    found = read_memray_html(written(tmp_path, page(changed())))
    assert stacks_of(found) == {("main:3",): 10, ("main:3", "a<b>:7"): 5, ("main:3", "a<b>:9"): 6}
    assert found.allocations["n_allocations"].to_list() == [1, 1, 2]
    assert (found.view, found.source, found.total) == (View.PEAK, Source.MEMRAY_FLAMEGRAPH, 21)
    assert found.validity == ()
    assert found.tracked is not None
    assert found.tracked.rows() == [(0.0, None, 500, 0), (0.5, None, 900, 15), (1.5, None, 800, 6)]


def test_an_inverted_flamegraph_is_turned_round(tmp_path: Path) -> None:
    """What was called stands above its caller there: main is innermost, and called by a<b>."""
    found = read_memray_html(written(tmp_path, page(changed(), inverted=True)))
    assert stacks_of(found) == {("main:3",): 10, ("a<b>:7", "main:3"): 5, ("a<b>:9", "main:3"): 6}


@pytest.mark.parametrize(("merged", "threads"), [(True, {""}), (False, {"0x1 (MainThread)"})])
def test_threads_are_told_where_they_were_not_merged(merged: bool, threads: set[str], tmp_path: Path) -> None:
    found = read_memray_html(written(tmp_path, page(changed(), merge_threads=merged)))
    assert set(found.allocations["thread"]) == threads


def test_what_has_no_stack_hangs_on_the_root(tmp_path: Path) -> None:
    data = changed(value=[30, 21, 5, 6], n_allocations=[5, 4, 1, 2])
    found = read_memray_html(written(tmp_path, page(data, peak="30 Bytes")))
    assert stacks_of(found)["[no Python stack]:0",] == 9


def test_a_stack_that_memray_cut_is_said(tmp_path: Path) -> None:
    found = read_memray_html(
        written(tmp_path, page(changed(function=[0, 1, 2, 6], filename=[0, 3, 3, 6], lineno=[0, 3, 7, 0])))
    )
    assert "1 stacks were deeper" in found.validity[0].note


def test_the_peak_may_be_worded_as_until_1_17(tmp_path: Path) -> None:
    data = changed(value=[3000, 3000, 1000, 2000])
    for peak in ("3.0 kB", "2.9 KiB"):
        assert read_memray_html(written(tmp_path, page(data, peak=peak))).validity == ()


def test_what_does_not_sum_to_the_peak_is_temporary_and_said(tmp_path: Path) -> None:
    path = written(tmp_path, page(changed(), peak="1.2 kB"))
    assert "not the peak of 1.2 kB" in read_memray_html(path).validity[0].note
    assert read_memray_html(path).view is View.TEMPORARY
    assert read_memray_html(path, view=View.TEMPORARY).validity == ()
    assert read_memray_html(path, view=View.PEAK).validity != ()


@pytest.mark.parametrize(
    "columns",
    [
        {"children": [[1], [2, 3], [1], []]},
        {"children": [[1], [2, 3], [3], []]},
        {"children": [[1], [2], [], []]},
        {"children": [[1], [2, 4], [], []]},
        {"children": [[1], [2, -3], [], []]},
        {"children": [[1], [2, True], [], []]},
        {"children": [[1], 2, [], []]},
        {"value": [21, 21, 5, 17]},
        {"value": [21, 21, 5, -6]},
        {"value": [21, 21, 5, 6.0]},
        {"value": [21, 21, 5]},
        {"value": [2**63, 21, 5, 6]},
        {"value": [22, 21, 5, 6]},
        {"n_allocations": [3, 4, 1, 2]},
        {"function": [0, 1, 2, 9]},
        {"function": [0, 1, 2, None]},
        {"lineno": [0, 3, 7, -1]},
        {"thread_id": "x"},
        {name: [] for name in NODES},
    ],
)
def test_nodes_that_are_no_tree_or_do_not_agree_are_refused(columns: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_memray_html(written(tmp_path, page(changed(**columns))))


#: [from, until, node, n, bytes]: 4 held from the first interval to the end, 11 only in the second.
INTERVALS = [[1, None, 1, 1, 4], [2, 3, 2, 2, 11], [0, 1, 3, 1, 6]]


def temporal_page(**changes: Any) -> str:
    nodes = {name: column for name, column in NODES.items() if name not in ("value", "n_allocations")}
    data = {
        "nodes": nodes,
        "strings": STRINGS,
        "intervals": INTERVALS,
        "high_water_mark_by_snapshot": [6, 4, 15, 4],
        **changes,
    }
    leaks = " (memory leaks)" if data["high_water_mark_by_snapshot"] is None else ""
    return page(data, title=f"temporal flamegraph report{leaks}")


def test_over_time_the_peak_and_every_lifetime_are_told(tmp_path: Path) -> None:
    found = read_memray_html(written(tmp_path, temporal_page()))
    assert stacks_of(found) == {("main:3",): 4, ("main:3", "a<b>:7"): 11}
    assert (found.view, found.total, found.validity) == (View.PEAK, 15, ())
    assert found.lifetimes is not None
    assert found.lifetimes.select("begin_s", "end_s", "size", "n_allocations").rows() == [
        (0.5, None, 4, 1),
        (1.5, 2.5, 11, 2),
        (0.0, 0.5, 6, 1),
    ]


def test_over_time_another_view_is_taken_only_where_the_report_tells_it(tmp_path: Path) -> None:
    peak = written(tmp_path, temporal_page())
    assert read_memray_html(peak, view=View.LEAKED).total == 4
    with pytest.raises(UsageError, match="does not say which allocations were temporary"):
        read_memray_html(peak, view=View.TEMPORARY)
    leaks = temporal_page(high_water_mark_by_snapshot=None, intervals=[[1, None, 1, 1, 6], [1, 2, 2, 1, 9]])
    with pytest.raises(UsageError, match="does not say which allocations were peak"):
        read_memray_html(written(tmp_path, leaks), view=View.PEAK)


def test_leaks_over_time_are_what_was_never_freed(tmp_path: Path) -> None:
    text = temporal_page(high_water_mark_by_snapshot=None, intervals=[[1, None, 1, 1, 6], [1, 2, 2, 1, 9]])
    found = read_memray_html(written(tmp_path, text))
    assert (found.view, found.total, found.validity) == (View.LEAKED, 6, ())


def test_leaks_that_do_not_sum_to_the_heap_are_said(tmp_path: Path) -> None:
    text = temporal_page(high_water_mark_by_snapshot=None, intervals=[[1, None, 1, 1, 7], [1, 2, 2, 1, 9]])
    assert "at 2 of 3 snapshots" in read_memray_html(written(tmp_path, text)).validity[0].note


@pytest.mark.parametrize(
    "changes",
    [
        {"high_water_mark_by_snapshot": [6, 4, 16, 4]},
        {"high_water_mark_by_snapshot": [6, 4, 15]},
        {"intervals": [[1, None, 1, 1]]},
        {"intervals": [[1, None, 9, 1, 4]]},
        {"intervals": [[9, None, 1, 1, 4]]},
        {"intervals": [[2, 1, 1, 1, 4]]},
        {"intervals": [[1, None, 1, 0, 4]]},
        {"intervals": [[1, None, 1, 1, 2**62], [1, None, 1, 1, 2**62]]},
        {"intervals": {}},
    ],
)
def test_intervals_that_do_not_agree_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_memray_html(written(tmp_path, temporal_page(**changes)))


def test_a_table(tmp_path: Path) -> None:
    rows = [
        {
            "tid": "0x1",
            "size": 20,
            "allocator": "mmap",
            "n_allocations": 2,
            "stack_trace": "f&lt;x&gt; at /a at b/c.py:7",
        },
        {"tid": "0x1", "size": 1, "allocator": "malloc", "n_allocations": 1, "stack_trace": "???"},
    ]
    found = read_memray_html(written(tmp_path, page(rows, title="table report", merge_threads=False)))
    assert stacks_of(found) == {("f<x>:7",): 20, ("[no Python stack]:0",): 1}
    assert found.allocations.select("allocator", "thread").rows() == [("mmap", "0x1"), ("malloc", "0x1")]
    assert found.locations["file"][0] == "/a at b/c.py"
    assert [str(doubt.state) for doubt in found.validity] == ["truncated"]
    with pytest.raises(DamagedError, match="names no place"):
        read_memray_html(
            written(tmp_path, page([{**rows[0], "stack_trace": "f at c.py"}], title="table report"))
        )


def test_a_clock_that_went_back_is_said(tmp_path: Path) -> None:
    found = read_memray_html(written(tmp_path, page(changed(), records=[[9, 1, 1], [5, 1, 1], [10, 1, 1]])))
    assert found.tracked is not None
    assert found.tracked["t_s"].to_list() == [0.0, 0.0, 0.001]
    assert "went back at 1 of 3" in found.validity[0].note


@pytest.mark.parametrize(
    "text",
    [
        page(changed()).replace('<script type="text/javascript">', ""),
        page(changed()).replace("const inverted", "const outverted"),
        page(changed()).replace("flamegraph report", "flamegraph of another version"),
        page(changed()).replace('"value": [21', '"value": [NaN'),
        page(changed()).replace('"value": [21', '"value": [1e999999999'),
        page(changed()).replace('"value": [21', '"value": [' + "[" * 100_000),
        page(changed()).replace('"value": [21', '"value": [' + "9" * 5000),
        page(changed(), records=[[1, 2]]),
        page(changed(), records=[[10**17, 2, 3]]),
        page(changed(), records=None),
    ],
)
def test_a_page_that_is_not_as_memray_writes_it_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_memray_html(written(tmp_path, text))


def test_another_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a report of memray"):
        read_memray_html(written(tmp_path, "<html><title>Flame Graph</title></html>"))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, ("0 Bytes", "0 Bytes")),
        (1, ("1 Byte", "1 Byte")),
        (999, ("999 Bytes", "999 Bytes")),
        (1000, ("1.0 kB", "1000 Bytes")),
        (1024, ("1.0 kB", "1.0 KiB")),
        (5557810, ("5.6 MB", "5.3 MiB")),
        (10**12, ("1.0 TB", "931.3 GiB")),
    ],
)
def test_sizes_in_memrays_words(size: int, words: tuple[str, str]) -> None:
    assert in_memrays_words(size) == words


# Against memray itself


@cache
def report(kind: str, *options: str) -> Path:
    made = Path(mkdtemp(prefix="diagtools-reports-")) / "report.html"
    command = [
        sys.executable,
        "-m",
        "memray",
        kind,
        *options,
        "-o",
        str(made),
        str(CAPTURES / "program.memray"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.mark.parametrize(
    ("kind", "options", "view"),
    [
        ("flamegraph", (), View.PEAK),
        ("flamegraph", ("--split-threads",), View.PEAK),
        ("flamegraph", ("--inverted",), View.PEAK),
        ("flamegraph", ("--leaks",), View.LEAKED),
        ("flamegraph", ("--temporary-allocations",), View.TEMPORARY),
        ("flamegraph", ("--temporal",), View.PEAK),
        ("flamegraph", ("--temporal", "--inverted", "--split-threads"), View.PEAK),
        ("flamegraph", ("--temporal", "--leaks"), View.LEAKED),
        ("table", (), View.PEAK),
        ("table", ("--leaks", "--split-threads"), View.LEAKED),
    ],
)
def test_its_sums_are_memrays_own_to_the_byte(kind: str, options: tuple[str, ...], view: View) -> None:
    found = read_memray_html(report(kind, *options))
    sums = SUMS[VIEWS[view]]
    assert (found.view, found.total) == (view, sums["bytes"])
    assert found.allocations.filter(pl.col("size") > 0)["n_allocations"].sum() <= sums["n"]


def test_turned_round_it_has_the_stacks_of_the_plain_report() -> None:
    plain = stacks_of(read_memray_html(report("flamegraph")))
    assert stacks_of(read_memray_html(report("flamegraph", "--inverted"))) == plain


def test_over_time_memray_adds_its_own_outermost_frames_and_nothing_else() -> None:
    plain = stacks_of(read_memray_html(report("flamegraph")))
    own = (
        "_run_module_as_main:198",
        "_run_code:88",
        "<module>:6",
        "main:138",
        "run:359",
        "_run_with_file_output:197",
    )
    found = stacks_of(read_memray_html(report("flamegraph", "--temporal")))
    assert {
        stack[len(own) :] if stack[: len(own)] == own else stack: size for stack, size in found.items()
    } == plain


@pytest.mark.parametrize("name", ["flamegraph.html", "inverted.html", "temporal.html", "table.html"])
def test_a_report_that_was_cut_or_changed_gives_no_wrong_sum(name: str, tmp_path: Path) -> None:
    """A table says the same nowhere twice but for its rounded sum: a digit there may change unseen."""
    data, path = (CAPTURES / name).read_bytes(), tmp_path / name
    whole = read_memray_html(CAPTURES / name)
    assert {outcome(read_memray_html, path, cut, whole) for cut in cuts(data)} == {"refused", "right"}
    begin = data.find(b"const packed_data")
    end = data.find(b"\n", data.find(b"const inverted"))
    for bit, flipped in flips(data, begin, end, n=150):
        may_pass = name == "table.html" and is_digit_for_digit(data, bit)
        assert may_pass or not outcome(read_memray_html, path, flipped, whole).startswith("WRONG"), bit


@cache
def drawn() -> Path:
    return Path(mkdtemp(prefix="diagtools-reports-"))


@given(st.integers(0, 3), st.sampled_from(sorted(NODES)), st.integers(-2, 30))
def test_any_one_number_may_be_anything(node: int, name: str, value: int) -> None:
    column = [*NODES[name]]  # type: ignore[misc]
    column[node] = [value] if name == "children" else value
    try:
        found = read_memray_html(written(drawn(), page(changed(**{name: column}))))
    except DiagtoolsError:
        return
    assert found.total == 21 or found.validity
