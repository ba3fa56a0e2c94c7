r"""What does a process hold where chosen import statements are lazy, and which line makes it import after all?

Runs on any CPython from 3.9 on, in two roles.  A helper compiles the chosen files, as they are and lazily, so that the
process that is measured neither parses nor compiles them (``compile_files``).  In that process (``measure``) a chosen
file is executed from either code, in exactly the same way: what differs is the laziness alone.

Lazy is what PEP 810 calls so.  In place of the statement stands a call that puts its names on a table, when and only
if the statement would have been executed.  ``__builtins__`` of the module is a dict whose ``__missing__`` executes the
statement on the first look-up of such a name, and ``__getattr__`` of the module does so for access from outside.  The
statement that is executed then is the original one at its own line, for one name of it.

Where it differs from PEP 810, which nobody can see without looking:

* ``globals()["name"]``, ``vars(module)["name"]`` and ``"name" in module.__dict__`` do not find a name that waits: no
  look-up of a name is made.  (There they find a lazy object.)
* the module's own ``__getattr__`` and ``__dir__`` are chained when its execution has ended, not before.
* ``import a.b`` executed while a lazy ``import a.c`` waits binds ``a`` without ``a.c``.
* a built-in name that is replaced afterwards is replaced for the other modules only; a new one is seen.
* an import that raises ``KeyError`` looks like an unknown name.
* code that the module executes with a fresh namespace of its own sees the names that wait.
* a file that is executed as a program, or by another loader than Python's own or pytest's, is not made lazy.

Each event is written at once, so that a kill or ``os._exit`` loses nothing::

    laziness.<pid>.log, one line an event, its fields separated by tabs and escaped as ``unicode_escape`` does

    start   t_ns cpu_ns rss shared n_modules    what is measured begins
    lazy    …  file line                        a chosen statement was reached: its names wait
    forced  …  FORCED_FIELDS                    a name that waited is used there, and imported
    stop    …  error                            what is measured has ended; the type of the exception, or empty
"""

# No "from __future__": it would be an import.

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    import ast
    from collections.abc import Iterator, Sequence
    from types import CodeType, FrameType, ModuleType
    from typing import Any

    _Names = dict[str, Any]
    _Statement = tuple[str, int, tuple[tuple[str, bool, bytes], ...]]  # file, line; name, dotted, code
    _Found = tuple[list[Any], ast.stmt, str, int]  # its list, the statement, what encloses it, its scope
else:
    _Names = dict

LOG_GLOB = "laziness.*.log"
#: ``module`` is where the name waited, ``cut_file`` and ``cut_line`` its statement, the rest whoever used it.
FORCED_FIELDS = ("module", "name", "cut_file", "cut_line", "file", "line", "function")
EXIT_STATUS = 1  # of a measured statement that failed

#: What the helper leaves in its folder.
PLACES, EAGER, LAZY, PROBE = "places.json", "eager.marshal", "lazy.marshal", "probe.marshal"
#: What is in the folder of a child: how it ended.  TRACED is the sub-folder of the child whose imports are recorded.
OUTCOME, TRACED = "outcome.json", "traced"
#: Where in a run folder whose command has lazy imports the compiled files lie, and beside them what was noted.
COMPILED, NOTED = "lazy", "lazy/noted"
#: The module whose loader executes what pytest collects.
_REWRITER = "_pytest.assertion.rewrite"
NOT_COMPILED = "cannot be compiled"
IN_TRY = "in a try statement"
_ENCLOSING = {
    "FunctionDef": "in a function",
    "AsyncFunctionDef": "in a function",
    "ClassDef": "in a class body",
    "Try": IN_TRY,
    "TryStar": IN_TRY,
}
_BIND, _DROP = "__diagtools_lazy__", "__diagtools_drop__"
#: The file name to compile this file under: such frames are cut from tracebacks and passed over by ``warnings``.
FRAMES = "<frozen importlib._bootstrap>"


# --- in the helper ---------------------------------------------------------------------------------


