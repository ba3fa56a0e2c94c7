"""What is expected below a folder or with a marker is printed; what is above it fails the session."""

from __future__ import annotations

from pathlib import Path

from diagtools.pytest_plugin.normal import normal
from diagtools.pytest_plugin.options import Expected
from diagtools.read.suite_tests import suite_costs
from tests.support.suite_logs import MIB, log, whole_test
from tests.support.suites import Suite

FILES = {
    "tests/unit/test_a.py": "def test_a():\n    bytearray(64 << 20)\n",
    "tests/unit_too/test_b.py": "def test_b():\n    bytearray(300 << 20)\n",
    "tests/heavy/test_c.py": (
        "import pytest\n\n@pytest.mark.real\ndef test_c():\n    bytearray(400 << 20)\n"
        "\ndef test_d():\n    bytearray(500 << 20)\n"
    ),
}
INI = """
    markers =
        real: with a model
        never: on no test
    diag_expected_rss =
        tests/unit = {unit}
        tests/heavy/ = 2 GB
        real = 600 MiB
        never = 1 MB
"""


def test_what_is_expected_stands_beside_what_was_found(tmp_path: Path) -> None:
    done = Suite(tmp_path / "suite", FILES, INI.format(unit="200 MiB")).run("--diag")
    assert (done.status, done.n("passed")) == (0, 4), done.text
    assert [line.split()[-3:] for line in done.lines("as expected")] == [
        [name, "as", "expected"] for name in ("tests/unit:", "tests/heavy:", "real:")
    ]
    (never,) = done.lines("no test  never")
    assert never.split() == ["977", "KiB", "no", "test", "never"]


def test_what_is_above_fails_the_session(tmp_path: Path) -> None:
    done = Suite(tmp_path / "suite", FILES, INI.format(unit="40 MiB")).run("--diag")
    assert (done.status, done.n("passed")) == (1, 4), done.text
    (above,) = done.lines("ABOVE")
    assert above.endswith(
        "tests/unit: ABOVE what is expected, which fails the session, in tests/unit/test_a.py::test_a"
    )
    assert done.run.manifest.exit_status == 1


def test_a_tenth_above_is_normal(tmp_path: Path) -> None:
    costs = suite_costs(
        [log(*whole_test(1, "a.py::test_a", begin=50, peak=110), *whole_test(2, "b/c.py::test_b", peak=111))]
    )
    (tmp_path / "b").mkdir()
    expected = [Expected(name=name, size=100 * MIB) for name in (".", "b", "marked")]
    everything, below, marked = normal(expected, costs, tmp_path)
    assert (everything.highest, everything.test, everything.is_above) == (111 * MIB, "b/c.py::test_b", True)
    assert (below.highest, below.is_above) == (111 * MIB, True)
    assert (marked.highest, marked.test, marked.is_above) == (None, "", False)
    (exact,) = normal([Expected(name="b", size=101 * MIB)], costs, tmp_path)
    assert not exact.is_above
