"""Code of an experiment that is run in the program under study: what can it call, and did it come to anything?

A snippet is executed once in each Python process, at its start or right after one module has been imported.  At the
start the program's own folder is not on the path yet: a snippet names what it changes, it does not import it.  It has::

    replace("package.module:Class.method", new)     from that module's import on, ``new`` stands there
    wrap("package.module:function", wrapper)        ``wrapper(original, *args, **kwargs)`` is called instead
    every(seconds, function)                        called again and again, in a thread of its own
    when_imported("package.module")                 a decorator: that function is called with the module
    module                                          the module after whose import it runs, or None

``replace`` and ``wrap`` take ``optional=True``: of several such targets one has to be called, not each.

Nothing here raises into the program, but what the snippet's own functions raise when the program calls them.  What
became of each snippet is in ``changes.notes``, in the format of ``tracker_notes``, with these kinds; a text begins with
the number of the snippet::

    began     it is executed
    ran       it was executed to its end
    failed    it raised, or what it is to change does not exist; the text says why
    waiting   for the import of a module before this target can be changed
    optional  the same, of one of several that will do
    replaced  this target was
    counted   this target was, and its first call is noted
    called    the first call
    raised    one of its functions raised, the first time
    blocked   (of `patches`) a package that is not installed was asked for
    brought   (of `overlays`) a module came from the overlay: ``module file``
    shadowed  (of `overlays`) it came from elsewhere
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

NOTES = "changes.notes"
#: One line a snippet: ``number TAB module TAB name``; its code is in ``CODE % number``.
LIST, CODE = "patches.list", "patch.%d.py"
_COROUTINE, _NOT_PLAIN = 0x80, 0x20 | 0x80 | 0x100 | 0x200  # of co_flags: generators, coroutines
_GIVEN = "__name__ __file__ __builtins__ module replace wrap every when_imported".split()
_COPIED = "__module__ __name__ __qualname__ __doc__".split()


def watch(folder: str, after: "Any", notes: "Any", new_ticker: "Callable[[float, Any], Any]") -> None:
    """Run the snippets of this folder, each as it is due."""
    with open(os.path.join(folder, LIST), encoding="utf-8") as listed:
        rows = [line.rstrip("\n").split("\t") for line in listed]
    snippets = [
        (module, _Snippet(number, os.path.join(folder, CODE % int(number)), name, after, notes, new_ticker))
        for number, module, name in rows
    ]
    if snippets:
        after.call("threading", lambda threading: _watch_threads(threading, [one for _, one in snippets]))
    for module, snippet in snippets:
        if module:
            snippet.run_after(module)
        else:
            snippet.run(None)


def _watch_threads(threading: "Any", snippets: "list[_Snippet]") -> None:
    """What a function of a snippet raises in a thread of its own nobody else sees."""
    usual = threading.excepthook

    def excepthook(found: "Any") -> None:
        for snippet in snippets:
            if found.exc_value is not None and snippet.is_own(found.exc_value):
                snippet.say_raised("a thread", found.exc_value)
        usual(found)

    threading.excepthook = excepthook


class _Snippet:
    """One snippet in this process."""

    def __init__(self, number: str, place: str, name: str, after: "Any", notes: "Any", ticker: "Any") -> None:
        self._number, self._place, self._name = number, place, name
        self._after, self._notes, self._new_ticker = after, notes, ticker
        self._said: set[tuple[str, str]] = set()

    def run_after(self, module: str) -> None:
        self._say("waiting", module)
        self._after.call(module, self.run)

    def run(self, module: "ModuleType | None") -> None:
        own = set(vars(module)) if module is not None else set()
        before = {name: id(value) for name, value in vars(module).items()} if module is not None else {}
        self._say("began", self._name)
        names = {
            "__name__": "diagtools_patch",
            "__file__": self._place,
            "module": module,
            "replace": self.replace,
            "wrap": self.wrap,
            "every": self.every,
            "when_imported": self.when_imported,
        }
        try:
            with open(self._place, "rb") as file:
                source = file.read()
            exec(compile(source, self._place, "exec", dont_inherit=True), names)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the program goes on as it was, and the run says so
            self._fail(error)
            return
        bound = [name for name in names if name in own and name not in _GIVEN]
        if bound and module is not None and before == {n: id(value) for n, value in vars(module).items()}:
            self._say("failed", f"it sets {bound[0]!r} in itself: write module.{bound[0]} = {bound[0]}")
            return
        self._say("ran", self._name)

    # --- what a snippet can call -----------------------------------------------------------------------

    def replace(self, target: str, new: "Any", *, optional: bool = False) -> None:
        """Put ``new`` in the place of ``target`` (``module:attribute.path``), as soon as that is imported."""
        self._when(target, optional, lambda owner, name: self._put(owner, name, new, target))

    def wrap(self, target: str, wrapper: "Callable[..., Any]", *, optional: bool = False) -> None:
        """Have ``wrapper(original, *args, **kwargs)`` called in the place of ``target``."""
        if not callable(wrapper):
            raise TypeError(f"{wrapper!r} cannot be called")
        self._when(target, optional, lambda owner, name: self._put_around(owner, name, wrapper, target))

    def every(self, seconds: float, function: "Callable[[], Any]") -> None:
        """Call it every so many seconds until the process ends; in forked children too."""
        name = getattr(function, "__name__", "function")
        call = self._noting(function, f"every {seconds:g} s: {name}")
        held = [self._new_ticker(seconds, call)]
        self._say("counted", f"every {seconds:g} s: {name}")
        # A fork in a process of several threads is one that CPython warns of.
        os.register_at_fork(
            before=lambda: held.pop().stop() if held else None,
            after_in_parent=lambda: held.append(self._new_ticker(seconds, call)),
            after_in_child=lambda: held.append(self._new_ticker(seconds, call)),
        )
        import atexit  # built in

        atexit.register(lambda: held.pop().stop() if held else None)

    def when_imported(self, module: str) -> "Callable[[Callable[[ModuleType], Any]], Any]":
        """The decorated function is called with the module, right after its import or at once."""

        def decorate(function: "Callable[[ModuleType], Any]") -> "Any":
            self._say("waiting", module)
            self._after.call(module, lambda found: self._run_function(function, found, module))
            return function

        return decorate

    # --- how it is done --------------------------------------------------------------------------------

    def _when(self, target: str, optional: bool, change: "Callable[[Any, str], None]") -> None:
        module, _, path = target.partition(":")
        if module == "__main__":
            raise ValueError("a script is not imported, nothing of it can be replaced: put it into a module")
        if not module or not path:
            raise ValueError(f"{target!r} names nothing to change: write 'package.module:Class.method'")
        self._say("optional" if optional else "waiting", target)
        self._after.call(module, lambda found: self._change(found, path, target, change))

    def _change(
        self, module: "ModuleType", path: str, target: str, change: "Callable[[Any, str], None]"
    ) -> None:
        try:
            owner: Any = module
            *within, name = path.split(".")
            for part in within:
                owner = getattr(owner, part)
            getattr(owner, name)
        except AttributeError:
            self._say("failed", f"there is no {target}")
            return
        try:
            change(owner, name)
        except Exception as error:  # noqa: BLE001 - a type of C cannot be changed, for instance
            self._say("failed", f"{target} cannot be changed: {error}")

    def _put(self, owner: "Any", name: str, new: "Any", target: str) -> None:
        """As what stood there: a static method stays one, where a plain function is given."""
        raw = _raw(owner, name)
        if not _is_plain_function(new):
            setattr(owner, name, new)
            self._say("replaced", target)
            return
        counted = self._noting(new, target)
        is_wrapped = isinstance(raw, (staticmethod, classmethod))
        setattr(owner, name, type(raw)(counted) if is_wrapped else counted)
        self._say("counted", target)

    def _put_around(self, owner: "Any", name: str, wrapper: "Callable[..., Any]", target: str) -> None:
        raw = _raw(owner, name)
        is_method = isinstance(raw, (staticmethod, classmethod))
        original = raw.__func__ if is_method else raw
        if not callable(original):
            raise TypeError(f"it is no function but {type(original).__name__}")

        def around(*args: "Any", **kwargs: "Any") -> "Any":
            return wrapper(original, *args, **kwargs)

        counted = self._noting(around, target, like=original)
        if getattr(getattr(original, "__code__", None), "co_flags", 0) & _COROUTINE:
            plain = counted

            async def counted(*args: "Any", **kwargs: "Any") -> "Any":
                found = plain(*args, **kwargs)
                return await found if hasattr(found, "__await__") else found

            _pass_for(counted, original)
        setattr(owner, name, type(raw)(counted) if is_method else counted)
        self._say("counted", target)

    def _noting(
        self, function: "Callable[..., Any]", target: str, like: "Any" = None
    ) -> "Callable[..., Any]":
        """The same function; its first call is noted, and what it raises itself."""
        is_called: list[bool] = []

        def noted(*args: "Any", **kwargs: "Any") -> "Any":
            if not is_called:
                is_called.append(True)
                self._say("called", target)
            try:
                return function(*args, **kwargs)
            except Exception as error:
                if self.is_own(error):
                    self.say_raised(target, error)
                raise

        _pass_for(noted, function if like is None else like)
        return noted

    def say_raised(self, target: str, error: BaseException) -> None:
        """Note the first of each target."""
        self._say("raised", f"{target}: {type(error).__name__}: {error}", target)

    def is_own(self, error: BaseException) -> bool:
        """Was it raised by a line of the snippet?  What the program's own functions raise through it is not."""
        innermost = error.__traceback__
        while innermost is not None and innermost.tb_next is not None:
            innermost = innermost.tb_next
        return innermost is not None and innermost.tb_frame.f_code.co_filename == self._place

    def _run_function(self, function: "Callable[[ModuleType], Any]", module: "ModuleType", name: str) -> None:
        try:
            function(module)
        except Exception as error:  # noqa: BLE001 - as for the snippet itself
            self._fail(error)
        else:
            self._say("replaced", name)

    def _fail(self, error: BaseException) -> None:
        line = _line_of(error, self._place)
        self._say("failed", f"{type(error).__name__}: {error}{line}")

    def _say(self, kind: str, text: str, once: str = "") -> None:
        """Once a process for each target: a forked child says it too."""
        key = (f"{kind} {os.getpid()}", once or text)
        if key not in self._said:
            self._said.add(key)
            self._notes.write(kind, f"{self._number} {text}")


def _raw(owner: "Any", name: str) -> "Any":
    """What stands there, a static method as one; of a base class what that has."""
    for place in getattr(owner, "__mro__", (owner,)):
        if name in vars(place):
            return vars(place)[name]
    return getattr(owner, name)


def _is_plain_function(new: "Any") -> bool:
    """Can its calls be noted, without it being another kind of function for those who ask?"""
    return isinstance(new, type(_raw)) and not new.__code__.co_flags & _NOT_PLAIN


def _pass_for(new: "Any", original: "Any") -> None:
    for name in _COPIED:
        if hasattr(original, name):
            setattr(new, name, getattr(original, name))
    new.__wrapped__ = original


def _line_of(error: BaseException, place: str) -> str:
    """The innermost line of the snippet that it went through."""
    found = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == place:
            found = f", line {step.tb_lineno}"
        step = step.tb_next
    return found
