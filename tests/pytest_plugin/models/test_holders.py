"""Is whatever keeps a model alive called by a name that somebody can look up?"""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from diagtools.pytest_plugin.models.holders import holders, weak_references


class Model:
    pass


class Service:
    def __init__(self, model: object) -> None:
        self.model = model


class Slotted:
    __slots__ = ("model", "never")

    def __init__(self, model: object) -> None:
        self.model = model


@pytest.fixture
def kept() -> Any:
    """A module that outlives what a test puts into it."""
    module = types.ModuleType("kept_models")
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def named(keep: Callable[[Any], object]) -> tuple[str, ...]:
    """What is said of a model that ``keep`` puts somewhere?"""
    model = Model()
    references = weak_references(model)
    keep(model)
    del model
    gc.collect()
    return holders(references)


def test_what_is_gone_is_held_by_nobody() -> None:
    assert named(lambda model: None) == ()


def test_a_variable_of_a_module(kept: Any) -> None:
    assert named(lambda model: setattr(kept, "MODEL", model)) == ("kept_models.MODEL",)


@pytest.mark.parametrize("kind", [lambda m: [m], lambda m: {"a": m}, lambda m: {m}, lambda m: ({"a": [m]},)])
def test_a_container_is_called_by_the_variable_that_holds_it(
    kept: Any, kind: Callable[[Any], object]
) -> None:
    assert named(lambda model: setattr(kept, "CACHE", kind(model))) == ("kept_models.CACHE",)


@pytest.mark.parametrize("kind", [Service, Slotted])
def test_an_attribute(kept: Any, kind: type) -> None:
    (name,) = named(lambda model: setattr(kept, "SERVICE", kind(model)))
    assert name == f"attribute 'model' of {__name__}.{kind.__name__}"


def test_a_closure(kept: Any) -> None:
    def keep(model: Any) -> None:
        def embed() -> Any:
            return model

        kept.embed = embed

    (name,) = named(keep)
    assert name.startswith("function ")
    assert name.endswith("keep.<locals>.embed")


def test_a_generator_is_called_by_the_variable_that_holds_it(kept: Any) -> None:
    def serve(model: Any) -> Any:
        yield model

    def keep(model: Any) -> None:
        kept.server = serve(model)
        next(kept.server)

    assert named(keep) == ("kept_models.server",)


def test_a_function_that_still_runs_has_no_name_to_give() -> None:
    model = Model()
    (name,) = holders(weak_references(model))
    assert name == f"a function that runs, or code of C: nothing else refers to this {__name__}.Model"


def test_the_parts_of_a_tuple_are_followed_one_by_one(kept: Any) -> None:
    pair = (Model(), "tokenizer", Model())
    references = weak_references(pair)
    assert len(references) == 2
    kept.second = pair[2]
    del pair
    gc.collect()
    assert holders(references) == ("kept_models.second",)


@pytest.mark.parametrize("value", [7, "text", None, (), [1, 2], {"a": 1}])
def test_what_takes_no_weak_reference_is_not_followed(value: object) -> None:
    assert weak_references(value) == ()
