r"""What do people call the objects of this process: modules, variables, attributes, functions, threads, caches?

Lines of text, fields separated by tabs.  ``@`` is an address in decimal digits, 0 where there is none::

    module     @module @dict name            of ``sys.modules``, or the globals of a function (then without a module)
    class      @class module name
    name       @owner @target how name       the owner refers to the target by that name; ``how`` is one of HOWS
    thread     ident @thread name
    frame      @frame ident depth module function        0 is the innermost
    mark       @object kind module name n_entries most   an object of one of KINDS; the last two: of an lru_cache
    size       @object n_bytes               of an object too large for its column

Of contents nothing is written: keys of a plain dict, values of a text stay where they are.
"""

# No "from __future__": it would be an import of the program.

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Iterator
    from types import FrameType, ModuleType
    from typing import Any

#: How a name leads from its owner to the target.
HOWS = "global class attribute dict local default closure function context signal static".split()
#: Kinds of objects that are marked; ``ours`` is of the recording, no part of the program.
KINDS = (
    "lru_cache generator coroutine task thread executor queue handler exception function context ours".split()
)
ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"))

_PROBES = os.path.dirname(os.path.abspath(__file__)) + os.sep
_MARK = os.path.join(os.path.dirname(os.path.dirname(_PROBES)), "mark.py")
_MOST_LETTERS = 200
_MOST_GENERATORS = 2_000  # whose frame is looked at: each gets an object for it
_OPTIMIZED = 1  # flag of code: its variables are in no dict

_MODULE, _FUNCTION = type(sys), type(lambda: None)
_module_dict = vars(_MODULE)["__dict__"].__get__
_function = {
    name: vars(_FUNCTION)[name].__get__
    for name in "__code__ __globals__ __defaults__ __kwdefaults__ __closure__ __module__ __qualname__".split()
}
_type_module = type.__dict__["__module__"].__get__
_type_name = type.__dict__["__qualname__"].__get__


