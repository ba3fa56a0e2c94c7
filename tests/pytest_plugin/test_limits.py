"""``limit_rss`` fails a test, a cap ends the session: it names the test and keeps the report."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from tests.support.suites import MIB, Suite

LIMITED = """
    import threading
    import pytest

    kept = []

    @pytest.mark.limit_rss("100 MB")
    def test_below():
        bytearray(64 << 20)

    @pytest.mark.limit_rss(size="60 MiB")
    def test_above():
        bytearray(64 << 20)

    @pytest.mark.limit_rss("60 MiB")
    def test_keeps():
        kept.append(bytearray(64 << 20))

    @pytest.mark.limit_rss("60 MiB")
    def test_in_a_thread():
        thread = threading.Thread(target=bytearray, args=[64 << 20])
        thread.start()
        thread.join()

    @pytest.mark.limit_rss("60 MiB")
    def test_fails_for_another_reason():
        bytearray(64 << 20)
        raise LookupError("the reason")

    @pytest.fixture
    def heavy():
        bytearray(64 << 20)

    @pytest.mark.limit_rss("60 MiB")
    def test_only_its_fixture_is_above(heavy):
        pass
"""


@pytest.mark.parametrize("is_on", [False, True], ids=["without --diag", "with --diag"])
def test_limit_rss_fails_the_tests_above_it(tmp_path: Path, is_on: bool) -> None:
    done = Suite(tmp_path / "suite", {"test_a.py": LIMITED}).run(*["--diag"] * is_on)
    assert (done.status, done.n("passed"), done.n("failed")) == (1, 2, 4), done.text
    failed = {line.split(" - ")[0] for line in done.lines("FAILED test_a.py::")}
    assert failed == {
        f"FAILED test_a.py::test_{name}"
        for name in ("above", "keeps", "in_a_thread", "fails_for_another_reason")
    }
    (said, *_) = [
        line for line in done.lines("its limit is 60 MiB") if line.endswith("test_a.py::test_keeps")
    ]
    assert re.search(r"rose by 6[34]\.\d MiB while .*, 6[34]\.\d MiB of it stayed\. Hint: ", said)
    assert said.endswith("Hint: pytest --diag-threshold '60 MiB' test_a.py::test_keeps")
    assert done.lines("LookupError: the reason")
    assert len(done.run_folders) == is_on
    if is_on:
        breaches = done.run.test_session.costs.breaches
        assert [one.breach.limit for one in breaches] == ["limit_rss"] * 3
        assert breaches[0].breach.found == pytest.approx(64 * MIB, rel=0.01)


HEAVY = """
    import time

    def test_light():
        pass

    def test_heavy():
        held = bytearray({mib} << 20)
        for _ in range(1000):
            time.sleep(0.01)

    def test_never():
        pass
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2", "--dist=load"]], ids=["one process", "two workers"])
def test_a_cap_ends_the_session_and_names_the_test(tmp_path: Path, workers: list[str]) -> None:
    suite = Suite(tmp_path / "suite", {"test_a.py": HEAVY.format(mib=400)})
    done = suite.run("--diag", "--diag-cap", "300 MiB", "--diag-html=page.html", *workers)
    assert done.status in (1, 2), done.text
    session = done.run.test_session
    (breach,) = session.costs.breaches
    assert (breach.breach.limit, breach.breach.allowed) == ("diag-cap", 300 * MIB)
    assert "test_a.py::test_heavy reached 4" in breach.breach.text
    assert breach.breach.text in done.text
    heavy = session.tests.filter(pl.col("test") == "test_a.py::test_heavy").row(0, named=True)
    assert heavy["outcome"] == "failed"
    assert heavy["demand_bytes"] == pytest.approx(400 * MIB, rel=0.01)
    assert heavy["end_s"] - heavy["begin_s"] < 10  # it sleeps for ten seconds, unless it is interrupted
    assert session.costs.killed == ()
    if not workers:
        assert "test_a.py::test_never" not in session.tests["test"].to_list()
    assert done.run.manifest.state == "finished"
    assert "test_heavy reached" in (suite.folder / "page.html").read_text()


def test_a_peak_that_nobody_could_interrupt_and_what_is_left_behind(tmp_path: Path) -> None:
    text = """
        import pytest
        kept = []

        @pytest.fixture
        def heavy():
            kept.append(b"x" * (64 << 20))

        def test_keeps(heavy):
            pass

        def test_never():
            pass
    """
    suite = Suite(tmp_path / "suite", {"test_a.py": text})
    done = suite.run("--diag-delta-cap=60 MiB")
    assert done.n("passed") == 1, done.text
    assert done.status != 0
    (breach,) = done.run.test_session.costs.breaches
    assert breach.breach.found == pytest.approx(64 * MIB, rel=0.01)
    assert "behind, above --diag-delta-cap=60 MiB: the session ends here." in breach.breach.text
    assert done.lines(breach.breach.text)
    assert done.run.test_session.tests["test"].to_list() == ["test_a.py::test_keeps"]
    calm = suite.run("--diag-delta-cap=70 MiB", "--diag-cap=2 GiB")
    assert (calm.status, calm.n("passed")) == (0, 2), calm.text
