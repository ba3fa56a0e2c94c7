"""The snapshot of a program's objects: nothing of the program is called, changed or told of, and all of it is there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from diagtools.probes import (
    boot,
    graph_attributes,
    graph_columns,
    graph_names,
    graph_roots,
    graph_types,
)
from diagtools.read.object_graph import read_object_graphs
from tests.support.interpreters import every_python
from tests.support.objects import looked_at, run_of

PROBES = Path(boot.__file__).parent
MODULES = {
    module.__name__.rpartition(".")[2]: module
    for module in (graph_attributes, graph_columns, graph_names, graph_roots, graph_types)
}


LIARS = """
import sys
called = []
class Meta(type):
    def __eq__(self, other): called.append("eq"); raise RuntimeError
    def __hash__(self): called.append("hash"); return 1
    def __getattribute__(self, name): called.append("meta " + name); return type.__getattribute__(self, name)
class Liar(dict, metaclass=Meta):
    def __new__(cls, n):
        return dict.__new__(cls)
    def __init__(self, n): object.__setattr__(self, "rows", "x" * n)
    @property
    def __class__(self): called.append("class"); raise RuntimeError
    def __len__(self): called.append("len"); return 10**9
    def __repr__(self): called.append("repr"); raise RuntimeError
    def __iter__(self): called.append("iter"); raise RuntimeError
    def __hash__(self): called.append("hash"); raise RuntimeError
    def __eq__(self, other): called.append("eq"); raise RuntimeError
    def __sizeof__(self): called.append("sizeof"); return 10**15
    def __bool__(self): called.append("bool"); raise RuntimeError
    def __getattribute__(self, name): called.append(name); raise RuntimeError
    def __del__(self): called.append("del")
    @property
    def secret(self): called.append("secret"); raise RuntimeError
held = [Liar(1_000) for i in range(10)]
one = Liar(5)
called.clear()
probing.snapshot()
assert called == [], called
"""


@every_python
def test_nothing_of_the_program_is_called(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(tmp_path, LIARS, python=python)
    types = graph.types["type"].gather(graph.nodes["type_id"])
    liars = graph.nodes.filter(types == "__main__.Liar")
    assert liars.height == 11
    assert liars["size_bytes"].max() < 1_000


@every_python
def test_the_program_is_as_it_was(tmp_path: Path, python: str) -> None:
    run = run_of(
        tmp_path,
        """
        import gc, json, sys
        class Plain:
            def __init__(self): self.a, self.b = 1, [2]
        def middle():
            x = [1]
            names = locals()
            del x
            probing.snapshot()
            return sorted(names)
        one = Plain()
        sys.setswitchinterval(0.123)
        gc.disable()
        before = sorted(sys.modules), sys.getswitchinterval(), gc.isenabled(), sys.getrefcount(one.b), one.__sizeof__()
        names = middle()
        after = sorted(sys.modules), sys.getswitchinterval(), gc.isenabled(), sys.getrefcount(one.b), one.__sizeof__()
        json.dump([before, after, names], open("said.json", "w"))
        gc.enable()
        probing.snapshot()
        assert gc.isenabled()
        """,
        python=python,
    )
    before, after, names = json.loads((tmp_path / "said.json").read_text())
    assert before == after
    assert set(names) <= {"names", "x"}
    assert len(read_object_graphs(run)) == 2


@every_python
def test_sizes_are_those_of_the_interpreter(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import json, sys
        class Plain(list): __slots__ = ()
        class Slotted: __slots__ = ("a", "b")
        kept = [Plain() for i in range(300)], [Slotted() for i in range(200)]
        json.dump({"Plain": sys.getsizeof(kept[0][0]), "Slotted": sys.getsizeof(kept[1][0])}, open("said.json", "w"))
        probing.snapshot()
        """,
        python=python,
    )
    said = json.loads((tmp_path / "said.json").read_text())
    types = graph.types["type"].gather(graph.nodes["type_id"])
    found = {
        name: graph.nodes.filter(types == f"__main__.{name}")["size_bytes"].unique().to_list()
        for name in said
    }
    assert found == {name: [size] for name, size in said.items()}
    assert graph.nodes.filter(types == "__main__.Plain").height == 300


def test_contents_are_not_written(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        """
        class Box:
            def fill(self, value): self.found = value
        box = Box()
        box.fill({"hunter2-key": "hunter2-value", "other": b"hunter2-bytes"})
        words = ["hunter2-text"]
        by_name = {"hunter2-name": Box()}
        probing.snapshot()
        """,
    )
    (path,) = run.iterdir()
    (graph,) = read_object_graphs(run)
    assert graph.names.filter(graph.names["name"].str.contains("hunter2")).is_empty()
    assert "found" in graph.names["name"].to_list()
    assert b"hunter2" not in path.read_bytes()


