"""Who belongs to a tree, and that nobody is missed, doubled or mistaken for somebody else."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagtools.probes import procfs, records
from diagtools.probes.tree import REFRESH_NS, Tree
from diagtools.probes.writer import Writer
from tests.capture.processes import PYTHON, end, is_alive, numbers_in, started, until
from tests.capture.recorded import Recorded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc of Linux")

FAMILY = """
import os, sys, time
depth = int(sys.argv[1])
with open('pids', 'a') as file: file.write(f'{os.getpid()}\\n')
if depth:
    words = [sys.executable, '-S', '-c', sys.argv[2], str(depth - 1), sys.argv[2]]
    for _ in range(2): os.posix_spawn(sys.executable, words, os.environ)
time.sleep(1000)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[int, list[int]]]:
    """A root, two children and four grandchildren: the root's pid, and all."""
    with started([PYTHON, "-S", "-c", FAMILY, "2", FAMILY], cwd=tmp_path) as root:
        pids = numbers_in(tmp_path / "pids", 7)
        yield root.pid, pids
        for pid in pids:
            end(pid)


def tree_of(folder: Path, root: int) -> tuple[Tree, Writer]:
    writer = Writer(str(folder), 1 << 30)
    writer.header(1, root, (records.VERSION, 4096, 0, 0, 0))
    return Tree(root, writer), writer


def written(folder: Path, writer: Writer) -> Recorded:
    writer.flush(1)
    return Recorded(folder)


def test_a_whole_family_is_found_with_its_parents(tmp_path: Path, family: tuple[int, list[int]]) -> None:
    root, pids = family
    tree, writer = tree_of(tmp_path, root)

    tree.refresh(1, 0)
    tree.sample(1)

    found = written(tmp_path, writer)
    assert set(tree.pids()) == set(pids) == found.pids()
    parents = {record.pid: record.payload[0] for record in found.of(records.PROCESS)}
    assert [parents[pid] for pid in pids].count(root) == 2
    assert parents[root] == 0
    assert sorted(record.pid for record in found.samples()) == sorted(pids)
    assert {record.payload[1] for record in found.of(records.PROCESS)} == {
        procfs.start_ticks(pid) for pid in pids
    }
    assert len(tree.living()) == 7
    assert tree.n_threads() == 7
    assert tree.swap_and_fds() >> 32 == sum(procfs.n_fds(pid) or 0 for pid in pids)


def test_a_kernel_without_lists_of_children_is_scanned(
    tmp_path: Path, family: tuple[int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procfs, "has_children_files", lambda: False)
    root, pids = family
    tree, writer = tree_of(tmp_path, root)

    tree.refresh(1, 0)

    assert written(tmp_path, writer).pids() == set(pids)
    assert tree.has_children(2**22 + 1)


def test_one_that_is_left_out_is_not_a_member(tmp_path: Path) -> None:
    """The copy that decimates is a child of the sampler too."""
    writer = Writer(str(tmp_path), 1 << 30)
    tree = Tree(None, writer)
    with started(["sleep", "100"]) as ours, started(["sleep", "100"]) as target:
        tree.refresh(1, ours.pid)
        assert target.pid in tree.pids()
        assert ours.pid not in tree.pids()
        assert tree.has_children(ours.pid)


def test_a_member_that_dies_is_said_once(tmp_path: Path, family: tuple[int, list[int]]) -> None:
    root, pids = family
    tree, writer = tree_of(tmp_path, root)
    tree.refresh(1, 0)
    tree.sample(1)
    leaf = next(pid for pid in pids if pid != root and not procfs.children(pid))
    os.kill(leaf, signal.SIGKILL)
    until(lambda: not is_alive(leaf), "the leaf has ended")
    tree.sample(2)
    tree.ended(3, leaf, 137)
    tree.ended(4, leaf, None)

    exits = [record for record in written(tmp_path, writer).of(records.EXIT) if record.pid == leaf]
    assert exits[-1].payload[0] == 137
    assert len(exits) <= 2
    assert leaf not in tree.pids()
    assert max(record.payload[1] for record in exits if record.payload[1] != records.UNKNOWN) > 0


def test_a_signal_goes_to_every_member_and_to_nobody_who_is_gone(
    tmp_path: Path, family: tuple[int, list[int]]
) -> None:
    root, pids = family
    tree, _writer = tree_of(tmp_path, root)
    tree.refresh(1, 0)
    tree.sample(1)

    tree.send(2, signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)), "all are gone")


