"""Folded stacks of every tool, in each one's notation; a line without a whole count is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagtools.errors import DamagedError, DiagtoolsError, NoDataError, UsageError
from diagtools.profile import Source, Unit, View
from diagtools.read.profiles.folded import read_folded
from diagtools.read.profiles.folded_frames import place_of
from tests.support.damage import CAPTURES, cuts, flips, is_digit_for_digit, outcome


def written(folder: Path, text: str) -> Path:
    path = folder / "stacks.folded"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        ("main (app.py:12)", ("main", "app.py", 12)),
        ("<module> (/a b/app.py:1)", ("<module>", "/a b/app.py", 1)),
        ("f.<locals>.<listcomp> (app (1)/x.py:2)", ("f.<locals>.<listcomp>", "app (1)/x.py", 2)),
        ("mmap64 (libc.so.6)", ("mmap64", "libc.so.6", 0)),
        ("void f<int>(int, char) (libx.so)", ("void f<int>(int, char)", "libx.so", 0)),
        ("f (C:\\a\\b.py:3)", ("f", "C:\\a\\b.py", 3)),
        ("/lib/app.py:136 (_find_and_load)", ("_find_and_load", "/lib/app.py", 136)),
        ("<frozen importlib._bootstrap>:1176 (_load)", ("_load", "<frozen importlib._bootstrap>", 1176)),
        ("/app/x.py:main:12", ("main", "/app/x.py", 12)),
        ("<string>:<module>:1", ("<module>", "<string>", 1)),
        ("libc.so.6`malloc", ("malloc", "libc.so.6", 0)),
        ("main", ("main", "", 0)),
        ("std::vector<int>::push", ("std::vector<int>::push", "", 0)),
        (":INVALID:", (":INVALID:", "", 0)),
        ("java.lang.Thread.run_[j]", ("java.lang.Thread.run_[j]", "", 0)),
        ("a b c", ("a b c", "", 0)),
    ],
)
def test_frames(frame: str, place: tuple[str, str, int]) -> None:
    assert place_of(frame) == place


def test_stacks_of_py_spy(tmp_path: Path) -> None:
    text = "main (app.py:3) 30\nmain (app.py:3);load (io.py:7) 12\nmain (app.py:3) 1\n"
    found = read_folded(written(tmp_path, text))
    assert found.allocations.select("stack_id", "size", "n_allocations", "unit").rows() == [
        (0, 31, 31, "samples"),
        (1, 12, 12, "samples"),
    ]
    assert (found.view, found.source, found.validity) == (View.CPU, Source.FOLDED, ())


def test_threads_and_processes_of_py_spy(tmp_path: Path) -> None:
    text = (
        'process 7:"python -c a;b";thread (12);main (app.py:3) 1\nthread (0x7F): worker;main (app.py:3) 2\n'
    )
    found = read_folded(written(tmp_path, text))
    assert found.allocations.select("pid", "thread", "size").rows() == [
        (7, "12", 1),
        (None, "0x7F worker", 2),
    ]
    assert found.stacks.height == 1


AUSTIN = "# austin: 3.7.0\n# interval: 100\n# mode: {mode}\n\nP5;T0:6;/a.py:main:3 {}\nP5;T0:6 {}\n\n# duration: 9\n"


def test_times_of_austin_are_microseconds(tmp_path: Path) -> None:
    found = read_folded(written(tmp_path, AUSTIN.format(100, 7, mode="cpu")))
    assert (found.unit, found.total, found.validity) == (Unit.NS, 107_000, ())
    assert found.allocations.select("pid", "thread").row(0) == (5, "0:6")
    assert found.locations["function"].to_list() == ["main", "[no Python stack]"]


def test_memory_of_austin_is_what_grew(tmp_path: Path) -> None:
    found = read_folded(written(tmp_path, AUSTIN.format(4096, -8192, mode="memory")))
    assert (found.unit, found.view, found.total) == (Unit.BYTES, View.ALLOCATED, 4096)
    assert "1 times memory shrank, by 8192 bytes" in found.validity[0].note


def test_austin_without_its_end_is_said(tmp_path: Path) -> None:
    text = AUSTIN.format(1, 2, mode="wall").partition("\n# duration")[0]
    assert "did not write its end" in read_folded(written(tmp_path, text)).validity[0].note


def test_austin_without_its_header_is_said(tmp_path: Path) -> None:
    found = read_folded(written(tmp_path, "P5;T0:6;/a.py:main:3 9\n"))
    assert (found.unit, "header is missing" in found.validity[0].note) == (Unit.SAMPLES, True)


@pytest.mark.parametrize("mode", ["full", "", "memorz"])
def test_another_mode_of_austin_is_refused(mode: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="austin's mode"):
        read_folded(written(tmp_path, AUSTIN.format(1, 2, mode=mode)))


def test_stacks_of_fil_are_bytes_of_the_peak(tmp_path: Path) -> None:
    found = read_folded(written(tmp_path, "/a.py:3 (main);/b.py:7 (load) 1000\n/a.py:3 (main) 24\n"))
    assert (found.unit, found.view, found.total) == (Unit.BYTES, View.PEAK, 1024)
    assert found.allocations["n_allocations"].to_list() == [1, 1]


def test_the_unit_may_be_said(tmp_path: Path) -> None:
    path = written(tmp_path, "main;load 12\n")
    assert (read_folded(path, unit="bytes").unit, read_folded(path, unit="bytes").view) == (
        Unit.BYTES,
        View.ALLOCATED,
    )
    assert read_folded(path, unit=Unit.BYTES, view=View.PEAK).view is View.PEAK


@pytest.mark.parametrize(("last", "total"), [("main;b 1", 13), ("main;b", 12), ("mai", 12)])
def test_a_last_line_that_may_be_cut_is_said(last: str, total: int, tmp_path: Path) -> None:
    found = read_folded(written(tmp_path, f"main;load 12\n{last}"))
    assert (found.total, "last line does not end" in found.validity[0].note) == (total, True)


@pytest.mark.parametrize("line", ["a;b 1 2", "a;b -3", "a;b 1.5", "a;b +3"])
def test_differences_and_fractions_are_refused_with_what_to_do(line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read_folded(written(tmp_path, f"{line}\n{line}\n"))
    assert "diagtools compare BEFORE AFTER" in (refused.value.hint or "")


def test_counts_of_an_unknown_tool_are_taken_as_samples_and_that_is_said(tmp_path: Path) -> None:
    guessed = read_folded(written(tmp_path, "a;b 2\n"))
    assert "taken as samples; --unit bytes" in guessed.validity[0].note
    assert read_folded(written(tmp_path, "a;b 2\n"), unit=Unit.BYTES).validity == ()
    own = read_folded(written(tmp_path, "# diagtools: bytes leaked\na;b 2\n"))
    assert (own.unit, own.view, own.validity) == (Unit.BYTES, View.LEAKED, ())


def test_a_number_before_some_counts_is_said(tmp_path: Path) -> None:
    assert "1 of 2 lines" in read_folded(written(tmp_path, "a;b 1 2\na;c 4\n")).validity[0].note


@pytest.mark.parametrize(
    "text",
    [
        "main;load\nmain 1\n",
        "main;load 12\0\n",
        "main;load 12\x0bmain 3\n",
        "main;load 99999999999999999999\n",
        f"main {2**62}\nload {2**62}\n",
        "12\n" + "a;" * 30_000 + "a 1\n",
        "import os\n",
    ],
)
def test_what_cannot_be_right_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(DiagtoolsError):
        read_folded(written(tmp_path, text))


def test_a_line_that_became_a_comment_is_not_lost(tmp_path: Path) -> None:
    assert read_folded(written(tmp_path, "#main;load 12\nmain 1\n")).total == 13


def test_a_file_of_comments_has_no_data(tmp_path: Path) -> None:
    with pytest.raises(NoDataError):
        read_folded(written(tmp_path, "# a comment\n\n"))


def test_a_name_of_odd_bytes_is_kept_and_said(tmp_path: Path) -> None:
    path = tmp_path / "stacks.folded"
    path.write_bytes(b"caf\xe9 5\nmain 2\n")
    assert (read_folded(path).total, "not UTF-8" in read_folded(path).validity[0].note) == (7, True)


def counts_of(path: Path) -> int:
    counts = [line.split()[-1] for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return sum(int(count) for count in counts if not count.startswith("-"))


@pytest.mark.parametrize(
    ("name", "scale"),
    [("py-spy.folded", 1), ("austin.folded", 1000), ("austin-memory.folded", 1), ("fil.folded", 1)],
)
def test_files_of_the_tools_themselves(name: str, scale: int, tmp_path: Path) -> None:
    """Cut between two lines, or with a digit or an end of line changed, the format says nothing twice."""
    data, path = (CAPTURES / name).read_bytes(), tmp_path / name
    whole = read_folded(CAPTURES / name)
    assert whole.total == counts_of(CAPTURES / name) * scale
    for cut in cuts(data):
        result = outcome(read_folded, path, cut, whole)
        assert cut.endswith(b"\n") or not result.startswith("WRONG")
    for bit, flipped in flips(data, n=150):
        may_pass = is_digit_for_digit(data, bit) or data[bit // 8] == ord("\n")
        assert may_pass or not outcome(read_folded, path, flipped, whole).startswith("WRONG"), bit


def test_a_megabyte_of_one_frame_is_read(tmp_path: Path) -> None:
    assert read_folded(written(tmp_path, "(" * 1_000_000 + " 3\n")).total == 3
    assert read_folded(written(tmp_path, ":" * 1_000_000 + ") 3\n")).total == 3
    with pytest.raises(DamagedError, match="deeper"):
        read_folded(written(tmp_path, ";".join("ab" * 30_000) + " 3\n"))
