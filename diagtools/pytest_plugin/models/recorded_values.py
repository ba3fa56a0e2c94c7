"""How do a model's inputs and answers become JSON, and come back from a file that anybody may have written?

No pickle, nothing is imported and nothing called: an answer is made of numbers, text, bytes, containers, numpy arrays
of plain numbers, and of dataclasses that the test itself names.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from math import prod
from typing import Any

from diagtools.errors import DamagedError, UnavailableError, UsageError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
_NUMBERS = "biufcmM"  # kinds of numpy: truth values, integers, floats, complex numbers, times
_SPECIAL = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def encode(value: Any) -> Json:
    """The value as JSON: plain things as they are, all others as an object with one key that says what it is.

    Raises ``UsageError`` for what cannot be recorded.
    """
    match value:
        case None | bool() | str():
            return value
        case int() | float() if type(value) in (int, float):
            return (
                value
                if value == value and value not in (float("inf"), float("-inf"))
                else {"float": str(value)}
            )
        case bytes() | bytearray():
            return {"bytes": _base64(bytes(value))}
        case list():
            return [encode(part) for part in value]
        case tuple() if type(value) is tuple:
            return {"tuple": [encode(part) for part in value]}
        case dict():
            return {"dict": [[encode(key), encode(part)] for key, part in value.items()]}
    return _encode_other(value)


def decode(text: Json, types: Sequence[type] = ()) -> Any:
    """The value again; a dataclass only where it is one of ``types``.  Raises ``DamagedError``, ``UsageError``."""
    if isinstance(text, list):
        return [decode(part, types) for part in text]
    if not isinstance(text, dict):
        return text
    if len(text) != 1:
        raise _damaged(f"an object of the keys {sorted(text)}")
    ((kind, inner),) = text.items()
    try:
        return _DECODERS[kind](inner, types)
    except (DamagedError, UnavailableError, UsageError):
        raise
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(f"a {kind!r} that is none ({error})") from error


def _encode_other(value: Any) -> Json:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        return _encode_array(value, numpy)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: encode(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.init
        }
        return {"dataclass": [_full_name(type(value)), fields]}
    raise UsageError(
        f"A {_full_name(type(value))} cannot be recorded.",
        hint="let the model be called with, and answer, numbers, text, bytes, lists, dicts, arrays or dataclasses.",
    )


def _encode_array(value: Any, numpy: Any) -> Json:
    if value.dtype.kind not in _NUMBERS and value.dtype.kind not in "SU":
        raise UsageError(
            f"An array of {value.dtype} cannot be recorded.", hint="let the model answer an array of numbers."
        )
    array = numpy.ascontiguousarray(value)
    return {
        "scalar" if isinstance(value, numpy.generic) else "array": {
            "dtype": array.dtype.str,
            "shape": list(value.shape),
            "data": _base64(array.tobytes()),
        }
    }


def _array(text: Any, _types: Sequence[type]) -> Any:
    numpy = _numpy()
    dtype = numpy.dtype(str(text["dtype"]))
    shape = tuple(text["shape"])
    data = _bytes(text["data"], ())
    is_plain = dtype.kind in _NUMBERS + "SU" and dtype.fields is None and dtype.subdtype is None
    if not is_plain or not all(type(size) is int and size >= 0 for size in shape):
        raise _damaged(f"an array of dtype {text['dtype']!r} and shape {text['shape']!r}")
    if prod(shape) * dtype.itemsize != len(data):
        raise _damaged(f"an array of {len(data)} bytes for dtype {dtype} and shape {shape}")
    return numpy.frombuffer(data, dtype).reshape(shape).copy()


def _numpy() -> Any:
    """Whoever recorded arrays had it; whoever only reads the module's other answers needs none."""
    try:
        return import_module("numpy")
    except ImportError as error:
        raise UnavailableError(
            "The recording holds an array, and numpy is not installed.", hint="pip install numpy"
        ) from error


def _scalar(text: Any, types: Sequence[type]) -> Any:
    return _array(text, types)[()]


def _dataclass(text: Any, types: Sequence[type]) -> Any:
    name, fields = text
    for kind in types:
        if _full_name(kind) == name:
            return kind(**{str(field): decode(value, types) for field, value in fields.items()})
    raise UsageError(
        f"The recording holds a {str(name)!r}, which the test does not name.",
        hint=f"pass types=({str(name).rpartition(':')[2]},) to recorded_model.",
    )


def _float(text: Any, _types: Sequence[type]) -> Any:
    return _SPECIAL[text]


def _bytes(text: Any, _types: Sequence[type]) -> bytes:
    import base64

    return base64.b64decode(text, validate=True)


def _tuple(text: Any, types: Sequence[type]) -> Any:
    return tuple(decode(part, types) for part in list(text))


def _dict(text: Any, types: Sequence[type]) -> Any:
    return {decode(key, types): decode(value, types) for key, value in text}


_DECODERS = {
    "array": _array,
    "scalar": _scalar,
    "dataclass": _dataclass,
    "float": _float,
    "bytes": _bytes,
    "tuple": _tuple,
    "dict": _dict,
}


def input_hash(method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Which input is it?  A SHA-256 of the method's name and the arguments as they were passed."""
    import hashlib
    import json

    words = [method, encode(list(args)), encode(dict(sorted(kwargs.items())))]
    return hashlib.sha256(json.dumps(words, ensure_ascii=True).encode()).hexdigest()


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode("ascii")


def _full_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _damaged(what: str) -> DamagedError:
    return DamagedError(f"The recording holds {what}.", hint="record it again: pytest --diag-models=real")
