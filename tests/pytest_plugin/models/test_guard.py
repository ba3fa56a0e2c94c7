"""Is a real loader seen that a mocked test calls past its mock, and who called it?"""

from __future__ import annotations

import pytest

from tests.pytest_plugin.model_suite import KINDS, MOCKS, Suite


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    return Suite(pytester, monkeypatch)


SERVICE = """
from app.models import Heavy, Loader, load

fetch, read, start = Loader.fetch, Loader.read, Loader.load

def predict():
    return load()

def swallow():
    try:
        return load()
    except Exception:
        return None

def build():
    return Heavy()
"""


@pytest.fixture
def by_name(suite: Suite) -> Suite:
    """The service has names of its own for the loaders."""
    suite.write("app/service.py", SERVICE)
    return suite


def test_a_loader_imported_by_name_fails_the_test_and_names_the_lines(by_name: Suite) -> None:
    by_name.write(
        "tests/unit/test_it.py",
        """
        import app.service

        def test_it():
            app.service.predict()
        """,
    )
    done = by_name.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "The real app.models:load was called at app/service.py:7 (in predict), reached from *_it.py:5 *",
            "'app.service:load' is a name of its own for the loader*",
            "Hint: add 'app.service:load = tests.fakes:fake_load' to diag_mocks, or *use_real_models.",
        ]
    )
    assert "model_guard" not in done.stdout.str()


def test_the_line_that_the_hint_gives_mends_it(by_name: Suite) -> None:
    by_name.ini(mocks=(*MOCKS, "app.service:load = tests.fakes:fake_load"))
    by_name.write(
        "tests/unit/test_it.py",
        """
        import pytest
        import app.service

        def test_it():
            assert type(app.service.predict()).__name__ == "Fake"

        @pytest.mark.use_real_models
        def test_real():
            assert type(app.service.predict()).__name__ == "Model"
        """,
    )
    by_name.run().assert_outcomes(passed=2)


@pytest.mark.parametrize("call", ["fetch()", "read(app.models.Loader())", "start()", "build()", "predict()"])
def test_each_kind_of_loader_is_seen(by_name: Suite, call: str) -> None:
    by_name.write(
        "tests/unit/test_it.py",
        f"""
        import app.models, app.service

        def test_it():
            app.service.{call}
        """,
    )
    done = by_name.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["The real app.models:* was called at *, in a test that gets mocks."])


def test_a_load_whose_exception_was_caught_fails_the_test_all_the_same(by_name: Suite) -> None:
    by_name.write(
        "tests/unit/test_it.py",
        """
        import app.service

        def test_except_exception():
            app.service.swallow()

        def test_except_everything():
            try:
                app.service.predict()
            except BaseException:
                pass
        """,
    )
    done = by_name.run()
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(["The real app.models:load was called at app/service.py:11 (in swallow), *"])


def test_a_load_in_a_thread_fails_the_test(by_name: Suite) -> None:
    by_name.write(
        "tests/unit/test_it.py",
        """
        import threading
        import pytest
        import app.service

        @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
        def test_it():
            thread = threading.Thread(target=app.service.predict, name="warm-up")
            thread.start()
            thread.join()
        """,
    )
    done = by_name.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["The real app.models:load was called at app/service.py:7 (in predict) (thread 'warm-up')*"]
    )


@pytest.mark.parametrize("scope", ["function", "class", "module", "session"])
def test_a_load_in_a_fixture_of_a_mocked_test_is_an_error_of_it(by_name: Suite, scope: str) -> None:
    by_name.write(
        "tests/unit/test_it.py",
        f"""
        import pytest
        import app.service

        @pytest.fixture(scope={scope!r})
        def model():
            return app.service.predict()

        def test_mocked(model):
            pass

        @pytest.mark.use_real_models
        def test_real(model):
            assert type(model).__name__ == "Model"

        def test_mocked_again(model):
            pass
        """,
    )
    done = by_name.run()
    done.assert_outcomes(errors=2, passed=1)
    done.stdout.fnmatch_lines(
        ["The real app.models:load was called at app/service.py:7 (in predict), reached from *:7 *"]
    )