def compile_files(folder: str, probe: str, files: "dict[str, list[int]]", *, even_in_try: bool) -> None:
    """Compile each file as it is and with the statements at these lines made lazy; both go into the folder.

    So does this file (``probe``): the memory that parsing it has used and freed would serve the measured imports.
    """
    import json
    import marshal
    import os

    places: list[dict[str, object]] = []
    eager: dict[str, tuple[bytes, list[_Statement]]] = {}
    lazy: dict[str, tuple[bytes, list[_Statement]]] = {}
    for file, lines in files.items():
        try:
            with open(file, "rb") as source:
                text = source.read()
            plain = compile(_parsed(text, file), file, "exec", dont_inherit=True)
            changed, statements, told = _lazily(text, file, lines, even_in_try)
        except (OSError, SyntaxError, ValueError) as error:
            reason = f"{NOT_COMPILED}: {type(error).__name__}: {error}"
            places += [{"file": file, "line": line, "names": [], "refused": reason} for line in lines]
            continue
        eager[file] = marshal.dumps(plain), []
        lazy[file] = marshal.dumps(changed), statements
        real = os.path.realpath(file)
        eager[real], lazy[real] = eager[file], lazy[file]
        places += told
    with open(probe, "rb") as source:
        own = compile(source.read(), FRAMES, "exec", dont_inherit=True)
    import importlib.util

    magic = importlib.util.MAGIC_NUMBER
    for name, value in ((EAGER, (magic, eager)), (LAZY, (magic, lazy)), (PROBE, own)):
        with open(folder + "/" + name, "wb") as out:
            marshal.dump(value, out)
    with open(folder + "/" + PLACES, "w", encoding="ascii") as listed:
        json.dump(places, listed, indent=1)


def _parsed(text: bytes, file: str) -> "ast.Module":
    import ast

    return ast.parse(text, file)


def _lazily(
    text: bytes, file: str, lines: "Sequence[int]", even_in_try: bool
) -> "tuple[CodeType, list[_Statement], list[dict[str, object]]]":
    """The file's code with lazy statements, what each of these is, and what is told of each line."""
    tree = _parsed(text, file)
    found = list(_walk(tree, "", 0))
    statements: list[_Statement] = []
    told: list[dict[str, object]] = []
    for line in lines:
        here = [one for one in found if _is_import(one[1]) and one[1].lineno <= line <= _last_line(one[1])]
        refused = "no import statement stands there" if not here else ""
        for _, statement, place, _ in here:
            refused = refused or _refused(statement, place, even_in_try)
        names = [name for one in here for name, _, _ in _names(one[1])]
        told.append({"file": file, "line": line, "names": names, "refused": refused})
        for siblings, statement, _, _ in here:
            if not refused and statement in siblings:  # two lines may be of one statement
                _replace(siblings, statement, [_call(_BIND, len(statements), statement)])
                statements.append((file, statement.lineno, _codes(statement, file)))
    found = [one for one in found if one[1] in one[0]]  # those that still stand there
    _drop_before_del(found, {name for _, _, codes in statements for name, _, _ in codes})
    return compile(tree, file, "exec", dont_inherit=True), statements, told


def _walk(node: "ast.AST", place: str, scope: int) -> "Iterator[_Found]":
    """Every statement below this one, with the list that holds it, what encloses it and its scope.

    Expressions hold none, and may be nested deeper than calls can be.
    """
    import ast

    for _, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.expr):
                continue
            if isinstance(child, ast.stmt):
                yield value, child, place, scope
            around = _ENCLOSING.get(type(child).__name__, "")
            is_scope = around not in ("", IN_TRY)
            inner = around if around and place in ("", IN_TRY) else place
            yield from _walk(child, inner, id(child) if is_scope else scope)


def _is_import(statement: "ast.stmt") -> bool:
    return type(statement).__name__ in ("Import", "ImportFrom")


def _last_line(statement: "ast.stmt") -> int:
    return statement.end_lineno or statement.lineno


def _refused(statement: "Any", place: str, even_in_try: bool) -> str:
    """Why PEP 810 allows no lazy import here, or nothing."""
    if getattr(statement, "module", None) == "__future__" and not statement.level:
        return "a __future__ import"
    if statement.names[0].name == "*":
        return "a star import"
    return "" if place == IN_TRY and even_in_try else place


def _names(statement: "Any") -> "Iterator[tuple[str, bool, ast.alias]]":
    """Which names does it bind, is it the first part of a dotted one, and what is bound to it?"""
    is_plain = type(statement).__name__ == "Import"
    for alias in statement.names:
        dotted = is_plain and not alias.asname
        yield alias.asname or (alias.name.split(".")[0] if dotted else alias.name), dotted, alias


