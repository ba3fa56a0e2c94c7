"""Figures agree with memray's own to the byte, and a damaged capture never gives one without a word."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import memray
import polars as pl
import pytest

from diagtools import frames
from diagtools.errors import DamagedError, DiagtoolsError, NoDataError, UnavailableError, UsageError
from diagtools.profile import Profile, Unit, View
from diagtools.read.profiles import memray_capture
from diagtools.read.profiles.capture_evidence import sha256_of
from diagtools.read.profiles.memray_capture import read_memray
from diagtools.values import State
from tests.support.captures import HELD, capture

FORKING = """
import os
def child():
    return bytearray(3 << 20)
def parent():
    return bytearray(2 << 20)
pid = os.fork()
kept = parent() if pid else child()
if pid:
    os.waitpid(pid, 0)
"""

THREADS = """
import threading
def work():
    kept.append(bytearray(4 << 20))
kept = []
thread = threading.Thread(target=work, name="indexer")
thread.start()
thread.join()
"""

TEMPORARY = """
def churn():
    for _ in range(5000):
        bytes(3000)
churn()
kept = bytearray(1 << 20)
"""


def memrays_own(path: Path, view: str) -> Counter[tuple[object, ...]]:
    """Size by stack as memray's own reader has it, outermost frame first."""
    sizes: Counter[tuple[object, ...]] = Counter()
    with memray.FileReader(path) as reader:
        for record in getattr(reader, f"get_{view}_allocation_records")(merge_threads=False):
            sizes[tuple(reversed(record.stack_trace()))] += record.size
    return sizes


def by_stack(profile: Profile) -> Counter[tuple[object, ...]]:
    nodes = {row[0]: row for row in profile.stacks.rows()}
    places = {row[0]: row[1:4] for row in profile.locations.rows()}
    sizes: Counter[tuple[object, ...]] = Counter()
    for row in profile.allocations.rows(named=True):
        stack, at = [], row["stack_id"]
        while at is not None:
            stack.append(places[nodes[at][3]])
            at = nodes[at][1]
        sizes[tuple(place for place in reversed(stack) if place[1])] += row["size"]
    return sizes


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copy(capture(), tmp_path / "app.bin"))


@pytest.mark.parametrize(
    ("options", "program"),
    [
        ((), None),
        (("--trace-python-allocators",), None),
        (("--aggregate",), None),
        (("--no-compress",), None),
        ((), THREADS),
        ((), TEMPORARY),
    ],
    ids=["plain", "python allocators", "aggregated", "not packed", "threads", "temporary"],
)
@pytest.mark.parametrize("view", [View.PEAK, View.LEAKED])
def test_every_stack_has_what_memray_says(
    options: tuple[str, ...], program: str | None, view: View, tmp_path: Path
) -> None:
    path = Path(shutil.copy(capture(*options, **({"program": program} if program else {})), tmp_path))
    profile = read_memray([path], view=view)
    expected = memrays_own(path, "high_watermark" if view is View.PEAK else "leaked")
    assert by_stack(profile) == expected
    assert profile.total == expected.total()
    assert (profile.unit, profile.view, profile.validity) == (Unit.BYTES, view, ())
    assert frames.ALLOCATIONS.check(profile.allocations) is profile.allocations


def test_a_known_allocation_is_found_to_the_byte(copied: Path) -> None:
    profile = read_memray([copied])
    held = profile.allocations.join(profile.stacks, on="stack_id").join(profile.locations, on="location_id")
    row = held.filter(pl.col("function") == "hold").row(0, named=True)
    assert row["size"] - HELD in range(64)  # the null byte behind a bytearray, and what is rounded up
    assert (row["n_allocations"], row["thread"], row["allocator"]) == (1, "main", "malloc")


def test_temporary_allocations_are_counted(tmp_path: Path) -> None:
    path = Path(shutil.copy(capture("--trace-python-allocators", program=TEMPORARY), tmp_path))
    profile = read_memray([path], view=View.TEMPORARY)
    expected = memrays_own(path, "temporary")
    assert by_stack(profile) == expected
    assert profile.allocations["n_allocations"].max() >= 4999  # type: ignore[operator]


def test_threads_are_named(tmp_path: Path) -> None:
    profile = read_memray([Path(shutil.copy(capture(program=THREADS), tmp_path))])
    named = profile.allocations.filter(pl.col("thread").str.contains("indexer"))
    assert named["size"].sum() >= 4 << 20


def test_native_frames_stand_where_they_can_be_seen(tmp_path: Path) -> None:
    path = Path(shutil.copy(capture("--native"), tmp_path))
    profile = read_memray([path])
    assert profile.total == memrays_own(path, "high_watermark").total()
    assert not profile.locations.filter(pl.col("origin") == "interpreter").is_empty()
    assert [one.state for one in profile.validity] in ([], [State.SKIPPED])
    python_only = read_memray([path], native=False)
    assert by_stack(python_only) == memrays_own(path, "high_watermark")
    assert python_only.validity == ()


