"""Is a file of a model made once, and found whole ever after?"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from diagtools.errors import DamagedError, UsageError
from diagtools.pytest_plugin.models.kept import VARIABLE, kept_file

WEIGHTS = hashlib.sha256(b"weights").hexdigest()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return []


def writes(made: list[Path], content: bytes = b"weights") -> Callable[[Path], None]:
    def make(path: Path) -> None:
        made.append(path)
        path.write_bytes(content)

    return make


def test_a_file_is_made_once_and_then_found(made: list[Path]) -> None:
    paths = {kept_file("a.onnx", make=writes(made), sha256=WEIGHTS) for _ in range(3)}
    (path,) = paths
    assert (path.name, path.read_bytes(), len(made)) == ("a.onnx", b"weights", 1)


def test_a_damaged_file_is_made_again(made: list[Path]) -> None:
    for kind in ({"sha256": WEIGHTS}, {"version": "1/../2"}):
        made.clear()
        path = kept_file("a.onnx", make=writes(made), **kind)
        path.write_bytes(b"weight")
        assert kept_file("a.onnx", make=writes(made), **kind).read_bytes() == b"weights"
        assert len(made) == 2


def test_another_version_is_another_file_within_the_folder(made: list[Path], tmp_path: Path) -> None:
    one, other = (kept_file("a", make=writes(made), version=version) for version in ("1", "../../2"))
    assert one != other
    assert other.resolve().is_relative_to(tmp_path)


def test_what_is_made_with_another_hash_is_not_kept(made: list[Path]) -> None:
    with pytest.raises(DamagedError, match=r"made with sha256 \w{12}, wanted is \w{12}\. Hint:"):
        kept_file("a", make=writes(made, b"other"), sha256=WEIGHTS)
    assert kept_file("a", make=writes(made), sha256=WEIGHTS).read_bytes() == b"weights"


def test_what_failed_half_way_leaves_nothing(made: list[Path]) -> None:
    def breaks(path: Path) -> None:
        path.write_bytes(b"weig")
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        kept_file("a", make=breaks, version="1")
    assert kept_file("a", make=writes(made), version="1").read_bytes() == b"weights"


@pytest.mark.parametrize("declared", [{}, {"sha256": WEIGHTS, "version": "1"}])
def test_a_hash_or_a_version_is_needed(made: list[Path], declared: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="needs a sha256 or a version"):
        kept_file("a", make=writes(made), **declared)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/b", "", ".", ".."])
def test_a_path_is_no_name(made: list[Path], name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a file"):
        kept_file(name, make=writes(made), version="1")
    assert made == []


def test_processes_at_once_make_it_once(made: list[Path], tmp_path: Path) -> None:
    code = """
import sys, time
from diagtools.pytest_plugin.models.kept import kept_file
def make(path):
    open(sys.argv[1], "a").write("made\\n")
    time.sleep(0.2)
    path.write_bytes(b"weights")
print(kept_file("a", make=make, version="1").read_bytes())
"""
    command = [sys.executable, "-c", code, str(tmp_path / "log")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {process.communicate()[0] for process in both} == {"b'weights'\n"}
    assert (tmp_path / "log").read_text() == "made\n"
