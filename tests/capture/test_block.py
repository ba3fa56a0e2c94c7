"""Memory of a block of one's own code: known answers, blocks in blocks, and ways to leave one."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import tracemalloc
import warnings
from collections.abc import Iterator

import pytest

from diagtools.capture import meters
from diagtools.capture.block import track_memory
from diagtools.capture.gauge import Meter
from diagtools.errors import LimitExceeded, NoDataError, UsageError
from diagtools.values import State
from tests.capture.processes import PYTHON, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="exact peaks need the kernel's mark")

MIB = 2**20
#: What else happens in this process: other libraries' threads, an allocator that gives back what it kept before.
NOISE = 4 * MIB  # blocks above 32 MiB only: glibc may take smaller ones from what it kept


@pytest.fixture(autouse=True)
def _no_tracing_is_left() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sockets and loops of other tests' notebooks
        gc.collect()  # what other tests left is not given back inside a block
    assert not tracemalloc.is_tracing()
    yield
    was_left = tracemalloc.is_tracing()
    tracemalloc.stop()
    assert not was_left


def in_a_process(code: str, **variables: str) -> str:
    head = "import os\nfrom diagtools.capture.block import track_memory\n"
    done = subprocess.run(
        [PYTHON, "-c", head + code], env=environment(**variables), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def spike(n_mib: int) -> None:
    bytearray(n_mib * MIB)


# --- known answers -----------------------------------------------------------------------------------


def test_what_a_block_keeps() -> None:
    with track_memory("load") as load:
        keep = bytearray(64 * MIB)
    assert load.rss_delta_bytes == pytest.approx(len(keep), abs=NOISE)
    assert load.rss_demand_bytes == pytest.approx(len(keep), abs=NOISE)
    assert load.rss_begin_bytes is not None
    assert load.rss_end_bytes == load.rss_begin_bytes + load.rss_delta_bytes
    assert load.rss_peak_bytes == load.rss_begin_bytes + load.rss_demand_bytes
    assert (load.status, load.error) == ("ok", None)
    assert load.duration_s > 0


def test_what_a_block_needs_for_a_while() -> None:
    with track_memory() as block:
        spike(128)
    assert block.rss_delta_bytes == pytest.approx(0, abs=NOISE)
    assert block.rss_demand_bytes == pytest.approx(128 * MIB, abs=NOISE)
    assert block.traced_delta_bytes == pytest.approx(0, abs=1000)
    assert block.traced_peak_bytes == pytest.approx(128 * MIB, abs=4000)


def test_what_was_before_a_block_is_not_its_own() -> None:
    spike(200)
    with track_memory(traced=False) as block:
        spike(32)
    assert block.rss_demand_bytes == pytest.approx(32 * MIB, abs=NOISE)


@pytest.mark.parametrize("n_bytes", [10_000, 1_000_000])
def test_what_python_allocates_is_counted_to_the_byte(n_bytes: int) -> None:
    with track_memory() as block:
        keep = bytearray(n_bytes)
        spike(1)
    size = sys.getsizeof(keep)
    assert block.traced_delta_bytes == pytest.approx(size, abs=500)
    assert block.traced_peak_bytes == pytest.approx(size + MIB, abs=4000)


def test_memory_given_back_is_below_zero() -> None:
    keep = bytearray(64 * MIB)
    with track_memory("drop") as drop:
        del keep
    assert drop.rss_delta_bytes == pytest.approx(-64 * MIB, abs=NOISE)
    assert drop.rss_demand_bytes == pytest.approx(0, abs=NOISE)
    assert "gave back 6" in repr(drop)


def test_lines_that_hold_what_was_kept() -> None:
    with track_memory(n_frames=2) as block:
        keep = [bytearray(50_000) for _ in range(20)]
        small = bytearray(10_000)
    first, second = block.top(2)
    assert first.file == second.file == __file__
    assert first.kept_bytes == pytest.approx(sum(map(sys.getsizeof, keep)), abs=1000)
    assert first.n_kept >= len(keep)
    assert second.kept_bytes == pytest.approx(sys.getsizeof(small), abs=200)
    assert second.line == first.line + 1
    assert first.called_from[0].startswith(f"{__file__}:")


def test_lines_count_only_what_the_block_itself_kept() -> None:
    with track_memory(), track_memory(n_frames=1) as first:
        before = [bytearray(70_000)]
        with track_memory(n_frames=1) as second:
            before.append(bytearray(30_000))
    assert [one.kept_bytes // 10_000 for one in first.top(2)] == [7, 3]
    assert [one.kept_bytes // 10_000 for one in second.top(1)] == [3]


# --- blocks in blocks --------------------------------------------------------------------------------


def test_a_peak_of_an_inner_block_is_its_outer_blocks_too() -> None:
    with track_memory("outer") as outer:
        with track_memory("inner") as inner:
            spike(96)
        with track_memory("later") as later:
            spike(40)
    assert inner.rss_demand_bytes == pytest.approx(96 * MIB, abs=NOISE)
    assert outer.rss_demand_bytes == pytest.approx(96 * MIB, abs=NOISE)
    assert outer.traced_peak_bytes == pytest.approx(96 * MIB, abs=100_000)
    assert later.rss_demand_bytes == pytest.approx(40 * MIB, abs=NOISE)


def test_a_peak_before_an_inner_block_outlives_its_reset() -> None:
    with track_memory("outer") as outer:
        spike(96)
        with track_memory("inner") as inner:
            spike(40)
    assert outer.rss_demand_bytes == pytest.approx(96 * MIB, abs=NOISE)
    assert outer.traced_peak_bytes == pytest.approx(96 * MIB, abs=100_000)
    assert inner.rss_demand_bytes == pytest.approx(40 * MIB, abs=NOISE)
    assert inner.traced_peak_bytes == pytest.approx(40 * MIB, abs=100_000)


def test_tasks_that_take_turns() -> None:
    """Neither is within the other: each sees what happened between its own begin and end."""

    async def both() -> tuple[track_memory, track_memory]:
        second_began, first_ended = asyncio.Event(), asyncio.Event()

        async def early() -> track_memory:
            async with track_memory("early", traced=False) as block:
                spike(40)
                await second_began.wait()
            first_ended.set()
            return block

        async def late() -> track_memory:
            async with track_memory("late", traced=False) as block:
                second_began.set()
                await first_ended.wait()
                spike(80)
            return block

        return await asyncio.gather(early(), late())

    early, late = asyncio.run(both())
    assert early.rss_demand_bytes == pytest.approx(40 * MIB, abs=NOISE)
    assert late.rss_demand_bytes == pytest.approx(80 * MIB, abs=NOISE)


def test_threads_share_the_memory_of_their_process() -> None:
    entered, spiked = threading.Event(), threading.Event()
    blocks: list[track_memory] = []

    def watch() -> None:
        with track_memory("watch") as block:
            entered.set()
            spiked.wait()
        blocks.append(block)

    thread = threading.Thread(target=watch)
    thread.start()
    entered.wait()
    with track_memory("own") as own:
        spike(48)
    spiked.set()
    thread.join()
    assert own.rss_demand_bytes == pytest.approx(48 * MIB, abs=NOISE)
    assert blocks[0].rss_demand_bytes == pytest.approx(48 * MIB, abs=NOISE)


# --- in a block, and after it ------------------------------------------------------------------------


def test_figures_can_be_read_inside_and_stay_as_they_are_afterwards() -> None:
    with track_memory("work") as work:
        assert work.status == "running"
        keep = bytearray(32 * MIB)
        assert work.rss_delta_bytes == pytest.approx(len(keep), abs=NOISE)
        assert work.traced_delta_bytes == pytest.approx(len(keep), abs=4000)
        assert "so far kept 3" in repr(work)
    before = repr(work), work.duration_s, work.rss_end_bytes
    more = bytearray(64 * MIB)
    assert (repr(work), work.duration_s, work.rss_end_bytes) == before
    assert len(more) > len(keep)


def test_it_reads_as_a_sentence() -> None:
    with track_memory("load") as load:
        keep = bytearray(64 * MIB)
    assert repr(load).startswith("The block 'load' kept 6")
    assert "of RSS and demanded 6" in repr(load)
    assert "Python's own allocations kept 64.0 MiB and demanded 64.0 MiB." in repr(load)
    assert load._repr_mimebundle_() == {"text/plain": repr(load)}
    assert keep


def test_without_tracing_python_s_own_is_unknown() -> None:
    with track_memory(traced=False) as block:
        assert not tracemalloc.is_tracing()
    assert (block.traced_delta_bytes, block.traced_peak_bytes) == (None, None)
    assert "Python" not in repr(block)
    assert [one.state for one in block.validity] == [State.IN_PROCESS]


def test_with_tracing_its_tables_are_said_to_be_in_the_rss() -> None:
    with track_memory() as block:
        pass
    assert [one.state for one in block.validity] == [State.IN_PROCESS, State.UNDER_TRACKER]


def test_before_it_is_entered_there_is_nothing_to_read() -> None:
    block = track_memory("load")
    assert repr(block) == "The block 'load' was not entered yet."
    with pytest.raises(NoDataError, match="not entered yet"):
        _ = block.rss_peak_bytes


@pytest.mark.parametrize("when", ["inside", "afterwards"])
def test_a_block_is_entered_once(when: str) -> None:
    block = track_memory("load")
    with block:
        if when == "inside":
            with pytest.raises(UsageError, match="The block 'load' was entered before"), block:
                raise AssertionError
    with pytest.raises(UsageError, match="was entered before"):
        block.__enter__()
    assert block.status == "ok"


def test_lines_that_nobody_asked_for() -> None:
    with track_memory("load") as load:
        pass
    with pytest.raises(NoDataError, match=r"n_frames=1"):
        load.top()


# --- ways to leave a block ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_an_exception_goes_on_and_the_figures_are_there(kind: type[BaseException]) -> None:
    block = track_memory("load", limit="1 MB")

    def load() -> None:
        with block:
            spike(32)
            raise kind

    with pytest.raises(kind):
        load()
    assert (block.status, block.error) == ("failed", kind.__name__)
    assert block.rss_demand_bytes == pytest.approx(32 * MIB, abs=NOISE)
    assert f"failed with {kind.__name__}: it " in repr(block)


def test_a_generator_that_is_closed_inside_its_block() -> None:
    blocks = []

    def numbers() -> Iterator[int]:
        with track_memory("numbers") as block:
            blocks.append(block)
            yield 1

    opened = numbers()
    assert next(opened) == 1
    opened.close()
    assert (blocks[0].status, blocks[0].error) == ("failed", "GeneratorExit")


def test_a_task_that_is_cancelled_inside_its_block() -> None:
    async def cancelled() -> track_memory:
        block = track_memory("wait")

        async def wait() -> None:
            async with block:
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return block

    block = asyncio.run(cancelled())
    assert (block.status, block.error) == ("failed", "CancelledError")


def test_a_demand_above_the_limit() -> None:
    block = track_memory("load", limit="20 MB")
    with (
        pytest.raises(
            LimitExceeded, match=r"The block 'load' demanded .* above its limit of 19\.1 MiB by"
        ) as raised,
        block,
    ):
        spike(40)
    assert raised.value.hint
    assert block.status == "ok"
    assert block.rss_demand_bytes == pytest.approx(40 * MIB, abs=NOISE)


def test_a_demand_within_the_limit() -> None:
    with track_memory(limit="60 MB") as block:
        spike(30)
    assert block.status == "ok"


@pytest.mark.parametrize("limit", ["200", "lots", "-1 MB"])
def test_limits_that_are_none(limit: str) -> None:
    with pytest.raises(UsageError):
        track_memory(limit=limit)


def test_frames_below_zero_are_none() -> None:
    with pytest.raises(UsageError, match="n_frames=-1"):
        track_memory(n_frames=-1)


def test_an_interrupt_as_it_is_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing had begun: it ends again."""

    def interrupted() -> Meter:
        raise KeyboardInterrupt

    monkeypatch.setattr(meters, "memory_meter", interrupted)
    block = track_memory("load")
    with pytest.raises(KeyboardInterrupt), block:
        pass
    assert not tracemalloc.is_tracing()
    assert (block.status, block.error, block.rss_demand_bytes) == ("failed", "KeyboardInterrupt", None)


