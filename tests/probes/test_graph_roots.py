"""What only C code keeps: context variables, data of threads, handlers of signals, buffers of ctypes."""

from __future__ import annotations

from pathlib import Path

from diagtools.frames import ObjectGraph
from tests.support.interpreters import every_python
from tests.support.objects import looked_at

SHARED = """
import contextvars
user, page = contextvars.ContextVar("user"), contextvars.ContextVar("page")
user.set(["a user"])
copies = [contextvars.copy_context() for n in range(5_000)]
for n, copy in enumerate(copies[:10]):
    copy.run(page.set, ["a page", n])
probing.snapshot()
"""


def named(graph: ObjectGraph, how: str) -> list[str]:
    return sorted(name for _, _, its_how, name in graph.names.iter_rows() if its_how == how)


@every_python
def test_the_variables_of_contexts_have_their_names(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(tmp_path, SHARED, python=python)
    contexts = graph.marks.filter(graph.marks["kind"] == "context")

    assert set(named(graph, "context")) == {"user", "page"}
    assert named(graph, "context").count("page") == 10
    assert 2_000 <= named(graph, "context").count("user") <= 2_100  # of more copies nothing is said
    assert contexts.height > 5_000  # with the nodes that they share


@every_python
def test_each_thread_has_its_attributes_in_a_local(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import threading
        class Held(threading.local):
            pass
        held, begun, ended = Held(), threading.Event(), threading.Event()
        def work():
            held.there = [2]
            begun.set()
            ended.wait()
        held.main = [3]
        thread = threading.Thread(target=work)
        thread.start()
        begun.wait()
        probing.snapshot()
        ended.set()
        thread.join()
        """,
        python=python,
    )
    assert {"main", "there"} <= set(named(graph, "attribute"))


@every_python
def test_handlers_of_signals_are_named_by_their_signal(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import signal
        class Stop:
            def now(self, number, frame): pass
        signal.signal(signal.SIGUSR1, Stop().now)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        probing.snapshot()
        """,
        python=python,
    )
    assert named(graph, "signal") == ["SIGUSR1"]


@every_python
def test_a_buffer_of_ctypes_has_its_size_where_it_owns_it(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import ctypes
        own = ctypes.create_string_buffer(1_000_000)
        small = ctypes.c_int(3)
        lent = bytearray(500_000)
        view = (ctypes.c_char * 500_000).from_buffer(lent)
        there = (ctypes.c_char * 1_000_000).from_address(ctypes.addressof(own))
        probing.snapshot()
        """,
        python=python,
    )
    types = graph.types["type"].gather(graph.nodes["type_id"])
    sizes = graph.nodes["size_bytes"]
    large = sizes.filter(types.str.contains("c_char_Array")).sort().to_list()
    (small,) = sizes.filter(types == "ctypes.c_int").to_list()

    assert [size > 1_000_000 for size in large] == [False, False, True]
    assert large[-1] < 1_001_000
    assert large[-2] < 1_000
    assert small < 300


@every_python
def test_few_instances_are_asked_for_their_dict(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import sys
        class Plain:
            pass
        held = []
        for n in range(3_000):
            held.append(Plain())
            held[-1].set_from_outside = [n]
        ones = {n: one for n, one in enumerate(held[:60])}
        before = sum(one.__sizeof__() for one in held)
        probing.snapshot()
        assert before == sum(one.__sizeof__() for one in held)
        """,
        python=python,
    )
    n_named = named(graph, "attribute").count("set_from_outside")
    minor = int(graph.python.split(".")[1])
    assert n_named == 0 if 11 <= minor <= 12 else 1 <= n_named <= 256
