"""Does a model answer once, and everybody hear the same ever after, without it?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pytest_plugin.model_suite import Suite

MODEL = """
import dataclasses
import numpy

@dataclasses.dataclass(frozen=True)
class Answer:
    label: str
    scores: object

class Model:
    width = 3

    def embed(self, texts, *, scale=1):
        return numpy.array([[len(text) * scale, 0.1, 1e-30] for text in texts], numpy.float32)

    def classify(self, text):
        return [Answer(label=text.upper(), scores={"x": (0.5, None)})]

    def __call__(self, number):
        return number + 1

LOADED = []

def load(name="x"):
    LOADED.append(name)
    return Model()
"""
CONFTEST = """
from app.answering import Answer
from diagtools.pytest_plugin.models.fixtures import recorded_model

model = recorded_model("app.answering:load", version="1.0", types=(Answer,))
"""
TEST = """
import numpy
import pytest
import app.answering

def test_it(model, request):
    rows = model.embed(["a", "bcd"], scale=2)
    assert (rows.dtype, rows.shape) == (numpy.float32, (2, 3))
    assert rows[:, 0].tolist() == [2, 6] and rows[0, 1] == numpy.float32(0.1)
    assert model.classify("t")[0].label == "T" and model.classify("t")[0].scores == {"x": (0.5, None)}
    assert model(41) == 42
    assert model.width == 3
    is_real = request.config.getoption("diag_models") == "real"
    assert len(app.answering.LOADED) == is_real
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    made = Suite(pytester, monkeypatch)
    made.write("app/answering.py", MODEL)
    made.write("tests/unit/conftest.py", CONFTEST)
    made.write("tests/unit/test_it.py", TEST)
    return made


@pytest.fixture
def recorded(suite: Suite) -> Suite:
    suite.run("--diag-models=real").assert_outcomes(passed=1)
    return suite


def recording(suite: Suite) -> Path:
    (found,) = suite.pytester.path.rglob("model_recordings/*.json")
    return found


def test_answers_are_recorded_beside_the_declaration_and_replayed_without_the_model(suite: Suite) -> None:
    suite.run("--diag-models=real").assert_outcomes(passed=1)
    path = recording(suite)
    assert (
        path.relative_to(suite.pytester.path).as_posix()
        == "tests/unit/model_recordings/app.answering-load.json"
    )
    for mode in ("auto", "mock"):
        done = suite.run(f"--diag-models={mode}")
        done.assert_outcomes(passed=1)
        assert "loaded in" not in done.stdout.str()


def test_a_recording_holds_hashes_of_inputs_and_no_input(recorded: Suite) -> None:
    text = json.loads(recording(recorded).read_text())
    assert text["model"] == {"model": "app.answering:load", "version": "1.0", "sha256": ""}
    assert (text["format"], text["values"], len(text["answers"])) == (1, {"width": 3}, 3)
    assert all(len(key) == 64 for key in text["answers"])
    assert "bcd" not in recording(recorded).read_text()


def test_recording_again_changes_no_byte(recorded: Suite) -> None:
    before = recording(recorded).read_bytes()
    recorded.run("--diag-models=real").assert_outcomes(passed=1)
    assert recording(recorded).read_bytes() == before
    assert [path.name for path in recording(recorded).parent.iterdir()] == ["app.answering-load.json"]


def test_without_a_recording_the_error_says_how_to_make_one(suite: Suite) -> None:
    done = suite.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["There is no recording 'app.answering-load.json' in *Hint: *pytest --diag-models=real"]
    )
    assert "Traceback" not in done.stdout.str()


def test_an_input_that_was_not_recorded_is_an_error_of_that_line(recorded: Suite) -> None:
    recorded.write("tests/unit/test_it.py", "def test_it(model):\n    model.embed(['other'])\n")
    done = recorded.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*NoDataError: The recording 'app.answering-load.json' has no answer of embed to this input (hash *, 3 *",
            "tests/unit/test_it.py:2: NoDataError",
        ]
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version="1.0"', 'version="2.0"', "*its version is '1.0', declared is '2.0'. Hint: *"),
        ("answering:load", "answering:load_2", "There is no recording 'app.answering-load_2.json' *"),
    ],
)
def test_a_recording_of_another_model_is_an_error(recorded: Suite, old: str, new: str, message: str) -> None:
    recorded.write("tests/unit/conftest.py", CONFTEST.replace(old, new))
    done = recorded.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([message])