# --- tracemalloc of the program itself ---------------------------------------------------------------


def test_tracing_that_the_program_started_goes_on() -> None:
    tracemalloc.start(3)
    before = bytearray(5 * MIB)
    with track_memory() as block:
        keep = bytearray(MIB)
    assert tracemalloc.is_tracing()
    assert tracemalloc.get_traceback_limit() == 3
    tracemalloc.stop()
    assert block.traced_delta_bytes == pytest.approx(len(keep), abs=1000)
    assert block.traced_peak_bytes == pytest.approx(len(keep), abs=4000)
    assert before


@pytest.mark.parametrize("disturb", [tracemalloc.clear_traces, tracemalloc.stop])
def test_tracing_that_the_program_disturbs_gives_no_number(disturb: object) -> None:
    with track_memory("outer") as outer:
        keep = bytearray(MIB)
        assert callable(disturb)
        disturb()
        with track_memory("inner") as inner:
            more = bytearray(64 * 1024)
    assert (outer.traced_delta_bytes, outer.traced_peak_bytes) == (None, None)
    assert "stopped or cleared tracemalloc" in str(outer.validity)
    assert outer.rss_demand_bytes is not None
    known = len(more) if disturb is tracemalloc.clear_traces else None
    assert inner.traced_delta_bytes == (known if known is None else pytest.approx(known, abs=1000))
    assert keep


