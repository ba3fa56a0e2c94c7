"""Is a model loaded once, measured, freed, and is it said why where it was not?"""

from __future__ import annotations

import hashlib
import re

import pytest

from diagtools.units import parse_bytes
from tests.pytest_plugin.model_suite import Suite

MIB = 2**20

BIG = """
import app.models

KEPT = []

class Big:
    def __init__(self, n_mib):
        self.weights = bytearray(n_mib << 20)
        self.weights[::4096] = b"x" * len(self.weights[::4096])

def load_big(n_mib=64):
    LOADED.append(n_mib)
    return Big(n_mib)

def load_pair():
    return Big(1), "tokenizer"

def load_plain():
    return 7

def load_leaky():
    model = Big(8)
    KEPT.append({"model": model})
    return model

def load_with_peak():
    buffer = bytearray(b"x") * (96 << 20)
    del buffer
    return Big(32)

LOADED = []
"""
CONFTEST = """
import pytest
from diagtools.pytest_plugin.models.fixtures import model_cache

big = model_cache("app.big:load_big")
shared = model_cache("app.big:load_big", scope="session", args=(16,))
pair = model_cache("app.big:load_pair")
plain = model_cache("app.big:load_plain")
leaky = model_cache("app.big:load_leaky", version="2.1")
peaked = model_cache("app.big:load_with_peak")
kind = model_cache("app.models:load", scope="session")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    made = Suite(pytester, monkeypatch)
    made.write("app/big.py", BIG)
    made.write("conftest.py", CONFTEST)
    return made


def sizes(line: str) -> list[float]:
    """The sizes in a line of the summary, in MiB."""
    return [parse_bytes(found) / MIB for found in re.findall(r"[\d.]+ [KMG]iB", line)]


def model_line(done: pytest.RunResult, begin: str) -> str:
    (line,) = [line for line in done.outlines if line.startswith(begin)]
    return line


def test_a_model_is_loaded_once_a_module_and_once_a_session(suite: Suite) -> None:
    text = """
    import app.big

    def test_1(big, shared):
        app.big.LOADED.append(("seen", id(big), id(shared)))

    class TestIn:
        def test_2(self, shared, big):
            assert app.big.LOADED[-1] == ("seen", id(big), id(shared))
    """
    suite.write("tests/integration/test_one.py", text)
    suite.write(
        "tests/integration/test_two.py",
        text
        + "\n    def test_3():\n        loads = [one for one in app.big.LOADED if isinstance(one, int)]\n"
        "        assert sorted(loads) == [16, 64, 64]\n",
    )
    done = suite.run()
    done.assert_outcomes(passed=5)
    done.stdout.fnmatch_lines_random(
        [
            "app.big:load_big for tests/integration/test_one.py: loaded in *",
            "app.big:load_big for tests/integration/test_two.py: loaded in *",
            "app.big:load_big(16) for the session: loaded in *",
        ]
    )
    assert "held" not in done.stdout.str()


def test_what_a_model_costs_and_gives_back_is_measured(suite: Suite) -> None:
    suite.write("tests/integration/test_it.py", "def test_it(big):\n    pass\n")
    suite.write("tests/integration/test_peak.py", "def test_it(peaked):\n    pass\n")
    done = suite.run_alone()
    done.assert_outcomes(passed=2)
    before, loaded, peak, freed = sizes(model_line(done, "app.big:load_big"))
    assert loaded - before == pytest.approx(64, abs=4)
    assert peak - before == pytest.approx(64, abs=4)
    assert loaded - freed == pytest.approx(64, abs=4)
    before, loaded, peak, freed = sizes(model_line(done, "app.big:load_with_peak"))
    assert peak - before == pytest.approx(96, abs=4)
    assert loaded - before == pytest.approx(32, abs=4)


def test_what_keeps_a_model_is_named(suite: Suite) -> None:
    suite.write("tests/integration/test_it.py", "def test_it(leaky):\n    pass\n")
    done = suite.run()
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(
        ["app.big:load_leaky 2.1 for *: loaded in *", "  not gone, still held by app.big.KEPT"]
    )


def test_the_traceback_of_a_failed_last_test_is_named(suite: Suite) -> None:
    suite.write("tests/integration/test_it.py", "def test_it(big):\n    assert big is None\n")
    done = suite.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["  not gone, still held by local 'big' of test_it *, which the traceback of a failed*"]
    )


def test_a_tuple_is_followed_by_its_parts_and_a_number_is_not(suite: Suite) -> None:
    suite.write("tests/integration/test_it.py", "def test_it(pair, plain):\n    pass\n")
    done = suite.run()
    done.assert_outcomes(passed=1)
    assert "still held" not in done.stdout.str()
    done.stdout.fnmatch_lines(
        ["app.big:load_plain for *", "  it takes no weak reference: whether it is gone is not known"]
    )


def test_tests_that_get_mocks_get_the_mock_from_the_same_fixture(suite: Suite) -> None:
    suite.write(
        "tests/integration/test_it.py",
        """
        import pytest

        def test_1(kind, model_cache):
            assert type(kind).__name__ == type(model_cache("app.models:load")).__name__ == "Fake"

        @pytest.mark.use_real_models
        def test_2(kind, model_cache):
            assert type(kind).__name__ == type(model_cache("app.models:load")).__name__ == "Model"

        def test_3(kind, model_cache):
            assert type(kind).__name__ == type(model_cache("app.models:load")).__name__ == "Fake"

        @pytest.mark.use_real_models
        def test_4(kind):
            assert type(kind).__name__ == "Model"
        """,
    )
    done = suite.run()
    done.assert_outcomes(passed=4)
    assert len([line for line in done.outlines if line.startswith("app.models:load for the session")]) == 1


def test_the_fixture_of_the_plugin_serves_fixtures_of_any_scope(suite: Suite) -> None:
    suite.write(
        "tests/integration/test_it.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def mine(model_cache):
            return model_cache("app.big:load_big", scope="session", args=(2,))

        @pytest.fixture(scope="module")
        def same(model_cache):
            return model_cache("app.big:load_big", scope="session", kwargs={}, args=(2,))

        def test_it(mine, same, model_cache):
            assert mine is same is model_cache("app.big:load_big", scope="session", args=(2,))
            assert mine is not model_cache("app.big:load_big", scope="module", args=(2,))
        """,
    )
    done = suite.run()
    done.assert_outcomes(passed=1)
    assert "held" not in done.stdout.str()


