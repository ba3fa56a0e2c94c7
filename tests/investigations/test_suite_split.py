"""Do the second runs of a suite measure what is known of it, and do the lines say that?"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from diagtools.analyse.suite_split import Heavy
from diagtools.errors import UsageError
from diagtools.investigations.suite_split_advice import SuiteAdvice, advise
from diagtools.investigations.suite_split_asked import Asked
from diagtools.investigations.suite_split_lines import advice_lines
from diagtools.investigations.suite_split_runs import kept_args, named_files, without_words
from tests.support.suites import LEAN, MIB, Suite, loaded

LIGHT = "import pytest\n@pytest.mark.parametrize('n', range(12))\ndef test_n(n): pass\n"
IMPORTS = "HELD = bytearray(b'x') * (150 << 20)\ndef test_a(): pass\ndef test_b(): pass\n"
NEEDS = "def test_small(): pass\ndef test_big():\n    assert bytearray(b'x') * (200 << 20)\n"

linux = pytest.mark.skipif(sys.platform != "linux", reason="peaks are exact on Linux only")


def _asked(root: Path, *args: str, **more: object) -> Asked:
    given: dict[str, object] = {
        "folder": str(root / "runs" / "none"),
        "root": str(root),
        "cwd": str(root),
        "args": args,
        "is_module": True,
        "has_xdist": False,
        "has_coverage": False,
        "has_cache": True,
        "redirected": (),
        "uses": {},
    }
    return Asked(**{**given, **more})  # type: ignore[arg-type]


def _advice(folder: Path, files: dict[str, str], **more: object) -> SuiteAdvice:
    suite = Suite(folder, files)
    done = suite.run("--diag")
    assert done.status in {0, 1}, done.text
    return advise(_asked(folder, *loaded(), *LEAN, folder=str(done.run.path), **more))


def _heavy(name: str, path: str = "") -> Heavy:
    return Heavy(
        name=name,
        path=path or name,
        is_file="::" not in name,
        n_tests=1,
        import_kept_bytes=0,
        demand_bytes=0,
        kept_bytes=0,
    )


@linux
@pytest.mark.slow
def test_without_a_file_that_imports_much_a_worker_is_lighter_by_that(tmp_path: Path) -> None:
    advice = _advice(tmp_path, {"tests/test_a.py": IMPORTS, "tests/test_light.py": LIGHT}, has_xdist=True)

    assert [one.name for one in advice.split.heavy] == ["tests/test_a.py"]
    assert advice.light is not None
    assert advice.otherwise is not None
    assert advice.first.peak_bytes - advice.light.peak_bytes == pytest.approx(150 * MIB, rel=0.1)
    assert advice.split.predicted_bytes == pytest.approx(advice.light.peak_bytes, rel=0.1)
    assert advice.light.outcomes == (("passed", 12),)
    # each of two workers imports that file
    assert {one.worker for one in advice.otherwise.workers} == {"gw0", "gw1"}
    assert sum(one.n_tests for one in advice.otherwise.workers) == 14
    for one in advice.otherwise.workers:
        assert one.baseline_bytes > 150 * MIB
    assert advice.problems == ()
    text = "\n".join(advice_lines(advice))
    assert "Heavy: tests/test_a.py (2 tests): importing it keeps 150 MiB." in text
    assert re.search(
        r"Without tests/test_a.py a worker peaks at .* instead of .*, measured \(.* was predicted\)", text
    )
    assert "The light suite: pytest … --ignore=tests/test_a.py" in text
    assert "With -n 2 a worker peaks at" in text
    assert len(text.splitlines()) <= 15


@linux
@pytest.mark.slow
def test_without_one_test_that_needs_much_a_worker_is_lighter_by_that(tmp_path: Path) -> None:
    advice = _advice(tmp_path, {"test_b.py": NEEDS, "test_light.py": LIGHT})

    assert [one.name for one in advice.split.heavy] == ["test_b.py::test_big"]
    assert advice.light is not None
    assert advice.otherwise is None  # there is no xdist
    assert advice.first.peak_bytes - advice.light.peak_bytes == pytest.approx(200 * MIB, rel=0.1)
    assert advice.light.outcomes == (("passed", 13),)
    text = "\n".join(advice_lines(advice))
    assert "The light suite: pytest … --deselect=test_b.py::test_big" in text
    assert 'pytest -m "not heavy"' in text


@linux
@pytest.mark.slow
def test_what_two_files_import_is_no_gain_and_that_is_said(tmp_path: Path) -> None:
    use = "import shared_and_large\ndef test_it(): pass\n"
    files = {
        "shared_and_large.py": "HELD = bytearray(b'x') * (150 << 20)\n",
        "test_a.py": use,
        "test_z.py": use,
    }

    advice = _advice(tmp_path, {**files, "test_light.py": LIGHT})

    assert [one.name for one in advice.split.heavy] == ["test_a.py"]  # which is the first to import it
    text = "\n".join(advice_lines(advice))
    assert "That is not worth a split: what the heavy set imports or loads, other tests need too." in text
    assert "The light suite:" not in text


@linux
@pytest.mark.slow
def test_a_light_suite_that_fails_without_the_rest_says_so(tmp_path: Path) -> None:
    first = "import os\nHELD = bytearray(b'x') * (150 << 20)\ndef test_a(): os.environ['READY'] = '1'\n"
    after = LIGHT + "def test_last():\n    import os\n    assert os.environ['READY']\n"

    advice = _advice(tmp_path, {"test_a.py": first, "test_b.py": after})

    text = "\n".join(advice_lines(advice))
    assert (
        "Failing only in the light suite: test_b.py::test_last; the figures of that row are those of a"
        in text
    )


@linux
def test_where_nothing_is_heavy_it_runs_nothing_again_and_says_why(tmp_path: Path) -> None:
    advice = _advice(
        tmp_path, {"conftest.py": "HELD = bytearray(b'x') * (64 << 20)\n", "test_light.py": LIGHT}
    )

    assert advice.split.heavy == ()
    assert (advice.light, advice.otherwise) == (None, None)
    text = "\n".join(advice_lines(advice))
    assert "No set of at most half of the 12 tests makes a worker lighter by 25 %" in text
    assert (
        "Importing conftest.py keeps 64.1 MiB of that" in text
        or "Importing conftest.py keeps 64.0 MiB" in text
    )


def test_the_second_run_has_the_words_of_the_first_but_for_those_of_ours_and_of_xdist() -> None:
    given = [
        "tests",
        "-k",
        "one or two",
        "--diag",
        "--diag-suggest",
        "--diag-dir",
        "d",
        "--diag-cap=1GB",
        "-x",
    ]
    workers = ["-n", "4", "-n4", "--numprocesses=3", "--dist", "loadscope", "--maxprocesses=2"]

    assert kept_args([*given, *workers]) == ["tests", "-k", "one or two", "-x"]
    assert kept_args(["--diag-html", "page.html", "tests"]) == ["tests"]
    assert kept_args(["--diag-html", "-q"]) == ["-q"]
    assert kept_args(["-p", "diagtools.pytest_plugin", "--diag-trace"]) == [
        *("-p", "diagtools.pytest_plugin"),
        "--diag-trace",  # the figures of a traced process are others
    ]


def test_a_heavy_file_is_ignored_by_its_path_from_where_pytest_was_called(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    asked = _asked(tmp_path, "tests/test_a.py", "tests", "tests/test_a.py::test_x", "-q", cwd=str(tmp_path))
    below = _asked(tmp_path, cwd=str(tmp_path / "tests"))
    heavy = [_heavy("tests/test_a.py"), _heavy("tests/test_b.py::test_big")]

    assert without_words(asked, heavy) == ("--ignore=tests/test_a.py", "--deselect=tests/test_b.py::test_big")
    assert without_words(below, heavy)[0] == "--ignore=test_a.py"
    assert named_files(asked, heavy) == {"tests/test_a.py", "tests/test_a.py::test_x"}


def test_what_was_asked_goes_through_a_pipe_and_back(tmp_path: Path) -> None:
    asked = _asked(tmp_path, "-k", "ä", uses={"model": ("test_a.py::test_a",)})

    assert Asked.from_json(asked.as_json()) == asked


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"uses": 1}', '{"uses": {}, "args": [], "redirected": []}']
)
def test_anything_else_is_no_request(text: str) -> None:
    with pytest.raises(UsageError, match="no request for advice"):
        Asked.from_json(text)


@linux
def test_a_suite_that_cannot_be_run_again_gives_the_prediction_and_the_reason(tmp_path: Path) -> None:
    refuse = """
        import os, pytest
        def pytest_configure(config):
            if "DIAGTOOLS_ADVISED" in os.environ:
                pytest.exit("not twice", returncode=9)
    """

    advice = _advice(tmp_path, {"conftest.py": refuse, "test_a.py": IMPORTS, "test_light.py": LIGHT})

    text = os.linesep.join(advice_lines(advice))
    assert advice.light is None
    assert "The suite could not be run again (light): pytest ended with 9" in text
    assert ": predicted, not measured." in text