# --- the process -------------------------------------------------------------------------------------


def test_a_fork_inside_a_block() -> None:
    told = in_a_process("""
with track_memory('outer') as outer:
    bytearray(100 << 20)
    pid = os.fork()
    if pid == 0:
        with track_memory('inner') as inner:
            keep = bytearray(50 << 20)
    else:
        os.waitpid(pid, 0)
print(outer.rss_demand_bytes >> 20 in range(98, 110), 'forked inside the block' in str(outer.validity), flush=True)
if pid == 0:
    print(inner.rss_demand_bytes >> 20 in range(48, 55), 'forked' in str(inner.validity), flush=True)
    os._exit(0)
""")
    assert told.splitlines() == ["True True", "True False", "True False"]


def test_a_fork_where_a_thread_samples(tmp_path: object) -> None:
    told = in_a_process(
        """
with track_memory('outer') as outer:
    pid = os.fork()
    if pid == 0:
        with track_memory('inner') as inner:
            keep = bytearray(50 << 20)
    else:
        os.waitpid(pid, 0)
if pid == 0:
    print(inner.rss_demand_bytes >> 20 in range(48, 55), flush=True)
    os._exit(0)
print(outer.status)
""",
        DIAGTOOLS_RUN=str(tmp_path),
    )
    assert told.splitlines() == ["True", "ok"]


def test_without_a_descriptor_left_the_exception_is_still_the_programs_own() -> None:
    told = in_a_process("""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
files = []
try:
    with track_memory('files', limit='1 B') as block:
        while True:
            files.append(os.open('/dev/null', os.O_RDONLY))
except OSError as error:
    print(error.strerror)
for each in files:
    os.close(each)
print(block)
print(block.rss_begin_bytes > 0, block.rss_end_bytes, block.rss_peak_bytes)
""")
    first, second, third = told.splitlines()
    assert first == "Too many open files"
    assert second.startswith("The block 'files' failed with OSError: it took ")
    assert "unknown" in second
    assert third == "True None None"


def test_it_is_cheap_to_import() -> None:
    """It may stand in the program under study: no third-party package comes with it."""
    told = in_a_process("import sys\nprint('polars' in sys.modules, 'psutil' in sys.modules)\n")
    assert told == "False False\n"