class Names:
    """The lines, as they are found."""

    def __init__(self, types: "ModuleType", attributes: "ModuleType", roots: "ModuleType") -> None:
        self.lines: list[bytes] = []
        self._types = types
        self._attributes = attributes.Attributes(types, self.name)
        self._roots = roots.Roots(self)
        self._dicts: set[int] = set()
        self._named: list[object] = []
        self._n_looked_into = 0

    def line(self, *fields: "Any") -> None:
        """Write one line."""
        self.lines.append(b"\t".join([_field(field) for field in fields]))

    # --- modules, classes, functions -------------------------------------------------------------------

    def modules(self) -> None:
        """What ``sys.modules`` holds, and their variables."""
        self.name(None, sys.modules, "global", "sys.modules")
        for name, module in list(sys.modules.items()):
            if type(name) is str and self._types.is_a(type(module), _MODULE):
                self.module(name, module, _module_dict(module))
            elif type(name) is str:
                self.name(sys.modules, module, "global", f"sys.modules[{name!r}]")
        self._roots.signals()

    def module(self, name: str, module: object, names: "dict[Any, Any]") -> None:
        """One module, or what a function has for one."""
        if id(names) in self._dicts or type(names) is not dict:
            return
        self._dicts.add(id(names))
        self.line("module", _id(module), id(names), name)
        if name == "diagtools" or name.startswith("diagtools."):
            self.mark(names, "ours")
            if module is not None:
                self.mark(module, "ours")
            return
        for key, value in names.items():
            if type(key) is str and key != "__builtins__":
                self.name(names, value, "global", key)

    def _class(self, each: type) -> None:
        """The attributes of a class."""
        self.line("class", id(each), *_type_names(each))
        if not self._types.is_heap_type(each):  # it lies in a library: nothing need refer to it
            self.name(None, each, "static", "")
            return
        owner = next((one for one in gc.get_referents(each) if type(one) is dict), None)
        for key, value in list(self._types.names_of(each).items()):
            if type(key) is str and owner is not None:
                self.name(owner, value, "class", key)

    def _function(self, one: "Any") -> None:
        """Its globals are a module; what it keeps from call to call has a name."""
        names = _function["__globals__"](one)
        if id(names) not in self._dicts and type(names) is dict:
            self.module(_text(dict.get(names, "__name__")) or "?", None, names)
        kept = [_function[name](one) for name in ("__defaults__", "__kwdefaults__", "__closure__")]
        own = self._attributes.of_function(one, names)
        if not any(kept) and own is None:
            return
        self.mark(one, "function", _text(_function["__module__"](one)), _function["__qualname__"](one))
        code = _function["__code__"](one)
        defaults, by_key, cells = kept
        if type(defaults) is tuple:
            arguments = code.co_varnames[: code.co_argcount]
            for key, value in zip(arguments[-len(defaults) :], defaults):
                self.name(defaults, value, "default", key)
        if type(by_key) is dict:
            for key, value in by_key.items():
                self.name(by_key, value, "default", key)
        for key, value in own.items() if own is not None else ():
            self.name(own, value, "function", key)
        for key, value in zip(code.co_freevars, cells or ()):
            self.name(cells, value, "closure", key)
            for content in gc.get_referents(value):
                self.name(value, content, "closure", key)

    # --- threads and frames ----------------------------------------------------------------------------

    def threads(self) -> "Iterator[tuple[FrameType, list[Any]]]":
        """Each frame that is executed, but ours, with its variables."""
        names = self._thread_names()
        innermost: FrameType | None
        for ident, innermost in list(sys._current_frames().items()):
            thread, name = names.get(ident, (None, ""))
            self.line("thread", ident, _id(thread), name)
            frame: FrameType | None = innermost
            while frame is not None and is_ours(frame):
                frame = frame.f_back
            depth = 0
            while frame is not None:
                self.line("frame", id(frame), ident, depth, *_function_of(frame))
                yield frame, self.variables(frame)
                frame, depth = frame.f_back, depth + 1
        innermost = None  # one of them was this very frame, which would keep itself

    def variables(self, frame: "Any") -> "list[Any]":
        """The values of its variables, which are named on the way."""
        found = self._locals(frame)
        for key, value in found:
            self.name(frame, value, "local", key)
        return [value for _, value in found]

    def _locals(self, frame: "FrameType") -> "list[tuple[str, Any]]":
        names = frame.f_locals
        if not frame.f_code.co_flags & _OPTIMIZED:  # a module, or the body of a class: it is their dict
            return [("", names)]
        found = [(key, value) for key, value in names.items() if type(key) is str]
        # Up to 3.12 the dict stays with the frame, and so what is in it.  Where nobody else has it, it is emptied.
        if type(names) is dict and sys.getrefcount(names) <= 3:
            names.clear()
        return found

    def _thread_names(self) -> "dict[int, tuple[object, str]]":
        threading = sys.modules.get("threading")
        active = vars(threading).get("_active") if type(threading) is _MODULE else None
        found = {}
        for ident, thread in list(active.items()) if type(active) is dict else ():
            found[ident] = thread, _text(self._attributes.own(thread, "_name"))
        return found

    # --- objects of their own kind ---------------------------------------------------------------------

    def special(self, kind: str, one: "Any") -> None:
        """What is known of one object of a kind of its own."""
        look = getattr(self._roots, kind, None) or getattr(self, "_" + kind)
        look(one)

    def _thread(self, one: "Any") -> None:
        target = self._attributes.own(one, "_target")
        module = _text(_function["__module__"](target)) if type(target) is _FUNCTION else ""
        self.mark(one, "thread", module, _text(self._attributes.own(one, "_name")))

    def _frame(self, one: "FrameType") -> None:
        """One that is executed no more, or has been written: then its first line counts."""
        if not is_ours(one):
            self.line("frame", id(one), 0, 0, *_function_of(one))
            self.variables(one)

    def _exception(self, one: BaseException) -> None:
        if BaseException.__dict__["__traceback__"].__get__(one) is not None:
            self.mark(one, "exception", *_type_names(type(one)))

    def _executor(self, one: "Any") -> None:
        queue = self._attributes.own(one, "_work_queue")
        if queue is not None:
            self.mark(queue, "queue", *_type_names(type(one)))

    def _handler(self, one: "Any") -> None:
        self.mark(one, "handler", *_type_names(type(one)))

    def _coroutine(self, one: "Any") -> None:
        self._suspended("coroutine", one)

    def _generator(self, one: "Any") -> None:
        self._suspended("generator", one)

    def _lru_cache(self, one: "Any") -> None:
        kind = type(one)
        names = kind.__dict__["__dict__"].__get__(one)
        wrapped = names.get("__wrapped__") if type(names) is dict else None
        module, name = "", ""
        if type(wrapped) is _FUNCTION:
            module = _text(_function["__module__"](wrapped))
            name = _text(_function["__qualname__"](wrapped))
        _, _, most, n_entries = kind.__dict__["cache_info"](one)
        self.mark(one, "lru_cache", module, name, n_entries, "" if most is None else most)

    def _suspended(self, kind: str, one: "Any") -> None:
        names = type(one).__dict__
        prefix = "gi" if kind == "generator" else "cr" if "cr_frame" in names else "ag"
        module = ""
        if self._n_looked_into < _MOST_GENERATORS:
            self._n_looked_into += 1
            frame = names[f"{prefix}_frame"].__get__(one)
            if frame is not None:
                module = _function_of(frame)[0]
                for key, value in self._locals(frame):
                    self.name(one, value, "local", key)
                    if sys.version_info < (3, 11):
                        self.name(frame, value, "local", key)
        self.mark(one, kind, module, _text(names["__qualname__"].__get__(one)))

    def _task(self, one: "Any") -> None:
        names = vars(vars(sys.modules["_asyncio"])["Task"])
        if names["done"](one):  # it keeps a result, for whoever holds it
            return
        coroutine = names["get_coro"](one)
        name = _text(names["get_name"](one))
        if self._types.kind_of(type(coroutine)) == "coroutine":
            frame = type(coroutine).__dict__["cr_frame"].__get__(coroutine)
            if frame is not None:
                name += " running " + ".".join(_function_of(frame))
        self.mark(one, "task", "", name)

    def attributes(self) -> None:
        """The attributes of instances that stand near to what has got a name so far."""
        near, self._named = self._named, []
        self._attributes.name_near(near)
        self._named = []

    # --- lines -----------------------------------------------------------------------------------------

    def name(self, owner: object, target: object, how: str, name: str) -> None:
        """The owner refers to the target by this name."""
        self.lines.append(b"name\t%d\t%d\t%b\t%b" % (_id(owner), id(target), how.encode(), _field(name)))
        if gc.is_tracked(target):
            self._named.append(target)

    def mark(self, one: object, kind: str, module: str = "", name: str = "", *more: "Any") -> None:
        """An object of one of KINDS."""
        n_entries, most = more or ("", "")
        self.line("mark", id(one), kind, module, name, n_entries, most)


