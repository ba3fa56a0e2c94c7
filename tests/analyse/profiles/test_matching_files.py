"""Which file of one capture is which of another?"""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.profiles.matching_files import matched_files


def _side(*files):
    """Places of (path, functions) or (path, functions, origin)."""
    rows = [
        (file[0], function, file[2] if len(file) == 3 else "own")
        for file in files
        for function in file[1].split()
    ]
    return pl.DataFrame(
        rows, schema={"path": pl.String, "function": pl.String, "origin": pl.String}, orient="row"
    )


def _pairs(before, after):
    found = matched_files(before, after)
    assert found["file_id"].is_unique().all()
    return set(found.select("path_before", "path_after").rows())


def test_equal_paths_first_then_the_longest_end_that_is_nobody_else_s():
    before = _side(("/a/x/one.py", "f"), ("/a/x/pkg/two.py", "f"), ("/a/y/pkg/two.py", "f"), ("same.py", "f"))
    after = _side(("/b/x/one.py", "f"), ("/b/x/pkg/two.py", "f"), ("/b/y/pkg/two.py", "f"), ("same.py", "f"))
    assert _pairs(before, after) == {
        ("/a/x/one.py", "/b/x/one.py"),
        ("/a/x/pkg/two.py", "/b/x/pkg/two.py"),
        ("/a/y/pkg/two.py", "/b/y/pkg/two.py"),
        ("same.py", "same.py"),
    }


def test_a_bare_name_counts_where_the_functions_are_the_same():
    assert _pairs(_side(("/a/app.py", "f g")), _side(("/b/app.py", "f g h"))) == {("/a/app.py", "/b/app.py")}
    assert _pairs(_side(("/a/tools.py", "f")), _side(("/b/tools.py", "g"))) == {
        ("/a/tools.py", None),
        (None, "/b/tools.py"),
    }
    assert (None, "/b/__init__.py") in _pairs(_side(("/a/__init__.py", "f")), _side(("/b/__init__.py", "f")))


def test_packages_are_the_same_by_their_whole_name_or_where_one_is_a_checkout():
    installed = _side(("polars/io/csv.py", "f", "third-party"))
    assert _pairs(installed, _side(("other/io/csv.py", "f", "third-party"))) == {
        ("polars/io/csv.py", None),
        (None, "other/io/csv.py"),
    }
    assert _pairs(installed, _side(("/src/polars/io/csv.py", "f"))) == {
        ("polars/io/csv.py", "/src/polars/io/csv.py")
    }
    assert len(_pairs(installed, _side(("/src/mine/io/csv.py", "f")))) == 2


def test_a_changed_cell_is_the_one_that_defines_the_same_functions():
    before = _side(("<cell 1>", "<module> train"), ("<cell 2>", "<module>"))
    after = _side(("<cell 3>", "<module> train"), ("<cell 4>", "<module>"))
    assert _pairs(before, after) == {
        ("<cell 1>", "<cell 3>"),
        ("<cell 2>", None),
        (None, "<cell 4>"),
    }


_files = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["a", "b", "pkg"]), max_size=3).map("/".join),
        st.sampled_from(["one.py", "two.py", "<cell 1>", "<cell 2>"]),
        st.sampled_from(["f", "f g", "g h"]),
        st.sampled_from(["own", "third-party"]),
    ).map(lambda file: (file[1] if file[1].startswith("<") else f"{file[0]}/{file[1]}", *file[2:])),
    max_size=6,
).map(lambda files: _side(*files))


@given(_files, _files)
def test_sides_exchanged_are_matches_exchanged(before, after):
    assert _pairs(before, after) == {(old, new) for new, old in _pairs(after, before)}


@given(_files, _files)
def test_each_file_of_either_side_is_matched_once(before, after):
    found = matched_files(before, after)
    assert sorted(found["path_before"].drop_nulls()) == sorted(before["path"].unique())
    assert sorted(found["path_after"].drop_nulls()) == sorted(after["path"].unique())


@given(_files)
def test_a_capture_matches_itself(side):
    assert all(old == new for old, new in _pairs(side, side))
