"""What is known of a type without asking its objects: flags, bases, which of its functions are written in C?

Nothing of the class itself is called: no method of a metaclass, no ``__class__``, no ``__eq__``.
"""

# No "from __future__": it would be an import of the program.

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from typing import Any

#: Bits of ``type.__flags__``.
HEAP_TYPE, HAS_GC, IS_CLASS, IS_EXCEPTION = 1 << 9, 1 << 14, 1 << 31, 1 << 30
_MANAGED_DICT = 1 << 4  # since 3.11

flags_of = type.__dict__["__flags__"].__get__
_mro = type.__dict__["__mro__"].__get__
_names_of = type.__dict__["__dict__"].__get__
_dict_offset = type.__dict__["__dictoffset__"].__get__
_METHOD = type(str.join)
_INLINE_BYTES = 16  # ctypes keeps so much within the object


async def _coroutine() -> None: ...


async def _generator() -> "Any":
    yield


def _kinds() -> "dict[int, str]":
    """Kinds of objects that the interpreter itself has types for, by the address of the type."""
    coroutine = _coroutine()
    coroutine.close()
    return {
        id(type(_kinds)): "function",
        id(type(1 for _ in ())): "generator",
        id(type(coroutine)): "coroutine",
        id(type(_generator())): "coroutine",
        id(type(sys._getframe())): "frame",
    }


_KIND_OF = _kinds()
#: Kinds that are told by a base class, where its module is loaded.
_BASES = (
    ("lru_cache", "functools", "_lru_cache_wrapper"),
    ("task", "_asyncio", "Task"),
    ("thread", "threading", "Thread"),
    ("executor", "concurrent.futures.thread", "ThreadPoolExecutor"),
    ("executor", "concurrent.futures.process", "ProcessPoolExecutor"),
    ("handler", "logging", "Handler"),
    ("thread_local", "_thread", "_local"),
    ("context", "_contextvars", "Context"),
)


def kind_of(each: type) -> str:
    """Which kind of its own are the instances of this type, if any?  Only what is loaded is compared with."""
    found = _KIND_OF.get(id(each))
    if found is not None:
        return found
    if is_class(each):
        return "class"
    if is_exception_type(each):
        return "exception"
    for kind, module, name in _BASES:
        base = _loaded(module, name)
        if base is not None and is_a(each, base):
            return kind
    return ""


def _loaded(module: str, name: str) -> "Any":
    found = sys.modules.get(module)
    return vars(found).get(name) if type(found) is type(sys) else None


def is_heap_type(each: type) -> bool:
    """Was this class made while the program ran, as all classes of Python code are?"""
    return bool(flags_of(each) & HEAP_TYPE)


def is_class(each: type) -> bool:
    """Are the instances of this type classes?"""
    return bool(flags_of(each) & IS_CLASS)


def is_exception_type(each: type) -> bool:
    """Are the instances of this type exceptions?"""
    return bool(flags_of(each) & IS_EXCEPTION)


def has_dict(each: type) -> bool:
    """Have the instances of this class attributes of their own?"""
    return is_heap_type(each) and _dict_offset(each) != 0


def has_values(each: type) -> bool:
    """Do the instances of this class keep their attributes without a dict?  ``sys.getsizeof`` leaves these out."""
    return sys.version_info >= (3, 11) and is_heap_type(each) and bool(flags_of(each) & _MANAGED_DICT)


def mro_of(each: type) -> "tuple[type, ...]":
    """The classes in which an attribute is looked for; nothing of the class's own is called."""
    found = _mro(each)
    return found if type(found) is tuple else ()


def is_a(each: type, base: type) -> bool:
    """Is it this class, or one below it?  ``in`` would ask a metaclass whether two are equal."""
    return any(one is base for one in mro_of(each))


def names_of(each: type) -> "Any":
    """What the class itself defines."""
    return _names_of(each)


