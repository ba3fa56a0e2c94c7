"""Does each test get what it should, and is a real load seen whichever way it was called?"""

from __future__ import annotations

import pytest

from tests.pytest_plugin.model_suite import KINDS, Suite


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    return Suite(pytester, monkeypatch)


@pytest.mark.parametrize("folder", ["tests/unit", "tests/integration"])
def test_every_kind_of_loader_is_mocked_unless_marked(suite: Suite, folder: str) -> None:
    suite.write(f"{folder}/test_it.py", KINDS)
    suite.run().assert_outcomes(passed=15)


def test_the_mock_gets_the_arguments_that_the_loader_was_written_with(suite: Suite) -> None:
    suite.write(
        "tests/unit/test_it.py",
        """
        import app.models

        def test_them():
            assert app.models.load("a").name == "a"
            assert app.models.Loader.load("a").name == "Loader"
            assert app.models.Loader().load("a").name == "Loader"
            assert app.models.Loader().fetch("a").name == "a"
            assert app.models.Loader().read("a").name == "Loader"
            assert app.models.Heavy("a").name == "a"
        """,
    )
    suite.run().assert_outcomes(passed=1)


def test_in_mock_mode_marked_tests_are_skipped_with_the_reason(suite: Suite) -> None:
    suite.write("tests/integration/test_it.py", KINDS)
    done = suite.run("--diag-models=mock")
    done.assert_outcomes(passed=10, skipped=5)
    done.stdout.fnmatch_lines(["SKIPPED*--diag-models=mock: the test is marked use_real_models"])


def test_in_real_mode_nothing_is_mocked_and_nothing_refused(suite: Suite) -> None:
    suite.write("tests/unit/test_it.py", KINDS)
    suite.run("--diag-models=real", "-k", "test_real").assert_outcomes(passed=5, deselected=10)
    suite.run("--diag-models=real", "-k", "test_mocked").assert_outcomes(failed=10, deselected=5)


def test_the_header_says_what_is_mocked(suite: Suite) -> None:
    suite.write("tests/unit/test_it.py", KINDS)
    suite.run().stdout.fnmatch_lines(
        ["models: auto, 5 loaders mocked in every test that is not marked use_real_models"]
    )


def test_a_shared_fixture_holds_the_kind_of_model_that_each_test_gets(suite: Suite) -> None:
    suite.write(
        "tests/integration/test_it.py",
        """
        import pytest
        import app.models

        @pytest.fixture(scope="session")
        def model():
            return app.models.load()

        @pytest.fixture(scope="module")
        def service(model):
            return {"model": model}

        def mocked(model, service):
            return type(model).__name__ == "Fake" and service["model"] is model

        def test_1(model, service):
            assert mocked(model, service)

        @pytest.mark.use_real_models
        def test_2(service, model):
            assert not mocked(model, service)

        def test_3(service, model):
            assert mocked(model, service)

        def test_4(service, model):
            assert mocked(model, service)
        """,
    )
    suite.run().assert_outcomes(passed=4)


@pytest.mark.parametrize("first", ["mock", "real"])
def test_a_mock_object_in_a_shared_fixture_is_not_left_for_a_real_test(suite: Suite, first: str) -> None:
    suite.ini(mocks=("app.models:load = tests.fakes:mock",))
    suite.write(
        "tests/fakes.py", "from unittest.mock import Mock\nmock = Mock(return_value=5)\nother = Mock()\n"
    )
    suite.write(
        "tests/integration/test_it.py",
        """
        import pytest
        import app.models
        from tests import fakes

        @pytest.fixture(scope="session")
        def model():
            fakes.other()
            return app.models.load()

        @pytest.mark.use_real_models
        def test_real(model):
            assert type(model).__name__ == "Model"

        def test_mock(model):
            assert model == 5

        @pytest.mark.use_real_models
        def test_real_again(model):
            assert type(model).__name__ == "Model"
        """,
    )
    suite.run("-k", "test_mock or test_real_again" if first == "mock" else "").assert_outcomes(
        passed=2 if first == "mock" else 3, deselected=first == "mock"
    )


