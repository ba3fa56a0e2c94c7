"""What a test session writes down while it runs: one event a line of ``tests.<pid>.jsonl``.

Times are CLOCK_MONOTONIC in nanoseconds, sizes bytes.  A line is the fields of its event as JSON, with ``kind``.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The file of one process that runs tests.
FILE_GLOB = "tests.*.jsonl"
FORMAT = 1
#: What memray wrote of a test that ran once more.
CAPTURE_GLOB = "tests.*.memray"
#: The one process of a session without workers.
MAIN = "main"
CONFTEST, MODULE, COLLECTION = "conftest", "module", "collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessBegun:
    """A process that runs tests is there; ``is_exact``: are peaks those of each span alone?"""

    format: int
    pid: int
    worker: str
    t_ns: int
    rss: int
    is_exact: bool
    python: str
    pytest: str
    is_traced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TestBegun:
    """A test begins; ``line`` is where it is defined, counted from 1, 0 where that is not known.

    ``markers`` are the names of those that it has, with commas between them.
    """

    __test__ = False  # no test of pytest's

    number: int
    test: str
    file: str
    line: int
    markers: str
    t_ns: int
    rss: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a process held from one moment to another; ``peak`` is the most between them."""

    begin_ns: int
    end_ns: int
    begin_rss: int
    end_rss: int
    peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEnded(Measured):
    """A phase of a test is over; ``outcome`` is passed, failed or skipped, ``traced`` tracemalloc's peak or null."""

    number: int
    phase: str
    outcome: str
    traced: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestEnded(Measured):
    """A test is over, and what was made for it alone is gone."""

    __test__ = False

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FixtureMade(Measured):
    """A fixture was set up for the test in flight, the ``fixture_number``-th of this process."""

    fixture_number: int
    fixture: str
    scope: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FixtureGone(Measured):
    """The same was torn down."""

    fixture_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLoaded(Measured):
    """A conftest or a test module was imported; ``what`` may be ``collection``: all files together."""

    what: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A test, or its process, passed a limit; ``text`` says all of it."""

    number: int
    limit: str
    allowed: int
    found: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A test ran once more, and memray watched one ``phase`` of it: what that wrote is in the file ``capture``."""

    number: int
    phase: str
    capture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something about the figures of this process that whoever reads them is to know."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnded:
    """A process that ran tests came to its end; where this is missing, it was killed."""

    t_ns: int
    rss: int


Event = (
    ProcessBegun
    | TestBegun
    | PhaseEnded
    | TestEnded
    | FixtureMade
    | FixtureGone
    | FileLoaded
    | Breach
    | Repeated
    | Remark
    | ProcessEnded
)
EVENTS: dict[str, type[Event]] = {
    "process": ProcessBegun,
    "test": TestBegun,
    "phase": PhaseEnded,
    "test end": TestEnded,
    "fixture": FixtureMade,
    "fixture end": FixtureGone,
    "file": FileLoaded,
    "breach": Breach,
    "repeat": Repeated,
    "remark": Remark,
    "end": ProcessEnded,
}