@every_python
def test_what_the_collector_has_frozen_is_found(tmp_path: Path, python: str) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import gc
        class Rate: pass
        held = [Rate() for i in range(500)]
        gc.freeze()
        probing.snapshot()
        """,
        python=python,
    )
    types = graph.types["type"].gather(graph.nodes["type_id"])
    assert (types == "__main__.Rate").sum() == 500
    assert (types == "list").sum() > 1


def test_untracked_objects_are_each_there_once(tmp_path: Path) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import gc
        shared = tuple("%040d" % i for i in range(50_000))
        holders = [(shared, i + 1_000) for i in range(70_000)]
        gc.collect(); gc.collect()
        assert not gc.is_tracked(shared)
        probing.snapshot()
        """,
    )
    sizes = graph.nodes["size_bytes"]
    types = graph.types["type"].gather(graph.nodes["type_id"])
    assert ((types == "str") & (sizes == 89)).sum() >= 50_000
    assert ((types == "str") & (sizes == 89)).sum() < 50_200
    assert ((types == "tuple") & (sizes == sys.getsizeof(tuple(range(50_000))))).sum() == 1
    assert 70_000 <= ((types == "int") & (sizes == 28)).sum() < 75_000


def test_arrays_of_numpy_hold_their_bytes(tmp_path: Path) -> None:
    (graph,) = looked_at(
        tmp_path,
        """
        import numpy
        plain = numpy.zeros(1_000_000)
        view = plain[10:]
        boxed = numpy.array([["a" * 100_000], ["b"]], dtype=object)
        probing.snapshot()
        """,
    )
    types = graph.types["type"].gather(graph.nodes["type_id"])
    arrays = graph.nodes.with_row_index("node").filter(types == "numpy.ndarray")
    assert arrays.filter(arrays["size_bytes"] >= 8_000_000).height == 1
    large = graph.nodes["size_bytes"].is_between(100_000, 100_100).arg_true()
    assert graph.edges.filter(graph.edges["target"].is_in(large.implode())).height >= 1


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        """
        import gc, resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        before = gc.isenabled(), sys.getswitchinterval()
        most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, most[1]))
        try:
            probing.snapshot()
        except OSError:
            pass
        else:
            raise AssertionError("a snapshot of 10 kB")
        assert (gc.isenabled(), sys.getswitchinterval()) == before
        """,
    )
    assert list(run.iterdir()) == []


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        r"""
        import sys
        ready = sys.take.__self__
        ready.begin_anew()
        ready.take(3, 5_000_000_000, "item", "end", b"a\tb\\\n\xff")
        assert (ready.name, ready.is_ready()) == ("holders", True)
        assert ready.needs_bytes() >= ready.held_bytes() > 0
        """,
    )
    (graph,) = read_object_graphs(run, 1_000_000_000)
    when = (graph.index, graph.t_s, graph.kind, graph.edge, graph.label)
    assert when == (3, 4.0, "item", "end", "a\tb\\\n\\xff")
    assert graph.python == sys.version.split()[0]
    assert graph.pause_s > 0
    assert graph.n_threads >= 1


@every_python
def test_nothing_of_ours_waits_for_the_collector(tmp_path: Path, python: str) -> None:
    looked_at(
        tmp_path,
        """
        import gc
        gc.collect()
        gc.disable()
        probing.snapshot()
        assert gc.collect() == 0
        """,
        python=python,
    )


def test_few_modules_are_loaded() -> None:
    imported = [
        line.split()[1]
        for name in ("holders", *MODULES)
        for line in (PROBES / f"{name}.py").read_text().splitlines()
        if line.lstrip().startswith(("import ", "from "))
        and "__future__" not in line
        and "typing" not in line
    ]
    assert {name for name in imported if name not in ("collections.abc", "types")} == {
        "array",
        "gc",
        "itertools",
        "os",
        "sys",
        "time",
        "zlib",
    }


@every_python
def test_what_asyncio_keeps_to_use_again_is_left_alone(tmp_path: Path, python: str) -> None:
    """CPython 3.12 shows the collector futures that are gone: who takes one of them breaks their list."""
    looked_at(
        tmp_path,
        """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        import asyncio, gc
        async def main():
            loop = asyncio.get_running_loop()
            for _ in range(5):
                future = loop.create_future()
                loop.call_soon(future.set_result, 1)
                await future
        for _ in range(3):
            asyncio.run(main())
            probing.snapshot()
            gc.collect()
        """,
        python=python,
    )