def test_a_refresh_is_cheap_while_nobody_starts_a_process(
    tmp_path: Path, family: tuple[int, list[int]]
) -> None:
    """It lists the children only when a pid has been given out since, once more after that, and now and then."""
    root, _pids = family
    tree, _ = tree_of(tmp_path, root)
    calls: list[int] = []

    def children(pid: int) -> list[int]:
        calls.append(pid)
        return []

    tree._children_of = children  # type: ignore[method-assign]
    last = iter([b"1", b"1", b"1", b"2", b"2", b"2"])
    real, procfs.last_pid = procfs.last_pid, lambda: next(last)
    try:
        listings = []
        for number in range(1, 6):
            calls.clear()
            tree._next_listing = 10**12
            tree.refresh(number * REFRESH_NS, 0)
            tree._next_refresh = 0
            listings.append(bool(calls))
        assert listings == [True, True, False, True, True]
        calls.clear()
        tree.look_again()
        tree.refresh(6 * REFRESH_NS, 0)
        assert calls
    finally:
        procfs.last_pid = real


def test_a_root_whose_pid_is_anothers_by_now_is_not_taken(
    tmp_path: Path, family: tuple[int, list[int]]
) -> None:
    root, _ = family
    tree, writer = tree_of(tmp_path, root)
    tree._root_ticks -= 1
    tree.meet(1, root, 0)

    assert tree.pids() == []
    assert not tree.is_alive(root)
    assert written(tmp_path, writer).of(records.PROCESS) == []


def test_there_is_no_tree_without_its_root(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such"):
        tree_of(tmp_path, 2**22 + 1)


def test_a_process_of_nothing_but_shared_pages_is_read_proportionally(tmp_path: Path) -> None:
    """Four forks of one block of memory: their RSS counts it five times, their PSS once."""
    size = 60 * 2**20
    code = (
        f"import os, time; keep = b'x' * {size}\n"
        "with open('pids', 'w') as file: file.write(f'{os.getpid()}\\n')\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        with open('pids', 'a') as file: file.write(f'{os.getpid()}\\n')\n"
        "        break\n"
        "time.sleep(1000)"
    )
    with started([PYTHON, "-S", "-c", code], cwd=tmp_path) as root:
        pids = numbers_in(tmp_path / "pids", 5)
        tree, writer = tree_of(tmp_path, root.pid)
        tree.refresh(1, 0)
        tree.read_pss(1)
        tree.sample(1)
        found = written(tmp_path, writer)
        for pid in pids:
            end(pid)

    samples = found.samples()
    assert len(samples) == 5
    assert sum(record.payload[0] for record in samples) > 5 * size
    assert size < sum(record.payload[4] for record in samples) < 1.5 * size


def test_a_dead_thread_leader_or_kernel_thread_is_no_error(tmp_path: Path) -> None:
    """Some processes have no memory of their own: they are met, and give no sample."""
    kernel_thread = next((pid for pid in procfs.children(2)), 0) if Path("/proc/2/statm").exists() else 0
    if not kernel_thread:
        pytest.skip("no kernel threads are visible here")
    tree, writer = tree_of(tmp_path, kernel_thread)
    tree.refresh(1, 0)
    tree.sample(1)

    assert tree.living() == []
    assert written(tmp_path, writer).samples() == []


def test_orphans_of_a_subreaper_are_members(tmp_path: Path) -> None:
    """As the sampler does: it adopts what its descendants leave behind."""
    code = (
        "import os, time; "
        "os.fork() and os._exit(0); "
        "os.setsid(); "
        "open('pids', 'w').write(f'{os.getpid()}\\n'); "
        "time.sleep(1000)"
    )
    libc = ctypes.CDLL(None)
    libc.prctl(36, 1, 0, 0, 0)
    try:
        with started([PYTHON, "-S", "-c", code], cwd=tmp_path) as root:
            (orphan,) = numbers_in(tmp_path / "pids", 1)
            root.wait()
            tree = Tree(None, Writer(str(tmp_path), 1 << 30))
            tree.refresh(time.monotonic_ns(), 0)
            assert orphan in tree.pids()
            end(orphan)
            os.waitpid(orphan, 0)
    finally:
        libc.prctl(36, 0, 0, 0, 0)


def test_storage_that_nobody_may_see_is_unknown(tmp_path: Path) -> None:
    tree = Tree(None, Writer(str(tmp_path), 1 << 30))

    assert tree.io_bytes() == (records.UNKNOWN, records.UNKNOWN)
    assert tree.swap_and_fds() >> 32 == 0xFFFF_FFFF