def test_a_fixture_without_a_model_is_set_up_once_for_both_kinds_of_tests(suite: Suite) -> None:
    suite.write(
        "tests/integration/test_it.py",
        """
        import pytest

        SETUPS = []

        @pytest.fixture(scope="session")
        def database():
            SETUPS.append(1)

        @pytest.mark.parametrize("n", [1, 2])
        @pytest.mark.parametrize("kind", [pytest.param("real", marks=pytest.mark.use_real_models), "mock"])
        def test_it(database, kind, n):
            assert len(SETUPS) == 1
        """,
    )
    suite.run().assert_outcomes(passed=4)


def test_what_a_test_patches_itself_stands_and_is_taken_back(suite: Suite) -> None:
    suite.write(
        "tests/unit/test_it.py",
        """
        import pytest
        from unittest import mock
        import app.models, tests.fakes

        def test_monkeypatch(monkeypatch):
            monkeypatch.setattr("app.models.load", lambda: 1)
            monkeypatch.setattr("app.models.Loader.fetch", staticmethod(lambda: 2))
            assert (app.models.load(), app.models.Loader.fetch()) == (1, 2)

        def test_mock():
            with mock.patch("app.models.load", return_value=3):
                with mock.patch.object(app.models.Loader, "load", return_value=4):
                    assert (app.models.load(), app.models.Loader.load()) == (3, 4)
            assert app.models.load is tests.fakes.fake_load

        @pytest.fixture(scope="module")
        def patched():
            with mock.patch("app.models.load", return_value=5):
                yield

        def test_module_1(patched):
            assert app.models.load() == 5

        def test_module_2(patched):
            assert app.models.load() == 5
        """,
    )
    suite.write(
        "tests/unit/test_then.py",
        """
        import pytest
        import app.models, tests.fakes

        def test_mocked():
            assert app.models.load is tests.fakes.fake_load

        @pytest.mark.use_real_models
        def test_real():
            assert app.models.load.__name__ == "load"
            assert type(vars(app.models.Loader)["fetch"]) is staticmethod
            assert type(vars(app.models.Loader)["load"]) is classmethod
            assert "Heavy" == app.models.Heavy.__name__
            assert app.models.Heavy("b").name == "b"
        """,
    )
    suite.run().assert_outcomes(passed=6)


def test_everything_is_as_before_after_each_test(suite: Suite) -> None:
    suite.write(
        "tests/unit/test_it.py",
        """
        import sys
        import app.models

        def test_it():
            pass
        """,
    )
    suite.write(
        "conftest.py",
        """
        import inspect, sys, pytest
        import app.models

        def state():
            kept = vars(app.models.Loader)
            return [
                app.models.load, app.models.load.__code__, app.models.Heavy, vars(app.models.Heavy)["__init__"],
                kept["load"], kept["load"].__func__.__code__, kept["fetch"], kept["fetch"].__func__.__code__,
                kept["read"], kept["read"].__code__, str(inspect.signature(app.models.load)),
            ]

        BEFORE = state()

        def pytest_runtest_logfinish():
            pass

        def pytest_sessionfinish(session):
            assert state() == BEFORE
            print("\\nall as before")
        """,
    )
    done = suite.run("-s")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*all as before"])


def test_a_module_that_means_the_fake_keeps_it(suite: Suite) -> None:
    suite.write(
        "tests/builders.py", "from tests.fakes import fake_load\nfrom tests.fakes import fake_load as load\n"
    )
    suite.write(
        "tests/unit/test_it.py",
        """
        import pytest

        def test_1():
            import app.models, tests.builders
            assert tests.builders.load is app.models.load

        @pytest.mark.use_real_models
        def test_2():
            import app.models, tests.builders, tests.fakes
            assert app.models.load.__name__ == "load"
            assert tests.builders.load is tests.builders.fake_load is tests.fakes.fake_load
            assert tests.fakes.fake_load.__name__ == "fake_load"
        """,
    )
    suite.run().assert_outcomes(passed=2)


