"""Markers: what a program says of its work, read back after whatever happened to it."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from diagtools import mark
from diagtools.read.markers import read_markers
from diagtools.values import Validity
from tests.support.interpreters import every_python

REPOSITORY = Path(__file__).parents[1]
START_UNKNOWN = "the start of the run is unknown"

Row = dict[str, Any]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def environment(run: Path | None) -> dict[str, str]:
    """Variables under which ``diagtools.mark`` is found and, with a run folder, records."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGTOOLS_"))}
    added = {"DIAGTOOLS_RUN": str(run)} if run else {}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **added}


def program(code: str) -> str:
    """A program that may mark."""
    return (
        "import os, sys, signal, threading\nfrom diagtools import mark\nfrom diagtools.mark import *\n"
        + textwrap.dedent(code)
    )


def execute(code: str, run: Path | None, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Runs a program that marks; ``errors`` of text are escaped."""
    return subprocess.run(
        [python, "-c", program(code)],
        env=environment(run),
        cwd=run.parent if run and run.parent.is_dir() else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=120,
    )


def recorded(code: str, run: Path, python: str = sys.executable) -> list[Row]:
    """The markers of a program that ends well."""
    result = execute(code, run, python)
    assert (result.stderr, result.returncode) == ("", 0)
    return markers(run)


def markers(run: Path) -> list[Row]:
    """All markers of a run, none of them damaged or missing."""
    rows, doubts = markers_and_doubts(run)
    assert doubts == []
    return rows


def markers_and_doubts(run: Path) -> tuple[list[Row], list[Validity]]:
    """Those that the program set: the mark of its exit is left out."""
    found = read_markers(run, None)
    rows = [row for row in found.frame.to_dicts() if row["kind"] != "exit"]
    return rows, [row for row in found.validity if START_UNKNOWN not in row.note]


def told(rows: list[Row]) -> list[tuple[str, ...]]:
    """What markers say, shortly: edge, name and what an end adds."""
    return [
        (row["edge"], row["name"], *(text for text in (row["status"], row["error"]) if text)) for row in rows
    ]


# --- where nothing records --------------------------------------------------------------------------------------


def test_every_call_gives_the_same_handle_that_does_nothing() -> None:
    handle = mark.item("a", size_bytes=1)
    assert handle is mark.phase(b"b") is mark.item(Path("c"))
    with handle as entered:
        assert entered is handle
    handle.note(n=1)
    handle.done()
    handle.fail("x")
    handle.timeout()
    assert mark.event("d", n=1) is None  # type: ignore[func-returns-value]
    assert not mark.recording()


def test_its_block_lets_an_exception_through() -> None:
    with pytest.raises(KeyError), mark.item("a"):
        raise KeyError("a")


def test_names_of_features_are_free() -> None:
    assert mark.item("a", name=1, self=2, kind=3) is mark.item("b")
    mark.event("a", name=1, self=2)


@pytest.mark.parametrize("value", ["", "run", "no/absolute/path"])
def test_a_run_that_is_no_absolute_path_records_nothing(value: str, tmp_path: Path) -> None:
    result = execute("print(recording(), os.listdir('.'))", tmp_path / "run")
    assert result.stdout.startswith("True")
    env = {**environment(None), "DIAGTOOLS_RUN": value}
    code = program("mark.event('a'); print(recording(), os.listdir('.'))")
    again = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert again.stdout == "False []\n"


def test_it_brings_next_to_nothing_into_the_program() -> None:
    code = f"""
    import sys
    before = set(sys.modules)
    exec(compile(open({str(REPOSITORY / "diagtools/mark.py")!r}).read(), "mark.py", "exec"), {{"__name__": "m"}})
    print(sorted(set(sys.modules) - before))
    """
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert set(eval(result.stdout)) <= {
        "_struct",
        "struct",
        "itertools",
        "__future__",
        "os",
        "posixpath",
        "stat",
    } | {
        "_collections_abc",
        "_stat",
        "abc",
        "_abc",
        "genericpath",
        "os.path",
    }


# --- what is recorded -------------------------------------------------------------------------------------------


@every_python
def test_a_block_ends_its_item_as_the_block_ended(python: str, run: Path) -> None:
    rows = recorded(
        """
        import asyncio, concurrent.futures
        def attempt(name, error=None):
            try:
                with item(name):
                    if error is not None:
                        raise error
            except BaseException as caught:
                assert caught is error, caught
        def parts():
            with item("closed early"):
                yield 1
                yield 2
        attempt("well")
        attempt("badly", ValueError("no\\tsuch\\nline"))
        attempt("silently", KeyError())
        attempt("late", TimeoutError("5 s"))
        attempt("late task", asyncio.TimeoutError())
        attempt("late future", concurrent.futures.TimeoutError())
        attempt("interrupted", KeyboardInterrupt())
        attempt("left", SystemExit())
        attempt("left well", SystemExit(0))
        attempt("left badly", SystemExit(3))
        generator = parts()
        next(generator)
        generator.close()
        """,
        run,
        python,
    )
    assert told([row for row in rows if row["edge"] == "end"]) == [
        ("end", "well", "ok"),
        ("end", "badly", "failed", "ValueError: no\tsuch\nline"),
        ("end", "silently", "failed", "KeyError"),
        ("end", "late", "timeout", "TimeoutError: 5 s"),
        ("end", "late task", "timeout", "TimeoutError"),
        ("end", "late future", "timeout", "TimeoutError"),
        ("end", "interrupted", "failed", "KeyboardInterrupt"),
        ("end", "left", "ok"),
        ("end", "left well", "ok"),
        ("end", "left badly", "failed", "SystemExit: 3"),
        ("end", "closed early", "ok"),
    ]
    begun = {row["index"]: row["name"] for row in rows if row["edge"] == "begin"}
    assert begun == {row["index"]: row["name"] for row in rows if row["edge"] == "end"}
    assert len(begun) == 11


def test_plain_calls_follow_each_other(run: Path) -> None:
    rows = recorded(
        """
        phase("read")
        item("a")
        item("b").done()
        phase("write")
        item("c")
        event("flushed", n=3)
        """,
        run,
    )
    assert [(row["kind"], *words) for row, words in zip(rows, told(rows), strict=True)] == [
        ("phase", "begin", "read"),
        ("item", "begin", "a"),
        ("item", "end", "a", "ok"),
        ("item", "begin", "b"),
        ("item", "end", "b", "ok"),
        ("phase", "end", "read", "ok"),
        ("phase", "begin", "write"),
        ("item", "begin", "c"),
        ("event", "point", "flushed"),
        ("phase", "end", "write", "ok"),  # at exit, in the order of their begin
        ("item", "end", "c", "ok"),
    ]


def test_the_exit_is_marked_after_all_that_it_ends(run: Path) -> None:
    execute("item('a')", run)
    last = read_markers(run, None).frame.to_dicts()[-1]
    assert (last["kind"], last["edge"], last["index"]) == ("exit", "end", 0)
    assert sys.platform != "linux" or last["rss_bytes"] > 2**20


def test_what_is_entered_is_not_ended_by_the_next_one(run: Path) -> None:
    rows = recorded(
        """
        with item("outer"):
            item("plain")
            with item("inner"):
                item("deep")
        """,
        run,
    )
    assert told(rows) == [
        ("begin", "outer"),
        ("begin", "plain"),
        ("end", "plain", "ok"),
        ("begin", "inner"),
        ("begin", "deep"),
        ("end", "inner", "ok"),
        ("end", "outer", "ok"),
        ("end", "deep", "ok"),
    ]


def test_what_was_going_on_when_an_exception_ended_the_program_has_failed(run: Path) -> None:
    result = execute("item('a')\nraise LookupError('gone')", run)
    assert result.returncode == 1
    assert told(markers(run)) == [("begin", "a"), ("end", "a", "failed", "LookupError: gone")]


def test_an_exception_that_was_shown_earlier_is_not_the_end_of_the_program(run: Path) -> None:
    rows = recorded(
        """
        def shown():
            try:
                1 / 0
            except ZeroDivisionError as error:
                sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
        shown()
        item("a")
        """,
        run,
    )
    assert told(rows)[-1] == ("end", "a", "ok")


def test_an_item_ends_once(run: Path) -> None:
    rows = recorded(
        """
        with item("a") as a:
            a.fail(ValueError("first"))
            a.done()
        b = item("b")
        b.timeout("after 3 s")
        b.fail("again")
        """,
        run,
    )
    assert told(rows) == [
        ("begin", "a"),
        ("end", "a", "failed", "ValueError: first"),
        ("begin", "b"),
        ("end", "b", "timeout", "after 3 s"),
    ]


def test_tasks_interleave_their_items(run: Path) -> None:
    rows = recorded(
        """
        import asyncio
        async def work(name, other, error):
            with item(name):
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                if error:
                    raise error
        async def main():
            await asyncio.gather(work("a", 1, None), work("b", 2, OSError("b")), return_exceptions=True)
        asyncio.run(main())
        """,
        run,
    )
    assert told(rows) == [
        ("begin", "a"),
        ("begin", "b"),
        ("end", "a", "ok"),
        ("end", "b", "failed", "OSError: b"),
    ]


def test_tasks_are_not_within_each_other(run: Path) -> None:
    rows = recorded(
        """
        import asyncio
        async def work(name):
            with item(name):
                await asyncio.sleep(0.01)
                with item(name + " inner"):
                    await asyncio.sleep(0.01)
        async def main():
            with item("outer"):
                await asyncio.gather(work("a"), work("b"))
            item("plain")
            item("next")
        asyncio.run(main())
        """,
        run,
    )
    begins = [row for row in rows if row["edge"] == "begin"]
    names = {row["index"]: row["name"] for row in begins} | {0: ""}
    assert {row["name"]: names[row["parent"]] for row in begins} == {
        "outer": "",
        "a": "outer",
        "b": "outer",
        "a inner": "a",
        "b inner": "b",
        "plain": "",
        "next": "",
    }
    assert {row["parent"] for row in rows if row["edge"] != "begin"} == {None}


def test_a_forked_child_is_within_none_of_its_parents_items(run: Path) -> None:
    rows = recorded(
        """
        with item("parent"):
            child = os.fork()
            if child == 0:
                item("child").done()
                os._exit(0)
            os.waitpid(child, 0)
        """,
        run,
    )
    assert {row["name"]: row["parent"] for row in rows if row["edge"] == "begin"} == {"parent": 0, "child": 0}


def test_a_feature_learned_later_is_written_at_once(run: Path) -> None:
    result = execute(
        """
        with item("a", size_bytes=10) as a:
            a.note(n_chunks=3, longest_line=2.5)
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        run,
    )
    assert result.returncode == -signal.SIGKILL
    begin, note = markers(run)
    assert begin["index"] == note["index"]
    assert begin["features"] == [{"name": "size_bytes", "value": 10.0}]
    assert note["features"] == [{"name": "n_chunks", "value": 3.0}, {"name": "longest_line", "value": 2.5}]


