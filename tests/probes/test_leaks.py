"""A function called again and again in a process of its own: what is written of it, by every Python."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from diagtools.frames import LeakLog
from tests.support.interpreters import every_python
from tests.support.leak_runs import checked, program, run_probe

PROGRAM = """
    import functools, os, sys, threading, time
    kept, forks, calls = [], [], []

    def leak():
        kept.append(bytes(100))

    def clean():
        return [1] * 100

    async def wait():
        import asyncio
        await asyncio.sleep(0)
        kept.append(bytes(100))

    @functools.lru_cache(maxsize=10_000)
    def cached(key):
        return bytes(200)

    def fill():
        calls.append(None)
        if len(calls) > 300: calls.pop()
        cached(time.perf_counter_ns())

    def fails_later():
        calls.append(1)
        if len(calls) == 700:
            raise ValueError("the 700th\\tcall\\n")

    def fails():
        return [].missing

    def takes(one, two=2): pass

    def numbers():
        yield 1

    async def async_numbers():
        yield 1

    def ends(): sys.exit("enough")
    def ends_hard(): os._exit(7)
    def hangs(): time.sleep(1000)
    def slow(): time.sleep(0.1)
    def prints(): print("x" * 1000)

    def forks_and_comes_back():
        if len(forks) < 3:
            forks.append(os.fork())

    def forks_well():
        if len(forks) < 3:
            pid = os.fork()
            if not pid: os._exit(0)
            os.waitpid(pid, 0)
            forks.append(pid)

    def stays():
        if not kept:
            kept.append(threading.Thread(target=time.sleep, args=(1000,)))
            kept[0].start()

    a_number = 5

    class Holder:
        @staticmethod
        def inside(): pass
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program(tmp_path_factory.mktemp("leaks"), PROGRAM)


def _checked(name: str, place: Path, tmp_path: Path, **options: object) -> LeakLog:
    return checked(f"program:{name}", tmp_path / "run", cwd=place, **options)  # type: ignore[arg-type]


@every_python
def test_a_leak_is_in_the_counters_call_by_call(python: str, place: Path, tmp_path: Path) -> None:
    log = _checked("leak", place, tmp_path, python=python)
    assert (log.failure, log.is_ended, log.n_warm, log.n_calls) == (None, True, 200, 5600)
    assert log.readings.height == 4 * 11  # something grew: one stage more
    first, last = (log.readings[name].to_list() for name in ("n_calls", "n_blocks"))
    assert (first[0], first[-1]) == (0, 5600)
    assert 5550 <= last[-1] - last[0] <= 5700  # an object a call, and nothing of ours
    assert log.python.startswith("3.")


@every_python
def test_where_nothing_grows_three_stages_are_enough(python: str, place: Path, tmp_path: Path) -> None:
    log = _checked("clean", place, tmp_path, python=python)
    assert log.n_calls == 2800
    for name in ("c_bytes", "python_bytes", "n_blocks"):
        late = log.readings.filter(pl.col("stage") > 0)[name]
        assert late.max() - late.min() <= 4096, name  # type: ignore[operator]


@every_python
def test_an_async_function_is_awaited_in_one_loop(python: str, place: Path, tmp_path: Path) -> None:
    log = _checked("wait", place, tmp_path, python=python)
    assert (log.is_async, log.n_calls) == (True, 5600)


def test_a_cache_that_was_filling_is_cleared_in_one_stage_more(place: Path, tmp_path: Path) -> None:
    log = _checked("fill", place, tmp_path)
    rows = log.caches.filter(pl.col("cache") == "program.cached")
    assert rows["is_cleared"].to_list() == [False, False, False, True]
    assert rows["after_n"].to_list() == [600, 1400, 3000, 0]
    cleared = log.readings.filter("is_clearing")
    assert (cleared.height, log.readings.height) == (11, 44)
    assert cleared["n_blocks"].max() - cleared["n_blocks"].min() < 50  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "kind", "n_calls", "text"),
    [
        ("fails", "raised", 0, "AttributeError: 'list' object has no attribute 'missing'"),
        ("fails_later", "raised", 699, "ValueError: the 700th\tcall\n"),
        ("takes", "arguments", 0, "takes() missing 1 required positional argument: 'one'"),
        ("numbers", "generator", 0, "generator"),
        ("async_numbers", "generator", 0, "async_generator"),
        ("ends", "exited", 0, "enough"),
        ("nowhere", "missing", 0, "module 'program' has no attribute 'nowhere'"),
        ("a_number", "uncallable", 0, "int"),
    ],
)
def test_why_it_cannot_be_called_on(
    name: str, kind: str, n_calls: int, text: str, place: Path, tmp_path: Path
) -> None:
    failure = _checked(name, place, tmp_path).failure
    assert failure is not None
    assert (failure.kind, failure.n_calls, failure.text) == (kind, n_calls, text)
    if kind == "raised":
        assert failure.place.startswith(str(place / "program.py"))


def test_a_module_that_cannot_be_imported(place: Path, tmp_path: Path) -> None:
    program(place, "import not_there_at_all", "broken")
    failure = checked("broken:f", tmp_path / "run", cwd=place).failure
    assert failure is not None
    assert (failure.kind, "not_there_at_all" in failure.text) == ("import", True)


def test_what_was_written_survives_an_end_without_warning(place: Path, tmp_path: Path) -> None:
    log = _checked("ends_hard", place, tmp_path)
    assert (log.is_ended, log.failure, log.readings.height) == (False, None, 0)


def test_a_function_that_hangs_is_ended_and_says_where(place: Path, tmp_path: Path) -> None:
    done = run_probe("program:hangs", tmp_path / "run", cwd=place, timeout_s=1)
    assert done.returncode != 0
    assert "in hangs" in done.stderr


def test_a_slow_function_is_called_as_often_as_there_is_time(place: Path, tmp_path: Path) -> None:
    log = _checked("slow", place, tmp_path, budget_s=8)
    assert log.warm_is_cut
    assert log.n_calls < 100
    assert log.readings["n_calls"].max() == log.n_calls


def test_what_it_prints_fills_no_disk(place: Path, tmp_path: Path) -> None:
    done = run_probe("program:prints", tmp_path / "run", cwd=place)
    assert len(done.stdout) == 200 * 1001  # those to warm up


def test_children_that_come_back_do_not_go_on(place: Path, tmp_path: Path) -> None:
    log = _checked("forks_and_comes_back", place, tmp_path)
    assert (log.is_ended, log.n_calls, log.n_forks) == (True, 2800, 3)
    assert log.readings.height == 33


def test_children_are_counted(place: Path, tmp_path: Path) -> None:
    assert _checked("forks_well", place, tmp_path).n_forks == 3


def test_a_thread_that_stays_does_not_keep_the_check_from_ending(place: Path, tmp_path: Path) -> None:
    log = _checked("stays", place, tmp_path)
    assert log.is_ended


def test_a_function_of_a_class(place: Path, tmp_path: Path) -> None:
    assert _checked("Holder.inside", place, tmp_path).n_calls == 2800
