"""Every line is there, at the time at which its file had grown past it, and a huge log stays bounded."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given

from diagtools import frames
from diagtools.read.logs import Logs, read_logs


def growth(*rows: tuple[float, str, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=frames.OUTPUT_GROWTH.columns, orient="row")


def read(stdout: bytes | None, output: pl.DataFrame | None = None, *, max_bytes: int = 1000) -> Logs:
    with tempfile.TemporaryDirectory() as name:
        if stdout is not None:
            (Path(name) / "stdout.log").write_bytes(stdout)
        return read_logs(Path(name), growth() if output is None else output, max_bytes=max_bytes)


def lines(logs: Logs) -> list[str]:
    return logs.frame["line"].to_list()


def test_a_line_has_the_time_at_which_its_file_had_grown_past_it() -> None:
    output = growth((0.1, "stdout", 4), (0.2, "stdout", 9), (0.15, "stderr", 100))
    found = read(b"one\ntwo\nthree\nfour\n", output)
    assert found.frame.rows() == [
        (0.1, None, "stdout", "one"),
        (0.2, None, "stdout", "two"),
        (None, None, "stdout", "three"),
        (None, None, "stdout", "four"),
    ]


def test_the_first_time_counts_at_which_a_file_was_so_long() -> None:
    """A log that was emptied and grew again."""
    output = growth((0.1, "stdout", 4), (0.2, "stdout", 0), (0.3, "stdout", 4))
    assert read(b"one\n", output).frame["t_s"].to_list() == [0.1]


def test_both_streams_are_in_order_of_time_and_what_has_none_comes_last(tmp_path: Path) -> None:
    (tmp_path / "stdout.log").write_bytes(b"a\nc\nz\n")
    (tmp_path / "stderr.log").write_bytes(b"b\n")
    output = growth((0.1, "stdout", 2), (0.2, "stderr", 2), (0.3, "stdout", 4))
    found = read_logs(tmp_path, output)
    assert found.frame["line"].to_list() == ["a", "b", "c", "z"]
    assert found.frame["stream"].to_list() == ["stdout", "stderr", "stdout", "stdout"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"last line without an end", ["last line without an end"]),
        (b"windows\r\nline\r\n", ["windows", "line"]),
        (b"\r10 %\r20 %\r100 %\ndone\n", ["100 %", "done"]),
        (b"10 %\r20 %\r", ["20 %"]),
        (b"caf\xc3\xa9 \xff\n", ["café �"]),
        (b"a\n\nb", ["a", "", "b"]),
    ],
)
def test_lines_are_what_a_terminal_showed_last(written: bytes, shown: list[str]) -> None:
    assert lines(read(written)) == shown


def test_no_logs_are_an_empty_frame() -> None:
    found = read(None)
    assert found.frame.schema == pl.Schema(frames.LOGS.columns)
    assert (found.frame.height, found.validity) == (0, ())


def test_of_a_long_log_the_end_is_read_and_the_rest_is_told() -> None:
    written = b"".join(b"line %02d\n" % n for n in range(10))
    found = read(written, growth((0.5, "stdout", 72), (0.9, "stdout", 80)), max_bytes=20)
    assert found.frame.rows() == [(0.5, None, "stdout", "line 08"), (0.9, None, "stdout", "line 09")]
    assert [str(v) for v in found.validity] == [
        "stdout.log: truncated (the first 64 B of 80 B were not read)"
    ]


def test_of_a_long_line_the_end_is_read() -> None:
    found = read(b"x" * 50 + b"end", max_bytes=10)
    assert lines(found) == ["xxxxxxxend"]
    assert "the first 43 B of 53 B" in str(found.validity[0])


def test_a_long_line_is_not_read_from_the_middle_of_a_word_on() -> None:
    """It may be half a secret, whose name was left out."""
    found = read(b"password=hunter2Sesame next words", growth((0.5, "stdout", 33)), max_bytes=17)
    assert found.frame.rows() == [(0.5, None, "stdout", "next words")]
    assert "the first 23 B of 33 B" in str(found.validity[0])


def test_a_log_of_line_ends_alone_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diagtools.read.logs._MAX_LINES", 5)
    found = read(b"\n" * 100)
    assert lines(found) == [""] * 5
    assert "the first 95 B of 100 B" in str(found.validity[0])


@pytest.mark.timeout(60)
def test_of_a_huge_log_with_nothing_in_it_only_the_end_is_read(tmp_path: Path) -> None:
    with (tmp_path / "stdout.log").open("wb") as log:
        log.truncate(20 << 30)
    (line,) = lines(read_logs(tmp_path, growth(), max_bytes=1000))
    assert line == "\0" * 1000


def test_a_log_that_is_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret\n")
    (folder / "stdout.log").symlink_to(tmp_path / "secret")
    (folder / "stderr.log").write_bytes(b"mine\n")
    found = read_logs(folder, growth())
    assert lines(found) == ["mine"]
    assert "link that leads out" in str(found.validity[0])


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)), st.integers(1, 60)
)
def test_what_is_read_is_the_end_of_what_was_written(texts: list[str], max_bytes: int) -> None:
    written = "".join(text + "\n" for text in texts).encode()
    found = lines(read(written, max_bytes=max_bytes))
    whole = [text for text in found if "�" not in text]
    assert found == texts[len(texts) - len(found) :] or len(found) == 1
    assert len(written) > max_bytes or found == texts
    assert set(whole) <= set(texts) or len(found) == 1
