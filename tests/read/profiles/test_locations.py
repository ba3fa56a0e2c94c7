"""Whose code a place is follows from its path, on whatever machine it was recorded."""

from __future__ import annotations

import pytest

from diagtools import frames
from diagtools.read.profiles.call_tree import NO_STACK, CallTree
from diagtools.read.profiles.locations import located

SITE = "/venv/lib/python3.12/site-packages"
LIB = "/usr/lib/python3.12"


def found(*files: str) -> list[tuple[str, str, str, str]]:
    tree = CallTree()
    for file in files:
        tree.add([("f", file, 1)])
    columns = ["module", "package", "origin", "role"]
    return frames.LOCATIONS.check(located(tree.places())).select(columns).rows()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (f"{SITE}/polars/io/csv/functions.py", ("polars.io.csv.functions", "polars", "third-party", "")),
        (f"{SITE}/polars/__init__.py", ("polars", "polars", "third-party", "")),
        ("/usr/lib/python3/dist-packages/yaml/nodes.py", ("yaml.nodes", "yaml", "third-party", "")),
        (r"C:\env\Lib\site-packages\polars\io.py", ("polars.io", "polars", "third-party", "")),
        (f"{LIB}/json/decoder.py", ("json.decoder", "json", "standard library", "")),
        (r"C:\Python312\Lib\json\decoder.py", ("json.decoder", "json", "standard library", "")),
        (
            "<frozen importlib._bootstrap>",
            ("importlib._bootstrap", "importlib", "standard library", "import"),
        ),
        ("<frozen runpy>", ("runpy", "runpy", "standard library", "runner")),
        ("<frozen os>", ("os", "os", "standard library", "")),
        ("<frozen app>", ("app", "app", "own", "")),
        ("<string>", ("<string>", "<string>", "own", "")),
        ("<diagtools>", ("<diagtools>", "<diagtools>", "own", "runner")),
        ("cell run", ("cell run", "cell run", "own", "")),
        (f"{LIB}/importlib/__init__.py", ("importlib", "importlib", "standard library", "import")),
        (f"{SITE}/_pytest/python.py", ("_pytest.python", "_pytest", "third-party", "runner")),
        (f"{SITE}/pytest_mock/plugin.py", ("pytest_mock.plugin", "pytest_mock", "third-party", "")),
        (f"{SITE}/memray/commands/run.py", ("memray.commands.run", "memray", "third-party", "runner")),
        (
            f"{SITE}/numpy/_core/_umath.cpython-312-x86_64-linux-gnu.so",
            ("numpy._core._umath", "numpy", "native", ""),
        ),
        ("/usr/lib/x86_64-linux-gnu/libarrow.so.1900", ("libarrow", "libarrow", "native", "")),
        ("numpy/_core/src/alloc.c", ("alloc.c", "numpy", "native", "")),
        ("Objects/obmalloc.c", ("obmalloc.c", "CPython", "interpreter", "")),
        ("/opt/lib/libpython3.12.so.1.0", ("libpython3.12.so.1.0", "CPython", "interpreter", "")),
        (NO_STACK[1], ("", "", "unknown", "")),
    ],
)
def test_a_path_tells_module_package_and_origin(file: str, expected: tuple[str, str, str, str]) -> None:
    assert found(file) == [expected]


def test_own_modules_are_named_below_the_folder_that_all_of_them_share() -> None:
    files = [
        "/home/me/shop/run.py",
        "/home/me/shop/app/index.py",
        "/home/me/shop/app/__init__.py",
        f"{LIB}/json/x.py",
    ]
    assert [row[0] for row in found(*files)] == ["run", "app.index", "app", "json.x"]


def test_one_own_file_is_named_by_itself() -> None:
    assert found("/home/me/shop/run.py") == [("run", "run", "own", "")]


def test_a_library_under_work_elsewhere_does_not_lengthen_names() -> None:
    files = ["/home/me/shop/run.py", "/home/me/shop/app/index.py", "/srv/work/lib/tool.py", "/run.py"]
    assert [row[0] for row in found(*files)] == ["run", "app.index", "tool", "run"]
