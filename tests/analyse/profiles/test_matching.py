"""Which line of one capture is which of another?"""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diagtools.analyse.profiles.matching import matched, places_of
from tests.analyse.profiles.made import FEW, SITE, profile


def _lines(*lines, file="/srv/app/main.py", function="f"):
    return profile(*(([(function, file, line)], 1) for line in lines))


def _pairs(before, after):
    return set(matched([before], [after]).select("line_before", "line_after").rows())


def test_lines_that_stayed():
    assert _pairs(_lines(10, 12), _lines(10, 12)) == {(10, 10), (12, 12)}


def test_an_edit_above_moves_a_whole_function():
    assert _pairs(_lines(10, 12, 15, 30), _lines(13, 15, 18, 33)) == {(10, 13), (12, 15), (15, 18), (30, 33)}
    assert _pairs(_lines(10, 12, 15), _lines(13, 18, 40, 41)) == {
        (10, 13),
        (12, None),
        (15, 18),
        (None, 40),
        (None, 41),
    }


def test_each_function_has_its_own_move():
    before = profile(([("f", "/srv/a.py", 10)], 1), ([("g", "/srv/a.py", 20)], 1))
    after = profile(([("f", "/srv/a.py", 10)], 1), ([("g", "/srv/a.py", 25)], 1))
    assert _pairs(before, after) == {(10, 10), (20, 25)}


def test_a_line_that_stayed_wins_over_one_that_would_have_moved():
    assert _pairs(_lines(12), _lines(10, 12)) == {(12, 12), (None, 10)}


def test_what_no_move_matches_is_matched_by_its_place():
    assert _pairs(_lines(10, 12, 20), _lines(10, 12, 23)) == {(10, 10), (12, 12), (20, 23)}
    assert _pairs(_lines(10, 20, 30), _lines(20, 30, 40)) == {(10, 20), (20, 30), (30, 40)}


def test_an_unknown_line_is_only_itself():
    assert _pairs(_lines(0, 10), _lines(0, 15)) == {(0, 0), (10, 15)}
    assert _pairs(_lines(0), _lines(10)) == {(0, None), (None, 10)}


def test_other_folders_other_pythons_and_other_systems():
    before = profile(
        (
            [
                ("f", f"{SITE}/polars/io/csv.py", 5),
                ("g", "/tmp/tmpab12cd34/job/main.py", 6),
                ("h", "/usr/lib/python3.11/json/decoder.py", 7),
                ("i", "/tmp/ipykernel_11/4711.py", 8),
                ("j", "/home/ada/app/core/run.py", 9),
            ],
            1,
        )
    )
    after = profile(
        (
            [
                ("f", r"C:\venv\Lib\site-packages\polars\io\csv.py", 5),
                ("g", "/tmp/tmpzz99yy88/job/main.py", 6),
                ("h", "/opt/python/lib/python3.13/json/decoder.py", 7),
                ("i", "/tmp/ipykernel_99/4711.py", 8),
                ("j", r"D:\work\app\core\run.py", 9),
            ],
            1,
        )
    )
    assert _pairs(before, after) == {(line, line) for line in range(5, 10)}


def test_locations_find_their_place():
    before, after = _lines(10, 12), _lines(13, 15)
    matches = matched([before], [after])
    old, new = places_of(before.locations, matches, "before"), places_of(after.locations, matches, "after")
    assert old["place_id"].to_list() == new["place_id"].to_list()


def _nameless(*lines):
    return _lines(*lines, function="")


def test_lines_without_functions_move_below_an_edit_only():
    assert _pairs(_nameless(2, 6), _nameless(2, 10)) == {(2, 2), (6, 10)}
    above, below = (2, 3, 6, 10), (14, 18, 21)
    found = _pairs(_nameless(*above, *below), _nameless(*above, 12, *(line + 4 for line in below)))
    assert found == {*((line, line) for line in above), *((line, line + 4) for line in below), (None, 12)}


def test_files_without_functions_keep_their_unknown_lines():
    assert _pairs(_nameless(0, 10), _nameless(0, 15)) == {(0, 0), (10, 15)}
    assert _pairs(_nameless(0), _nameless(10)) == {(0, None), (None, 10)}


_some_lines = st.lists(st.integers(0, 30), max_size=6, unique=True)


@settings(max_examples=FEW)
@given(_some_lines, _some_lines)
def test_sides_exchanged_are_matches_exchanged(old, new):
    for made in (_lines, _nameless):
        before, after = made(*old), made(*new)
        assert _pairs(before, after) == {(left, right) for right, left in _pairs(after, before)}


@settings(max_examples=FEW)
@given(_some_lines, _some_lines)
def test_each_line_of_either_side_stands_once(old, new):
    for made in (_lines, _nameless):
        found = matched([made(*old)], [made(*new)])
        assert sorted(found["line_before"].drop_nulls()) == sorted(old)
        assert sorted(found["line_after"].drop_nulls()) == sorted(new)


@settings(max_examples=FEW)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=12, unique=True), st.integers(-400, 400))
def test_a_moved_function_is_found_line_by_line(lines, move):
    assume(min(lines) + move > 0)
    moved = [line + move for line in lines]
    assert _pairs(_lines(*lines), _lines(*moved)) == set(zip(lines, moved, strict=True))


@given(_some_lines)
def test_a_capture_matches_itself(lines):
    for made in (_lines, _nameless):
        assert all(old == new for old, new in _pairs(made(*lines), made(*lines)))
