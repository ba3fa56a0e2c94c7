"""What still refers to a model that should be gone?

Referrers are asked of the garbage collector and followed upwards through containers, until something has a name:
a module's variable, an attribute, a local variable of a frame, a fixture.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import CellType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

import pytest

_MOST_NAMED = 5
_MOST_LEVELS = 6
_MOST_ASKED = 200

_Ref = Callable[[], Any]


def weak_references(model: Any) -> tuple[_Ref, ...]:
    """Weak references to the model, or where it is a tuple, list or dict to what is in it; none where it takes none."""
    parts = (
        model.values() if isinstance(model, dict) else model if isinstance(model, tuple | list) else (model,)
    )
    found = []
    for part in parts:
        try:
            found.append(weakref.ref(part))
        except TypeError:  # a number, a string, a class with slots
            continue
    return tuple(found)


def holders(references: tuple[_Ref, ...]) -> tuple[str, ...]:
    """What holds what is still alive, in words; empty where nothing is."""
    found: dict[str, None] = {}
    for reference in references:
        model = reference()
        if model is not None:
            found.update(dict.fromkeys(_holders_of(model)))
    return tuple(found)[:_MOST_NAMED]


def _holders_of(model: Any) -> Iterator[str]:
    """Breadth first, so that the nearest names come first."""
    level, seen = [model], {id(model)}
    ignored = {id(sys._getframe()), id(level), id(seen)}
    n_named = 0
    for _ in range(_MOST_LEVELS):
        above: list[Any] = []
        ignored |= {id(level), id(above)}
        for held in level[:_MOST_ASKED]:
            for referrer in gc.get_referrers(held):
                if id(referrer) in seen | ignored or _is_ours(referrer):
                    continue
                seen.add(id(referrer))
                name = _name(held, referrer)
                if name:
                    n_named += 1
                    yield name
                else:
                    above.append(referrer)
        if n_named or not above:
            break
        level = above
    if not n_named:
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        yield f"a function that runs, or code of C: nothing else refers to this {kind}"


def _is_ours(referrer: Any) -> bool:
    return isinstance(referrer, FrameType) and referrer.f_code.co_filename == __file__


def _name(held: Any, referrer: Any) -> str:
    """What is it called that refers to ``held``?  Empty where that must be asked one level up."""
    if isinstance(referrer, FrameType):
        return _frame_name(held, referrer)
    if isinstance(referrer, pytest.FixtureDef):
        return f"fixture '{referrer.argname}'"
    if isinstance(referrer, FunctionType):
        return f"function {referrer.__module__}.{referrer.__qualname__}"
    if isinstance(referrer, ModuleType):
        return f"module {referrer.__name__}"
    if isinstance(referrer, dict):
        return _dict_name(held, referrer)
    if isinstance(referrer, list | tuple | set | frozenset | CellType | MethodType):
        return ""
    attribute = next((name for name, value in _attributes(referrer) if value is held), "")
    kind = referrer if isinstance(referrer, type) else type(referrer)
    return f"attribute '{attribute}' of {kind.__module__}.{kind.__qualname__}" if attribute else ""


def _attributes(referrer: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(referrer, "__dict__", {}).items()
    for kind in type(referrer).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            with suppress(AttributeError):  # one that was never set, or a name of a property
                yield name, getattr(referrer, name)


def _dict_name(held: Any, referrer: dict[Any, Any]) -> str:
    key = next((key for key, value in list(referrer.items()) if value is held), None)
    for name, module in list(sys.modules.items()):
        if getattr(module, "__dict__", None) is referrer:
            return f"{name}.{key}"
    return ""


def _frame_name(held: Any, frame: FrameType) -> str:
    local = next((name for name, value in frame.f_locals.items() if value is held), "a value")
    function = f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"
    return f"local '{local}' of {function}{_kept_by_traceback(frame)}"


def _kept_by_traceback(frame: FrameType) -> str:
    """Is the frame alive only because a failed test's traceback is kept until the next test?"""
    traceback = getattr(sys, "last_traceback", None)
    while traceback is not None:
        if traceback.tb_frame is frame:
            return ", which the traceback of a failed test keeps until the next test"
        traceback = traceback.tb_next
    return ""
