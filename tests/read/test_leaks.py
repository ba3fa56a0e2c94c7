"""``leaks.log``: what is whole is read, what is not is left out and said, and what is no such log is not believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import DamagedError, DiagtoolsError, NoDataError
from diagtools.frames import LEAK_CACHES, LEAK_READINGS
from diagtools.probes import leaks as probe
from diagtools.read.leaks import read_leaks
from tests.support.damage import cuts, flips
from tests.support.leak_runs import line

START = line("start", 5_000_000_000, 42, "3.12.1", "measure", "app:handle")
WARM = line("warm", 200, 1500, 1, 0)
READINGS = [
    line("reading", 0, 0, 0, 6_000_000_000, 1000, 2000, 30, 40, 5000, 6000, 700, 1, 4),
    line("reading", 0, 1, 40, 6_500_000_000, 1100, 2000, 31, 40, -1, 6000, 700, 1, 4),
]
WHOLE = b"".join(
    [
        START,
        WARM,
        line("stage", 0, 400, 1),
        *READINGS,
        line("cache", 0, "app.cached", 3, 9, 128, 1),
        line("cache", 0, "app.all", 0, 5, -1, 0),
        line("end", 40, 2),
    ]
)


def written(folder: Path, data: bytes) -> Path:
    (folder / probe.NAME).write_bytes(data)
    return folder


def test_every_field_is_where_it_belongs(tmp_path: Path) -> None:
    log = read_leaks(written(tmp_path, WHOLE), 5_000_000_000)
    assert (log.pid, log.python, log.mode, log.target) == (42, "3.12.1", "measure", "app:handle")
    assert (log.n_warm, log.call_s, log.is_async, log.warm_is_cut) == (200, 1.5e-6, True, False)
    assert (log.n_planned, log.n_calls, log.n_forks, log.is_ended, log.validity) == (400, 40, 2, True, ())
    assert log.readings.drop("t_s").rows() == [
        (0, 0, 0, 1000, 2000, 30, 40, 5000, 6000, 700, 1, 4, True),
        (0, 1, 40, 1100, 2000, 31, 40, None, 6000, 700, 1, 4, True),
    ]
    assert log.readings["t_s"].to_list() == [1.0, 1.5]
    assert log.caches.rows() == [(0, "app.cached", 3, 9, 128, True), (0, "app.all", 0, 5, None, False)]
    assert LEAK_READINGS.check(log.readings).height == 2
    assert LEAK_CACHES.check(log.caches).height == 2


def test_lines_with_their_stacks_innermost_frame_first(tmp_path: Path) -> None:
    stack = "take\x1f/app.py\x1f12\x1emain\x1f/app.py\x1f3\x1eruns\x1f/ap"
    data = START + line("line", 22400, 200, stack) + line("line", 5, 200, "no frames")
    found = read_leaks(written(tmp_path, data)).lines
    assert found.rows() == [("take", "/app.py", 12, 22400, 200, ["main (/app.py:3)", "take (/app.py:12)"])]


def test_a_failure_with_odd_text(tmp_path: Path) -> None:
    text = line(
        "failed", 699, "raised", "/a b.py:3", "a\\\\t\\tb\\nc \udcff".encode("utf-8", "replace").decode()
    )
    failure = read_leaks(written(tmp_path, START + WARM + text)).failure
    assert failure is not None
    assert (failure.kind, failure.n_calls, failure.place) == ("raised", 699, "/a b.py:3")
    assert failure.text == "a\\t\tb\nc ?"


def test_a_process_that_was_killed_has_what_was_written_until_then(tmp_path: Path) -> None:
    log = read_leaks(written(tmp_path, START + WARM + READINGS[0] + READINGS[1][:20]))
    assert (log.is_ended, log.readings.height) == (False, 1)
    assert "1 damaged line left out" in str(log.validity[0])


def test_without_a_log_there_is_no_data(tmp_path: Path) -> None:
    with pytest.raises(NoDataError, match="no counters of calls"):
        read_leaks(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"start\n", START[:-2] + b"0\n", WARM], ids=range(5))
def test_what_does_not_begin_so_is_not_believed(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="does not begin as such a log does"):
        read_leaks(written(tmp_path, data))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "run"
    inside.mkdir()
    written(tmp_path, WHOLE)
    (inside / probe.NAME).symlink_to(tmp_path / probe.NAME)
    with pytest.raises(DamagedError, match="leads out of the folder"):
        read_leaks(inside)


def test_cut_anywhere_it_has_no_other_numbers(tmp_path: Path) -> None:
    whole = read_leaks(written(tmp_path, WHOLE))
    for data in cuts(WHOLE):
        try:
            log = read_leaks(written(tmp_path, data))
        except DiagtoolsError:
            continue
        columns = log.readings.drop("is_clearing").rows()
        assert columns == whole.readings.drop("is_clearing").rows()[: len(columns)]


def test_with_a_bit_turned_over_it_is_right_said_or_refused(tmp_path: Path) -> None:
    whole = read_leaks(written(tmp_path, WHOLE))
    for _, data in flips(WHOLE):
        try:
            log = read_leaks(written(tmp_path, data))
        except DiagtoolsError:
            continue
        same = log.readings.equals(whole.readings) and log.caches.equals(whole.caches)
        assert same or log.validity


@pytest.mark.parametrize("number", ["9" * 25, "-5", "1e3", "", "0x10", "nan"])
def test_a_number_that_is_none_makes_no_row(number: str, tmp_path: Path) -> None:
    odd = line("reading", 0, 1, number, 6_500_000_000, 1100, 2000, 31, 40, -1, 6000, 700, 1, 4)
    log = read_leaks(written(tmp_path, START + WARM + READINGS[0] + odd))
    assert log.readings.height == 1
    assert log.validity


def test_what_is_written_twice_counts_once(tmp_path: Path) -> None:
    log = read_leaks(written(tmp_path, START + WARM + READINGS[1] + READINGS[0] + READINGS[0]))
    assert log.readings["block"].to_list() == [0, 1]


def test_no_more_is_read_than_a_check_takes(tmp_path: Path) -> None:
    many = b"".join(
        line("reading", stage, 0, stage, stage, 1000, 2000, 30, 40, 5000, 6000, 700, 1, 4)
        for stage in range(2000)
    )
    assert read_leaks(written(tmp_path, START + many)).readings.height == 500


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = written(tmp_path_factory.mktemp("any"), START + data)
    assert read_leaks(folder).pid == 42
