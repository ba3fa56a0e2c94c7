"""What did the program say, above all at its end?"""

import pytest

from diagtools import redact
from diagtools.analyse.logs import exception_name, final_exceptions, last_lines, last_warnings, lines_near

TRACEBACK = [
    (1.0, "Traceback (most recent call last):"),
    (1.0, '  File "a.py", line 3, in f'),
    (1.0, "    x = y"),
]


def test_the_last_lines_are_in_order_of_time_across_streams(build):
    logs = build.logs(
        (3.0, "err late"), (4.0, "err last"), (1.0, "out early", "stdout"), (3.5, "out mid", "stdout")
    )
    assert last_lines(logs, 3) == ["err late", "out mid", "err last"]
    assert last_lines(logs, 3, before_s=3.5) == ["out early", "err late", "out mid"]


def test_blank_lines_do_not_count_and_none_are_none(build):
    assert last_lines(build.logs((1.0, "a"), (2.0, "  "), (3.0, "")), 2) == ["a"]
    assert last_lines(build.logs()) == []
    assert last_lines(build.logs((1.0, "a")), 0) == []


def test_last_lines_hold_no_secrets(build):
    logs = build.logs((1.0, "password=hunter22 user=joe"), (2.0, "reading /home/joe/x.py"))
    assert last_lines(logs) == ["password=[redacted] user=joe", "reading ~/x.py"]


def test_the_text_of_a_key_that_began_before_the_last_lines_is_hidden(build):
    key = ["-----BEGIN PRIVATE KEY-----", *["MIIEvQIBADANBgkqhkiG"] * 20, "-----END PRIVATE KEY-----"]
    logs = build.logs(*((1.0, line) for line in [*key, "done"]))
    assert last_lines(logs, 3) == ["[redacted]", "done"]
    assert last_lines(build.logs(*((1.0, line) for line in key[:-1])), 3) == ["[redacted]"]


def test_a_long_line_is_cut_after_it_was_redacted(build):
    (line,) = last_lines(build.logs((1.0, "token=" + "x" * 490 + " " + "y" * 600)))
    assert len(line) == 500
    assert line.startswith("token=[redacted] yyy")
    assert line.endswith("…")


@pytest.mark.parametrize("unit", ["name=value ", "\0"])
@pytest.mark.timeout(60)
def test_of_a_line_as_long_as_its_log_only_the_begin_is_redacted(build, monkeypatch, unit):
    looked_at = []
    redacted = redact._redact
    monkeypatch.setattr(
        redact, "_redact", lambda text, **how: looked_at.append(len(text)) or redacted(text, **how)
    )
    logs = build.logs((1.0, "ERROR " + unit * ((32 << 20) // len(unit))))
    (line,) = last_lines(logs)
    assert len(line) == 500
    assert last_warnings(logs)["line"].to_list() == lines_near(logs, 1.0) == [line]
    assert max(looked_at) < 100_000


def test_a_key_that_begins_at_the_end_of_a_long_line_is_hidden(build):
    logs = build.logs((1.0, "x" * 50_000 + "-----BEGIN PRIVATE KEY-----"), (1.0, "MIIEvQIBADANBgkqhkiG"))
    assert last_lines(logs) == ["x" * 499 + "…"]


def test_lines_near_are_the_closest(build):
    logs = build.logs((1.0, "far"), (5.0, "a"), (5.4, "b"), (5.9, "c"), (9.0, "far too"))
    assert lines_near(logs, 5.5, n=2) == ["b", "c"]
    assert lines_near(logs, 5.5) == ["a", "b", "c"]
    assert lines_near(logs, 7.0, within_s=0.5) == []


def test_the_last_warnings_are_those_that_say_so(build):
    logs = build.logs(
        (1.0, "WARNING first"),
        (2.0, "Function 'k' too large [warning]"),
        (3.0, "all is well"),
        (4.0, "no terrors here"),
    )
    assert last_warnings(logs)["line"].to_list() == ["Function 'k' too large [warning]"]
    assert last_warnings(logs, 5)["t_s"].to_list() == [1.0, 2.0]
    assert last_warnings(build.logs((1.0, "ERROR token=abc")))["line"].to_list() == ["ERROR token=[redacted]"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("MemoryError", "MemoryError"),
        ("MemoryError: no", "MemoryError"),
        ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8 GiB", "_ArrayMemoryError"),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        ("ERROR: it failed", None),
        ("  MemoryError", None),
        ("MemoryError was overcome", None),
        ("done.", None),
        ("http://x", None),
    ],
)
def test_the_name_of_an_exception_stands_at_the_begin_of_its_line(line, name):
    assert exception_name(line) == name


def test_the_exception_that_ended_it_comes_last_after_its_causes(build):
    logs = build.logs(
        *TRACEBACK,
        (1.0, "KeyError: 'old'"),
        (2.0, "retrying"),
        *TRACEBACK,
        (2.0, "MemoryError"),
        (2.0, ""),
        (2.0, "During handling of the above exception, another exception occurred:"),
        *TRACEBACK,
        (2.0, "app.EmbedError: no"),
    )
    ordered = logs.with_columns(t_s=2.0)
    assert final_exceptions(ordered) == ["MemoryError", "app.EmbedError: no"]


def test_an_exception_that_was_overcome_ended_nothing(build):
    logs = build.logs(*TRACEBACK, (1.0, "MemoryError"), *((2.0, f"line {i}") for i in range(12)))
    assert final_exceptions(logs) == []


def test_without_a_traceback_a_name_is_just_a_word(build):
    assert final_exceptions(build.logs((1.0, "MemoryError: 12 so far"))) == []
