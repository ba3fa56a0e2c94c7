"""Which unit of work is the program at, where it does not say so itself?

Either the files that it opens for reading under a folder, or the calls of one function; both become items, as if the
program had called ``mark.item``.

**Files** (``watch_opened``) are seen by an audit hook.  An item is named by its path below the folder and carries
``size_bytes``.  Nothing tells when a file is closed: it ends with the thread's next one, with its thread, or at exit,
always as ``ok``.  The same file opened again at once is the same item.  Not seen: files that C code opens itself,
those that the program writes, and code that Python imports.

**Calls** (``watch_calls``) are seen by a wrapper that takes the function's place once its module has run.  An item is
named by the first argument (after ``self`` or ``cls``) where that is a path, bytes or a short line of text, and
otherwise ``function#n``.  ``size_bytes`` is the size of the file so named, else the length of bytes or ASCII text;
other text gets ``n_chars``.  A coroutine's item spans the await, a generator's the iteration.  Not seen: calls through
a reference that was taken while the module still ran (a registry filled by a decorator), and functions that
cloudpickle sends to a worker by value.
"""

from __future__ import annotations

import _thread
import atexit
import os
import stat
import sys
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, FrameType, ModuleType
    from typing import Any

    Function = Callable[..., Any]
    Begin = Callable[[tuple[tuple[Any, ...], dict[str, Any]]], Any]

ITEM = 1  # index into mark.KINDS
_TEXT_LIMIT = 500  # characters: a longer text is no name

_ACCESS_WITHOUT_READING = (
    os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)
)  # fmt: skip

_GENERATOR, _COROUTINE, _ITERABLE_COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200  # of co_flags
#: Frames of such a file name are passed over by ``warnings`` and ``logging`` when they count the stack.
_WRAPPER_FILE = "<diagtools items, passed over like importlib._bootstrap>"
#: Frames of this file name are cut from the tracebacks of failing imports.
_IMPORT_FILE = "<frozen importlib._bootstrap_external>"


def start(mark: ModuleType, opened_under: str | None, calls: str | None) -> None:
    """Watch what the recording asks for; ``mark`` is the module that records in this process."""
    if opened_under:
        watch_opened(opened_under, mark.recorder)
    if calls:
        watch_calls(calls, mark.recorder)


# --- files opened under a folder ----------------------------------------------------------------------------


def watch_opened(folder: str, recorder: Any) -> None:
    """Make an item of each file that is opened for reading under ``folder``."""
    names = _NamesUnder(folder)
    local = _thread._local()

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event != "open":
            return
        try:
            path, mode, flags = args
            if flags & _ACCESS_WITHOUT_READING:
                return
            name = names.name_of(path)
            if name is None or (mode and not _only_reads(mode)) or _is_code(name):
                return
            found = os.stat(path)
            current = (recorder.pid, name)
            if stat.S_ISREG(found.st_mode) and getattr(local, "current", None) != current:
                local.current = current
                recorder.begin(ITEM, name, {"size_bytes": found.st_size}, "opened")
        except Exception:  # noqa: BLE001 - it would fail the program's open()
            pass

    sys.addaudithook(hook)


class _NamesUnder:
    """Names of files below a folder, whichever way their path leads there.

    A path that does not begin with the folder is looked at once a directory: it may lead there through a link.
    """

    _N_CACHED = 4096

    def __init__(self, folder: str) -> None:
        self._real = os.path.join(os.path.realpath(folder), "")
        self._beginnings = (os.path.join(os.path.normpath(folder), ""), self._real)
        self._by_directory: dict[str, str | None] = {}

    def name_of(self, path: Any) -> str | None:
        """What is this file called below the folder?  ``None`` for any other, and for a descriptor."""
        if type(path) is not str:
            if path is None or isinstance(path, int):
                return None
            path = os.fsdecode(path)
        if not path.startswith("/"):
            path = os.path.join(os.getcwd(), path)
        if path.startswith(self._beginnings):
            clean = os.path.normpath(path)
            for beginning in self._beginnings:
                if clean.startswith(beginning):
                    return clean[len(beginning) :]
        directory, _, name = path.rpartition("/")
        try:
            below = self._by_directory[directory]
        except KeyError:
            below = self._remember(directory)
        return None if below is None else below + name

    def _remember(self, directory: str) -> str | None:
        if len(self._by_directory) >= self._N_CACHED:
            self._by_directory.clear()
        real = os.path.join(os.path.realpath(directory or "/"), "")
        below = real[len(self._real) :] if real.startswith(self._real) else None
        self._by_directory[directory] = below
        return below


