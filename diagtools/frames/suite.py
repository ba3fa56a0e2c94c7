"""The frames of test sessions.  ``worker`` is ``main``, or the name of an xdist worker."""

from __future__ import annotations

from diagtools.frames.frame import FLOAT, INT, TEXT, Frame

_MEASURED = {
    "begin_s": FLOAT,
    "end_s": FLOAT,
    "begin_rss_bytes": INT,
    "end_rss_bytes": INT,
    "kept_bytes": INT,
    "peak_bytes": INT,
    "demand_bytes": INT,
}

#: One row a test and process.  ``outcome``: passed, failed, skipped, error (a fixture failed), died (its process did).
#: ``kept_bytes``: RSS of its process at its end minus at its begin; ``peak_bytes``: the highest RSS of its process
#: while it ran, as the kernel has it; ``demand_bytes``: that minus the RSS at its begin.  ``traced_peak_bytes``: the
#: most that Python had allocated at once (``--diag-trace``).  ``children_peak_bytes``: the most that processes started
#: below it held at once, sampled, shared memory counted n times; null where there were none.
TESTS = Frame(
    "TESTS",
    {
        "test": TEXT,
        "file": TEXT,
        "line": INT,
        "pid": INT,
        "worker": TEXT,
        "outcome": TEXT,
        **_MEASURED,
        "traced_peak_bytes": INT,
        "children_peak_bytes": INT,
    },
)

#: One row a phase (setup, call, teardown) of a test; columns as of ``TESTS``.
TEST_PHASES = Frame(
    "TEST_PHASES",
    {
        "test": TEXT,
        "pid": INT,
        "worker": TEXT,
        "phase": TEXT,
        "outcome": TEXT,
        **_MEASURED,
        "traced_peak_bytes": INT,
    },
)

#: One row a making of a fixture, for ``test`` (null: for none).  ``freed_bytes``: what its own tearing down gave back;
#: null where it never was.  A value that is only returned goes with the end of its last test.
FIXTURES = Frame(
    "FIXTURES",
    {
        "fixture": TEXT,
        "scope": TEXT,
        "test": TEXT,
        "pid": INT,
        "worker": TEXT,
        **_MEASURED,
        "setup_s": FLOAT,
        "teardown_s": FLOAT,
        "freed_bytes": INT,
    },
)

#: One row an import of a conftest or test module in a process (``kind``: conftest, module, or collection: all of them).
TEST_FILES = Frame("TEST_FILES", {"path": TEXT, "kind": TEXT, "pid": INT, "worker": TEXT, **_MEASURED})
