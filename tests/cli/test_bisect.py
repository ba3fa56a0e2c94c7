"""``diagtools bisect``: its arguments, and what it prints."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from diagtools.cli import bisect, experiment_arguments
from diagtools.errors import UsageError
from tests.support.releases import leaking_releases, only_here

Capsys = pytest.CaptureFixture[str]
COMMAND = ["--", sys.executable, "-c", "import madeup, time; time.sleep(0.05)"]


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))
    folder = only_here(tmp_path, monkeypatch)
    leaking_releases(folder, sizes={"1.0": 0, "1.1": 0, "1.2": 40 * 10**6})
    return folder


def chosen(*words: str) -> argparse.Namespace:
    """As the command line splits it: what stands after ``--`` is the command."""
    parser = argparse.ArgumentParser()
    experiment_arguments.bisect(parser)
    at = words.index("--") if "--" in words else len(words)
    found = parser.parse_args(words[:at])
    found.argv = [*found.argv, *words[at + 1 :]]
    return found


def test_json_names_the_first_bad_one_and_a_picture_is_drawn(capsys: Capsys, tmp_path: Path) -> None:
    picture = tmp_path / "found.png"
    asked = ["madeup", "--good", "1.0", "--bad", "1.2", "--pairs", "2", "--json", "--png", str(picture)]
    assert bisect.run(chosen(*asked, *COMMAND)) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["first"], found["metric"]) == ("found", "1.2", "peak_rss_bytes")
    assert found["findings"][0].startswith("madeup 1.2 is the first bad release")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_text_says_it_for_a_terminal(capsys: Capsys) -> None:
    asked = ["madeup", "--good", "1.0", "--bad", "1.1", "--pairs", "1", "--limit", "1GiB"]
    assert bisect.run(chosen(*asked, *COMMAND)) == 0
    assert capsys.readouterr().out.startswith("Nothing to bisect: peak RSS is ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pairs", "0", *COMMAND], "0 runs of the ends say nothing"),
        (["--metric", "nosuch", *COMMAND], "There is no metric 'nosuch'"),
        (["--limit", "2", *COMMAND], "has no unit"),
        ([], "There is no command"),
    ],
)
def test_wrong_use_is_one_line_with_a_hint(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        bisect.run(chosen("madeup", "--good", "1.0", "--bad", "1.1", *words))
    assert caught.value.hint
