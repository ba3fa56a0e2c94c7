"""Calls of one function of a program are its items."""

from __future__ import annotations

import pickle
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from diagtools.capture.runner import capture
from diagtools.probes import calls as probe
from diagtools.run import Run
from diagtools.values import ItemSource, Target
from tests.support.interpreters import every_python
from tests.support.programs import Program, begun, feature, told
from tests.support.runs import MIB


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


APP = """
    import asyncio
    class Base:
        def inherited(self, path): return "inherited"
    class App(Base):
        def method(self, path, *, n=1): return n
        @classmethod
        def of_class(cls, path): return cls
        @staticmethod
        def static(path): return path
        class Inner:
            def deep(self, path): return "deep"
    def function(path, *more, n=1, **other):
        '''What it does.'''
        if n == 0:
            raise ValueError("none")
        return [path, more, n, other]
    async def coroutine(path):
        await asyncio.sleep(0)
        return path
    def generator(path, n=2):
        for number in range(n):
            got = yield number
            if got: yield got
        return "returned"
    async def async_generator(path, n=2):
        try:
            for number in range(n):
                got = yield number
                if got: yield got
        finally:
            print("closed")
    bound = App().method
    class NotAFunction: pass
"""


@pytest.mark.parametrize(
    ("function", "call", "printed"),
    [
        ("function", "app.function('x', 2, n=3, m=4)", "['x', (2,), 3, {'m': 4}]"),
        ("function", "app.function(path='x')", "['x', (), 1, {}]"),
        ("App.method", "app.App().method('x', n=2)", "2"),
        ("App.method", "app.App.method(app.App(), path='x')", "1"),
        ("App.of_class", "app.App.of_class('x').__name__", "App"),
        ("App.static", "app.App.static('x'), app.App().static", None),
        ("App.inherited", "app.App().inherited('x')", "inherited"),
        ("App.Inner.deep", "app.App.Inner().deep('x')", "deep"),
        ("coroutine", "asyncio.run(app.coroutine('x'))", "x"),
        ("generator", "[*app.generator('x')]", "[0, 1]"),
        ("bound", "app.bound(path='x')", "1"),
    ],
)
def test_each_call_is_an_item(function: str, call: str, printed: str | None, program: Program) -> None:
    program.write("app.py", APP)
    result = program.record("-c", f"import app, asyncio; print({call})", calls=f"app:{function}")
    assert (result.stderr, result.returncode) == ("", 0)
    if printed is not None:
        assert result.stdout == f"{printed}\n"
    assert told(program.rows()) == [("begin", "x"), ("end", "x", "ok")]


