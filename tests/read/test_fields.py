"""A value is of the type that was asked for, or it is left out and remembered."""

from __future__ import annotations

import pytest

from diagtools.read.fields import Fields, clean


@pytest.mark.parametrize("value", [0, 7, 2**63 - 1])
def test_whole_numbers(value: int) -> None:
    fields = Fields({"n": value})
    assert (fields.whole("n"), fields.number("n"), fields.odd()) == (value, float(value), ())


@pytest.mark.parametrize("value", [True, -1, 2**63, "7", [7], {"n": 7}])
def test_what_is_no_number_is_remembered(value: object) -> None:
    fields = Fields({"n": value})
    assert (fields.whole("n"), fields.number("n"), fields.odd()) == (None, None, ("n",))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5])
def test_numbers_are_finite_and_not_negative(value: float) -> None:
    fields = Fields({"n": value})
    assert (fields.number("n"), fields.odd()) == (None, ("n",))


@pytest.mark.parametrize("name", ["absent", "null"])
def test_absent_and_null_are_nothing_and_not_odd(name: str) -> None:
    fields = Fields({"null": None})
    assert (fields.text(name), fields.whole(name), fields.number(name)) == ("", None, None)
    assert (fields.texts(name), fields.text_list(name), fields.inner(name)) == ({}, (), None)
    assert (list(fields.inner_list(name)), list(fields.inner_by_name(name)), fields.odd()) == ([], [], ())


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    fields = Fields({"t": "a\ud800b", "l": ["\udcff"], "o": {"\udfff": "\udfff"}})
    assert (fields.text("t"), fields.text_list("l"), fields.texts("o")) == ("a?b", ("?",), {"?": "?"})
    assert clean("😀") == "😀"


def test_texts_keep_what_is_text() -> None:
    fields = Fields({"o": {"a": "1", "b": 2}})
    assert (fields.texts("o"), fields.odd()) == ({"a": "1"}, ("o",))
