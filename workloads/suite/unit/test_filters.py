"""Is a file left out for the right reason, and otherwise indexed?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from workloads.rag.corpus import walk_folder
from workloads.rag.filters import is_generated_name, select, shape_of

BUNDLE = "!function(){" + "a=1;" * 2_000 + "}();"


def left_out(root: Path, *, exclude_generated: bool) -> dict[str, str]:
    """Each file that is not indexed, and the reason."""
    chosen = select(walk_folder(root).files, root, exclude_generated=exclude_generated)
    return {one.file.relative: str(one.reason) for one in chosen.excluded}


def test_a_bundle_is_indexed_unless_generated_files_are_excluded(tree: Callable[..., Path]) -> None:
    """That was the incident's trigger."""
    root = tree({"bundle.js": BUNDLE, "written.js": "let a = 1;\n" * 40})
    assert left_out(root, exclude_generated=False) == {}
    assert left_out(root, exclude_generated=True) == {"bundle.js": "generated: shape"}


def test_what_git_ignores_is_no_source(tree: Callable[..., Path]) -> None:
    """Only where generated files are excluded."""
    root = tree({".gitignore": "*.log.py\n", "a.log.py": "x = 1\n", "a.py": "x = 1\n"})
    assert left_out(root, exclude_generated=False) == {".gitignore": "not source code"}
    assert left_out(root, exclude_generated=True)["a.log.py"] == "ignored by git"


def test_tests_and_dependencies_are_never_indexed(tree: Callable[..., Path]) -> None:
    """With their own reasons."""
    root = tree({"node_modules/a/index.js": "x", "a.spec.ts": "x", "a.d.ts": "x", "a.ts": "x"})
    assert left_out(root, exclude_generated=False) == {
        "a.d.ts": "type declarations",
        "a.spec.ts": "tests",
        "node_modules/a/index.js": "node_modules",
    }


@pytest.mark.parametrize(
    ("name", "is_generated"),
    [
        ("a.min.css", True),
        ("uv.lock", True),
        ("main.1a2b3c4d.js", True),
        ("20240131.js", False),
        ("a.js", False),
    ],
)
def test_names_that_only_tools_give(name: str, is_generated: bool) -> None:
    """A date is no hash."""
    assert is_generated_name(name) is is_generated


def test_the_shape_of_a_text() -> None:
    """Three lines of 4, 0 and 8 characters, of which 3 are white."""
    shape = shape_of("a bc\n\n12345678\n")
    assert (shape.n_lines, shape.longest_line, shape.mean_line) == (3, 8, 5)
    assert shape.white_share == pytest.approx(4 / 15)


@pytest.mark.parametrize(
    ("text", "is_generated"),
    [
        (("x " * 125 + "\n") * 40, True),
        (("x " * 80 + "\n") * 40, False),
        ("x " * 2_500 + "\n" * 60, True),
        ("x" * 1_000 + "\n" * 40, True),
        ("x " * 500 + "\n" * 40, False),
    ],
    ids=[
        "long lines",
        "lines that a person writes",
        "one endless line",
        "one dense line",
        "one line of words",
    ],
)
def test_lines_that_nobody_writes(text: str, is_generated: bool) -> None:
    """On average from 200 characters on; one of 5,000; or a dense one of 1,000."""
    assert shape_of(text).is_generated is is_generated