def _codes(statement: "Any", file: str) -> "tuple[tuple[str, bool, bytes], ...]":
    """For each name the statement that binds it alone, at the same line."""
    import ast
    import marshal

    codes = []
    for name, dotted, alias in _names(statement):
        one: ast.stmt = (
            ast.Import(names=[alias])
            if isinstance(statement, ast.Import)
            else ast.ImportFrom(module=statement.module, names=[alias], level=statement.level)
        )
        module = ast.Module(body=[ast.copy_location(one, statement)], type_ignores=[])
        code = compile(ast.fix_missing_locations(module), file, "exec", dont_inherit=True)
        codes.append((name, dotted, marshal.dumps(code)))
    return tuple(codes)


def _call(function: str, argument: "int | str", place: "ast.stmt") -> "ast.stmt":
    import ast

    call = ast.Call(
        func=ast.Name(id=function, ctx=ast.Load()), args=[ast.Constant(value=argument)], keywords=[]
    )
    return ast.fix_missing_locations(ast.copy_location(ast.Expr(value=call), place))


def _replace(siblings: "list[Any]", statement: "ast.stmt", others: "list[ast.stmt]") -> None:
    at = siblings.index(statement)
    siblings[at : at + 1] = others


def _drop_before_del(found: "Sequence[_Found]", lazy_names: "set[str]") -> None:
    """``del name`` of a name that waits finds nothing to delete, unless it is put there just before."""
    import ast

    scopes = {
        (name, scope) for _, one, _, scope in found if isinstance(one, ast.Global) for name in one.names
    }
    for siblings, statement, _, scope in found:
        if isinstance(statement, ast.Delete):
            nodes = [node for target in statement.targets for node in ast.walk(target)]
            ids = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)]
            ours = [name for name in ids if name in lazy_names and (not scope or (name, scope) in scopes)]
            _replace(siblings, statement, [*(_call(_DROP, name, statement) for name in ours), statement])


# --- in the process that is measured ---------------------------------------------------------------


class Log:
    """Writes events; nothing stays open in between, for the program may close or replace it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._posix = posix = sys.modules["posix"]
        self._time = sys.modules["time"]
        self._page = posix.sysconf("SC_PAGE_SIZE")
        self._escape = sys.modules["_codecs"].unicode_escape_encode

    def note(self, kind: str, *fields: str) -> None:
        """Write one event; nothing here is the program's concern."""
        try:
            self._write(kind, fields)
        except Exception:  # noqa: BLE001 - a full disk, a removed folder
            pass

    def _write(self, kind: str, fields: "Sequence[str]") -> None:
        posix, time = self._posix, self._time
        t_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        _, resident, shared, _ = self._once("/proc/self/statm", posix.O_RDONLY, None).split(b" ", 3)
        numbers = (t_ns, cpu_ns, int(resident) * self._page, int(shared) * self._page, len(sys.modules))
        words = [b"%d" % number for number in numbers] + [self._escape(field)[0] for field in fields]
        path = self._folder + "/" + LOG_GLOB.replace("*", str(posix.getpid()))
        line = b"\t".join([kind.encode(), *words]) + b"\n"
        self._once(path, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT, line)

    def _once(self, path: str, flags: int, line: "bytes | None") -> bytes:
        posix = self._posix
        fd = posix.open(path, flags | posix.O_CLOEXEC, 0o600)
        try:
            if line is not None:
                posix.write(fd, line)
                return b""
            data: bytes = posix.read(fd, 128)
            return data
        finally:
            posix.close(fd)


class _Builtins(_Names):
    """The built-in names as a chosen module sees them: a name that is not among them may be one that waits."""

    __slots__ = ("missing",)
    missing: "Any"

    def __missing__(self, name: str) -> "Any":
        return self.missing(name)


