"""Which calls of one function does the program make, where it does not mark its items itself?

Each becomes an item, as if the program had called ``mark.item``.  They are seen by a wrapper that takes the function's
place once its module has run.  An item is named by the first argument (after ``self`` or ``cls``) where that is a
path, bytes or a short line of text, and otherwise ``function#n``.  ``size_bytes`` is the size of the file so named,
else the length of bytes or ASCII text; other text gets ``n_chars``.  A coroutine's item spans the await, a
generator's the iteration; one that a plain function makes and returns runs after its item.  Not seen: calls through a
reference that was taken while the module still ran (a registry filled by a decorator), and functions that cloudpickle
sends to a worker by value.
"""

from __future__ import annotations

import atexit
import os
import stat
import sys
from itertools import count
from types import BuiltinFunctionType, FunctionType, MethodType

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, FrameType, ModuleType
    from typing import Any

    Begin = Callable[[tuple[tuple[Any, ...], dict[str, Any]]], Any]

ITEM = 1  # index into mark.KINDS
EVENT_PREFIX = "items: "  # of the event that says why no call is an item
_TEXT_LIMIT = 500  # characters: a longer text is no name
_PATH_LIMIT = 4096

_GENERATOR, _COROUTINE, _ITERABLE_COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200  # of co_flags
#: What functools.wraps copies, which is not imported into the program.
_COPIED = ("__module__", "__name__", "__qualname__", "__doc__", "__type_params__") + (
    ("__annotate__",) if sys.version_info >= (3, 14) else ("__annotations__",)
)
#: Frames of such a file name are passed over by ``warnings`` and ``logging`` when they count the stack.
_WRAPPER_FILE = "<diagtools items, passed over like importlib._bootstrap>"
#: Frames of this file name are cut from the tracebacks of failing imports.
_IMPORT_FILE = "<frozen importlib._bootstrap_external>"


def watch(target: str, recorder: Any) -> None:
    """Make an item of each call of ``module:function`` or ``module:Class.method``, once that is there."""
    watched = _Watched(target, recorder)
    module = sys.modules.get(watched.module)
    if module is not None:
        watched.wrap_in(vars(module))
    sys.meta_path.insert(0, _Finder(watched))
    _watch_main(watched)
    atexit.register(watched.say_if_missing)


class _Watched:
    """The function whose calls are items, and whether it has been found."""

    def __init__(self, target: str, recorder: Any) -> None:
        self.module, _, path = target.partition(":")
        self.path = path.split(".")
        self.is_found = False
        self.problem = "was never found"
        self._target = target
        self._recorder = recorder

    def wrap_in(self, namespace: dict[str, Any]) -> bool:
        """Put the wrapper into these names of a module; false where the function is not (yet) among them."""
        try:
            return self._wrap_in(namespace)
        except Exception as error:  # noqa: BLE001 - the program goes on without
            self.problem = f"could not be wrapped: {type(error).__name__}: {error}"
            return False

    def _wrap_in(self, namespace: dict[str, Any]) -> bool:
        *outer, name = self.path
        if self.path[0] not in namespace:
            return False
        owner: Any = None
        for each in outer:
            owner = namespace[each] if owner is None else getattr(owner, each)
        names = namespace if owner is None else _attributes(owner)
        if name not in names:
            return False
        if not _is_wrapper(names[name]):
            wrapped = self._wrapped(names[name], is_method=isinstance(owner, type))
            if wrapped is None:
                self.problem = f"is not a function but a {type(names[name]).__name__}"
                return False
            if owner is None:
                namespace[name] = wrapped
            else:
                setattr(owner, name, wrapped)
        self.is_found = True
        return True

    def _wrapped(self, found: Any, *, is_method: bool) -> Any:
        """The same kind of thing, each call an item; ``None`` for what is no function."""
        if isinstance(found, (staticmethod, classmethod)):
            wrapped = self._wrapped(found.__func__, is_method=isinstance(found, classmethod))
            return None if wrapped is None else type(found)(wrapped)
        if (
            isinstance(found, (FunctionType, BuiltinFunctionType, MethodType))
            or type(found).__name__ == "cython_function_or_method"
        ):
            return _wrapper(found, _Items(self._recorder, found, self.path[-1], int(is_method)))
        return None

    def say_if_missing(self) -> None:
        """Leave an event that says why there are no items."""
        if not self.is_found:
            self._recorder.event(f"{EVENT_PREFIX}{self._target} {self.problem}", {})


