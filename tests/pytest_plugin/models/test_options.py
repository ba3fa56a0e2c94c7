"""Is every mistake in the ini and the options said before the first test?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pytest_plugin.model_suite import MOCKS, Suite

USAGE_ERROR = pytest.ExitCode.USAGE_ERROR


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    made = Suite(pytester, monkeypatch)
    made.write("tests/unit/test_it.py", "def test_it():\n    pass\n")
    made.write("app/__init__.py", "raise AssertionError('imported')")
    return made


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("app.models:load", "*'app.models:load' does not name a loader and what replaces it. Hint: write *"),
        (
            "app.models.load = tests.fakes:fake_load",
            "*'app.models.load' is not the name of an object. Hint: *",
        ),
        (
            "app.models:load = tests.fakes fake_load",
            "*'tests.fakes fake_load' is not the name of an object.*",
        ),
        ("app.models:load = app.models:load", "*app.models:load would replace itself.*"),
        ("app.model:load = tests.fakes:fake_load", "*there is no module 'app.model' on the path. Hint: *"),
        ("app.models.x:load = tests.fakes:fake_load", "*there is no module 'app.models.x' on the path.*"),
        ("nowhere:load = tests.fakes:fake_load", "*there is no module 'nowhere' on the path.*"),
        (
            "app.models:laod = tests.fakes:fake_load",
            "*module 'app.models' has no 'laod'. Hint: did you mean 'load'?",
        ),
        (
            "app.models:Loader.lod = tests.fakes:fake_load",
            "*class 'Loader' of 'app.models' has no 'lod'. Hint: did you mean 'load'?",
        ),
        ("app.models:load = tests.fakes:fake", "*module 'tests.fakes' has no 'fake'. Hint: *"),
    ],
)
def test_a_line_that_does_not_resolve_ends_the_session_before_a_test(
    suite: Suite, line: str, message: str
) -> None:
    suite.ini(mocks=(line,))
    done = suite.run()
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_all_mistakes_are_said_at_once(suite: Suite) -> None:
    suite.ini(mocks=("x", MOCKS[0], MOCKS[0]), more="diag_missing_model = KeyEror")
    done = suite.run("--diag-models=rael")
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines(
        [
            "ERROR: --diag-models=rael is none of auto, mock, real. Hint: pass --diag-models=real.",
            "diag_mocks: 'x' does not name *",
            "diag_missing_model: 'KeyEror' is no built-in exception. *",
            "diag_mocks mocks app.models:load twice: *",
        ]
    )


def test_a_folder_that_is_not_there_is_named(suite: Suite) -> None:
    suite.ini()
    suite.pytester.path.joinpath("tests/unit/test_it.py").unlink()
    suite.pytester.path.joinpath("tests/unit").rmdir()
    done = suite.run()
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: diag_mock_paths: there is no folder 'tests/unit' below *. Hint: *"])


def test_folders_without_a_loader_mock_nothing_and_say_so(suite: Suite) -> None:
    suite.ini(mocks=())
    done = suite.run()
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: diag_mock_paths names folders, and diag_mocks no loader: *Hint: *"])


def test_a_good_ini_imports_neither_loader_nor_fake_to_be_checked(suite: Suite) -> None:
    suite.write("tests/fakes.py", "def fake_load(name='x'): pass\nraise AssertionError('imported')")
    suite.ini(
        mocks=("app.models:load = tests.fakes:fake_load",), more="diag_missing_model = app.models:Model"
    )
    suite.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "source",
    [
        "from json import loads as load",
        "import json as load",
        "try:\n    from nowhere import load\nexcept ImportError:\n    load = None",
        "if True:\n    def load(): pass\nelse:\n    pass",
        "load, other = 1, 2",
        "with open(__file__) as load:\n    pass",
        "for load in []:\n    pass",
        "from json import *",
        "def __getattr__(name): return 1",
        "globals()['load'] = 1",
        "async def load(): pass",
        "match 1:\n    case 1:\n        load = 1",
    ],
)
def test_a_name_that_the_source_may_bind_is_taken_for_granted(suite: Suite, source: str) -> None:
    suite.write("app/models.py", source)
    suite.ini(mocks=("app.models:load = tests.fakes:fake_load",))
    suite.run().assert_outcomes(passed=1)


@pytest.mark.parametrize("source", ["def f():\n    load = 1", "class A:\n    load = 1", "print('load')", ""])
def test_a_name_that_the_source_does_not_bind_is_an_error(suite: Suite, source: str) -> None:
    suite.write("app/models.py", source)
    suite.ini(mocks=("app.models:load = tests.fakes:fake_load",))
    assert suite.run().ret == USAGE_ERROR


def test_what_only_an_import_can_tell_fails_the_test_that_imports_it(suite: Suite) -> None:
    suite.write("app/__init__.py", "")
    suite.write("app/models.py", "from json import *\n")
    suite.ini(mocks=("app.models:load_it = tests.fakes:fake_load",))
    suite.write(
        "tests/unit/test_it.py", "def test_it():\n    import app.models\n\ndef test_next():\n    pass\n"
    )
    done = suite.run()
    assert done.ret != 0
    done.stdout.fnmatch_lines(["*there is no app.models:load_it, now that it is imported. Hint: *"])


def test_fakes_beside_the_tests_are_found_from_the_root_folder(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = Suite(pytester, monkeypatch)
    monkeypatch.delenv("PYTHONPATH")
    suite.write(
        "tests/unit/test_it.py",
        "import app.models\n\ndef test_it():\n    assert type(app.models.load()).__name__ == 'Fake'\n",
    )
    # -P: the working folder is not put on the path either
    words = [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "--import-mode=importlib"]
    done = subprocess.run(words, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    suite.ini(mocks=("app.nothing:load = tests.fakes:fake_load",))
    done = subprocess.run(words, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert done.returncode == USAGE_ERROR
    assert "there is no module 'app.nothing' on the path" in done.stderr


def test_the_options_and_the_marker_are_explained(suite: Suite) -> None:
    text = suite.run("--help").stdout.str()
    assert all(word in text for word in ["--diag-models=auto|mock|real", "diag_mocks", "diag_mock_paths"])
    suite.run("--markers").stdout.fnmatch_lines(["@pytest.mark.use_real_models: *"])


def test_fakes_that_cannot_be_imported_end_the_session_with_the_reason(suite: Suite) -> None:
    suite.write("app/__init__.py", "")
    suite.write("tests/fakes.py", "def fake_load(): pass\nimport no_such_package")
    suite.ini(mocks=("app.models:load = tests.fakes:fake_load",))
    suite.write(
        "tests/unit/test_it.py", "def test_it():\n    import app.models\n\ndef test_next():\n    pass\n"
    )
    suite.run().stdout.fnmatch_lines(
        ["*importing 'tests.fakes' failed: ModuleNotFoundError: No module named *"]
    )
    suite.write("tests/conftest.py", "import app.models\n")
    done = suite.run()
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines(
        ["ERROR: *importing 'tests.fakes' failed: ModuleNotFoundError: *Hint: python -c *"]
    )


def test_what_a_test_puts_in_the_place_of_a_module_is_left_alone(suite: Suite) -> None:
    suite.write("app/__init__.py", "")
    suite.write(
        "tests/unit/test_it.py",
        """
        import sys, types
        from unittest import mock

        def test_1(monkeypatch):
            monkeypatch.setitem(sys.modules, "app.models", mock.MagicMock())
            import app.models

        def test_2():
            sys.modules["app.models"] = types.SimpleNamespace(load=lambda: 3)

        def test_3():
            assert sys.modules["app.models"].load() == 3
        """,
    )
    suite.run().assert_outcomes(passed=3)
