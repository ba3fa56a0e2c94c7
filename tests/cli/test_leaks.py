"""``diagtools leaks``: text, JSON, a picture, and what it exits with."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from diagtools.cli import leak_arguments
from diagtools.cli.leaks import run
from diagtools.errors import UsageError
from tests.support.leak_runs import program

Capsys = pytest.CaptureFixture[str]

PROGRAM = """
    import time
    kept = []
    def leak(): kept.append(bytes(100))
    def clean(): return [1]
    def slow(): time.sleep(0.05)
    def takes(one): pass
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(program(tmp_path / "app", PROGRAM))


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    leak_arguments.add(parser)
    return run(parser.parse_args(words))


def test_a_leak_exits_with_1_and_names_its_line(capsys: Capsys) -> None:
    assert _run("program:leak", "--png", "leak.png") == 1
    said = capsys.readouterr().out
    assert said.startswith("program:leak leaks ")
    assert "program.py:4" in said
    assert Path("leak.png").read_bytes().startswith(b"\x89PNG")


def test_json_of_a_function_that_is_clean(capsys: Capsys) -> None:
    assert _run("program:clean", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["bytes_per_call"], told["calls"]) == ("clean", None, 3000)
    assert told["sites"] == told["holders"] == []
    assert "c_bytes" in told["counters"]


def test_what_is_inconclusive_says_so_and_exits_with_0(capsys: Capsys) -> None:
    assert _run("program:slow", "--timeout", "8") == 0
    assert "could not be judged" in capsys.readouterr().out


def test_wrong_use_is_an_error_with_a_hint() -> None:
    with pytest.raises(UsageError, match="takes arguments") as error:
        _run("program:takes")
    assert error.value.exit_status == 2
    with pytest.raises(UsageError, match="not the name of a PNG"):
        _run("program:leak", "--png", "leak.svg")


def test_the_defaults_are_those_of_the_investigation() -> None:
    from diagtools.investigations import leaks

    parser = argparse.ArgumentParser()
    leak_arguments.add(parser)
    chosen = parser.parse_args(["a:b"])
    assert (chosen.calls, chosen.timeout) == (leaks.CALLS, leaks.TIMEOUT_S)