def test_a_module_imported_again_is_mocked_again(suite: Suite) -> None:
    suite.write(
        "tests/unit/test_it.py",
        """
        import importlib, sys
        import app.models

        def test_reloaded():
            importlib.reload(app.models)
            assert type(app.models.load()).__name__ == "Fake"

        def test_after_it():
            assert type(app.models.load()).__name__ == "Fake"

        def test_imported_anew():
            del sys.modules["app.models"]
            fresh = importlib.import_module("app.models")
            assert type(fresh.load()).__name__ == "Fake"

        def test_after_that():
            assert type(importlib.import_module("app.models").load()).__name__ == "Fake"
        """,
    )
    suite.run().assert_outcomes(passed=4)


def test_unittest_classes_are_mocked_too(suite: Suite) -> None:
    suite.write(
        "tests/unit/test_it.py",
        """
        import unittest
        import app.models

        class Case(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.model = app.models.load()

            def test_it(self):
                assert type(self.model).__name__ == type(app.models.load()).__name__ == "Fake"
        """,
    )
    suite.run().assert_outcomes(passed=1)


def test_loaders_of_odd_kinds_are_mocked_and_given_back(suite: Suite) -> None:
    suite.write(
        "app/odd.py",
        """
        import contextlib, dataclasses, enum, typing
        from app.models import Loader

        class Derived(Loader):
            def load_super(self):
                return super().load("s")

        class Slotted:
            __slots__ = ("a",)
            def __init__(self): self.a = 1

        @dataclasses.dataclass(frozen=True, slots=True)
        class Data:
            a: int = 1

        class Named(typing.NamedTuple):
            a: int = 1

        class Dict(dict):
            pass

        @contextlib.contextmanager
        def session():
            yield 1

        loader = Loader()
        bound = loader.read

        class Callable:
            def __call__(self):
                return 1

        instance, other = Callable(), Callable()

        def options(a, /, b=2, *c, d=4, **e):
            return (a, b, c, d, e)
        """,
    )
    names = "Derived.load Derived.load_super Slotted Data Named Dict session bound options instance"
    target = " ".join(f"app.odd:{name}" for name in names.split()) + " sqlite3:connect decimal:Decimal"
    suite.ini(mocks=tuple(f"{name} = tests.fakes:mock" for name in target.split()))
    suite.write("tests/fakes.py", "from unittest.mock import Mock\nmock = Mock(return_value=5)\n")
    suite.write(
        "tests/unit/test_it.py",
        """
        import decimal, sqlite3
        import pytest
        import app.odd as odd
        from app.models import Loader

        def test_mocked():
            derived = odd.Derived()
            found = [derived.load(), odd.Derived.load(), derived.load_super(), odd.Slotted(), odd.Data(), odd.Named(),
                     odd.Dict(), odd.session(), odd.bound(), odd.options(), sqlite3.connect(), decimal.Decimal(),
                     odd.instance()]
            assert found == [5] * 13
            assert odd.other() == 1
            assert type(Loader.load()).__name__ == "Model"

        @pytest.fixture(scope="module")
        def shared():
            derived = odd.Derived()
            with odd.session() as number:
                pass
            assert odd.Slotted().a == odd.Data().a == odd.Named().a == number == 1
            assert odd.Dict(a=1) == {"a": 1}
            assert type(derived.load_super()).__name__ == type(derived.load()).__name__ == "Model"
            assert type(odd.bound()).__name__ == "Model"
            assert odd.instance() == odd.other() == 1
            return odd.options(1, d=5, f=6), odd.options(1, 2, 3)

        @pytest.mark.use_real_models
        def test_real(shared):
            assert shared == ((1, 2, (), 5, {"f": 6}), (1, 2, (3,), 4, {}))
            assert "load" not in vars(odd.Derived) and "__init__" not in vars(odd.Dict)
            assert decimal.Decimal("1.5") * 2 == 3
        """,
    )
    suite.run().assert_outcomes(passed=2)
