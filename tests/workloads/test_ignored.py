"""Do nested .gitignore files mean here what they mean to git?"""

import subprocess
from collections.abc import Callable
from pathlib import Path

from workloads.rag.ignored import IgnoreRules

FILES = (
    "a.log",
    "keep.log",
    "top.txt",
    "sub/top.txt",
    "sub/a.log",
    "sub/deep/special.log",
    "out/keep.log",
    "out/inner/x.py",
    "sub/out/x.py",
    "name with spaces.tmp",
)
RULES = {
    ".gitignore": "*.log\n!keep.log\n/top.txt\nout/\n*.tmp\n",
    "sub/.gitignore": "!out/\n*.txt\n",
    "sub/deep/.gitignore": "!special.log\n",
    "out/.gitignore": "!keep.log\n",
}


def test_the_same_files_are_ignored_as_by_git(tree: Callable[..., Path]) -> None:
    root = tree({**dict.fromkeys(FILES, "x"), **RULES})
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    command = ["git", "-C", str(root), "ls-files", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    rules = IgnoreRules(root)
    assert {name for name in FILES if not rules.covers(name)} == set(FILES) & set(listed)


def test_without_rules_nothing_is_ignored(tree: Callable[..., Path]) -> None:
    root = tree(dict.fromkeys(FILES, "x"))
    rules = IgnoreRules(root)
    assert not any(rules.covers(name) for name in FILES)


def test_a_gitignore_above_the_root_is_not_read(tree: Callable[..., Path]) -> None:
    root = tree({".gitignore": "*\n", "inner/a.py": "x"})
    assert not IgnoreRules(root / "inner").covers("a.py")