def test_a_recording_goes_with_the_hash_of_the_model_file(suite: Suite) -> None:
    suite.write(
        "tests/unit/conftest.py", CONFTEST.replace('version="1.0"', 'version="1.0", file="model.bin"')
    )
    suite.write("model.bin", "weights")
    suite.run("--diag-models=real").assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)
    suite.write("model.bin", "other weights")
    done = suite.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*is of another model: its sha256 is '*', declared is '*'. Hint: *"])
    (suite.pytester.path / "model.bin").unlink()
    suite.run().assert_outcomes(passed=1)


def test_a_model_of_another_version_replaces_the_recording(recorded: Suite) -> None:
    recorded.write("tests/unit/conftest.py", CONFTEST.replace('"1.0"', '"2.0"'))
    recorded.write("tests/unit/test_it.py", "def test_it(model):\n    assert model(1) == 2\n")
    recorded.run("--diag-models=real").assert_outcomes(passed=1)
    text = json.loads(recording(recorded).read_text())
    assert (text["model"]["version"], len(text["answers"]), text["values"]) == ("2.0", 1, {})


def test_a_dataclass_that_the_test_does_not_name_is_not_made(recorded: Suite) -> None:
    recorded.write("tests/unit/conftest.py", CONFTEST.replace("types=(Answer,)", "types=()"))
    done = recorded.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*The recording holds a 'app.answering:Answer', *types=(Answer,)*"])


def test_where_the_model_is_missing_nothing_is_recorded_and_the_test_is_skipped(suite: Suite) -> None:
    suite.write(
        "app/answering.py", MODEL + "\ndef load(name='x'):\n    raise FileNotFoundError('model.onnx')\n"
    )
    done = suite.run("--diag-models=real")
    done.assert_outcomes(skipped=1)
    assert list(suite.pytester.path.rglob("*.json")) == []


def test_the_fixture_of_the_plugin_records_beside_the_test(suite: Suite) -> None:
    suite.write(
        "tests/integration/test_here.py",
        """
        import pytest

        @pytest.fixture(scope="module")
        def model(recorded_model):
            return recorded_model("app.answering:load", version="1.0", name="../../small")

        def test_it(model):
            assert model(1) == 2
        """,
    )
    suite.run("--diag-models=real", "tests/integration").assert_outcomes(passed=1)
    assert recording(suite) == suite.pytester.path / "tests/integration/model_recordings/small.json"
    suite.run("tests/integration").assert_outcomes(passed=1)


@pytest.mark.slow
def test_workers_record_into_one_file(suite: Suite) -> None:
    suite.write(
        "tests/unit/test_it.py",
        """
        import pytest

        @pytest.mark.parametrize("number", range(12))
        def test_it(model, number):
            assert model(number) == number + 1
        """,
    )
    suite.run_alone("--diag-models=real", "-n", "2").assert_outcomes(passed=12)
    assert len(json.loads(recording(suite).read_text())["answers"]) == 12
    suite.run_alone("-n", "2").assert_outcomes(passed=12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 1, "model": {}, "answers": {}, "values": {}}',
        '{"format": 1, "model": {"model": "", "version": "", "sha256": ""}, "answers": [], "values": {}}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_damaged_recording_is_one_clear_error(recorded: Suite, text: str) -> None:
    recording(recorded).write_bytes(text.encode("utf-8", "surrogateescape"))
    done = recorded.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["The recording '*' cannot be read: *Hint: record it with *"])


def test_a_recording_of_a_later_format_says_so(recorded: Suite) -> None:
    path = recording(recorded)
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    done = recorded.run()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["'app.answering-load.json' has format 2, this version reads 1. Hint: *"])


def test_a_model_that_answers_in_turns_answers_once_in_both_sessions(suite: Suite) -> None:
    """Else a test passes while it is recorded and fails ever after."""
    model = """
        from itertools import count

        class Model:
            n = count()
            def __call__(self):
                return next(self.n)

        def load():
            return Model()
    """
    suite.write("app/turns.py", model)
    suite.write(
        "conftest.py",
        "from diagtools.pytest_plugin import recorded_model\nmodel = recorded_model('app.turns:load')\n",
    )
    suite.write("tests/test_turns.py", "def test_it(model):\n    assert [model(), model()] == [0, 0]\n")
    suite.run_alone("--diag-models=real", "tests/test_turns.py").assert_outcomes(passed=1)
    suite.run_alone("tests/test_turns.py").assert_outcomes(passed=1)