def test_a_feature_that_is_no_finite_number_is_left_out(run: Path) -> None:
    (row,) = recorded(
        """
        class Number:
            def __float__(self):
                return 0.1
        class Broken:
            def __float__(self):
                raise RuntimeError
        event("a", nan=float("nan"), inf=float("inf"), text="1", data=b"1", none=None, huge=10**400, broken=Broken(),
              number=Number(), yes=True, tiny=5e-324, größe=-1, **{"a,b=1": 1, "a\\tb": 1})
        """,
        run,
    )
    assert {each["name"]: each["value"] for each in row["features"]} == {
        "number": 0.1,
        "yes": 1.0,
        "tiny": 5e-324,
        "größe": -1.0,
    }


NAMES = {
    "plain": ("'a b/c.py'", "a b/c.py"),
    "empty": ("''", ""),
    "separators": (r"'a\tb\nc\rd\0e\\n\\'", "a\tb\nc\rd\0e\\n\\"),
    "unicode": (r"'größe \u2028 \x85 \U0001f600'", "größe \u2028 \x85 \U0001f600"),
    "bytes": (r"'ä'.encode()", "ä"),
    "path": ("__import__('pathlib').Path('a/b')", "a/b"),
    "no UTF-8": (r"b'a\xff\xfeb'", "a\\xff\\xfeb"),  # the reader's way to show a byte
    "no UTF-8 as Python reads it": (r"b'a\xff\xfeb'.decode('utf-8', 'surrogateescape')", "a\\xff\\xfeb"),
    "a surrogate that is no byte": (r"'a\ud800b'", "a\\ud800b"),
    "a number": ("7", "7"),
    "long": ("'x' * 5000", "x" * 4096),
    "long, of two bytes": ("'y' + 'ä' * 5000", "y" + "ä" * 2047),
    "long, of escapes": (r"'\n' * 5000", "\n" * 2048),
    "long, escapes after a letter": (r"'x' + '\n' * 5000", "x" + "\n" * 2047),
}