def type_lines(types: "list[type]") -> "list[bytes]":
    """One line a type: address, flags that matter, module, qualified name."""
    lines = []
    for each in types:
        module, name = _type_names(each)
        lines.append(b"%d\t%b\t%b" % (id(each), _field(module), _field(name)))
    return lines


def is_ours(frame: "FrameType") -> bool:
    """Is it code of the recording that is executed?"""
    file = frame.f_code.co_filename
    return file.startswith(_PROBES) or file == _MARK


def _type_names(each: type) -> "tuple[str, str]":
    return _text(_type_module(each)), _text(_type_name(each))


def _function_of(frame: "FrameType") -> "tuple[str, str]":
    code = frame.f_code
    name = code.co_qualname if sys.version_info >= (3, 11) else code.co_name
    return _text(dict.get(frame.f_globals, "__name__")), name


def _id(one: object) -> int:
    return 0 if one is None else id(one)


def _text(found: object) -> str:
    return found if type(found) is str else ""


def _field(value: "Any") -> bytes:
    if type(value) is int:
        return b"%d" % value
    raw: bytes = value[:_MOST_LETTERS].encode("utf-8", "backslashreplace")
    for plain, escaped in ESCAPES:
        if plain in raw:
            raw = raw.replace(plain, escaped)
    return raw
