"""A snapshot from within: of what is known to be held, on every CPython, and without a trace in the program."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from textwrap import dedent

import polars as pl
import pytest

from diagtools.probes import heap
from tests.support.interpreters import every_python
from tests.support.ledgers import MIB, assert_explained, taken


@every_python
def test_objects_blocks_and_files_are_told_apart(python: str) -> None:
    found = taken(
        """
        import mmap
        snapshot("begin")
        objects = [[n] for n in range(300_000)]
        snapshot("objects")
        blocks = [bytes(2048) for _ in range(20_000)]
        large = [b"x" * (1 << 20) for _ in range(16)]
        snapshot("blocks")
        shared = mmap.mmap(-1, 24 << 20)
        shared.write(b"x" * (24 << 20))
        snapshot("shared")
        """,
        python=python,
    )
    for label in ("begin", "objects", "blocks", "shared"):
        assert_explained(found, label)
    # A list of one item: 40 bytes and the collector's 16, 8 for the item, 28 for the number; each rounded up to 16.
    assert found.grew_mib("begin", "objects", "Python used") == pytest.approx(
        300_000 * (64 + 16 + 32) / MIB, rel=0.03
    )
    # A block of 2,048 bytes and Python's 33 is 2,096 in the C library.
    c_blocks = found.grew_mib("objects", "blocks", "C used", "C mmapped")
    assert c_blocks == pytest.approx(16 + 20_000 * 2096 / MIB, abs=1)
    assert found.grew_mib("blocks", "shared", "shared memory") == pytest.approx(24, abs=0.1)
    assert found.files.validity == ()


@every_python
@pytest.mark.parametrize("environment", [{"PYTHONTRACEMALLOC": "5"}, {}], ids=["from the start", "later"])
def test_pools_are_found_while_tracemalloc_hides_the_counters(
    python: str, environment: dict[str, str]
) -> None:
    found = taken(
        """
        import tracemalloc
        if not tracemalloc.is_tracing():
            tracemalloc.start()
        snapshot("begin")
        objects = [(n, n + 1) for n in range(200_000)]
        snapshot("objects")
        print(tracemalloc.get_tracemalloc_memory())
        """,
        python=python,
        **environment,
    )
    assert_explained(found, "objects")
    # A pair: 40 bytes and the collector's 16, 28 for its second number (its first is that of the pair before).
    pairs = 200_000 * (64 + 32) / MIB
    assert found.grew_mib("begin", "objects", "Python used") == pytest.approx(pairs, rel=0.4)
    (note,) = found.files.snapshots.filter(label="objects")["missing"].item()
    said = float(note.partition("runs: ")[2].partition(" MiB")[0])
    assert said == pytest.approx(int(found.stdout) / MIB, rel=0.05)


@every_python
def test_no_module_is_left_and_the_program_finds_its_own(python: str) -> None:
    found = taken(
        """
        snapshot("a")
        print(sorted(set(sys.modules) - _loaded))
        import array, binascii, ctypes
        class Pair(ctypes.Structure):
            _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_double)]
        print(ctypes.CDLL(None).abs(-3), Pair(1, 2.5).b, binascii.crc32(b"a"), array.array("Q", [1])[0])
        print(ctypes.sizeof(ctypes.c_long), ctypes.pythonapi.PyLong_FromLong is not None)
        snapshot("b")
        """,
        python=python,
    )
    modules, *used = found.stdout.splitlines()
    assert modules == "[]"
    assert used == ["3 2.5 3904355907 1", "8 True"]
    assert_explained(found, "b")


@every_python
def test_a_forked_child_is_a_ledger_of_its_own(python: str) -> None:
    found = taken(
        """
        import os
        kept = [bytes(2048) for _ in range(20_000)]
        pid = os.fork()
        if not pid:
            more = b"x" * (32 << 20)
            snapshot("child")
            os._exit(0)
        os.waitpid(pid, 0)
        snapshot("parent")
        """,
        python=python,
    )
    assert found.files.snapshots["pid"].n_unique() == 2
    assert_explained(found, "child")
    assert_explained(found, "parent")
    assert found.mib("child", "C mmapped") - found.mib("parent", "C mmapped") == pytest.approx(32, abs=1)


def test_blocks_that_are_aligned_moved_and_grown_are_found() -> None:
    found = taken(
        """
        calls = _probe("heap_calls").Calls()
        def fill(block, mib):
            calls.call("memset", block, 1, mib << 20)
            return block
        snapshot("begin")
        for alignment in (64, 4096, 2 << 20):
            calls.call("posix_memalign", calls._pair_at, alignment, 20 << 20)
            fill(calls._pair[0], 20)
        snapshot("aligned")
        block = fill(calls.call("malloc", 10 << 20), 10)
        fill(calls.call("realloc", block, 50 << 20), 50)
        snapshot("moved")
        """
    )
    assert found.grew_mib("begin", "aligned", "C mmapped") == pytest.approx(60, abs=0.1)
    assert found.grew_mib("aligned", "moved", "C mmapped") == pytest.approx(50, abs=0.1)
    assert_explained(found, "moved")


def test_output_of_other_threads_is_not_swallowed() -> None:
    # 3.11 prints its statistics to the C library's stderr: here nothing is redirected to read them.
    found = taken(
        """
        import os, threading
        def write():
            for n in range(3000):
                os.write(1, b"%d\\n" % n)
        writers = [threading.Thread(target=write) for _ in range(2)]
        for each in writers: each.start()
        for n in range(5): snapshot(str(n))
        for each in writers: each.join()
        """
    )
    assert sorted(map(int, found.stdout.split())) == sorted([*range(3000)] * 2)


@every_python
def test_no_code_of_the_program_runs(python: str) -> None:
    found = taken(
        """
        import gc
        inside = False
        class Cycle:
            def __del__(self):
                if inside:
                    print("a finalizer of the program ran")
        gc.disable()
        for _ in range(1000):
            each = Cycle()
            each.itself = each
        del each
        inside = True
        snapshot("collects nothing")
        print(gc.isenabled())
        gc.set_threshold(gc.get_count()[0] + 100, 1000, 1000)  # a snapshot makes more than a hundred objects
        gc.enable()
        snapshot("would collect")
        inside = False
        print(gc.isenabled())
        """,
        python=python,
    )
    assert found.stdout == "False\nTrue\n"


def test_a_file_is_there_whole_or_not_at_all() -> None:
    found = taken(
        """
        import os
        snapshot("there")
        os.replace = lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        _ledger_os = os
        try:
            snapshot("not there")
        except OSError as error:
            print(error.strerror)
        """
    )
    assert found.stdout == "No space left on device\n"
    assert [path.suffix for path in found.folder.iterdir()] == [".json"]
    assert found.files.snapshots["label"].to_list() == ["there"]


def test_a_label_of_any_bytes_is_kept() -> None:
    found = taken(
        r"""
        _ledger.take(0, 1, "item", "end", b'a "b" \\ \n \xff \xf0\x9f\x98\x80')
        """
    )
    assert found.files.snapshots["label"].to_list() == ['a "b" \\ \n \\xff 😀']
    assert found.files.snapshots["moment"].to_list() == ["item end"]


def test_the_file_is_json_with_a_checksum_at_its_end() -> None:
    found = taken("snapshot('a')")
    (path,) = found.folder.iterdir()
    data = path.read_bytes()
    body, _, seal = data.rpartition(heap.SEAL)
    assert json.loads(data)["crc"] == f"{zlib.crc32(body):08x}"
    assert seal == b'%08x"}\n' % zlib.crc32(body)


def test_what_goes_back_is_measured_only_where_asked_for() -> None:
    program = """
    blocks = [bytes(2048) for _ in range(50_000)]
    kept = blocks[::20]
    del blocks
    snapshot("free")
    snapshot("again")
    """
    plain, trimmed = taken(program), taken(program, "trim")
    assert plain.files.snapshots["trim_before_bytes"].to_list() == [None, None]
    first, second = trimmed.files.snapshots.iter_rows(named=True)
    went_back = (first["trim_before_bytes"] - first["trim_after_bytes"]) / MIB
    free = trimmed.mib("free", "C free")
    assert free == pytest.approx(50_000 * 0.95 * 2096 / MIB, rel=0.05)
    assert 0.8 * free <= went_back <= free + 1
    assert trimmed.rss_mib("free") - trimmed.rss_mib("again") == pytest.approx(went_back, abs=1)
    assert second["trim_before_bytes"] - second["trim_after_bytes"] < MIB


@pytest.mark.parametrize(
    ("prepare", "missing", "searched"),
    [
        (
            """
            def load(name):
                module = _probe(name)
                if name == "heap_calls":
                    plain = module.extension
                    def extension(name):
                        if name == "_ctypes":
                            raise ModuleNotFoundError("No module named '_ctypes'")
                        return plain(name)
                    module.extension = extension
                return module
            """,
            ["ModuleNotFoundError: No module named '_ctypes'"],
            False,
        ),
        (
            """
            import os
            class Refusing:
                def __getattr__(self, name):
                    return getattr(os, name)
                def open(self, path, *rest):
                    if path.endswith("pagemap"):
                        raise PermissionError(13, "Permission denied")
                    return os.open(path, *rest)
            def load(name):
                module = _probe(name)
                if name == "heap_walk":
                    module.os = Refusing()
                return module
            """,
            ["pagemap: Permission denied"],
            False,
        ),
        (
            """
            def load(name):
                module = _probe(name)
                if name == "heap_calls":
                    module.Calls.can_read = lambda self: False
                return module
            """,
            ["process_vm_readv is not allowed"],
            False,
        ),
    ],
    ids=["no ctypes", "no pagemap", "no reading"],
)
def test_what_the_machine_does_not_give_is_said(prepare: str, missing: list[str], searched: bool) -> None:
    found = taken(
        dedent(prepare)
        + dedent(
            """
            objects = [[n] for n in range(300_000)]
            large = b"x" * (32 << 20)
            _ledger = _probe("heap").instrument(sys.argv[1], load)
            snapshot("a")
            """
        )
    )
    snapshot = found.files.snapshots.row(0, named=True)
    assert (snapshot["missing"], snapshot["is_searched"]) == (missing, searched)
    assert found.of("a")["bytes"].sum() == round(found.rss_mib("a") * MIB)
    if "ctypes" in missing[0]:
        assert found.mib("a", "Python used", "C used", "C mmapped") == 0
        assert found.mib("a", "unexplained") > 60
    else:
        sources = dict(found.of("a").select("component", "source").iter_rows())
        assert sources["Python used"] == sources["C mmapped"] == "bound"
        assert found.of("a").filter(pl.col("component") == "C mmapped")["bound_bytes"].to_list() == [None]


def test_what_it_takes_for_itself_is_less_than_it_says() -> None:
    found = taken(
        """
        def peak():
            with open("/proc/self/status") as file:
                return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
        kept = [[n] for n in range(600_000)]
        snapshot("warm")
        before = _ledger.held_bytes()
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        snapshot("measured")
        print(peak() - before, _ledger.needs_bytes(), _ledger.is_ready(), _ledger.name)
        """
    )
    took, needs, ready, name = found.stdout.split()
    assert int(took) < int(needs)
    assert (ready, name) == ("True", "ledger")


def test_no_file_of_this_probe_imports_what_the_program_would_see() -> None:
    """`_ctypes`, `binascii`, `gc` and `itertools` are loaded aside; everything else is there in every Python."""
    for path in sorted(Path(heap.__file__).parent.glob("heap*.py")):
        lines = path.read_text().splitlines()
        imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
        assert imported <= {"os", "sys"}, path.name
