"""``no_leak``: a test that leaks fails, one that keeps a bounded amount or nothing passes, whatever pytest keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.suites import Suite

MARKED = """
    import functools
    import logging
    import warnings

    import pytest

    leaked = []
    log = logging.getLogger(__name__)
    pytestmark = pytest.mark.no_leak

    @functools.lru_cache(maxsize=64)
    def cached(number):
        return bytearray(100)

    numbers = iter(range(10**9))

    @pytest.fixture
    def thing():
        return {"size": 100}

    def test_leaks(thing):
        leaked.append(bytearray(thing["size"]))

    def test_clean(thing):
        bytearray(thing["size"])

    @pytest.mark.parametrize("size", [100])
    def test_bounded(size):
        cached(next(numbers))

    def test_logs_and_warns():
        log.warning("a record of %s", "text" * 10)
        warnings.warn("a warning", UserWarning)

    class TestClass:
        def test_method(self, thing):
            str(thing)

    once = []

    def test_only_once():
        assert not once
        once.append(1)

    def test_fails_at_once():
        raise LookupError("at once")

    @pytest.mark.skip(reason="not run")
    def test_skipped():
        raise AssertionError
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a session of marked tests printed; under ``--diag``, where a page and figures come with it."""
    suite = Suite(tmp_path_factory.mktemp("no_leak") / "suite", {"test_a.py": MARKED})
    done = suite.run("--diag", "-rfsp")
    assert (done.status, done.n("passed"), done.n("failed"), done.n("skipped")) == (1, 4, 3, 1), done.text
    assert done.run.test_session.tests.height == 8
    return done.text


def lines(text: str, start: str) -> list[str]:
    """The lines that begin so."""
    return [line for line in text.splitlines() if line.startswith(start)]


def test_a_leak_fails_and_says_how_much_a_call(text: str) -> None:
    assert lines(text, "FAILED test_a.py::test_leaks")
    (said,) = lines(text, "leak: ")
    size = float(said.split()[1].replace(",", ""))
    assert 100 < size < 300  # a bytearray of 100 bytes, its object, its place in the list


@pytest.mark.parametrize(
    "name", ["test_clean", "test_bounded[100]", "test_logs_and_warns", "TestClass::test_method"]
)
def test_what_does_not_leak_passes(text: str, name: str) -> None:
    assert lines(text, f"PASSED test_a.py::{name}")


def test_one_that_cannot_be_called_again_says_so(text: str) -> None:
    assert lines(text, "FAILED test_a.py::test_only_once")
    (said,) = lines(text, "no_leak: the test passed once; called again, it raised at ")
    assert "AssertionError" in said
    assert "fixtures are not made again." in said


def test_one_that_fails_is_not_called_again(text: str) -> None:
    (said,) = lines(text, "FAILED test_a.py::test_fails_at_once")
    assert "LookupError: at once" in said


def test_a_coroutine_is_called_again_too(tmp_path: Path) -> None:
    pytest.importorskip("anyio")
    files = {
        "test_a.py": """
            import asyncio
            import pytest

            leaked = []

            @pytest.fixture
            def anyio_backend():
                return "asyncio"

            @pytest.mark.no_leak
            @pytest.mark.anyio
            async def test_leaks():
                await asyncio.sleep(0)
                leaked.append(bytearray(100))

            @pytest.mark.no_leak
            @pytest.mark.anyio
            async def test_clean():
                await asyncio.sleep(0)
        """
    }
    done = Suite(tmp_path / "suite", files).run()
    assert (done.n("passed"), done.n("failed")) == (1, 1), done.text
    assert lines(done.text, "FAILED test_a.py::test_leaks")


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["one process", "a worker"])
def test_one_that_cannot_be_checked_is_refused_before_the_first_test(
    tmp_path: Path, workers: list[str]
) -> None:
    text = """
        import unittest
        import pytest

        class TestUnit(unittest.TestCase):
            @pytest.mark.no_leak
            def test_unit(self):
                open("it_ran", "w")
    """
    done = Suite(tmp_path / "suite", {"test_a.py": text}).run(*workers)
    assert done.status == (1 if workers else 4), done.text
    (said,) = [
        line
        for line in done.text.splitlines()
        if line.removeprefix("ERROR: ").startswith("test_a.py::TestUnit::test_unit: no_leak ")
    ]
    assert "Hint: " in said
    assert not (done.folder / "it_ran").exists()
    assert "INTERNALERROR" not in done.text
