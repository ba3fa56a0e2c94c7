"""What is a place in the code called?"""

import polars as pl
import pytest

from diagtools.analyse.profiles.places import keyed, lasting
from diagtools.errors import UsageError
from tests.analyse.profiles.made import EXEC, LOAD, MAIN, PACKAGE, READ, profile


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("/opt/venv/lib/python3.12/site-packages/polars/io/csv.py", "polars/io/csv.py"),
        (r"C:\Users\ada\venv\Lib\site-packages\polars\io\csv.py", "polars/io/csv.py"),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", "yaml/__init__.py"),
        ("/usr/lib/python3.11/json/decoder.py", "json/decoder.py"),
        ("/home/ada/.pyenv/versions/3.13.1/lib/python3.13t/json/decoder.py", "json/decoder.py"),
        ("/tmp/tmpab12_x9z/app/main.py", "<tmp>/app/main.py"),
        ("/tmp/pytest-of-ada/pytest-31/test_it0/main.py", "<tmp>/test_it0/main.py"),
        ("/private/var/folders/x1/abc/T/tmpq0w9e8r7/main.py", "<tmp>/main.py"),
        (r"C:\Users\ada\AppData\Local\Temp\tmpab12cdef\main.py", "<tmp>/main.py"),
        ("/tmp/ipykernel_812/3411203482.py", "<cell 3411203482>"),
        ("<ipython-input-7-0a1b2c3d4e5f>", "<cell 0a1b2c3d4e5f>"),
        ("/srv/app/main.py", "/srv/app/main.py"),
        ("/srv/app/temperature/main.py", "/srv/app/temperature/main.py"),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("<frozen runpy>", "<frozen runpy>"),
        ("<string>", "<string>"),
        ("", ""),
    ],
)
def test_what_lasts_of_a_path(file, wanted):
    assert pl.DataFrame({"file": [file]}).select(lasting(pl.col("file")))["file"].to_list() == [wanted]


def _keys(by, *stack):
    return keyed(profile((stack, 1)).locations, by)["key"].to_list()


def test_a_place_is_named_from_its_package_on():
    stack = (MAIN, LOAD, READ, PACKAGE, EXEC)
    assert _keys("line", *stack) == [
        "main.py:10 main",
        "data/load.py:20 load",
        "polars/io/csv.py:123 read_csv",
        "polars/__init__.py:2 <module>",
        "<frozen importlib._bootstrap_external>:900 exec_module",
    ]
    assert _keys("function", *stack)[2] == "polars/io/csv.py read_csv"
    assert _keys("module", *stack)[1:4] == ["data.load", "polars.io.csv", "polars"]
    assert _keys("package", *stack)[1:4] == ["data", "polars", "polars"]


def test_a_package_never_goes_by_the_name_of_its_first_file_alone():
    assert _keys("line", ("f", "/srv/pkg/__init__.py", 2)) == ["pkg/__init__.py:2 f"]
    assert _keys("line", ("f", "/srv/pkg/__main__.py", 2)) == ["pkg/__main__.py:2 f"]


def test_an_unknown_line_is_not_shown_as_one_and_what_has_no_file_goes_by_its_function():
    assert _keys("line", ("malloc", "", 0), ("f", "/srv/pkg/a.c", 0)) == ["malloc", "pkg/a.c f"]
    assert _keys("module", ("malloc", "", 0)) == ["malloc"]


def test_two_files_of_one_name_keep_their_paths_apart():
    found = _keys("line", ("f", r"D:\one\tools.py", 2), ("f", r"D:\two\tools.py", 2))
    assert found == ["D:/one/tools.py:2 f", "D:/two/tools.py:2 f"]


def test_places_are_lines_functions_modules_or_packages():
    with pytest.raises(UsageError, match="'file'"):
        keyed(profile(([MAIN], 1)).locations, "file")