def _attributes(owner: Any) -> dict[str, Any]:
    """What ``owner`` has, as it is stored: inherited too, and nothing bound or computed."""
    found: dict[str, Any] = {}
    for each in reversed(owner.__mro__ if isinstance(owner, type) else (owner,)):
        found.update(vars(each))
    return found


class _Items:
    """Begins the item of one call.

    Pickled by value together with a function of ``__main__`` (cloudpickle does that), it begins nothing.
    """

    def __init__(self, recorder: Any, function: Any, name: str, n_skipped: int) -> None:
        self._recorder = recorder
        self._name = name
        self._n_skipped = n_skipped
        self._numbers = count(1)
        code: CodeType | None = getattr(function, "__code__", None)
        names = code.co_varnames[isinstance(function, MethodType) : code.co_argcount] if code else ()
        self._first = names[n_skipped] if len(names) > n_skipped else ""

    def __call__(self, call: tuple[tuple[Any, ...], dict[str, Any]]) -> Any:
        args, kwargs = call
        number = next(self._numbers)
        first = args[self._n_skipped] if len(args) > self._n_skipped else kwargs.get(self._first)
        name, features = _named(first)
        return self._recorder.begin(ITEM, f"{self._name}#{number}" if name is None else name, features)

    def __reduce__(self) -> tuple[Any, ...]:
        import contextlib
        import functools

        return functools.partial, (contextlib.nullcontext,)


def _named(first: Any) -> tuple[Any, dict[str, float]]:
    """The name and the features that a first argument gives to its call."""
    try:
        if not isinstance(first, (str, bytes, os.PathLike)):
            return None, {}
        name = os.fspath(first)
        size_bytes = _size_of_file(name)
        if size_bytes is not None:
            return name, {"size_bytes": size_bytes}
        is_name = isinstance(first, os.PathLike) or (len(name) <= _TEXT_LIMIT and len(name.splitlines()) < 2)
        return name if is_name else None, _size_of_text(first)
    except Exception:  # noqa: BLE001 - whatever a program passes to its function
        return None, {}


def _size_of_file(path: str | bytes) -> int | None:
    if not 0 < len(path) <= _PATH_LIMIT:
        return None
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _size_of_text(text: Any) -> dict[str, float]:
    """Bytes where they are known without encoding the text, which would cost the program memory."""
    if isinstance(text, os.PathLike):
        return {}
    is_exact = isinstance(text, bytes) or text.isascii()
    return {"size_bytes" if is_exact else "n_chars": len(text)}


def _wrapper(original: Any, begin: Begin) -> Any:
    """A function in place of ``original`` that begins and ends an item around each call.

    Its code uses nothing but its two closure cells, so that it can be pickled by value as ``original`` can.
    """
    flags = getattr(getattr(original, "__code__", None), "co_flags", 0)
    if flags & _ASYNC_GENERATOR:
        wrapper = _around_async_generator(original, begin)
    elif flags & _COROUTINE:
        wrapper = _around_coroutine(original, begin)
    elif flags & _GENERATOR:
        wrapper = _around_generator(original, begin)
    else:
        wrapper = _around_function(original, begin)
    code: CodeType = wrapper.__code__
    wrapper.__code__ = code.replace(
        co_filename=_WRAPPER_FILE,
        co_name=original.__name__,
        co_flags=code.co_flags | flags & _ITERABLE_COROUTINE,
    )
    for name in _COPIED:
        if hasattr(original, name):
            setattr(wrapper, name, getattr(original, name))
    vars(wrapper).update(getattr(original, "__dict__", {}))
    wrapper.__wrapped__ = original
    return wrapper


