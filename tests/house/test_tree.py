"""No file that git keeps names one machine, or the place packages come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lint_notebooks import MACHINE_PATH

PACKAGE_INDEX = re.compile(
    r"https?://[^\s\"'<>)]*?(?:pypi|pythonhosted|/simple\b|conda\.anaconda|npmjs|debian)[^\s\"'<>)]*"
)
MADE_UP_PATHS = {"tests"}  # where a path of a machine is an example: what is redacted, what does not exist


def text_of(path: Path) -> str:
    """The text of a file; nothing for a binary one."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_file_names_a_path_of_one_machine(repository: Path, kept_files: list[Path]) -> None:
    found = [
        f"{path}: {hit}"
        for path in kept_files
        if path.parts[0] not in MADE_UP_PATHS
        for hit in sorted(set(MACHINE_PATH.findall(text_of(repository / path))))
    ]
    assert found == []


def test_no_file_names_a_package_index(repository: Path, kept_files: list[Path]) -> None:
    found = [
        f"{path}: {hit}" for path in kept_files for hit in PACKAGE_INDEX.findall(text_of(repository / path))
    ]
    assert [hit for hit in found if not hit.startswith("tests/house/test_tree.py")] == []


@pytest.mark.parametrize(
    "said", ["/home/ada/runs", "see /tmp/run-7", '"C:\\\\Users"', "cd /work/x", "(/root/.cache)"]
)
def test_a_path_of_one_machine_is_recognised(said: str) -> None:
    assert MACHINE_PATH.search(said)


@pytest.mark.parametrize(
    "said", ["/proc/self/statm", "runs/home/x", "./tmp/x", "a/work/b", "https://x.org/home/y", "/tmp"]
)
def test_any_other_path_is_not(said: str) -> None:
    assert not MACHINE_PATH.search(said)


@pytest.mark.parametrize(
    "said",
    ["https://pypi.org/simple/", "http://mirror.example/simple/polars", "https://files.pythonhosted.org/x"],
)
def test_a_package_index_is_recognised(said: str) -> None:
    assert PACKAGE_INDEX.search(said)


@pytest.mark.parametrize(
    "said", ["https://vega.github.io/schema/vega-lite/v6.json", "https://example.org/simplest"]
)
def test_any_other_address_is_not(said: str) -> None:
    assert not PACKAGE_INDEX.search(said)
