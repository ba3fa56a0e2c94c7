"""What is written wrongly is one clear error before the first test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.suites import Done, Suite

ONE = {"test_a.py": "def test_one():\n    open('it_ran', 'w')\n", "unit/test_b.py": "def test_b(): pass\n"}


def refused(done: Done) -> list[str]:
    """The lines of a session that did not begin, after ``ERROR:``."""
    assert done.status == 4, done.text
    assert "Traceback" not in done.text
    assert not (done.folder / "it_ran").exists()
    assert done.run_folders == []
    return (
        done.text.partition("ERROR: ")[2].partition("\n\n")[0].strip().splitlines()
    )  # then what was buffered


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    ini = """
        diag_expected_rss =
            unit = 12O MB
            nowhere = 120 MB
            no_such_marker = 120 MB
            unit
            = 3 MB
            slow = 100 MB
        markers = slow(reason): takes long
    """
    words = ["--diag", "--diag-cap=200 BM", "--diag-delta-cap=-3", "--diag-threshold=1e999 MB"]
    said = refused(Suite(tmp_path / "suite", ONE, ini).run(*words))
    starts = [
        "--diag-cap: The size '200 BM' has an unknown unit.",
        "--diag-delta-cap: The size '-3' has no unit.",
        "--diag-threshold: '1e999 MB' is not a size.",
        "diag_expected_rss, unit: '12O MB' is not a size.",
        "diag_expected_rss: 'nowhere' is no path",
        "diag_expected_rss: 'no_such_marker' is no path",
        "diag_expected_rss: 'unit' has no '='",
        "diag_expected_rss: '= 3 MB' has no '='",
    ]
    for start in starts:
        (line,) = [line for line in said if line.startswith(start)]
        assert "Hint: " in line
    assert len(said) == len(starts), said


@pytest.mark.parametrize(
    ("ini", "env", "start"),
    [
        ("diag_threshold = 5 elephants", {}, "diag_threshold: The size '5 elephants' has an unknown unit."),
        ("diag_threshold = 5 MB", {"DIAGTOOLS_THRESHOLD": "much"}, "DIAGTOOLS_THRESHOLD: 'much'"),
    ],
    ids=["ini", "variable"],
)
def test_a_threshold_in_the_ini_or_the_environment(
    tmp_path: Path, ini: str, env: dict[str, str], start: str
) -> None:
    (said,) = refused(Suite(tmp_path / "suite", ONE, ini).run(env=env))
    assert said.startswith(start)


def test_a_marker_is_read_before_the_first_test(tmp_path: Path) -> None:
    text = """
        import pytest

        @pytest.mark.limit_rss("200 BM")
        def test_size(): open("it_ran", "w")

        @pytest.mark.limit_rss
        def test_none(): pass

        @pytest.mark.limit_rss(200)
        def test_number(): pass

        @pytest.mark.limit_rss("1 MB", size="2 MB")
        def test_two(): pass

        @pytest.mark.limit_rss(most="2 MB")
        def test_other_name(): pass
    """
    suite = Suite(tmp_path / "suite", {"test_a.py": text})
    said = refused(suite.run())
    assert [line.split(":")[2] for line in said] == [
        "test_size",
        "test_none",
        "test_number",
        "test_two",
        "test_other_name",
    ]
    assert all("Hint: " in line for line in said)
    by_workers = suite.run("-n", "2")
    assert (by_workers.status, by_workers.n("passed"), by_workers.n("error")) == (1, 0, 1), by_workers.text
    assert all(line in by_workers.text for line in said)
    assert not (suite.folder / "it_ran").exists()


def test_the_markers_and_options_are_told(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "suite", ONE)
    markers = suite.run("--markers", "--strict-markers").text
    assert "@pytest.mark.limit_rss(size): " in markers
    assert "@pytest.mark.no_leak: " in markers
    told = suite.run("--help").text
    for option in ("--diag ", "--diag-dir=DIR", "--diag-trace", "--diag-threshold=SIZE", "--diag-cap=SIZE"):
        assert option in told
    for option in (
        "--diag-delta-cap=SIZE",
        "--diag-html=[FILE]",
        "--diag-suggest",
        "diag_expected_rss (linelist)",
    ):
        assert option in told


def test_the_plugin_can_be_left_out(tmp_path: Path) -> None:
    done = Suite(tmp_path / "suite", ONE).run("-p", "no:diagtools", "-p", "no:diagtools.pytest_plugin")
    assert (done.status, done.n("passed")) == (0, 2), done.text


def test_a_page_overwrites_nothing_and_a_path_stays_with_its_option(tmp_path: Path) -> None:
    """Pytest takes a path that stands apart for one of tests: another root folder, another ini."""
    suite = Suite(tmp_path / "suite", ONE)
    said = refused(suite.run("-q", "--diag-html", "test_a.py"))
    assert said[0].endswith("Hint: --diag-html=test_a.py")
    assert refused(suite.run("--diag-html=test_a.py"))[0].endswith("Hint: --diag-html=report.html")
    assert refused(suite.run("--diag-dir", "unit"))[0].endswith("Hint: --diag-dir=unit")
    (suite.folder / "notes.html").write_text("mine")
    assert refused(suite.run("--diag-html=notes.html"))[0].endswith("Hint: name another one.")
    assert (suite.folder / "notes.html").read_text() == "mine"
    assert (suite.folder / "test_a.py").read_text() == ONE["test_a.py"]