@pytest.mark.parametrize(("given", "read"), NAMES.values(), ids=NAMES)
def test_any_name_comes_back(given: str, read: str, run: Path) -> None:
    begin, end = recorded(f"with item({given}): pass", run)
    assert (begin["name"], end["name"]) == (read, read)


def test_a_long_name_is_cut_between_characters_in_the_slot(run: Path) -> None:
    recorded("event('ä' * 600)", run)
    (run / mark.LOG_NAME).unlink()
    (row,), (doubt,) = markers_and_doubts(run)
    assert row["name"] == "ä" * (mark.NAME_LIMIT // 2)
    assert "from a slot alone" in doubt.note


def test_nothing_that_is_passed_raises(run: Path) -> None:
    rows = recorded(
        """
        class Odd:
            def __str__(self):
                raise RuntimeError
        class OddPath:
            def __fspath__(self):
                return 3
        class OddError(Exception):
            __str__ = Odd.__str__
        with item(Odd()) as a, item(OddPath()), phase(None):
            a.note(n=1)
        event(Odd())
        item("b").fail(OddError())
        item("c").fail(Odd())
        item("d").fail("x" * 10_000)
        """,
        run,
    )
    assert told(rows) == [
        ("begin", "None"),
        ("end", "None", "ok"),
        ("begin", "b"),
        ("end", "b", "failed", "OddError"),
        ("begin", "c"),
        ("end", "c", "failed"),
        ("begin", "d"),
        ("end", "d", "failed", "x" * 500),
    ]


# --- the layout -------------------------------------------------------------------------------------------------


def test_a_line_is_laid_out_as_documented(run: Path) -> None:
    recorded("print(os.getpid()); item('a\\tb', n=1).fail('c\\\\')", run)
    first, second, _, rest = (run / mark.LOG_NAME).read_bytes().split(b"\n")
    assert rest == b""
    body, _, crc = second.rpartition(b"\t")
    assert crc == b"%08x" % zlib.crc32(body)
    begun_ns, pid, tid, *fields = first.split(b"\t")[:-1]
    begun_rss = fields.pop(4)
    assert fields.pop(3) == b"0"
    assert fields == [b"item", b"begin", b"1", b"", b"a\\tb", b"", b"n=1.0"]
    ended_ns, *same, kind, edge, index, parent, ended_rss, status, name, error, features = body.split(b"\t")
    assert same == [pid, tid]
    assert [kind, edge, index, parent, status, name, error, features] == [
        b"item", b"end", b"1", b"", b"failed", b"a\\tb", b"c\\\\", b""
    ]  # fmt: skip
    assert 0 < int(begun_ns) < int(ended_ns) < time.monotonic_ns()
    if sys.platform == "linux":
        assert 2**20 < int(begun_rss) <= int(ended_rss) < 2**30


def test_a_slot_is_laid_out_as_documented(run: Path) -> None:
    result = execute("print(os.getpid(), threading.get_native_id()); item('a'); event('b\\n')", run)
    pid, tid = map(int, result.stdout.split())
    (path,) = run.glob(mark.SLOT_GLOB)
    assert path.name == f"markers.{pid}.slot"
    data = path.read_bytes()
    assert len(data) == 2048
    assert path.stat().st_blocks * 512 >= 2048  # a hole of a mapped file may find no room
    found = [struct.unpack_from("<IBBHQQQQQ", data, at) for at in (0, 1024)]
    point, end = sorted(found, key=lambda each: each[4])
    assert (*point[1:5], *point[6:]) == (
        2,
        3,
        3,
        2,
        pid,
        tid,
        2,
    )  # event, point, 3 bytes, second marker, index 2
    assert (*end[1:5], *end[6:]) == (1, 2, 1, 3, pid, tid, 1)
    assert data[48:51] == b"b\\n"
    assert point[0] == zlib.crc32(data[4:51])


# --- threads, forks, signals ------------------------------------------------------------------------------------


@every_python
def test_no_marker_of_eight_threads_is_lost(python: str, run: Path) -> None:
    recorded(
        """
        together = threading.Barrier(8)
        def work(n):
            together.wait()
            for number in range(1000):
                with item("%d %d" % (n, number)):
                    pass
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """,
        run,
        python,
    )
    frame = read_markers(run, None).frame.filter(kind="item")
    begun = frame.filter(edge="begin")
    assert set(begun["name"]) == {f"{n} {number}" for n in range(8) for number in range(1000)}
    assert begun["index"].n_unique() == 8000
    assert frame["tid"].n_unique() == 8
    assert begun.join(frame.filter(edge="end"), on=["index", "name", "tid"]).height == 8000


@every_python
def test_a_plain_item_ends_with_its_thread(python: str, run: Path) -> None:
    rows = recorded(
        """
        thread = threading.Thread(target=item, args=("a",))
        thread.start()
        thread.join()
        event("joined")
        """,
        run,
        python,
    )
    assert told(rows) == [("begin", "a"), ("end", "a", "ok"), ("point", "joined")]
    assert rows[0]["tid"] == rows[1]["tid"] != rows[2]["tid"]


@every_python
def test_a_forked_child_has_a_slot_of_its_own(python: str, run: Path) -> None:
    rows = recorded(
        """
        phase("both")
        with item("of the parent") as parents:
            child = os.fork()
            if child == 0:
                parents.note(n=1)
                parents.done()
                item("of the child")
                sys.exit(0)
            os.waitpid(child, 0)
        print(os.getpid(), child)
        """,
        run,
        python,
    )
    by_pid: dict[int, list[tuple[str, ...]]] = {}
    for row in rows:
        by_pid.setdefault(row["pid"], []).extend(told([row]))
    parent, child = by_pid.values()
    assert parent == [
        ("begin", "both"),
        ("begin", "of the parent"),
        ("end", "of the parent", "ok"),
        ("end", "both", "ok"),
    ]
    assert child == [("begin", "of the child"), ("end", "of the child", "ok")]
    assert {path.name for path in run.glob(mark.SLOT_GLOB)} == {f"markers.{pid}.slot" for pid in by_pid}


LEVELS = """
def statm():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def hold(name):
    before = statm()
    with item(name):
        held.append(bytearray(b"x" * 40_000_000))
        between = statm()
    print(name, before, between, statm(), flush=True)
held = []
"""


def check_levels(printed: str, rows: list[Row], *, n: int) -> None:
    """Each begin and end of an item lies between what its program itself read before and after."""
    found = {(row["name"], row["edge"]): row["rss_bytes"] for row in rows}
    lines = [line.split() for line in printed.splitlines()]
    assert len(lines) == n
    for name, *numbers in lines:
        before, between, after = map(int, numbers)
        slack = 2**20  # the kernel counts in batches
        assert before - slack <= found[name, "begin"] <= between - 30_000_000
        assert between - slack <= found[name, "end"] <= after + slack


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")
@every_python
def test_a_begin_and_an_end_say_what_their_own_process_holds(python: str, run: Path) -> None:
    code = """
    hold("parent")
    child = os.fork()
    if child == 0:
        held.clear()
        hold("child")
        os._exit(0)
    os.waitpid(child, 0)
    hold("again")
    """
    result = execute(LEVELS + textwrap.dedent(code), run, python)
    check_levels(result.stdout, markers(run), n=3)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux")
def test_a_descriptor_that_the_program_took_over_tells_no_level(run: Path) -> None:
    code = """
    hold("before")
    os.closerange(3, 256)
    for n in range(8):
        with open("own", "w") as file:
            file.write("7 " * 100)
        os.open("own", os.O_RDONLY)
    with item("within"):
        pass
    hold("after")
    """
    result = execute(LEVELS + textwrap.dedent(code), run)
    rows = markers(run)
    check_levels(result.stdout, rows, n=2)
    assert all(row["rss_bytes"] is None or row["rss_bytes"] > 2**20 for row in rows)


WORKERS = """
import multiprocessing, sys
from diagtools import mark

def work(name):
    mark.item(name)
    if name == "fails":
        raise LookupError(name)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    workers = [context.Process(target=work, args=(name,)) for name in ("ends", "fails")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@every_python
def test_what_a_worker_left_open_ends_as_the_worker_did(python: str, method: str, run: Path) -> None:
    path = run.parent / "workers.py"
    path.write_text(WORKERS)
    subprocess.run([python, path, method], env=environment(run), check=True, capture_output=True)
    version = subprocess.run([python, "-V"], capture_output=True, text=True).stdout
    is_told = int(version.split(".")[1]) < 13  # since then it is an exit like any other
    failed = ("end", "fails", "failed", "LookupError: fails") if is_told else ("end", "fails", "ok")
    assert sorted(told(markers(run))) == [
        ("begin", "ends"),
        ("begin", "fails"),
        ("end", "ends", "ok"),
        failed,
    ]


def test_a_fork_while_another_thread_marks_leaves_the_child_free(run: Path) -> None:
    result = execute(
        """
        import warnings
        warnings.simplefilter("ignore")
        stop = threading.Event()
        def work():
            while not stop.is_set():
                event("other")
        thread = threading.Thread(target=work)
        thread.start()
        for number in range(40):
            child = os.fork()
            if child == 0:
                event("child %d" % number)
                os._exit(0)
            os.waitpid(child, 0)
        stop.set()
        thread.join()
        """,
        run,
    )
    assert (result.stderr, result.returncode) == ("", 0)
    names = {row["name"] for row in markers(run)}
    assert names == {"other", *(f"child {number}" for number in range(40))}


def test_the_next_program_of_a_process_goes_on_counting(run: Path) -> None:
    recorded(
        "item('a'); event('b'); os.execv(sys.executable, [sys.executable, '-c', '''"
        + program("item('c')")
        + "'''])",
        run,
    )
    rows = markers(run)
    assert {row["pid"] for row in rows} == {rows[0]["pid"]}
    assert [row["name"] for row in rows] == [
        "a",
        "b",
        "",
        "c",
        "c",
    ]  # what it left open ends at the boot between
    indices = [row["index"] for row in rows if row["edge"] in ("begin", "point") and row["kind"] != "boot"]
    assert len(set(indices)) == 3 == len(indices)


def test_a_signal_handler_may_mark_in_the_middle_of_a_marker(run: Path) -> None:
    rows = recorded(
        """
        n = [0]
        def handler(*_):
            n[0] += 1
            event("signal %d" % n[0])
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
        number = 0
        while n[0] < 200:
            number += 1
            event("main %d" % number)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(number, n[0])
        """,
        run,
    )
    names = [row["name"] for row in rows]
    n_signals = sum(name.startswith("signal") for name in names)
    assert n_signals >= 200
    n_main = len(names) - n_signals
    assert set(names) == {f"signal {n + 1}" for n in range(n_signals)} | {
        f"main {n + 1}" for n in range(n_main)
    }


def test_a_marker_within_an_audit_hook_does_not_recurse_and_is_not_lost(run: Path) -> None:
    result = execute(
        """
        n = 0
        def hook(event_name, args):
            global n
            if event_name == "open" and "run" in str(args[0]):
                n += 1
                event("opened")
        sys.addaudithook(hook)
        item("first").done()  # opens the log and the slot
        print(n)
        """,
        run,
    )
    n_opened = int(result.stdout)
    names = [row["name"] for row in markers(run)]
    assert sorted(names) == ["first", "first", *["opened"] * n_opened]
    assert n_opened == 2


def test_copies_of_the_module_share_one_recorder(run: Path) -> None:
    rows = recorded(
        """
        del sys.modules["diagtools.mark"]
        first = mark
        import diagtools
        del diagtools.mark
        from diagtools import mark as second
        assert second is not first
        first.item("a")
        second.item("b")
        """,
        run,
    )
    assert [row["index"] for row in rows if row["edge"] == "begin"] == [1, 2]
    assert told(rows)[1] == ("end", "a", "ok")


# --- death ------------------------------------------------------------------------------------------------------

#: Marks in a loop and acknowledges each marker that has returned, by one byte.
MARKING = program(
    """
    number = 0
    while True:
        event("%d %s" % (number, "x" * (number * 37 % 200)))
        os.write(1, b".")
        number += 1
    """
)


def start_marking(run: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-S", "-c", MARKING]
    return subprocess.Popen(command, env=environment(run), stdout=subprocess.PIPE, bufsize=0)


def kill_after(process: subprocess.Popen[bytes], n_least: int) -> int:
    """Kills a marking process once so many markers have returned; how many had in the end?"""
    assert process.stdout
    n_returned = 0
    while n_returned < n_least:
        n_returned += len(process.stdout.read(65536) or b"")
    process.kill()
    while read := process.stdout.read(65536):
        n_returned += len(read)
    process.stdout.close()
    process.wait()
    return n_returned


def check_all_there(run: Path, n_returned: dict[int, int]) -> None:
    """All markers that had returned are in the log, and the newest slot of each process is at least as new."""
    rows, _ = markers_and_doubts(run)
    for pid, n in n_returned.items():
        numbers = [int(row["name"].split()[0]) for row in rows if row["pid"] == pid]
        assert numbers == list(range(len(numbers)))
        assert n <= len(numbers) <= n + 1
        assert newest_seq(run / f"markers.{pid}.slot") >= n


def newest_seq(path: Path) -> int:
    found = [0]
    data = path.read_bytes()
    for slot in (data[:1024], data[1024:]):
        crc, length, seq = struct.unpack_from("<I2xHQ", slot)
        if crc == zlib.crc32(slot[4 : mark.SLOT.size + length]):
            found.append(seq)
    return max(found)


def n_torn(run: Path) -> int:
    """How many lines of the log are not whole?  A tail without its end is a line here too."""
    bodies = [line.rpartition(b"\t") for line in (run / mark.LOG_NAME).read_bytes().split(b"\n") if line]
    return sum(crc != b"%08x" % zlib.crc32(body) for body, _, crc in bodies)


def test_no_marker_that_had_returned_is_lost_to_a_kill(tmp_path: Path) -> None:
    chance = random.Random(2)
    for number in range(60):
        run = tmp_path / str(number)
        run.mkdir()
        process = start_marking(run)
        n_returned = kill_after(process, chance.randrange(1, 600))
        check_all_there(run, {process.pid: n_returned})
        assert n_torn(run) <= 1  # the one that never returned


def test_no_marker_is_lost_to_the_kill_of_another_process(run: Path) -> None:
    n_returned: dict[int, int] = {}
    going = [start_marking(run) for _ in range(3)]
    for number in range(12):
        process = going.pop(0)
        n_returned[process.pid] = kill_after(process, 50 * number + 1)
        if number < 9:
            going.append(start_marking(run))
    check_all_there(run, n_returned)
    assert n_torn(run) <= len(n_returned)


def test_a_line_that_another_process_left_torn_swallows_none(run: Path) -> None:
    result = execute(
        """
        event("before")
        with open(os.path.join(os.environ["DIAGTOOLS_RUN"], "markers.log"), "ab") as log:
            log.write(b"123456\\t789\\t78")
        event("after")
        event("later")
        """,
        run,
    )
    assert result.returncode == 0
    assert (run / mark.LOG_NAME).read_bytes().count(b"\n") == 5  # with the exit
    rows, (doubt,) = markers_and_doubts(run)
    assert [row["name"] for row in rows] == ["before", "after", "later"]
    assert "1 of 5 lines" in doubt.note


# --- a program or a disk that takes our files away --------------------------------------------------------------

UNDISTURBED = """
phase("a")
for number in range(500):
    with item("b %d" % number) as b:
        b.note(n=number)
print("done", recording())
"""


@pytest.mark.parametrize("limit_bytes", [0, 1000, 2048, 5000])
def test_a_full_disk_is_not_the_programs_concern(limit_bytes: int, run: Path) -> None:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit_bytes}, {limit_bytes}))\n"
    result = execute(limit + UNDISTURBED, run)
    assert (result.stdout, result.stderr, result.returncode) == ("done True\n", "", 0)
    rows, doubts = markers_and_doubts(run)
    assert bool(doubts) == (limit_bytes > 0)
    if limit_bytes >= 2048:  # then the slot has room, and still knows the newest marker
        assert told(rows)[-1] == ("end", "a")
    assert (run / mark.LOG_NAME).stat().st_size <= limit_bytes


def test_a_disk_that_has_room_again_is_used_again(run: Path) -> None:
    result = execute(
        """
        import resource
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2100, most))
        for number in range(100):
            event("full")
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        event("room")
        """,
        run,
    )
    assert (result.stderr, result.returncode) == ("", 0)
    rows, doubts = markers_and_doubts(run)
    assert rows[-1]["name"] == "room"
    assert n_torn(run) <= 1  # none where the limit falls between two lines: their length depends on the pid
    assert any("missing" in doubt.note for doubt in doubts)


def test_a_run_folder_that_is_removed_is_not_the_programs_concern(run: Path) -> None:
    code = "event('first')\nimport shutil; shutil.rmtree(os.environ['DIAGTOOLS_RUN'])\n" + UNDISTURBED
    result = execute(code, run)
    assert (result.stdout, result.stderr, result.returncode) == ("done True\n", "", 0)
    assert not run.exists()


def test_a_run_folder_that_never_was_is_not_made(run: Path) -> None:
    run.rmdir()
    result = execute(UNDISTURBED, run)
    assert (result.stdout, result.stderr, result.returncode) == ("done True\n", "", 0)
    assert not run.exists()


def test_a_run_folder_that_is_a_file_stays_as_it_is(run: Path) -> None:
    run.rmdir()
    run.write_text("mine")
    result = execute(UNDISTURBED, run)
    assert (result.stdout, result.stderr, result.returncode) == ("done True\n", "", 0)
    assert run.read_text() == "mine"


@every_python
def test_a_program_that_closes_every_descriptor_keeps_its_own_files(python: str, run: Path) -> None:
    rows = recorded(
        """
        item("before")
        os.closerange(3, 256)
        files = [open("own %d" % n, "w+") for n in range(8)]
        for n in range(5):
            item("after %d" % n)
        for file in files:
            file.write("mine")
            file.flush()
        """,
        run,
        python,
    )
    assert [row["name"] for row in rows if row["edge"] == "end"] == [
        "before",
        *(f"after {n}" for n in range(5)),
    ]
    assert [(run.parent / f"own {n}").read_text() for n in range(8)] == ["mine"] * 8


def test_a_daemon_that_closed_all_and_lost_the_folder_goes_on(run: Path) -> None:
    code = (
        "event('first')\nimport shutil; shutil.rmtree(os.environ['DIAGTOOLS_RUN']); os.closerange(3, 256)\n"
        + UNDISTURBED
    )
    result = execute(code, run)
    assert (result.stdout, result.stderr, result.returncode) == ("done True\n", "", 0)


@every_python
def test_standard_streams_that_are_closed_stay_closed(python: str, run: Path) -> None:
    code = """
    event("first")
    def is_open(fd):
        try:
            os.fstat(fd)
        except OSError:
            return False
        return True
    open("seen", "w").write(str([is_open(fd) for fd in (0, 1, 2)]))
    """
    closing = [python, "-c", program("os.closerange(0, 3)\n" + textwrap.dedent(code))]
    assert subprocess.run(closing, env=environment(run), cwd=run.parent).returncode == 0
    assert (run.parent / "seen").read_text() in ("[False, False, False]", "[True, False, False]")
    assert [row["name"] for row in markers(run)] == ["first"]