def test_in_mock_mode_a_model_without_a_mock_skips_its_test(suite: Suite) -> None:
    suite.write("tests/integration/test_it.py", "def test_1(kind):\n    pass\n\ndef test_2(big):\n    pass\n")
    done = suite.run("--diag-models=mock")
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(["SKIPPED*--diag-models=mock: diag_mocks has no mock of app.big:load_big"])


@pytest.mark.parametrize(
    ("raised", "declared"),
    [
        ("FileNotFoundError('models/x.onnx')", ""),
        ("ImportError('torch')", ""),
        ("ConnectionRefusedError('hub')", ""),
        ("app.gone.ModelError('run make setup')", ""),
        ("ValueError('no weights')", "missing=(ValueError,)"),
    ],
)
def test_a_model_that_is_missing_skips_its_tests_with_the_reason(
    suite: Suite, raised: str, declared: str
) -> None:
    suite.ini(more="diag_missing_model = app.gone:ModelError")
    suite.write(
        "app/gone.py",
        f"""
        import app.gone

        class ModelError(Exception): pass

        N_TRIED = []

        def load():
            N_TRIED.append(1)
            raise {raised}
        """,
    )
    suite.write(
        "tests/integration/test_it.py",
        f"""
        import app.gone
        from diagtools.pytest_plugin.models.fixtures import model_cache

        gone = model_cache("app.gone:load", {declared})

        def test_1(gone): pass
        def test_2(gone): pass
        def test_3(): assert len(app.gone.N_TRIED) == 1
        """,
    )
    done = suite.run()
    done.assert_outcomes(skipped=2, passed=1)
    reason = raised.split("(", maxsplit=1)[0].rpartition(".")[2]
    done.stdout.fnmatch_lines([f"app.gone:load is missing, its tests were skipped: {reason}: *"])
    done.stdout.fnmatch_lines([f"SKIPPED*the model app.gone:load is missing: {reason}: *"])


def test_any_other_exception_of_a_loader_is_an_error(suite: Suite) -> None:
    suite.write("app/gone.py", "def load():\n    raise MemoryError('no room')\n")
    suite.write(
        "tests/integration/test_it.py", "def test_it(model_cache):\n    model_cache('app.gone:load')\n"
    )
    done = suite.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*MemoryError: no room"])


def test_two_versions_of_a_model_are_an_error_before_the_first_test(suite: Suite) -> None:
    for version in ("1.0", "2.0"):
        suite.write(
            f"tests/integration/test_{version[0]}.py",
            f"""
            from diagtools.pytest_plugin.models.fixtures import model_cache

            model = model_cache("app.big:load_big", version="{version}")

            def test_it(model): pass
            """,
        )
    done = suite.run()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(
        [
            "ERROR: The model app.big:load_big is declared with two values of version: '1.0' (test_1.py:4) and '2.0' *"
        ]
    )


