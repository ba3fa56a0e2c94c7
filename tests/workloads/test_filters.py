"""Does the faulty filter leave out only what the incident's did, and the mend what nobody wrote?"""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.rag.corpus import walk_folder
from workloads.rag.filters import Reason, is_generated_name, select, shape_of

HAND_WRITTEN = "def add(left, right):\n    return left + right\n" * 20
MINIFIED = "var a=1;" * 1_000


def reasons(root: Path, *, exclude_generated: bool) -> dict[str, Reason]:
    chosen = select(walk_folder(root).files, root, exclude_generated=exclude_generated)
    return {out.file.relative: out.reason for out in chosen.excluded}


def test_the_faulty_filter_leaves_out_dependencies_declarations_and_tests_only(
    tree: Callable[..., Path],
) -> None:
    root = tree(
        {
            "src/a.py": HAND_WRITTEN,
            "dist/app.min.js": MINIFIED,
            "node_modules/x/index.js": "x",
            "types.d.ts": "x",
            "a.test.js": "x",
            "b.spec.ts": "x",
            "__tests__/c.js": "x",
            "tests/test_d.py": "x",
            "logo.png": b"\x89PNG\0",
        }
    )
    assert reasons(root, exclude_generated=False) == {
        "node_modules/x/index.js": Reason.NODE_MODULES,
        "types.d.ts": Reason.DECLARATIONS,
        "a.test.js": Reason.TESTS,
        "b.spec.ts": Reason.TESTS,
        "__tests__/c.js": Reason.TESTS,
        "logo.png": Reason.NOT_SOURCE,
    }


def test_the_mend_goes_by_shape_name_and_size_and_never_by_folder(tree: Callable[..., Path]) -> None:
    root = tree(
        {
            "dist/written.py": HAND_WRITTEN,
            "build/notes.md": HAND_WRITTEN,
            "src/one_line.js": MINIFIED,
            "src/index.073326ef5d98db5e.js": HAND_WRITTEN,
            "src/large.py": HAND_WRITTEN * 1_200,
            "yarn.lock": HAND_WRITTEN,
        }
    )
    assert reasons(root, exclude_generated=True) == {
        "src/index.073326ef5d98db5e.js": Reason.GENERATED_NAME,
        "src/large.py": Reason.GENERATED_SIZE,
        "src/one_line.js": Reason.GENERATED_SHAPE,
        "yarn.lock": Reason.GENERATED_NAME,
    }


def test_a_build_folder_is_noted_beside_what_is_left_out(tree: Callable[..., Path]) -> None:
    root = tree({"pkg/dist/app.js": MINIFIED, "src/app.js": MINIFIED})
    chosen = select(walk_folder(root).files, root, exclude_generated=True)
    assert [out.build_folders for out in chosen.excluded] == [("dist",), ()]


@pytest.mark.parametrize(
    ("name", "generated"),
    [
        ("app.min.js", True),
        ("app.js.map", True),
        ("package-lock.json", True),
        ("1014.073326ef5d98db5e.js", True),
        ("main-1a2b3c4d.chunk.css", True),
        ("app.js", False),
        ("report-20240131.js", False),  # a date
        ("1a2b3c4d5e6f_add_user.py", False),  # a migration
        ("module.deadbeef.py", False),  # no bundler writes Python
        ("minutes.md", False),
    ],
)
def test_names_that_only_tools_give(name: str, generated: bool) -> None:
    assert is_generated_name(name) is generated


@pytest.mark.parametrize(
    ("text", "generated"),
    [
        (("x" * 199 + "\n") * 3, True),  # mean line 200
        (("x" * 198 + "\n") * 3, False),
        ("x " * 2_500 + "\n" * 100, True),  # longest line 5,000
        ("x " * 2_490 + "\n" * 100, False),
        ("x" * 1_000 + "\n" * 50, True),  # longest 1,000, white space 4.8 %
        ("x" * 1_000 + "\n" * 80, False),  # white space 7.4 %
        ("", False),
    ],
)
def test_shapes_at_the_edges_of_the_rule(text: str, generated: bool) -> None:
    assert shape_of(text).is_generated is generated


def test_shape_of_a_known_text() -> None:
    shape = shape_of("ab\ncdef\n")
    assert (shape.n_lines, shape.mean_line, shape.longest_line, shape.white_share) == (2, 4.0, 4, 0.25)


@given(st.text())
def test_shape_is_total(text: str) -> None:
    shape = shape_of(text)
    assert shape.n_lines >= 1
    assert 0 <= shape.white_share <= 1
    assert shape.longest_line <= len(text)


def test_what_cannot_be_read_is_left_for_the_indexer_to_report(tree: Callable[..., Path]) -> None:
    root = tree({"a.py": HAND_WRITTEN})
    files = walk_folder(root).files
    files[0].path.unlink()
    assert select(files, root, exclude_generated=True).selected == files