@pytest.mark.parametrize("call", ["bound()", "instance()"])
def test_a_method_of_one_object_is_seen_and_that_of_another_is_not(suite: Suite, call: str) -> None:
    suite.write(
        "app/objects.py",
        """
        class Loader:
            def read(self): return 1
            def __call__(self): return 1

        instance, other = Loader(), Loader()
        bound, free = Loader().read, Loader().read
        """,
    )
    suite.ini(
        mocks=("app.objects:bound = tests.fakes:fake_load", "app.objects:instance = tests.fakes:fake_load")
    )
    suite.write(
        "tests/unit/test_it.py",
        f"""
        from app.objects import bound, free, instance, other

        def test_others():
            assert free() == other() == 1

        def test_it():
            {call}
        """,
    )
    done = suite.run()
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        ["The real app.objects:* was called at tests/unit/test_it.py:8 (in test_it), *"]
    )


def test_a_module_first_imported_in_a_mocked_test_is_not_left_with_a_mock(by_name: Suite) -> None:
    by_name.write(
        "tests/unit/test_it.py",
        """
        import pytest

        def test_1():
            import app.service
            assert type(app.service.predict()).__name__ == "Fake"

        @pytest.mark.use_real_models
        def test_2():
            import app.service
            assert type(app.service.predict()).__name__ == "Model"

        def test_3():
            import app.service
            assert type(app.service.predict()).__name__ == "Fake"
        """,
    )
    by_name.run().assert_outcomes(passed=3)


def test_importing_a_file_of_a_mock_folder_loads_no_model(suite: Suite) -> None:
    for folder in ("unit", "integration"):
        suite.write(
            f"tests/{folder}/test_{folder}.py",
            """
            import app.models

            MODEL = app.models.load()

            def test_it():
                assert MODEL
            """,
        )
    done = suite.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        [
            "*The real app.models:load was called at tests/unit/test_unit.py:4 (in <module>), while a file of *",
            "*Hint: load it in a fixture, with model_cache for a real one.",
        ]
    )
    suite.run("--diag-models=real").assert_outcomes(passed=2)


def test_decorated_closed_over_and_async_loaders_are_seen(suite: Suite) -> None:
    suite.write(
        "app/more.py",
        """
        import functools

        def kept(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args)
            return wrapper

        @kept
        def closed():
            return 1

        @functools.lru_cache
        def cached():
            return 1

        async def later():
            return 1

        class Base:
            def __init__(self):
                self.there = 1

        class Derived(Base):
            pass
        """,
    )
    names = ["closed", "cached", "later", "Derived"]
    suite.ini(mocks=tuple(f"app.more:{name} = tests.fakes:fake_load" for name in names))
    suite.write(
        "tests/unit/test_it.py",
        """
        import asyncio
        import pytest
        from app.more import Base, Derived, cached, closed, later

        LOADERS = [closed, cached, Derived, lambda: asyncio.run(later())]

        @pytest.mark.parametrize("loader", LOADERS)
        def test_mocked(loader):
            loader()

        def test_another_class_of_the_same_base():
            assert Base().there == 1

        @pytest.mark.use_real_models
        @pytest.mark.parametrize("loader", LOADERS)
        def test_real(loader):
            assert getattr(loader(), "there", 1) == 1
        """,
    )
    suite.run().assert_outcomes(failed=4, passed=5)


def test_workers_mock_and_refuse_as_one_process_does(by_name: Suite) -> None:
    by_name.write("tests/unit/test_kinds.py", KINDS)
    by_name.write(
        "tests/unit/test_it.py",
        """
        import app.service

        def test_it():
            app.service.predict()
        """,
    )
    done = by_name.run_alone("-n", "2")
    done.assert_outcomes(passed=15, failed=1)
    done.stdout.fnmatch_lines(["The real app.models:load was called at app/service.py:7 (in predict), *"])
