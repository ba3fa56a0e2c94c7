"""Logs of test sessions written by hand, a line at a time; sizes in MiB, times in milliseconds of the clock."""

from __future__ import annotations

import json

from diagtools.read.suite_log import SuiteLog, parse_suite_log
from diagtools.values.suite import FORMAT

MIB = 2**20
MS = 1_000_000


def line(kind: str, **said: object) -> bytes:
    """One line, as the journal has them."""
    return json.dumps({"kind": kind, **said}).encode() + b"\n"


def process(*, pid: int = 7, worker: str = "main", t_ms: int = 1000, rss: int = 40, **other: object) -> bytes:
    """The first line of a process."""
    said = {"format": FORMAT, "is_exact": True, "python": "3.11.7", "pytest": "9.0", "is_traced": False}
    return line(
        "process", **{**said, "pid": pid, "worker": worker, "t_ns": t_ms * MS, "rss": rss * MIB, **other}
    )


def measured(begin_ms: int, end_ms: int, begin: int, end: int, peak: int) -> dict[str, object]:
    """What every measured span has."""
    return {
        "begin_ns": begin_ms * MS,
        "end_ns": end_ms * MS,
        "begin_rss": begin * MIB,
        "end_rss": end * MIB,
        "peak": peak * MIB,
    }


def begun_test(number: int, test: str, *, t_ms: int = 1100, rss: int = 50, markers: str = "") -> bytes:
    """A test begins."""
    file = test.split("::", maxsplit=1)[0]
    return line(
        "test", number=number, test=test, file=file, line=3, markers=markers, t_ns=t_ms * MS, rss=rss * MIB
    )


def phase(
    number: int,
    name: str,
    *,
    outcome: str = "passed",
    traced: int | None = None,
    span: dict[str, object] | None = None,
) -> bytes:
    """A phase of it is over."""
    span = span or measured(1100, 1110, 50, 50, 50)
    return line("phase", number=number, phase=name, outcome=outcome, traced=traced, **span)


def whole_test(
    number: int,
    test: str,
    *,
    begin: int = 50,
    peak: int = 60,
    end: int = 50,
    outcome: str = "passed",
    markers: str = "",
) -> list[bytes]:
    """A whole test, whose function does all of it; it takes 100 ms from 1,000 + number * 100 ms on."""
    t_ms = 1000 + number * 100
    span = measured(t_ms, t_ms + 90, begin, end, peak)
    return [
        begun_test(number, test, t_ms=t_ms, rss=begin, markers=markers),
        phase(number, "setup", span=measured(t_ms, t_ms, begin, begin, begin)),
        phase(number, "call", outcome=outcome, span=span),
        phase(number, "teardown", span=measured(t_ms + 90, t_ms + 90, end, end, end)),
        line("test end", number=number, **measured(t_ms, t_ms + 100, begin, end, peak)),
    ]


def ended(*, t_ms: int = 9000, rss: int = 50) -> bytes:
    """The process came to its end."""
    return line("end", t_ns=t_ms * MS, rss=rss * MIB)


def log(*lines: bytes, first: bytes | None = None, is_ended: bool = True) -> SuiteLog:
    """What a reader makes of them."""
    found = parse_suite_log(b"".join([first or process(), *lines, *([ended()] if is_ended else [])]))
    assert found is not None
    return found
