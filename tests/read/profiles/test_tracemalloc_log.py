"""Snapshots of tracemalloc: whole ones are read, and what is not whole is said."""

from __future__ import annotations

import tracemalloc
import zlib
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.probes.snapshots import Log
from diagtools.profile import Profile, Source, View
from diagtools.read.profiles.kinds import kind_of
from diagtools.read.profiles.tracemalloc_log import from_snapshot, read_tracemalloc, snapshots_of
from diagtools.values import State
from tests.support.damage import cuts, flips, outcome

START = b"start\t1000\t77\t3.11.7\t2\n"
NAMES = ["file\t0\t/app/a\\tb.py", "file\t1\t<unknown>", "frame\t0\t0\t3", "frame\t1\t0\t9", "frame\t2\t1\t0"]
SITES = ["stack\t0\t5\t1,0", "site\t0\t0\t60\t2", "stack\t1\t1\t2", "site\t1\t7\t40\t1"]


def snapshot(
    index: int,
    *lines: str,
    traced: int = 110,
    label: str = "",
    kind: str = "phase\tend",
    t: int = 2,
    peak: int = 200,
) -> bytes:
    head = f"begin\t{index}\t{t}000000000\t{kind}\t{traced}\t{peak}\t10\t5\t{label}\n"
    body = (head + "".join(f"{line}\n" for line in lines)).encode()
    return body + b"end\t%d\t%d\t%08x\n" % (index, len(lines), zlib.crc32(body))


FIRST = snapshot(0, *NAMES, *SITES, label="load \\\\ x")
SECOND = snapshot(1, "site\t0\t0\t20\t1", traced=30, kind="exit\t", t=4)


def written(folder: Path, *parts: bytes) -> Path:
    path = folder / "allocations.77.tracemalloc"
    path.write_bytes(b"".join(parts))
    return path


def test_the_largest_snapshot(tmp_path: Path) -> None:
    path = written(tmp_path, START, FIRST, SECOND)
    found = read_tracemalloc(path)
    assert (found.total, found.view, found.source) == (100, View.LIVE, Source.TRACEMALLOC)
    assert found.allocations.select("stack_id", "size", "n_allocations", "allocator", "pid").rows() == [
        (1, 60, 2, "", 77),
        (2, 40, 1, "domain 7", 77),
    ]
    assert found.stacks.rows() == [(0, None, 0, 0), (1, 0, 1, 1), (2, None, 0, 2)]
    assert found.locations.select("function", "file", "line").rows() == [
        ("", "/app/a\tb.py", 3),
        ("", "/app/a\tb.py", 9),
        ("[no Python stack]", "", 0),
    ]
    assert [doubt.note for doubt in found.validity] == [
        "1 of 2 were deeper than the 2 innermost frames that were kept"
    ]
    assert found.tracked is not None
    assert found.tracked.rows() == [(0.0, 77, None, 110), (2.0, 77, None, 30)]


def test_another_snapshot_by_place_label_or_kind(tmp_path: Path) -> None:
    path = written(tmp_path, START, FIRST, SECOND)
    assert [read_tracemalloc(path, which).total for which in (0, 1, "load \\ x", "phase", "exit")] == [
        100,
        20,
        100,
        100,
        20,
    ]
    assert [one.label for one in snapshots_of(path)] == ["load \\ x", ""]
    for which in (2, -1, "other"):
        with pytest.raises(UsageError, match="no snapshot"):
            read_tracemalloc(path, which)


def test_the_name_says_which_snapshot_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, START, FIRST, SECOND)
    assert read_tracemalloc(path).name == (
        "allocations.77.tracemalloc, snapshot 1 of 2 (end of phase 'load \\ x')"
    )
    assert read_tracemalloc(path, "exit", name="run-7").name == "run-7, snapshot 2 of 2 (exit)"
    long = written(tmp_path, START, snapshot(0, *NAMES, *SITES, label="x" * 500))
    assert len(read_tracemalloc(long).name) < 150


def test_a_peak_that_no_snapshot_shows_is_said(tmp_path: Path) -> None:
    last = snapshot(1, "site\t0\t0\t20\t1", traced=30, kind="exit\t", t=4, peak=100 << 20)
    doubts = read_tracemalloc(
        written(tmp_path, START, snapshot(0, *NAMES, *SITES, label="in"), last)
    ).validity
    assert [(one.state, one.note) for one in doubts if one.what == "peak"] == [
        (
            State.TRUNCATED,
            "up to 100 MiB were traced at once; the snapshot shown, at the end of phase 'in', has 110 B",
        )
    ]


@pytest.mark.parametrize(("traced", "peak"), [(110, 1 << 20), (100 << 20, 109 << 20)])
def test_a_peak_hardly_above_the_snapshot_is_not(traced: int, peak: int, tmp_path: Path) -> None:
    found = read_tracemalloc(written(tmp_path, START, snapshot(0, *NAMES, *SITES, traced=traced, peak=peak)))
    assert "peak" not in [one.what for one in found.validity]