@every_python
def test_a_generators_item_spans_its_iteration(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("app.py", APP)
    program.write(
        "program.py",
        """
        import app, inspect
        from diagtools import mark
        assert inspect.isgeneratorfunction(app.generator)
        going = app.generator("g")
        mark.event("called")
        print(next(going), going.send("sent"))
        mark.event("iterated")
        going.close()
        """,
    )
    assert told(program.recorded("program.py", calls="app:generator")) == [
        ("point", "called"),
        ("begin", "g"),
        ("point", "iterated"),
        ("end", "g", "ok"),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the sampler of Linux")
@pytest.mark.parametrize("how", ["app.takes('g')", "app.Files().__iter__()"], ids=["function", "method"])
def test_what_a_generator_takes_while_it_is_iterated_is_its_demand(how: str, program: Program) -> None:
    """64 MiB are taken between two values; the sampler sees them for 0.3 s."""
    program.write(
        "app.py",
        """
        import time
        def takes(path):
            yield 1
            held = bytearray(64 << 20)
            time.sleep(0.3)
            yield 2
        class Files:
            def __iter__(self):
                yield from takes("inner")
        """,
    )
    program.write("program.py", f"import app, time\ntime.sleep(0.1)\nassert [*{how}] == [1, 2]\n")
    calls = "app:" + ("takes" if "takes" in how else "Files.__iter__")
    target = Target(argv=(sys.executable, "program.py"), cwd=program.folder, items=ItemSource(calls=calls))
    found = Run.open(capture(target, program.folder / "recorded").folder).items
    assert found["status"].to_list() == ["ok"]
    assert found["demand_bytes"][0] == pytest.approx(64 * MIB, abs=4 * MIB)


def test_what_a_plain_function_returns_runs_after_its_item(program: Program) -> None:
    """A decorator hides that the function is a generator: the item is the call, however long it is iterated."""
    program.write(
        "app.py",
        """
        import functools
        def decorated(function):
            @functools.wraps(function)
            def inner(*args):
                return function(*args)
            return inner
        @decorated
        def generator(path):
            mark.event("iterated")
            yield 1
        from diagtools import mark
        """,
    )
    assert told(program.recorded("-c", "import app; [*app.generator('x')]", calls="app:generator")) == [
        ("begin", "x"),
        ("end", "x", "ok"),
        ("point", "iterated"),
    ]


@every_python
def test_a_coroutines_item_spans_the_await(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("app.py", APP)
    program.write(
        "program.py",
        """
        import app, asyncio, inspect
        from diagtools import mark
        assert inspect.iscoroutinefunction(app.coroutine)
        async def main():
            going = app.coroutine("c")
            mark.event("called")
            assert await asyncio.gather(going, app.coroutine("d")) == ["c", "d"]
        asyncio.run(main())
        """,
    )
    assert told(program.recorded("program.py", calls="app:coroutine")) == [
        ("point", "called"),
        ("begin", "c"),
        ("begin", "d"),
        ("end", "c", "ok"),
        ("end", "d", "ok"),
    ]


@every_python
def test_an_async_generator_is_passed_all_that_is_sent_and_thrown(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("app.py", APP)
    program.write(
        "program.py",
        """
        import app, asyncio, inspect
        async def main():
            going = app.async_generator("a")
            print(await going.__anext__(), await going.asend("sent"))
            try:
                await going.athrow(KeyError("thrown"))
            except KeyError as error:
                print(error)
            async for each in app.async_generator("b", 1):
                print(each)
            left = app.async_generator("left")
            await left.__anext__()
            await left.aclose()
        asyncio.run(main())
        print(inspect.isasyncgenfunction(app.async_generator))
        """,
    )
    plain = program.execute("program.py")
    seen = program.record("program.py", calls="app:async_generator")
    assert (seen.stdout, seen.stderr, seen.returncode) == (plain.stdout, "", 0)
    assert told(program.rows()) == [
        ("begin", "a"),
        ("end", "a", "failed", "KeyError: 'thrown'"),
        ("begin", "b"),
        ("end", "b", "ok"),
        ("begin", "left"),
        ("end", "left", "ok"),
    ]


def test_the_first_argument_names_the_item_where_it_can(program: Program) -> None:
    program.write("app.py", APP)
    program.write("a.txt", "12345")
    program.write(
        "program.py",
        """
        import app, pathlib
        app.function("a.txt")
        app.function(pathlib.Path("a.txt"))
        app.function(b"a.txt")
        app.function(pathlib.Path("none.txt"))
        app.function("https://x.org/y")
        app.function("größe")
        app.function(b"four")
        app.function("two\\nlines")
        app.function("x" * 1000)
        app.function(["a.txt"])
        app.function(None)
        app.function("")
        """,
    )
    rows = [row for row in program.recorded("program.py", calls="app:function") if row["edge"] == "begin"]
    assert [(row["name"], feature(row)) for row in rows] == [
        ("a.txt", {"size_bytes": 5}),
        ("a.txt", {"size_bytes": 5}),
        ("a.txt", {"size_bytes": 5}),
        ("none.txt", {}),
        ("https://x.org/y", {"size_bytes": 15}),
        ("größe", {"n_chars": 5}),
        ("four", {"size_bytes": 4}),
        ("function#8", {"size_bytes": 9}),
        ("function#9", {"size_bytes": 1000}),
        ("function#10", {}),
        ("function#11", {}),
        ("", {"size_bytes": 0}),
    ]


@every_python
def test_a_function_keeps_what_others_ask_of_it(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("pkg/__init__.py", "")
    program.write("pkg/app.py", APP)
    program.write(
        "program.py",
        """
        import importlib, importlib.util, inspect, pickle, pkgutil, sys
        from pkg import app
        function = app.function
        print(function.__name__, function.__qualname__, function.__module__, function.__doc__, function.__annotations__)
        print(inspect.signature(function), pickle.loads(pickle.dumps(function)) is function)
        print(inspect.getsource(function).splitlines()[0], inspect.isfunction(function))
        for spec in (app.__spec__, importlib.util.find_spec("pkg.app")):
            print(spec.name, spec.origin, spec.cached, spec.loader.name, spec.loader.is_package("pkg.app"))
        print(type(app.__loader__), app.__spec__.loader is app.__loader__, app.__file__, app.__package__)
        print(len(pkgutil.get_data("pkg.app", "app.py")))
        again = importlib.reload(app)
        print(again is app, app.function is not function, type(app.__spec__.loader))
        print(app.function("x"))
        del sys.modules["pkg.app"]
        print(importlib.import_module("pkg.app").function("y"))
        """,
    )
    plain = program.execute("program.py")
    assert (plain.stderr, plain.returncode) == ("", 0)
    seen = program.record("program.py", calls="pkg.app:function")
    assert (seen.stdout, seen.stderr, seen.returncode) == (plain.stdout, "", 0)
    assert begun(program.rows()) == ["x", "y"]


@every_python
def test_a_failing_call_is_a_failed_item_and_the_same_exception(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("app.py", APP)
    program.write("program.py", "import app\napp.function('x', n=0)")
    plain = program.execute("program.py").stderr.splitlines()
    result = program.record("program.py", calls="app:function")
    seen = result.stderr.splitlines()
    ours = [line for line in seen if probe._WRAPPER_FILE in line]
    assert len(ours) == 1
    assert [line for line in seen if line not in ours] == plain
    assert result.returncode == 1
    assert told(program.rows()) == [("begin", "x"), ("end", "x", "failed", "ValueError: none")]


@every_python
def test_an_import_that_fails_shows_nothing_of_ours(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("program.py", "import app")
    for text in ["1/0", "import missing", "raise ImportError('x')", "def (", "from app import nothing"]:
        program.write("app.py", text)
        plain = program.execute("program.py")
        seen = program.record("program.py", calls="app:function")
        assert (seen.stderr, seen.returncode) == (plain.stderr, 1)
    (program.folder / "app.py").unlink()
    assert program.record("program.py", calls="app:function").stderr == program.execute("program.py").stderr


@every_python
def test_warnings_and_logs_name_the_caller(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("app.py", "import warnings\ndef f():\n    warnings.warn('careful', stacklevel=2)\n")
    program.write("program.py", "import app\napp.f()\n")
    plain = program.execute("program.py")
    assert "program.py:2" in plain.stderr
    assert program.record("program.py", calls="app:f").stderr == plain.stderr


MAIN = """
    import os, sys
    from concurrent import futures
    def process(path):
        return path
    process("first")
    if __name__ == "__main__":
        class Other:
            def process(self, path): return path
        for path in sys.argv[1:]:
            process(path)
"""


@every_python
def test_a_function_of_the_program_itself_is_found_before_its_first_call(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write("program.py", MAIN)
    program.write("pkg/__init__.py", "")
    program.write("pkg/__main__.py", MAIN)
    ways = {
        ("program.py", "a", "b"): "__main__:process",
        ("-m", "program", "a", "b"): "program:process",
        ("-m", "pkg", "a", "b"): "pkg.__main__:process",
        ("-c", textwrap.dedent(MAIN), "a", "b"): "__main__:process",
    }
    for number, (arguments, calls) in enumerate(ways.items(), start=1):
        program.recorded(*arguments, calls=calls)
        assert begun(program.rows()) == ["first", "a", "b"] * number


def test_a_method_of_the_program_itself_is_found(program: Program) -> None:
    code = "class A:\n    def f(self, x):\n        return x\nfor n in 'ab':\n    A().f(n)\n"
    assert begun(program.recorded("-c", code, calls="__main__:A.f")) == ["a", "b"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_function_of_the_program_is_found_in_its_workers(method: str, program: Program) -> None:
    program.write(
        "program.py",
        f"""
        import multiprocessing
        def process(path):
            return path
        if __name__ == "__main__":
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                print(pool.map(process, ["a", "b", "c"]))
                pool.close()
                pool.join()
        """,
    )
    rows = program.recorded("program.py", calls="__main__:process")
    assert sorted(begun(rows)) == ["a", "b", "c"]


@every_python
def test_nothing_goes_on_being_traced(python: str, tmp_path: Path) -> None:
    program = Program(tmp_path, python)
    program.write(
        "program.py",
        """
        import json, sys
        def other(): pass
        other()
        def process(path): return sys.gettrace(), sys.getprofile(), sys._getframe(2).f_trace
        print(process("a"))
        """,
    )
    result = program.record("program.py", calls="__main__:process")
    assert (result.stdout, result.stderr) == ("(None, None, None)\n", "")
    assert begun(program.rows()) == ["a"]


def test_a_tracer_of_the_program_is_left_alone(program: Program) -> None:
    program.write(
        "program.py",
        """
        import sys
        def tracer(*_): return None
        sys.settrace(tracer)
        def process(path): return sys.gettrace()
        print(process("a") is tracer, sys.gettrace() is tracer)
        """,
    )
    result = program.record("program.py", calls="__main__:process")
    assert (result.stdout, result.stderr) == ("True True\n", "")


def test_where_another_tracer_is_at_work_it_says_so(program: Program) -> None:
    code = "import sys; sys.settrace(lambda *_: None); exec(compile('def f(x): pass\\nf(1)', 'x', 'exec'))"
    (row,) = program.recorded("-c", code, calls="__main__:f")
    assert row["name"] == "items: __main__:f was not looked for: another tracer is at work"


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        ("app:nothing", "was never found"),
        ("app:App.nothing", "was never found"),
        ("none.such:f", "was never found"),
        ("app:nothing.method", "was never found"),
        (
            "app:App.Outer.f",
            "could not be wrapped: AttributeError: type object 'App' has no attribute 'Outer'",
        ),
        ("app:NotAFunction", "is not a function but a type"),
        ("app:App.NUMBER", "is not a function but a int"),
        ("datetime:date.today", "is not a function but a classmethod_descriptor"),
        ("app", "was never found"),
    ],
)
def test_a_function_that_cannot_be_watched_is_said(calls: str, problem: str, program: Program) -> None:
    program.write("app.py", APP + "    App.NUMBER = 1\n")
    (row,) = program.recorded("-c", "import app, datetime", calls=calls)
    assert (row["kind"], row["name"]) == ("event", f"items: {calls} {problem}")


def test_a_module_that_is_there_already_is_watched(program: Program) -> None:
    assert begun(
        program.recorded("-c", "import os; os.path.basename('a/b')", calls="posixpath:basename")
    ) == ["a/b"]


def test_a_function_in_c_is_watched(program: Program) -> None:
    rows = program.recorded("-c", "import math; print(math.gcd(4, 6))", calls="math:gcd")
    assert begun(rows) == ["gcd#1"]


def test_a_builtin_module_keeps_its_loader(program: Program) -> None:
    code = "import sys, _symtable; print(_symtable.__spec__.loader, _symtable.__loader__)"
    assert program.record("-c", code, calls="_symtable:symtable").stdout == program.execute("-c", code).stdout


def test_what_is_pickled_with_a_function_begins_nothing() -> None:
    begin = probe._Items(recorder=None, function=lambda path: path, name="f", n_skipped=0)
    copy = pickle.loads(pickle.dumps(begin))
    with copy((("a",), {})):
        pass


def test_a_wrapper_needs_no_names_of_ours() -> None:
    begin = probe._Items(recorder=None, function=len, name="f", n_skipped=0)

    async def coroutine() -> None: ...

    def generator() -> Any:
        yield

    async def async_generator() -> Any:
        yield

    for function in (len, coroutine, generator, async_generator):
        code = probe._wrapper(function, begin).__code__
        assert set(code.co_names) <= {"__anext__", "asend", "athrow", "aclose"} | set(dir(__builtins__)) | {
            "GeneratorExit",
            "BaseException",
            "StopAsyncIteration",
        }
        assert set(code.co_freevars) == {"begin", "original"}
