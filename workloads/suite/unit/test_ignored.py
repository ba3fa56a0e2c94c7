"""Do the rules of `.gitignore` hold as git reads them?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.ignored import IgnoreRules

RULES = {
    ".gitignore": "*.out\n/built/\n!kept.out\n",
    "deep/.gitignore": "!*.out\nlocal.py\n",
}


@pytest.mark.parametrize(
    ("path", "is_ignored"),
    [
        ("a.out", True),
        ("kept.out", False),
        ("built/kept.out", True),
        ("sub/built/a.py", False),
        ("deep/a.out", False),
        ("deep/local.py", True),
        ("local.py", False),
    ],
)
def test_the_deepest_rule_decides(tree: Callable[..., Path], path: str, is_ignored: bool) -> None:
    """But what lies in an ignored folder cannot be asked back."""
    assert IgnoreRules(tree(RULES)).covers(path) is is_ignored


def test_without_rules_nothing_is_ignored(tmp_path: Path) -> None:
    """A folder need not be a repository."""
    assert not IgnoreRules(tmp_path).covers("a/b/c.out")