def _only_reads(mode: str) -> bool:
    return not any(letter in mode for letter in "wax+")


def _is_code(name: str) -> bool:
    """Is it the interpreter that opens this file, to run it?"""
    if name.endswith((".pyc", ".pyo")) or "__pycache__" in name:
        return True
    try:
        opener = sys._getframe(3)  # this function, the hook, who opened
    except ValueError:
        return True  # nobody runs yet: it is the program itself
    return opener.f_code.co_filename.startswith("<frozen importlib")


# --- calls of a function ------------------------------------------------------------------------------------


def watch_calls(target: str, recorder: Any) -> None:
    """Make an item of each call of ``module:function`` or ``module:Class.method``, once that is there."""
    watched = _Watched(target, recorder)
    module = sys.modules.get(watched.module)
    if module is not None:
        watched.wrap_in(vars(module))
    sys.meta_path.insert(0, _Finder(watched))
    _watch_main(watched)
    atexit.register(watched.say_if_missing)


class _Watched:
    """The function whose calls are items, as it is looked for."""

    def __init__(self, target: str, recorder: Any) -> None:
        self.module, _, path = target.partition(":")
        self.path = path.split(".")
        self._target = target
        self._recorder = recorder
        self._problem = "was never found"
        self._is_found = False

    def wrap_in(self, namespace: dict[str, Any]) -> bool:
        """Put the wrapper into these names of a module; false where the function is not (yet) in it."""
        try:
            return self._wrap_in(namespace)
        except Exception as error:  # noqa: BLE001 - the program goes on without
            self._problem = f"could not be wrapped: {type(error).__name__}: {error}"
            return False

    def _wrap_in(self, namespace: dict[str, Any]) -> bool:
        *classes, name = self.path
        owner: Any = None
        for each in classes:
            owner = namespace[each] if owner is None else getattr(owner, each)
        names = namespace if owner is None else _attributes(owner)
        if name not in names or _is_wrapper(names[name]):
            return name in names
        wrapped = self._wrapped(names[name], is_method=owner is not None)
        if wrapped is None:
            self._problem = f"is not a function but a {type(names[name]).__name__}"
            return False
        if owner is None:
            namespace[name] = wrapped
        else:
            setattr(owner, name, wrapped)
        self._is_found = True
        return True

    def _wrapped(self, found: Any, *, is_method: bool) -> Any:
        if isinstance(found, staticmethod):
            wrapped = self._wrapped(found.__func__, is_method=False)
            return wrapped and staticmethod(wrapped)
        if isinstance(found, classmethod):
            wrapped = self._wrapped(found.__func__, is_method=True)
            return wrapped and classmethod(wrapped)
        if not _is_function(found):
            return None
        return _wrapper(found, _Items(self._recorder, found, self.path[-1], int(is_method)))

    def say_if_missing(self) -> None:
        """Leave an event that says why there are no items."""
        if not self._is_found:
            self._recorder.event(f"items: {self._target} {self._problem}", {})


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
        names = code.co_varnames[: code.co_argcount] if code else ()
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
        if isinstance(first, os.PathLike):
            first = os.fspath(first)
            return first, _size_of_file(first)
        if not isinstance(first, (str, bytes)):
            return None, {}
        features = _size_of_file(first) if len(first) <= os.pathconf_names.get("PC_PATH_MAX", 0) else {}
        return first, features
    except Exception:  # noqa: BLE001 - whatever a program passes to its function
        return None, {}
