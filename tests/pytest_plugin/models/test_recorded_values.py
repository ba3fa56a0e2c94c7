"""Is every answer the same after its way through JSON, and is a file of somebody else harmless?"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.errors import DamagedError, UnavailableError, UsageError
from diagtools.pytest_plugin.models.recorded_values import decode, encode, input_hash


@dataclass(frozen=True)
class Answer:
    label: str
    parts: tuple[int, ...]


def through(value: Any) -> Any:
    text = json.dumps(encode(value), allow_nan=False)
    return decode(json.loads(text), (Answer,))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner)
    ),
    max_leaves=10,
)


@given(plain)
def test_what_comes_back_is_what_went_in(value: Any) -> None:
    back = through(value)
    assert back == value
    assert repr(back) == repr(value)


def test_dataclasses_and_what_is_no_number_come_back() -> None:
    answer = Answer(label="x", parts=(1, 2))
    assert through([answer]) == [answer]
    assert repr(through((float("nan"), float("inf"), -float("inf")))) == "(nan, inf, -inf)"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.float32([[0.1, np.nan]]),
        np.zeros((0, 384), np.float16),
        np.array(5, np.uint64),
        np.array([True]),
        np.array([1 + 2j], np.complex64),
        np.array(["2026-01-01"], "datetime64[D]"),
        np.array(["é", "abc"]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10)[::3],
    ],
)
def test_arrays_come_back_bit_by_bit(array: np.ndarray[Any, Any]) -> None:
    back = through(array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


def test_an_array_without_numpy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    text = encode(np.zeros(1))
    monkeypatch.setitem(sys.modules, "numpy", None)  # what the import system takes for absent
    with pytest.raises(UnavailableError, match=r"numpy is not installed\. Hint: pip install numpy"):
        decode(text)


def test_a_number_of_numpy_stays_one() -> None:
    back = through(np.float32(0.1))
    assert type(back) is np.float32
    assert back == np.float32(0.1)


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, np.array([object()]), np.zeros(1, [("a", "i4")]), Answer]
)
def test_what_cannot_be_recorded_says_what_can(value: Any) -> None:
    with pytest.raises(UsageError, match=r"cannot be recorded.* Hint: let the model"):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        {},
        {"a": 1, "b": 2},
        {"unknown": 1},
        {"float": "1e999"},
        {"bytes": "!"},
        {"bytes": 1},
        {"tuple": 1},
        {"dict": [[1]]},
        {"dict": [[[], 1]]},
        {"array": []},
        {"array": {"dtype": "|O", "shape": [1], "data": "AAAAAAAAAAA="}},
        {"array": {"dtype": "<f4", "shape": [2], "data": "AAAA"}},
        {"array": {"dtype": "<f4", "shape": [-1], "data": "AAAAAA=="}},
        {"array": {"dtype": "<f4", "shape": [10**30, 0], "data": ""}},
        {"array": {"dtype": "<f4", "shape": [True], "data": "AAAAAA=="}},
        {"array": {"dtype": "i4,i4", "shape": [1], "data": "AAAAAAAAAAA="}},
        {"array": {"dtype": "(2,)i4", "shape": [1], "data": "AAAAAAAAAAA="}},
        {"array": {"dtype": "os.system", "shape": [1], "data": ""}},
        {"dataclass": []},
        {"dataclass": [f"{__name__}:Answer", {"other": 1}]},
        {"dataclass": [f"{__name__}:Answer", []]},
    ],
)
def test_a_damaged_answer_is_one_clear_error(text: Any) -> None:
    with pytest.raises(DamagedError, match=r"The recording holds .* Hint: record it again"):
        decode(text, (Answer,))


@pytest.mark.parametrize(
    "name", ["os:system", "builtins:eval", "subprocess:Popen", "diagtools.errors:DiagtoolsError"]
)
def test_a_class_that_nobody_named_is_not_looked_for(name: str) -> None:
    with pytest.raises(UsageError, match=r"which the test does not name\. Hint: pass types="):
        decode({"dataclass": [name, {}]}, (Answer,))


def test_inputs_that_differ_have_other_hashes() -> None:
    hashes = {
        input_hash("embed", (["a", "b"],), {}),
        input_hash("embed", (["b", "a"],), {}),
        input_hash("embed", (("a", "b"),), {}),
        input_hash("embed", ("a", "b"), {}),
        input_hash("embed", (), {"texts": ["a", "b"]}),
        input_hash("other", (["a", "b"],), {}),
        input_hash("embed", ([np.float32(1)],), {}),
        input_hash("embed", ([1.0],), {}),
        input_hash("embed", ([1],), {}),
        input_hash("embed", ([True],), {}),
    }
    assert len(hashes) == 10
    assert input_hash("embed", (), {"a": 1, "b": 2}) == input_hash("embed", (), {"b": 2, "a": 1})