class _Module:
    """One chosen module: its names that wait, and what they wait for."""

    def __init__(self, names: "_Names", statements: "Sequence[_Statement]", log: "Log") -> None:
        self._names = names
        self._statements = statements
        self._log = log
        self._real: Any = vars(sys.modules["builtins"])
        self._waiting: dict[str, list[tuple[int, bool, CodeType]]] = {}
        self._noted: set[str] = set()
        self._at_work: set[tuple[int, str]] = set()  # thread and name
        self._ident = sys.modules["_thread"].get_ident
        self._own: dict[str, Any] = {}
        self._hooks: dict[str, Any] = {"__getattr__": self._attribute, "__dir__": self._listed}
        self._builtins = _Builtins(self._real)
        self._builtins.missing = self._missing
        self._builtins[_BIND] = self._bind
        self._builtins[_DROP] = self._drop

    def execute(self, code: "CodeType") -> None:
        """As the import system would; afterwards the module's own hooks come after ours."""
        self._names["__builtins__"] = self._builtins
        self._names.update(self._hooks)
        try:
            system: Any = sys.modules["_frozen_importlib"]
            system._call_with_frames_removed(exec, code, self._names)
        finally:
            for name, hook in self._hooks.items():
                own = self._names.get(name, hook)
                if own is not hook:
                    self._own[name] = own
                self._names[name] = hook

    def _bind(self, number: int) -> None:
        """The statement would be executed now: its names are what it says from here on, and nothing else."""
        file, line, codes = self._statements[number]
        for name, dotted, code in codes:
            one = (number, dotted, sys.modules["marshal"].loads(code))
            before = self._waiting.get(name, [])
            joins = dotted and all(each[1] for each in before)  # import a.b; import a.c: both are of a
            self._waiting[name] = [*before, one] if joins else [one]
            self._noted.discard(name)
            self._names.pop(name, None)
            self._builtins.pop(name, None)
        self._log.note("lazy", file, str(line))

    def _drop(self, name: str) -> None:
        """It is about to be deleted."""
        if self._waiting.pop(name, None) is not None:
            self._names.setdefault(name, None)

    def _missing(self, name: str) -> "Any":
        if self._waits(name):
            return self._resolve(name)
        if name in self._names:  # another thread was faster
            return self._names[name]
        return self._real[name]

    def _waits(self, name: str) -> bool:
        """While this thread imports it, it is unbound as ever: ``from . import name`` asks the package first."""
        return name in self._waiting and (self._ident(), name) not in self._at_work

    def _resolve(self, name: str) -> "Any":
        """What waits stays on the table until it is there: an import that fails is tried again, as in PEP 810."""
        waiting = self._waiting.get(name, [])
        if waiting and name not in self._noted:
            self._noted.add(name)
            file, line, _ = self._statements[waiting[0][0]]
            module = str(self._names.get("__name__"))
            self._log.note("forced", module, name, file, str(line), *_user())
        mine = (self._ident(), name)
        self._at_work.add(mine)
        try:
            for _, _, code in waiting:
                exec(code, self._names)
        finally:
            self._at_work.discard(mine)
        if self._waiting.get(name) is waiting:
            del self._waiting[name]
        return self._names[name]

    def _attribute(self, name: str) -> "Any":
        """``__getattr__`` of the module."""
        if self._waits(name):
            return self._resolve(name)
        if name in self._names:  # another thread was faster
            return self._names[name]
        try:
            if "__getattr__" in self._own:
                return self._own["__getattr__"](name)
            raise AttributeError(f"module {self._names.get('__name__')!r} has no attribute {name!r}")
        except AttributeError:
            if name == "__all__":  # asked for by a star import, which takes every public name
                for public in [each for each in self._waiting if not each.startswith("_")]:
                    self._resolve(public)
            raise

    def _listed(self) -> list[str]:
        """``__dir__`` of the module: the names that wait are there, our hooks are not."""
        if "__dir__" in self._own:
            return list(self._own["__dir__"]())
        ours = {name for name in self._hooks if name not in self._own}
        return sorted((set(self._names) - ours) | set(self._waiting))


def _user() -> tuple[str, str, str]:
    """File, line and function of the code that uses a name: neither ours nor of the import system."""
    ours = _user.__code__.co_filename
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if (
            file != ours
            and not file.startswith("<frozen importlib")
            and not file.endswith("/importlib/__init__.py")
        ):
            return file, str(frame.f_lineno), frame.f_code.co_name
        frame = frame.f_back
    return "", "0", ""


