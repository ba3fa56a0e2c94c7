"""Who calls a loader, whichever name it was called by?

A mock stands at one attribute; whoever imported the loader by name before goes past it.  So the loader's own code is
watched while a test runs: the code object of a function is exchanged, ``__init__`` of a class is covered.  Every
reference sees that, and it is taken back after the test.  Callables that Python code cannot change (of C, of
extension modules) are not watched.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

_TRAMPOLINE = """
def outer({free}):
    def {name}(*args, **kwargs):
        from diagtools.pytest_plugin.models.guard import called
        return called({key}, args, kwargs)
        ({free})
    return {name}
"""
_MOST_FRAMES = 40
_ABSENT = object()
_watches: dict[int, Watch] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Which line of which function called?"""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who called the loader: lines from the innermost outwards, and by which name the innermost knows it (or "")?"""

    lines: tuple[Line, ...]
    known_as: str
    thread: str


class Watch:
    """Calls of one loader, seen before its code runs: ``on_call`` is told, and may raise."""

    def __init__(self, loader: object, on_call: Callable[[Call], None]) -> None:
        self._on_call = on_call
        self._loader = loader
        self.is_on = False
        self._watched: Any = _watched(loader)
        self._only_of = _instance(loader, self._watched)
        self._original: Any = None
        self._trampoline: Any = None

    @property
    def key(self) -> tuple[int, int] | None:
        """Which function or class is watched, of which object?  Null where the loader cannot be."""
        return None if self._watched is None else (id(self._watched), id(self._only_of))

    def on(self) -> None:
        """From here on each call is seen.  What cannot be watched is left alone."""
        if self.is_on or self._watched is None:
            return
        if isinstance(self._watched, FunctionType):
            if self._watched.__code__ is not self._original:
                self._original = self._watched.__code__
                self._trampoline = _trampoline(self._original, id(self))  # 80 µs, so it is kept
            self._watched.__code__ = self._trampoline
        else:
            self._original = self._watched.__dict__.get("__init__", _ABSENT)
            try:
                self._watched.__init__ = _initialiser(id(self))
            except (AttributeError, TypeError):  # a class of C, or one that refuses to be changed
                self._watched = None
                return
        _watches[id(self)] = self
        self.is_on = True

    def off(self) -> None:
        """Everything is as it was."""
        if not self.is_on:
            return
        self.is_on = False
        del _watches[id(self)]
        if isinstance(self._watched, FunctionType):
            self._watched.__code__ = self._original
        elif self._original is _ABSENT:
            del self._watched.__init__
        else:
            self._watched.__init__ = self._original

    def called(self, frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the loader gives, where ``on_call`` lets it run."""
        if self._only_of is None or (args and args[0] is self._only_of):
            self._on_call(Call(lines=_lines(frame), known_as=self._name_in(frame), thread=_thread()))
        if isinstance(self._watched, FunctionType):
            function = self._watched
            real = FunctionType(
                self._original,
                function.__globals__,
                function.__name__,
                function.__defaults__,
                function.__closure__,
            )
            real.__kwdefaults__ = function.__kwdefaults__
            return real(*args, **kwargs)
        own = self._original
        if own is _ABSENT:
            own = super(self._watched, args[0]).__init__
            is_nothing = getattr(own, "__objclass__", None) is object
            return None if is_nothing else own(*args[1:], **kwargs)
        return own(*args, **kwargs)

    def _name_in(self, frame: FrameType) -> str:
        """By which global name does the calling module know the loader?"""
        for name, value in list(frame.f_globals.items()):
            if value is self._loader:
                return f"{frame.f_globals.get('__name__')}:{name}"
        return ""


def called(key: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a watched loader runs instead of its own code."""
    frame = sys._getframe(1)
    return _watches[key].called(frame.f_back or frame, args, kwargs)  # a thread may begin with a loader


def _watched(loader: object) -> FunctionType | type | None:
    """Which function or class is it in the end?  Of a decorated one what it wraps; null where it is not of Python."""
    for _ in range(_MOST_FRAMES):
        if isinstance(loader, staticmethod | classmethod):
            loader = loader.__func__
        elif isinstance(loader, FunctionType | type):
            return loader
        elif (inner := getattr(loader, "__wrapped__", None)) is not None:
            loader = inner
        else:
            return _method(loader)
    return None


def _method(loader: object) -> FunctionType | None:
    """What runs where a bound method or an object that can be called is?  Null where that is not of Python."""
    if isinstance(loader, MethodType):
        function: object = loader.__func__
    else:
        function = type(loader).__call__ if callable(loader) else None
    return function if isinstance(function, FunctionType) else None


def _instance(loader: object, watched: object) -> object:
    """Of which one object are the calls meant?  Null where of all: it is no method, or one of a class."""
    if isinstance(loader, MethodType):
        return loader.__self__
    return loader if callable(loader) and watched is type(loader).__call__ else None


def _trampoline(code: CodeType, key: int) -> CodeType:
    """Code that goes with the same function: as many free variables, the same name and first line."""
    name = code.co_name if code.co_name.isidentifier() else "loader"
    free = "".join(f"{variable}, " for variable in code.co_freevars)
    source = _TRAMPOLINE.format(free=free, name=name, key=key)
    names: dict[str, Any] = {}
    exec(compile(source, code.co_filename, "exec"), names)
    made: CodeType = names["outer"](*code.co_freevars).__code__
    return made.replace(co_firstlineno=code.co_firstlineno, co_qualname=code.co_qualname)


def _initialiser(key: int) -> Callable[..., None]:
    def __init__(self: object, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it stands for one
        called(key, (self, *args), kwargs)

    return __init__


def _lines(first: FrameType) -> tuple[Line, ...]:
    lines: list[Line] = []
    frame: FrameType | None = first
    while frame is not None and len(lines) < _MOST_FRAMES:
        if frame.f_code.co_filename != __file__:  # two watches of one function call each other
            lines.append(_line(frame))
        frame = frame.f_back
    return tuple(lines) or (_line(first),)


def _line(frame: FrameType) -> Line:
    code = frame.f_code
    return Line(file=code.co_filename, line=frame.f_lineno, function=code.co_qualname)


def _thread() -> str:
    """In which thread?  Empty for the main one."""
    thread = threading.current_thread()
    return "" if thread is threading.main_thread() else thread.name
