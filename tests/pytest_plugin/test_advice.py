"""Does ``--diag-suggest`` advise, once, and without touching what the session wrote?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.run import Run
from tests.support.suites import Suite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="peaks are exact on Linux only")

IMPORTS = "HELD = bytearray(b'x') * (150 << 20)\ndef test_a(): pass\n"
LIGHT = "import pytest\n@pytest.mark.parametrize('n', range(8))\ndef test_n(n): pass\n"
FILES = {"test_a.py": IMPORTS, "test_light.py": LIGHT}


@pytest.mark.slow
def test_it_says_how_long_it_takes_and_then_what_it_measured(tmp_path: Path) -> None:
    done = Suite(tmp_path, FILES).run("--diag-suggest", "--junitxml=junit.xml", "-k", "unheard_of or test")

    assert done.status == 0, done.text
    assert done.text.index("the suite runs up to 2 times more") < done.text.index("split advice:")
    assert done.lines("Without test_a.py a worker peaks at")
    assert done.lines("With -n 2 a worker peaks at")
    assert (tmp_path / "junit.xml").read_text().count(
        "<testcase"
    ) == 9  # of the first run, which had all of them
    (folder,) = done.run_folders
    assert {path.name for path in folder.iterdir() if path.is_dir()} >= {"light", "workers"}
    assert Run.open(folder / "light").test_session.tests.height == 8
    assert not [
        path for path in folder.glob("*.json*") if "uses" in path.read_text()
    ]  # what was asked is in no file


@pytest.mark.slow
def test_a_suite_whose_ini_asks_for_advice_is_run_twice_more_and_not_for_ever(tmp_path: Path) -> None:
    done = Suite(tmp_path, FILES, ini="addopts = --diag-suggest").run(
        env={"PYTEST_ADDOPTS": "--diag-suggest -p no:xdist"}
    )

    assert done.status == 0, done.text
    assert len(done.lines("split advice:")) == 1
    assert not done.lines("With -n 2")  # without xdist there are no workers
    (folder,) = done.run_folders
    assert not list(folder.glob("light/light")) + list(folder.glob("light/workers"))


def test_a_part_of_a_suite_gets_no_advice(tmp_path: Path) -> None:
    suite = Suite(tmp_path, FILES)
    words = " ".join(suite.command("--diag-suggest", "--lf")).replace("-p no:cacheprovider ", "").split()

    done = suite.finish(suite.start_command(words))

    assert done.lines("No advice on a split: --lf makes another session of the second.")


@pytest.mark.parametrize(
    ("text", "words"),
    [("import nothing_like_this\n", []), ("def test_a(): assert 0\ndef test_b(): pass\n", ["-x"]), ("", [])],
    ids=["not collected", "stopped", "no test"],
)
def test_a_session_that_is_not_whole_gets_no_advice(text: str, words: list[str], tmp_path: Path) -> None:
    done = Suite(tmp_path, {"test_a.py": text}).run("--diag-suggest", *words)

    assert done.lines("No advice on a split: the session did not come to its end, or had no test.")


def test_without_the_option_there_is_no_advice(tmp_path: Path) -> None:
    done = Suite(tmp_path, FILES).run("--diag")

    assert "advice" not in done.text


@pytest.mark.slow
def test_a_session_that_is_recorded_from_outside_gets_no_advice(tmp_path: Path) -> None:
    suite = Suite(tmp_path, FILES)
    record = [sys.executable, "-m", "diagtools", "record", "-o", str(tmp_path / "outer"), "--"]

    done = suite.finish(suite.start_command([*record, *suite.command("--diag-suggest")]))

    assert done.lines("No advice on a split under `diagtools record`")


@pytest.mark.slow
def test_a_fixture_of_the_session_that_all_use_is_not_taken_for_that_of_its_first_test(
    tmp_path: Path,
) -> None:
    conftest = """
        import pytest
        @pytest.fixture(scope="session")
        def model():
            return bytearray(b"x") * (150 << 20)
    """
    tests = "".join(f"def test_{n}(model): pass\n" for n in range(6))

    done = Suite(tmp_path, {"conftest.py": conftest, "test_all.py": tests}).run(
        "--diag-suggest", "-p", "no:xdist"
    )

    assert done.lines("No set of at most half of the 6 tests makes a worker lighter")
