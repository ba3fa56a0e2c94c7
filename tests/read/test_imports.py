"""Logs of imports are read as far as they are whole, and what is not is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagtools.errors import NoDataError
from diagtools.read.imports import read_imports

LINES = [
    b"start\t1000\t10\t8192\t4096\t100\t7\t3.11.7\vpython -c x",
    b"step\t1001\t11\t8192\t4096\t\t7\timport a",
    b"edge\t1002\t11\t8192\t4096\t\t7\t\v<statement>\v1\v<module>\va\vx,y\v0\v",
    b"begin\t1003\t12\t8192\t4096\t\t7\ta\\tb\\\\",
    b"end\t1004\t13\t16384\t8192\t\t7\t",
    b"stop\t1005\t14\t16384\t4096\t160\t7\tLookupError",
    b"module\t1006\t14\t16384\t4096\t\t7\ta\v/src/a.py",
]


def write(folder: Path, lines: list[bytes], pid: int = 100) -> Path:
    (folder / f"imports.{pid}.log").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def test_a_whole_log(tmp_path: Path) -> None:
    (log,) = read_imports(write(tmp_path, LINES))
    assert (log.pid, log.python, log.error, log.n_faults, log.is_whole) == (
        100,
        "3.11.7",
        "LookupError",
        60,
        True,
    )
    assert log.command == "python -c x"
    assert log.events["kind"].to_list() == ["start", "step", "begin", "end", "stop"]
    assert log.events["anon_bytes"].to_list() == [4096, 4096, 4096, 8192, 12288]
    assert log.events["name"][2] == "a\tb\\"
    assert log.calls.row(0) == ("", "<statement>", 1, "<module>", "a", ["x", "y"], 0, "")
    assert (log.files, log.validity) == ({"a": "/src/a.py"}, ())


def test_a_process_that_executed_another_program_has_two(tmp_path: Path) -> None:
    first, second = read_imports(
        write(tmp_path, [*LINES[:4], b"start\t2000\t1\t1\t1\t1\t7\t3.13.0", *LINES[4:]])
    )
    assert (first.python, first.is_whole, second.python, second.is_whole) == ("3.11.7", False, "3.13.0", True)
    assert "it has no end" in first.validity[0].note


def test_processes_are_in_order_of_their_start(tmp_path: Path) -> None:
    write(tmp_path, [LINES[0].replace(b"1000", b"3000")], pid=5)
    assert [log.pid for log in read_imports(write(tmp_path, LINES))] == [100, 5]


def test_without_a_log_there_is_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="recorded its imports"):
        read_imports(tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        b"begin\t1\t2",
        b"begin\tx\t12\t8192\t4096\t\t7\ta",
        b"wrong\t1003\t12\t8192\t4096\t\t7\ta",
        b"begin\t-1\t12\t8192\t4096\t\t7\ta",
        b"begin\t99999999999999999999\t12\t8192\t4096\t\t7\ta",
        b"\0\0\0",
    ],
)
def test_a_damaged_line_is_left_out_and_said(bad: bytes, tmp_path: Path) -> None:
    (log,) = read_imports(write(tmp_path, [*LINES[:3], bad, *LINES[3:]]))
    assert log.events.height == 5
    assert log.validity[0].note == "1 lines of imports.100.log damaged and left out"


@given(data=st.binary(max_size=300), cut=st.integers(0, 400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_without_a_crash(data: bytes, cut: int, tmp_path: Path) -> None:
    whole = b"".join(line + b"\n" for line in LINES)
    (tmp_path / "imports.100.log").write_bytes(whole[:cut] + data + whole[cut:])
    try:
        logs = read_imports(tmp_path)
    except NoDataError:
        return
    assert all(log.events.height >= 1 for log in logs)