def test_times_count_from_the_run_where_there_is_one(tmp_path: Path) -> None:
    found = read_tracemalloc(written(tmp_path, START, FIRST, SECOND), zero_ns=500_000_000)
    assert found.tracked is not None
    assert found.tracked["t_s"].to_list() == [1.5, 3.5]


def test_a_program_that_executed_another_has_ids_of_its_own(tmp_path: Path) -> None:
    other = snapshot(
        0, "file\t0\t/other.py", "frame\t0\t0\t1", "stack\t0\t1\t0", "site\t0\t0\t500\t1", traced=510
    )
    found = read_tracemalloc(written(tmp_path, START, FIRST, START, other))
    assert (found.total, found.locations["file"].to_list()) == (500, ["/other.py"])


def test_what_no_stack_holds_is_said(tmp_path: Path) -> None:
    found = read_tracemalloc(written(tmp_path, START, snapshot(0, *NAMES, *SITES, traced=210)))
    assert (
        found.validity[-1].note == "tracemalloc says 210 bytes, 10 of them the recording's: 100 have no stack"
    )


def test_a_torn_snapshot_is_left_out_and_said(tmp_path: Path) -> None:
    found = read_tracemalloc(written(tmp_path, START, FIRST, SECOND[:-4]))
    assert (found.total, "the last is cut off" in found.validity[0].note) == (100, True)


def test_stacks_of_a_damaged_snapshot_are_lost_and_said(tmp_path: Path) -> None:
    found = read_tracemalloc(written(tmp_path, START, FIRST.replace(b"\t60\t", b"\t61\t"), SECOND))
    assert (found.total, found.locations["function"].to_list()) == (20, ["[in a damaged part of the log]"])
    assert (
        found.validity[0].note
        == "1 damaged, and left out; the stacks of 20 bytes stood in one that is damaged"
    )


def test_a_lost_start_is_noticed(tmp_path: Path) -> None:
    other = snapshot(
        0, "file\t0\t/other.py", "frame\t0\t0\t1", "stack\t0\t1\t0", "site\t0\t0\t500\t1", traced=510
    )
    found = read_tracemalloc(written(tmp_path, START, FIRST, START.replace(b"start", b"stort"), other))
    assert (found.total, found.locations["file"].to_list(), found.allocations["pid"][0]) == (
        500,
        ["/other.py"],
        None,
    )
    assert "1 damaged" in found.validity[0].note


@pytest.mark.parametrize(
    "parts", [[START], [b"nothing\n"], [START, FIRST[:-30]], [START, b"end\t0\t0\t00000000\n"]]
)
def test_without_a_whole_snapshot_there_is_no_data(parts: list[bytes], tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="no whole snapshot"):
        read_tracemalloc(written(tmp_path, *parts))


@pytest.mark.parametrize(
    "line",
    [
        "site\t0\t0\tx\t1",
        "site\t0\t0\t-1\t1",
        "site\t0",
        "frame\t0\t0",
        "stack\t1\t1\tx",
        "site\t0\t0\t" + "9" * 19 + "\t1",
    ],
)
def test_a_whole_snapshot_that_makes_no_sense_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedError):
        read_tracemalloc(written(tmp_path, START, snapshot(0, line)))


def hold() -> list[bytearray]:
    return [bytearray(100_000) for _ in range(5)]


def test_a_log_of_the_probe_itself(tmp_path: Path) -> None:
    """Written by the probe in this process; what the test holds is in it to the byte."""
    tracemalloc.start(5)
    try:
        log = Log(str(tmp_path))
        log.write(10**9, ("phase", "begin"), b"before")
        held = hold()
        taken = tracemalloc.take_snapshot()
        log.write(2 * 10**9, ("exit", ""), b"")
    finally:
        tracemalloc.stop()
    (path,) = tmp_path.iterdir()
    assert kind_of(path) is Source.TRACEMALLOC
    size = sum(tracemalloc_size(block) for block in held)
    for found in (read_tracemalloc(path, "exit"), from_snapshot(taken)):
        here = found.locations.filter(file=__file__, line=hold.__code__.co_firstlineno + 1)
        leaves = found.stacks.filter(found.stacks["location_id"].is_in(here["location_id"].to_list()))
        sizes = found.allocations.filter(found.allocations["stack_id"].is_in(leaves["stack_id"].to_list()))
        assert size <= sizes["size"].sum() < size + 2000
    _check_damage(path, tmp_path / "changed")


def tracemalloc_size(block: bytearray) -> int:
    return len(block) + 1


def _check_damage(path: Path, other: Path) -> None:
    def read(which: Path) -> Profile:
        return read_tracemalloc(which)

    data, whole = path.read_bytes(), read_tracemalloc(path)
    for cut in cuts(data):
        assert not outcome(read, other, cut, whole).startswith("WRONG") or cut.endswith(b"\n")
    for bit, flipped in flips(data, n=150):
        assert not outcome(read, other, flipped, whole).startswith("WRONG"), bit
