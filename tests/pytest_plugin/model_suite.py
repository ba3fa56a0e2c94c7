"""A small suite with a model, whose tests are written by each test here."""

from __future__ import annotations

from textwrap import dedent

import numpy  # noqa: F401 - pytester takes out what was first imported within it, and numpy loads once a process
import pytest

import diagtools.pytest_plugin.models.plugin  # noqa: F401 - pytester takes out what was first imported within it

MODELS = """
class Model:
    def embed(self, texts):
        return [float(len(text)) for text in texts]

class Loader:
    @classmethod
    def load(cls, name="x"):
        return Model()

    @staticmethod
    def fetch(name="x"):
        return Model()

    def read(self, name="x"):
        return Model()

class Heavy:
    def __init__(self, name="x"):
        self.name = name

def load(name="x"):
    return Model()
"""
FAKES = """
class Fake:
    def __init__(self, name="x"):
        self.name = name

def fake_load(name="x"):
    return Fake(name)

def fake_class_load(cls, name="x"):
    return Fake(cls.__name__)

def fake_read(self, name="x"):
    return Fake(type(self).__name__)
"""
MOCKS = (
    "app.models:load = tests.fakes:fake_load",
    "app.models:Loader.load = tests.fakes:fake_class_load",
    "app.models:Loader.fetch = tests.fakes:fake_load",
    "app.models:Loader.read = tests.fakes:fake_read",
    "app.models:Heavy = tests.fakes:Fake",
)


#: Tests of every kind of loader, mocked and real.
KINDS = """
import pytest
import app.models

WAYS = {
    "function": lambda: app.models.load("a"),
    "classmethod": lambda: app.models.Loader.load("a"),
    "staticmethod": lambda: app.models.Loader.fetch("a"),
    "method": lambda: app.models.Loader().read("a"),
    "class": lambda: app.models.Heavy("a"),
}

@pytest.mark.parametrize("way", WAYS)
def test_mocked(way):
    assert type(WAYS[way]()).__name__ == "Fake"

@pytest.mark.use_real_models
@pytest.mark.parametrize("way", WAYS)
def test_real(way):
    assert type(WAYS[way]()).__name__ in ("Model", "Heavy")

class TestInClass:
    @pytest.mark.parametrize("way", WAYS)
    def test_mocked(self, way):
        assert type(WAYS[way]()).__name__ == "Fake"
"""


class Suite:
    """Files of a suite under ``pytester``; every path relative to its root."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        monkeypatch.setenv("PYTHONPATH", str(pytester.path))
        monkeypatch.syspath_prepend(str(pytester.path))
        self.write("app/__init__.py", "")
        self.write("app/models.py", MODELS)
        self.write("tests/fakes.py", FAKES)
        self.ini()

    def write(self, path: str, text: str) -> None:
        """One file."""
        file = self.pytester.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")

    def ini(self, *, mocks: tuple[str, ...] = MOCKS, paths: str = "tests/unit", more: str = "") -> None:
        """What ``pytest.ini`` says; the folders of ``paths`` exist."""
        for path in paths.split():
            (self.pytester.path / path).mkdir(parents=True, exist_ok=True)
        lines = "".join(f"\n    {line}" for line in mocks)
        self.write("pytest.ini", f"[pytest]\ndiag_mocks ={lines}\ndiag_mock_paths = {paths}\n{more}\n")

    def run(self, *arguments: str) -> pytest.RunResult:
        """The suite in this process, with what it imports taken out of it again."""
        return self.pytester.runpytest_inprocess(*self._arguments(arguments))

    def run_alone(self, *arguments: str) -> pytest.RunResult:
        """The suite in a process of its own."""
        return self.pytester.runpytest_subprocess(*self._arguments(arguments))

    @staticmethod
    def _arguments(arguments: tuple[str, ...]) -> tuple[str, ...]:
        return ("-p", "no:cacheprovider", "-p", "no:nbmake", "-ra", *arguments)