def _read(compiled: str) -> "dict[str, tuple[bytes, list[_Statement]]]":
    with open(compiled, "rb") as file:
        magic, files = sys.modules["marshal"].load(file)
    return files if magic == vars(sys.modules["_frozen_importlib_external"])["MAGIC_NUMBER"] else {}


def _install(chosen: "dict[str, tuple[bytes, list[_Statement]]]", log: "Log") -> None:
    """The chosen files are executed from what was compiled before; every other one as ever."""
    external: Any = sys.modules["_frozen_importlib_external"]
    marshal: Any = sys.modules["marshal"]
    plain = external.SourceFileLoader.exec_module
    names = {path.rpartition("/")[2] for path in chosen}

    def exec_module(self: "Any", module: "ModuleType") -> None:
        found = chosen.get(self.path)
        if found is None and self.path.rpartition("/")[2] in names and "os" in sys.modules:
            found = chosen.get(sys.modules["os"].path.realpath(self.path))
        if found is None:
            plain(self, module)
            if module.__name__ == _REWRITER:
                _install_in_pytest(module, chosen, log)
        else:
            _Module(vars(module), found[1], log).execute(marshal.loads(found[0]))

    external.SourceFileLoader.exec_module = exec_module


def _install_in_pytest(
    rewriter: "Any", chosen: "dict[str, tuple[bytes, list[_Statement]]]", log: "Log"
) -> None:
    """Its own loader executes tests, conftests and plugins; a chosen one is executed both ways without its help."""
    plain = rewriter.AssertionRewritingHook.exec_module

    def exec_module(self: "Any", module: "ModuleType") -> None:
        found = chosen.get(str(module.__spec__ and module.__spec__.origin))
        if found is None:
            plain(self, module)
        else:
            _Module(vars(module), found[1], log).execute(sys.modules["marshal"].loads(found[0]))

    rewriter.AssertionRewritingHook.exec_module = exec_module


def watch(asked: str) -> None:
    """Asked is ``COMPILED:FOLDER``: from here on the chosen files are executed from what was compiled.

    That lies beside the folder, into which the log goes.  Code that another Python has compiled is none for this one:
    then every file is executed as ever.
    """
    import atexit  # built in

    compiled, _, folder = asked.partition(":")
    log = Log(folder)
    _install(_read(folder.rpartition("/")[0] + "/" + compiled), log)
    log.note("start")
    atexit.register(log.note, "stop", "")
    posix: Any = sys.modules["posix"]
    leave = posix._exit

    def _exit(status: int) -> None:
        log.note("stop", "")
        leave(status)

    users: list[Any] = [posix, sys.modules.get("os")]
    for module in users:
        if module is not None:
            module._exit = _exit


def measure(folder: str, compiled: str, statements: "Sequence[str]") -> int:
    """Execute statements one after the other, the chosen files from this compiled one; the exit status."""
    log = Log(folder)
    _install(_read(compiled), log)
    names = {"__name__": "__main__", "__builtins__": sys.modules["builtins"]}
    error: BaseException | None = None
    codes = []
    try:
        codes = [compile(text, "<imports>", "exec", dont_inherit=True) for text in statements]
    except SyntaxError as failure:
        error = failure
    log.note("start")
    try:
        for code in codes:
            exec(code, names)
    except SystemExit as failure:
        error = None if failure.code in (None, 0) else failure
    except BaseException as failure:  # noqa: BLE001 - a result, not a crash
        error = failure
    log.note("stop", "" if error is None else type(error).__name__)
    if error is not None:
        shown = error.__traceback__
        while shown is not None and shown.tb_frame.f_code.co_filename == FRAMES:
            shown = shown.tb_next
        sys.excepthook(type(error), error.with_traceback(shown), shown)
    return 0 if error is None else EXIT_STATUS


def main(arguments: "Sequence[str]") -> None:
    """``compile FOLDER`` with a JSON request on stdin, or ``measure FOLDER COMPILED STATEMENT…`` in a fresh child."""
    role, folder, *rest = arguments
    if role == "compile":
        sys.path[:] = [each for each in sys.path if each]  # no json.py of the working folder
        import json

        request = json.load(sys.stdin)
        compile_files(folder, request["probe"], request["files"], even_in_try=request["even_in_try"])
        return
    sys.argv[:] = ["-c"]
    status = measure(folder, rest[0], rest[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    sys.modules["posix"]._exit(status)
