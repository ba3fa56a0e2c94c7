"""``tests.<pid>.jsonl``: what is whole is read; what is torn, changed or hostile is left out and counted."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import DamagedError
from diagtools.read.suite_log import parse_suite_log, read_suite_logs
from diagtools.values.suite import EVENTS, FileLoaded, FixtureGone, PhaseEnded, ProcessEnded, TestBegun
from tests.support.damage import cuts, flips
from tests.support.suite_logs import MIB, MS, begun_test, ended, line, measured, process, whole_test

LINES = [
    process(),
    line("file", what="module", path="test_a.py", **measured(1000, 1050, 40, 50, 52)),
    *whole_test(1, "test_a.py::test_a", peak=114),
    line("fixture end", fixture_number=1, **measured(1200, 1201, 60, 50, 60)),
    ended(),
]
WHOLE = b"".join(LINES)


def test_every_line_is_its_event() -> None:
    log = parse_suite_log(WHOLE)
    assert log is not None
    assert (log.begun.pid, log.begun.worker, log.begun.rss, log.n_damaged) == (7, "main", 40 * MIB, 0)
    file, test, setup, call = log.events[:4]
    assert isinstance(file, FileLoaded)
    assert (file.path, file.begin_ns, file.peak) == ("test_a.py", 1000 * MS, 52 * MIB)
    assert isinstance(test, TestBegun)
    assert (test.number, test.test, test.line, test.t_ns) == (1, "test_a.py::test_a", 3, 1100 * MS)
    assert isinstance(setup, PhaseEnded)
    assert isinstance(call, PhaseEnded)
    assert (call.phase, call.outcome, call.traced, call.peak) == ("call", "passed", None, 114 * MIB)
    assert isinstance(log.events[-2], FixtureGone)
    assert isinstance(log.events[-1], ProcessEnded)


def test_a_file_that_was_cut_gives_its_whole_lines() -> None:
    for cut in cuts(WHOLE):
        log = parse_suite_log(cut)
        whole = cut.count(b"\n") + (cut.endswith(b"}"))  # only the newline is missing
        if log is None:
            assert whole == 0
        else:
            assert len(log.events) + 1 == whole
            assert log.n_damaged == (not cut.endswith((b"\n", b"}")))


def test_a_flipped_bit_costs_at_most_two_lines() -> None:
    told = [asdict(event) for event in parse_suite_log(WHOLE).events]
    for bit, data in flips(WHOLE, first=len(LINES[0])):
        log = parse_suite_log(data)
        assert log is not None
        found = [asdict(event) for event in log.events]
        assert len(found) + 1 + log.n_damaged in (len(LINES) - 1, len(LINES), len(LINES) + 1), bit
        assert sum(event in told for event in found) >= len(told) - 2, bit


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(LINES)), max_size=12))
def test_anything_gives_a_log_or_none(parts: list[bytes]) -> None:
    log = parse_suite_log(b"".join(parts))
    assert log is None or log.n_damaged >= 0


BEGUN = json.loads(begun_test(2, "a.py::b"))


@pytest.mark.parametrize(
    "changed",
    [
        {"number": True},
        {"number": 1.0},
        {"number": "1"},
        {"number": None},
        {"number": 2**62},
        {"number": -(2**70)},
        {"test": 7},
        {"test": None},
        {"test": "x" * 5000},
        {"test": ["a"]},
        {"kind": "other"},
        {"kind": ["test"]},
        {"kind": None},
        {"more": 1},
        {"rss": float("nan")},
    ],
    ids=str,
)
def test_a_line_of_another_shape_is_left_out(changed: dict[str, object]) -> None:
    wrong = json.dumps({**BEGUN, **changed}).encode() + b"\n"
    log = parse_suite_log(process() + wrong + ended())
    assert log is not None
    assert (len(log.events), log.n_damaged) == (1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        b"[" * 100_000,
        b'{"kind": "end", "t_ns": ' + b"9" * 10_000 + b', "rss": 1}',
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"\0" * 100,
        json.dumps({name: value for name, value in BEGUN.items() if name != "rss"}).encode(),
    ],
    ids=["nested", "long number", "no UTF-8", "list", "null", "text", "zeros", "field missing"],
)
def test_a_line_that_is_none_is_left_out(wrong: bytes) -> None:
    log = parse_suite_log(process() + wrong + b"\n" + ended())
    assert log is not None
    assert (len(log.events), log.n_damaged) == (1, 1)


def test_half_of_a_surrogate_pair_can_be_written_into_a_table() -> None:
    """A name of a file need not be UTF-8."""
    log = parse_suite_log(process() + begun_test(1, "a\udcff.py::test_\ud800"))
    assert log is not None
    (begun,) = log.events
    assert isinstance(begun, TestBegun)
    assert begun.test.encode() == b"a\\udcff.py::test_\\ud800"


@pytest.mark.parametrize("first", [b"", b"\n\n", ended(), LINES[1]], ids=["empty", "blank", "end", "file"])
def test_without_its_process_there_is_no_log(first: bytes) -> None:
    assert parse_suite_log(first + b"".join(LINES) * bool(first.strip())) is None


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(DamagedError, match="format 2, this version reads 1") as caught:
        parse_suite_log(process(format=2))
    assert "Hint: " in str(caught.value)


# --- folders ---------------------------------------------------------------------------------------------------


def test_the_processes_of_a_run_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    assert read_suite_logs(tmp_path) == []
    for pid, t_ms in ((9, 1000), (10, 3000), (11, 2000)):
        (tmp_path / f"tests.{pid}.jsonl").write_bytes(process(pid=pid, t_ms=t_ms))
    (tmp_path / "tests.12.jsonl").write_bytes(b"nothing of ours")
    assert [log.begun.pid for log in read_suite_logs(tmp_path)] == [9, 11, 10]


@pytest.mark.parametrize("kind", ["link out", "link to nothing", "fifo", "folder", "loop"])
def test_what_is_no_file_of_the_folder_is_refused(tmp_path: Path, kind: str) -> None:
    folder, secret = tmp_path / "run", tmp_path / "secret"
    folder.mkdir()
    secret.write_bytes(WHOLE)
    path = folder / "tests.7.jsonl"
    match kind:
        case "link out":
            path.symlink_to(secret)
        case "link to nothing":
            path.symlink_to(tmp_path / "absent")
        case "fifo":
            os.mkfifo(path)  # would block whoever opens it
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
    with pytest.raises(DamagedError):
        read_suite_logs(folder)


def test_every_kind_of_event_has_its_own_name() -> None:
    assert len(set(EVENTS.values())) == len(EVENTS)