def sizer(each: type) -> "Any":
    """What tells the size of such objects, where the first that would be taken is one in Python, or says too little."""
    if _is_of_ctypes(each):
        return _size_of_buffer
    for n_before, base in enumerate(mro_of(each)):
        found = _names_of(base).get("__sizeof__")
        if type(found) is _METHOD:
            return found if n_before and _is_overridden(each, n_before) else None
    return object.__sizeof__


def _is_of_ctypes(each: type) -> bool:
    array = _loaded("_ctypes", "Array")
    data = None if array is None else mro_of(array)[1]
    return data is not None and is_a(each, data) and "_b_needsfree_" in names_of(data)


def _size_of_buffer(one: "Any") -> int:
    """What an object of ctypes takes, with the memory that it owns and keeps apart."""
    names = vars(sys.modules["_ctypes"])
    owns = names_of(mro_of(names["Array"])[1])["_b_needsfree_"].__get__(one)
    n_bytes = names["sizeof"](one) if owns else 0
    return object.__sizeof__(one) + (n_bytes if n_bytes > _INLINE_BYTES else 0)


def _is_overridden(each: type, n_before: int) -> bool:
    return any("__sizeof__" in _names_of(base) for base in mro_of(each)[:n_before])


def opener(each: type) -> "Callable[[Any], list[Any]] | None":
    """What refers to others unseen by the collector, or says more than is good: code, numpy's arrays, modules."""
    if each is type(opener.__code__):
        return _of_code
    if each is type(sys):
        return _of_module
    if is_class(each):
        return _of_class
    if is_a(each, dict):
        return _of_dict
    for name, found in (("ndarray", _of_array), ("dtype", _of_dtype)):
        plain = _loaded("numpy", name)
        if plain is not None and is_a(each, plain):
            return found
    return None


_CODE = [
    type(opener.__code__).__dict__[name].__get__
    for name in "co_consts co_names co_filename co_name co_qualname co_linetable co_exceptiontable".split()
    if name in type(opener.__code__).__dict__
]


def _of_code(code: "Any") -> "list[Any]":
    return [get(code) for get in _CODE]


def _of_module(one: "Any") -> "list[Any]":
    """The `_asyncio` of 3.12 shows the collector objects that it keeps to use again: dropped, they end up in a ring."""
    name = vars(one).get("__name__")
    return [vars(one)] if type(name) is str and name == "_asyncio" else gc.get_referents(one)


def _of_dict(one: "Any") -> "list[Any]":
    """Where all keys are texts, the collector is told of the values alone."""
    found = gc.get_referents(one)
    if len(found) < 2 * dict.__len__(one):
        found.extend(dict.keys(one))
    return found


def _of_class(one: "Any") -> "list[Any]":
    """A class that is written in C says nothing of what it defines."""
    found = gc.get_referents(one)
    if not is_heap_type(one):
        found = [*mro_of(one), *gc.get_referents(_names_of(one))]
    return found


def _of_array(array: "Any") -> "list[Any]":
    names = vars(_loaded("numpy", "ndarray"))
    base, dtype = names["base"].__get__(array), names["dtype"].__get__(array)
    found = [*gc.get_referents(array), dtype]
    if base is not None:
        found.append(base)
    elif vars(_loaded("numpy", "dtype"))["kind"].__get__(dtype) == "O":
        found += _elements(names["tolist"](array), names["ndim"].__get__(array))
    return found


def _of_dtype(dtype: "Any") -> "list[Any]":
    names = vars(_loaded("numpy", "dtype"))
    fields = names["fields"].__get__(dtype)
    return [] if fields is None else [*gc.get_referents(fields), names["names"].__get__(dtype)]


def _elements(nested: "Any", depth: int) -> "list[Any]":
    """What numpy's lists of lists hold at last."""
    if depth == 0:
        return [nested]
    return nested if depth == 1 else [each for one in nested for each in _elements(one, depth - 1)]