def test_two_versions_that_only_a_test_names_fail_the_second_test(suite: Suite) -> None:
    suite.write(
        "tests/integration/test_it.py",
        """
        def test_1(model_cache): model_cache("app.big:load_big", version="1")
        def test_2(model_cache): model_cache("app.big:load_big", version="2")
        """,
    )
    done = suite.run()
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "The model app.big:load_big is declared with two values of version: '1' (test_it.py:2) and '2' (test_*"
        ]
    )


def hashed(suite: Suite, sha256: str) -> None:
    suite.write(
        "conftest.py",
        f"""
        from diagtools.pytest_plugin.models.fixtures import model_cache

        model = model_cache("app.big:load_big", file="model.bin", sha256="{sha256}")
        """,
    )
    suite.write("tests/integration/test_it.py", "def test_it(model): pass\n")


def test_a_file_with_another_hash_is_an_error_before_the_first_test(suite: Suite) -> None:
    hashed(suite, hashlib.sha256(b"weights").hexdigest())
    suite.write("model.bin", "other weights")
    done = suite.run()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    found, wanted = (hashlib.sha256(text).hexdigest()[:12] for text in (b"other weights", b"weights"))
    done.stderr.fnmatch_lines(
        [
            f"ERROR: 'model.bin' of the model app.big:load_big has sha256 {found}, declared is {wanted} *Hint: *"
        ]
    )
    in_workers = suite.run_alone("-n", "2")
    in_workers.assert_outcomes(errors=1)
    in_workers.stdout.fnmatch_lines(["'model.bin' of the model app.big:load_big has sha256 *"])


def test_a_file_with_the_declared_hash_is_loaded_and_a_missing_one_skips(suite: Suite) -> None:
    hashed(suite, hashlib.sha256(b"weights").hexdigest().upper())
    suite.write("model.bin", "weights")
    suite.run().assert_outcomes(passed=1)
    suite.pytester.path.joinpath("model.bin").unlink()
    done = suite.run()
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["app.big:load_big is missing, its tests were skipped: FileNotFoundError: *"])


def test_a_file_that_is_changed_between_two_loads_is_an_error(suite: Suite) -> None:
    text = """
    import pathlib
    from diagtools.pytest_plugin.models.fixtures import model_cache

    model = model_cache("app.big:load_big", file="model.bin")

    def test_it(model):
        pathlib.Path("model.bin").write_text("other")
    """
    suite.write("model.bin", "weights")
    suite.write("tests/integration/test_1.py", text)
    suite.write("tests/integration/test_2.py", text)
    done = suite.run()
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(
        ["The model app.big:load_big was loaded with two files in one session: sha256 *"]
    )


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("model_cache('load')", "'load' is not the name of an object"),
        ("model_cache('a:b', sha256='12', file='x')", "is not a SHA-256 hash"),
        ("model_cache('a:b', sha256='0' * 64)", "has a sha256 and no file"),
        ("model_cache('a:b', scope='function')", "A model has no scope 'function'"),
    ],
)
def test_a_wrong_declaration_is_an_error_where_it_stands(
    suite: Suite, declaration: str, message: str
) -> None:
    suite.write(
        "tests/integration/test_it.py",
        f"from diagtools.pytest_plugin.models.fixtures import model_cache\nm = {declaration}\ndef test_it(m): pass\n",
    )
    done = suite.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([f"*{message}*"])


def test_a_session_that_is_interrupted_says_what_became_of_its_models(suite: Suite) -> None:
    suite.write(
        "tests/integration/test_it.py",
        "def test_1(shared, big):\n    raise KeyboardInterrupt\n\ndef test_2():\n    pass\n",
    )
    done = suite.run_alone()
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines_random(
        [
            "app.big:load_big for tests/integration/test_it.py: loaded in *",
            "  not gone, still held by local 'big' of test_1 *",
            "app.big:load_big(16) for the session: loaded in *",
            "  not gone, still held by local 'shared' of test_1 *",
        ]
    )


def test_workers_send_home_what_they_loaded_and_missed(suite: Suite) -> None:
    suite.write("app/gone.py", "def load():\n    raise FileNotFoundError('x.onnx')\n")
    for number in (1, 2):
        suite.write(
            f"tests/integration/test_{number}.py",
            "def test_it(big): pass\n\ndef test_gone(model_cache):\n    model_cache('app.gone:load')\n",
        )
    done = suite.run_alone("-n", "2", "--dist", "loadfile")
    done.assert_outcomes(passed=2, skipped=2)
    for number in (1, 2):
        line = model_line(done, f"app.big:load_big for tests/integration/test_{number}.py")
        before, loaded, *_ = sizes(line)
        assert loaded - before == pytest.approx(64, abs=4)
    assert len([line for line in done.outlines if line.startswith("app.gone:load is missing")]) == 1