def test_every_process_of_a_run_is_in_one_tree(tmp_path: Path) -> None:
    made = capture("--follow-fork", program=FORKING)
    captures = [Path(shutil.copy(path, tmp_path)) for path in sorted(made.parent.glob("capture.bin*"))]
    captures = [path for path in captures if path.suffix != ".parquet"]
    assert len(captures) == 2
    profile = read_memray(captures)
    by_pid = profile.allocations.group_by("pid").agg(pl.col("size").sum())
    assert by_pid.height == 2
    assert profile.total == sum(memrays_own(path, "high_watermark").total() for path in captures)
    assert "each at its own peak" in str(profile.validity)
    names = profile.locations.filter(pl.col("function").is_in(["child", "parent"]))["function"]
    assert sorted(names) == ["child", "parent"]


def test_lifetimes_bound_when_memory_was_live(tmp_path: Path) -> None:
    path = Path(shutil.copy(capture(program="import time\n" + PAUSES), tmp_path))
    profile = read_memray([path], over_time=True, zero_ms=0)
    assert profile.lifetimes is not None
    assert profile.tracked is not None
    lived = profile.lifetimes.join(profile.stacks, on="stack_id").join(profile.locations, on="location_id")
    first = lived.filter((pl.col("function") == "first") & (pl.col("size") > 1 << 20)).row(0, named=True)
    second = lived.filter((pl.col("function") == "second") & (pl.col("size") > 1 << 20)).row(0, named=True)
    assert first["begin_s"] < first["end_s"] <= second["begin_s"]
    assert second["end_s"] is None
    assert profile.tracked["heap_bytes"].max() >= 8 << 20  # type: ignore[operator]
    assert profile.tracked["t_s"].is_sorted()


PAUSES = """
def first():
    kept = bytearray(8 << 20)
    time.sleep(0.1)
def second():
    return bytearray(2 << 20)
first()
time.sleep(0.1)
kept = second()
"""


def test_it_is_read_once_and_again_when_it_changes(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_memray([copied])
    with monkeypatch.context() as patched:
        patched.setattr(memray_capture, "_work", lambda request: pytest.fail("it was read again"))
        assert by_stack(read_memray([copied])) == by_stack(first)
    shutil.copy(capture(program=TEMPORARY), copied)
    assert read_memray([copied]).total == memrays_own(copied, "high_watermark").total() != first.total


def test_a_kept_profile_that_is_damaged_is_made_again(copied: Path) -> None:
    first = read_memray([copied])
    kept = next(copied.parent.glob("*.parquet"))
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    assert by_stack(read_memray([copied])) == by_stack(first)
    assert kept.read_bytes() == whole


def test_a_folder_that_nobody_may_write_to_is_read_all_the_same(copied: Path) -> None:
    missing = copied.parent / "gone" / "kept.parquet"
    assert read_memray([copied], store=missing).total > HELD
    assert not missing.exists()


def test_a_killed_process_left_what_it_held_and_that_is_said(tmp_path: Path) -> None:
    path = Path(shutil.copy(capture(arguments=("kill",)), tmp_path))
    profile = read_memray([path])
    assert profile.total == memrays_own(path, "high_watermark").total() > HELD
    assert [one.state for one in profile.validity] == [State.TRUNCATED]
    assert "its process was ended while it was tracked" in profile.validity[0].note
    assert "no mark of its own" in profile.validity[0].note
    known = read_memray([path], known={path.name: sha256_of(path)})
    assert "no mark of its own" not in known.validity[0].note


@pytest.mark.parametrize("arguments", [(), ("kill",)], ids=["closed", "killed"])
def test_bits_that_flipped_are_said_or_refused(arguments: tuple[str, ...], tmp_path: Path) -> None:
    whole = capture(arguments=arguments)
    honest = memrays_own(whole, "high_watermark")
    data = whole.read_bytes()
    for seed in range(5):
        chance = random.Random(seed)
        flipped = bytearray(data)
        for _ in range(3):
            flipped[chance.randrange(len(data.rstrip(b"\0")))] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{seed}.bin"
        path.write_bytes(flipped)
        try:
            profile = read_memray([path], known={path.name: sha256_of(whole)})
        except DiagtoolsError:
            continue
        assert profile.validity or by_stack(profile) == honest, f"silently wrong with seed {seed}"


def test_a_cut_capture_says_how_much_of_it_was_read(tmp_path: Path) -> None:
    program = "import random\nkept = [bytes(random.randrange(600, 90000)) for _ in range(20000)]"
    whole = capture(program=program).read_bytes()
    path = tmp_path / "cut.bin"
    path.write_bytes(whole[: len(whole) // 2])
    profile = read_memray([path])
    assert profile.total > 0
    note = profile.validity[0].note
    assert "ends without its end mark" in note
    assert "memray read" in note


def test_an_aggregated_capture_has_no_time(tmp_path: Path) -> None:
    path = Path(shutil.copy(capture("--aggregate"), tmp_path))
    for view, over_time in ((View.TEMPORARY, False), (View.PEAK, True)):
        with pytest.raises(UnavailableError, match="aggregated capture") as raised:
            read_memray([path], view=view, over_time=over_time)
        assert raised.value.hint == "record without --aggregated."


def test_wrong_requests_are_refused(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no 'cpu' view"):
        read_memray([copied], view=View.CPU)
    with pytest.raises(NoDataError, match="no memray capture"):
        read_memray([])
    with pytest.raises(DamagedError, match="cannot be read: No such file"):
        read_memray([tmp_path / "none.bin"])


def test_a_reader_that_is_ended_by_a_signal_takes_nobody_with_it(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memray_capture, "_START", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(DamagedError, match=r"ended by SIGSEGV on 'app\.bin': the capture is damaged"):
        read_memray([copied])
