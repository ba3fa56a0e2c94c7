"""What git would pass over, git itself being asked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from diagtools.read.corpus_walk import walk_corpus

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is asked")

TREE = (
    "a",
    "b.py",
    "sub/a",
    "sub/b.py",
    "sub/c.txt",
    "sub/deep/a",
    "sub/deep/b.py",
    "build/a",
    "build/sub/c.txt",
)


def planted(folder: Path, files: Mapping[str, str], tree: tuple[str, ...] = TREE) -> Path:
    """A git repository with these files and files of patterns."""
    root = folder / "repository"
    shutil.rmtree(root, ignore_errors=True)
    for path in tree:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("text\n")
    subprocess.run(["git", "init", "-q", "--template=", str(root)], check=True, capture_output=True)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    return root


def found(root: Path, below: str = ".") -> set[str]:
    """What our walk takes, without the files of patterns."""
    paths = {path for batch in walk_corpus(root / below) for path in batch.files["path"]}
    return {path for path in paths if not path.endswith(".gitignore")}


def taken_by_git(root: Path, tree: tuple[str, ...] = TREE) -> set[str]:
    """What git does not pass over."""
    names = "\0".join(tree).encode("utf-8", "surrogateescape")
    command = ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"]
    answer = subprocess.run(command, cwd=root, input=names, capture_output=True, check=False)
    assert answer.returncode in (0, 1), answer.stderr
    ignored = {name.decode("utf-8", "surrogateescape") for name in answer.stdout.split(b"\0") if name}
    return set(tree) - ignored


@pytest.mark.parametrize(
    "files",
    [
        {".gitignore": "*.py\n"},
        {".gitignore": "*.py\n!b.py\n"},
        {".gitignore": "build/\n!build/a\n"},
        {".gitignore": "build/*\n!build/a\n"},
        {".gitignore": "*\n!*/\n!*.py\n"},
        {".gitignore": "/a\nsub/deep\n"},
        {".gitignore": "sub/**\n!sub/c.txt\n"},
        {".gitignore": "**/deep/\n# sub\n\\#sub\n"},
        {".gitignore": "*.py\n", "sub/.gitignore": "!b.py\n"},
        {".gitignore": "sub/*.py\n", "sub/deep/.gitignore": "/b.py\n!a\n"},
        {".gitignore": "sub/\n", "sub/.gitignore": "!a\n!*\n"},
        {".gitignore": "a\n!sub/\n", "sub/.gitignore": "!deep/\n"},
        {".gitignore": "\ufeff*.py\r\na  \r\n"},
        {".gitignore": "[ab]\nc.t?t\nsub/[!x]*\n"},
        {".gitignore": "[z-a]\n[\n!\n/\n\\\n"},
        {".git/info/exclude": "*.py\nsub/deep\n", ".gitignore": "!b.py\n"},
        {".gitignore": "*.PY\n", "sub/.gitignore": "*.txt\n"},
        {".gitignore": "a/\nsub/a/\nb.py/\n"},
        {".gitignore": "*.*y*\n!sub/*b*y\n*d**p\n"},
    ],
    ids=lambda files: " ".join(repr(text) for text in files.values()),
)
def test_what_git_passes_over_is_passed_over(tmp_path: Path, files: dict[str, str]) -> None:
    root = planted(tmp_path, files)
    assert found(root) == taken_by_git(root)


PATTERNS = st.lists(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "", "!"]),
        st.sampled_from(["", "", "/", "sub/", "**/", "*/", "sub/**/"]),
        st.sampled_from(["a", "b.py", "*.py", "sub", "deep", "build", "*", "**", "c.*", "?", "[a-c]*"]),
        st.sampled_from(["", "", "/"]),
    ),
    max_size=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATTERNS, PATTERNS)
def test_any_two_nested_files_of_patterns_are_read_as_git_reads_them(
    tmp_path: Path, outer: list[str], inner: list[str]
) -> None:
    files = {".gitignore": "\n".join(outer), "sub/.gitignore": "\n".join(inner)}
    root = planted(tmp_path, files)
    assert found(root) == taken_by_git(root)


def test_a_folder_inside_a_repository_has_the_rules_above_it(tmp_path: Path) -> None:
    root = planted(tmp_path, {".gitignore": "*.py\nsub/c.txt\n", "sub/.gitignore": "!deep/b.py\n"})
    assert found(root, "sub") == {"a", "deep/a", "deep/b.py"}
    assert found(root, "sub/deep") == {"a", "b.py"}


def test_without_a_repository_what_lies_above_is_not_read(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a").write_text("x")
    assert found(tmp_path / "corpus") == {"a"}


def test_names_that_are_no_text_are_matched_byte_by_byte(tmp_path: Path) -> None:
    tree = ("odd\udcff.py", "odd\udcfe.py")
    root = planted(tmp_path, {".gitignore": "odd\udcff.*\n"}, tree)
    assert found(root) == {"odd\\xfe.py"}
    assert taken_by_git(root, tree) == {"odd\udcfe.py"}


def test_a_pattern_made_to_be_slow_is_not(tmp_path: Path) -> None:
    """Ten stars and 200 letters can be shared out in 10¹⁶ ways: the test would hang."""
    tree = ("a" * 200,)
    root = planted(tmp_path, {".gitignore": "*a" * 10 + "b\n"}, tree)
    assert found(root) == {"a" * 200}


def test_a_file_of_patterns_that_leads_out_is_not_read(tmp_path: Path) -> None:
    root = planted(tmp_path, {})
    (tmp_path / "elsewhere").write_text("*\n")
    (root / ".gitignore").symlink_to(tmp_path / "elsewhere")
    assert found(root) == set(TREE)