def _around_function(original: Any, begin: Begin) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True  # by pytest
        with begin((args, kwargs)):
            return original(*args, **kwargs)

    return wrapper


def _around_coroutine(original: Any, begin: Begin) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with begin((args, kwargs)):
            return await original(*args, **kwargs)

    return wrapper


def _around_generator(original: Any, begin: Begin) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        with begin((args, kwargs)):
            return (yield from original(*args, **kwargs))

    return wrapper


def _around_async_generator(original: Any, begin: Begin) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        __tracebackhide__ = True
        with begin((args, kwargs)):
            inner = original(*args, **kwargs)
            try:
                value = await inner.__anext__()
                while True:
                    try:
                        sent = yield value
                    except GeneratorExit:
                        await inner.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001 - all of them are thrown into it
                        value = await inner.athrow(error)
                    else:
                        value = await inner.asend(sent)
            except StopAsyncIteration:
                return

    return wrapper


def _is_wrapper(found: Any) -> bool:
    code = getattr(getattr(found, "__func__", found), "__code__", None)
    return getattr(code, "co_filename", None) == _WRAPPER_FILE


# --- where the function turns up ----------------------------------------------------------------------------


class _Finder:
    """Finds the watched module as it would be found without us, and sees to it once it has run.

    It stays for reloads.  A loader older than ``exec_module`` is left alone.
    """

    def __init__(self, watched: _Watched) -> None:
        self._watched = watched

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._watched.module:
            return None
        for finder in list(sys.meta_path):
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    if hasattr(spec.loader, "exec_module"):
                        spec.loader = _Loader(spec, self._watched)  # type: ignore[assignment]
                    return spec
        return None


class _Loader:
    """Stands in for a module's loader from when it is found until it begins to run."""

    def __init__(self, spec: ModuleSpec, watched: _Watched) -> None:
        self._loader: Any = spec.loader
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        create = getattr(self._loader, "create_module", None)
        found: ModuleType | None = create(spec) if create else None
        return found

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._watched.wrap_in(vars(module))


for _method in (_Finder.find_spec, _Loader.create_module, _Loader.exec_module):
    _method.__code__ = _method.__code__.replace(co_filename=_IMPORT_FILE)


def _watch_main(watched: _Watched) -> None:
    """Look for the function in the program itself, which no import hook sees: ``__main__``, or a module under -m.

    The audit event of its start gives its code.  Where that stores the name, its lines are traced until the
    function is there; calls before are none.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event != "exec" or watched.is_found:
            return
        try:
            code = args[0]
            if code.co_name != "<module>" or watched.path[0] not in code.co_names:
                return
            if sys.gettrace() is None:
                sys.settrace(_MainTracer(watched, code).on_call)
            elif watched.module == "__main__":
                watched.problem = "was not looked for: another tracer is at work"
        except Exception:  # noqa: BLE001 - it would keep the program from running
            pass

    sys.addaudithook(hook)


class _MainTracer:
    """Traces the lines of one module, and of nothing that it calls, until the watched function is in it."""

    def __init__(self, watched: _Watched, code: CodeType) -> None:
        self._watched = watched
        self._code: CodeType | None = code

    def on_call(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if self._code is None:  # the module runs; this is something that it calls
            return None
        is_it = frame.f_code is self._code and self._is_main(frame.f_globals)
        self._code = None
        if is_it:
            return self._on_line
        self._stop(frame)
        return None

    def _on_line(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if self._watched.wrap_in(frame.f_globals) or event == "return":
            self._stop(frame)
            return None
        return self._on_line

    def _is_main(self, names: dict[str, Any]) -> bool:
        if names.get("__name__") not in (
            "__main__",
            "__mp_main__",
        ):  # the second in a child of multiprocessing
            return False
        return self._watched.module in ("__main__", getattr(names.get("__spec__"), "name", None))

    def _stop(self, frame: FrameType) -> None:
        frame.f_trace = None
        if sys.gettrace() == self.on_call:  # else the program traces itself meanwhile
            sys.settrace(None)
