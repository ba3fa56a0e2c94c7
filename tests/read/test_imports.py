"""Logs of imports are read as far as they are whole, and what is not is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagtools.errors import NoDataError
from diagtools.read.imports import read_imports

STATM = b"9000 %d %d 500 0 700 0"
SMALL, GROWN, LAST = STATM % (2, 1), STATM % (4, 2), STATM % (4, 1)
LINES = [
    b"start\t1000\t10\t7\t3.11.7\vpython -c x\v/usr/bin/python\v4096\v100\t" + SMALL,
    b"step\t1001\t11\t7\timport a\t" + SMALL,
    b"edge\t0\t0\t0\t\v<statement>\v1\v<module>\va\vx,y\v0\v\t",
    b"begin\t1003\t12\t7\ta\\tb\\\\\t" + SMALL,
    b"end\t1004\t13\t7\t\t" + GROWN,
    b"stop\t1005\t14\t7\tLookupError\v160\t" + LAST,
    b"module\t1006\t14\t7\ta\v/src/a.py\t" + LAST,
]


START = LINES[0].replace(b"1000", b"2000")


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
    assert (log.command, log.executable) == ("python -c x", "/usr/bin/python")
    assert log.events["kind"].to_list() == ["start", "step", "begin", "end", "stop"]
    assert log.events["anon_bytes"].to_list() == [4096, 4096, 4096, 8192, 12288]
    assert log.events["name"][2] == "a\tb\\"
    assert log.calls.row(0) == ("", "<statement>", 1, "<module>", "a", ["x", "y"], 0, "")
    assert (log.files, log.validity) == ({"a": "/src/a.py"}, ())


def test_a_process_that_executed_another_program_has_two(tmp_path: Path) -> None:
    first, second = read_imports(
        write(
            tmp_path, [*LINES[:4], START.replace(b"3.11.7", b"3.13.0").replace(b"4096", b"65536"), *LINES[4:]]
        )
    )
    assert (first.python, first.is_whole, second.python, second.is_whole) == ("3.11.7", False, "3.13.0", True)
    assert "it has no end" in first.validity[0].note
    assert second.events["rss_bytes"].to_list() == [65536 * pages for pages in (2, 4, 4)]


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
        b"begin\tx\t12\t7\ta\t" + SMALL,
        b"begin\t1003\t1_2\t7\ta\t" + SMALL,
        b"wrong\t1003\t12\t7\ta\t" + SMALL,
        b"begin\t-1\t12\t7\ta\t" + SMALL,
        b"begin\t99999999999999999999\t12\t7\ta\t" + SMALL,
        b"begin\t1003\t12\t7\ta\t" + SMALL[:-1],
        b"begin\t1003\t12\t7\ta\t" + SMALL + b" 0",
        b"begin\t1003\t12\t7\ta\t" + STATM % (2**62, 1),
        b"begin\t1003\t12\t7\ta\t",
        START.replace(b"\v4096", b"\v0"),
        START.replace(b"\v4096", b""),
        START.replace(b"\v100", b"\v-1"),
        b"\0\0\0",
    ],
)
def test_a_damaged_line_is_left_out_and_said(bad: bytes, tmp_path: Path) -> None:
    (log,) = read_imports(write(tmp_path, [*LINES[:3], bad, *LINES[3:]]))
    assert log.events.height == 5
    assert log.validity[0].note == "1 lines of imports.100.log damaged and left out"


@pytest.mark.parametrize("n_lost", range(1, 1 + len(LINES[4])))
def test_a_torn_end_is_never_read_as_an_event(n_lost: int, tmp_path: Path) -> None:
    """But for its newline it is whole."""
    path = write(tmp_path, LINES[:5]) / "imports.100.log"
    path.write_bytes(path.read_bytes()[: -n_lost - 1])
    (log,) = read_imports(tmp_path)
    assert log.events["kind"].to_list() == ["start", "step", "begin"]


ASKED = b"begin\t1001\t11\t7\tsitecustomize\t" + SMALL
FAILED, ENDED = (kind + b"\t1002\t11\t7\t\t" + SMALL for kind in (b"fail", b"end"))
WITHIN = [b"begin\t1001\t11\t7\tfinder\t" + SMALL, ENDED]


def test_that_there_is_no_other_sitecustomize_is_not_told(tmp_path: Path) -> None:
    """Ours, which starts the recorder, asks for the next one; of a command there is no step."""
    (log,) = read_imports(write(tmp_path, [LINES[0], LINES[2], ASKED, FAILED, *LINES[3:]]))
    assert log.events["kind"].to_list() == ["start", "begin", "end", "stop"]
    assert log.calls.height == 1


@pytest.mark.parametrize(
    ("lines", "n_more"),
    [
        ([LINES[0], ASKED, ENDED, *LINES[3:]], 2),
        ([LINES[0], ASKED, *WITHIN, FAILED, *LINES[3:]], 4),
        ([LINES[0], LINES[1], ASKED, FAILED, *LINES[3:]], 3),
        ([LINES[0], *LINES[3:5], ASKED, FAILED, LINES[5]], 2),
        ([LINES[0], ASKED.replace(b"\tsite", b"\tuser"), FAILED, *LINES[3:]], 2),
        ([LINES[0], ASKED, FAILED.replace(b"\t7\t", b"\t8\t"), *LINES[3:]], 2),
    ],
    ids=["loaded", "asks for more", "a statement's", "later", "another module", "another thread"],
)
def test_any_other_is_told(lines: list[bytes], n_more: int, tmp_path: Path) -> None:
    (log,) = read_imports(write(tmp_path, lines))
    assert log.events.height == 4 + n_more


def test_a_log_that_ends_with_our_question_is_read(tmp_path: Path) -> None:
    (log,) = read_imports(write(tmp_path, [LINES[0], ASKED]))
    assert log.events["kind"].to_list() == ["start", "begin"]


def test_an_empty_line_says_nothing(tmp_path: Path) -> None:
    (log,) = read_imports(write(tmp_path, [line for each in LINES for line in (b"", each)]))
    assert (log.is_whole, log.validity) == (True, ())


@pytest.mark.parametrize("number", ["", "-1", "\u00b2", "9" * 30])
def test_a_statement_that_makes_no_sense_is_left_out(number: str, tmp_path: Path) -> None:
    bad = LINES[2].replace(b"\v1\v", b"\v%b\v" % number.encode())
    (log,) = read_imports(write(tmp_path, [*LINES[:2], bad, *LINES[2:]]))
    assert log.calls.height == 1


@pytest.mark.parametrize("faults", [b"", b"x", b"-1"])
def test_a_stop_that_makes_no_sense_is_no_end(faults: bytes, tmp_path: Path) -> None:
    lines = [line.replace(b"\v160", b"\v" + faults) for line in LINES]
    (log,) = read_imports(write(tmp_path, lines))
    assert (log.error, log.n_faults, log.is_whole) == ("", None, False)
    assert ["1 lines" in doubt.note for doubt in log.validity] == [True, False]


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
