"""A leak of references in C code is found; what clean extensions keep for themselves is none."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import textwrap
from pathlib import Path

import polars as pl
import pytest

from diagtools.analyse.holders.over_referenced import over_referenced
from diagtools.analyse.holders.story import leak_findings
from tests.support.objects import looked_at

LEAKY = """
#include <Python.h>
static PyObject *keep(PyObject *self, PyObject *one) { Py_INCREF(one); Py_RETURN_NONE; }
static PyMethodDef methods[] = {{"keep", keep, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "leaky", "", -1, methods};
PyMODINIT_FUNC PyInit_leaky(void) { return PyModule_Create(&module); }
"""

PROGRAM = """
import leaky
class Rate:
    def __init__(self):
        self.rows = [1] * 100
config = {"a": 1}
for i in range(1_000):
    leaky.keep(Rate())
for i in range(5_000):
    leaky.keep(config)
probing.snapshot()
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_native_leak_is_found(tmp_path: Path) -> None:
    (tmp_path / "leaky.c").write_text(LEAKY)
    include = sysconfig.get_path("include")
    command = ["cc", "-shared", "-fPIC", f"-I{include}", "leaky.c", "-o", "leaky.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (graph,) = looked_at(tmp_path, PROGRAM)
    suspects = over_referenced(graph).filter("is_suspect")

    assert suspects["type"].to_list() == ["__main__.Rate", "dict"]
    rates, config = suspects.to_dicts()
    assert (rates["n_objects"], rates["n_excess"], rates["n_held"]) == (1_000, 1_000, 1_000)
    assert rates["retained_bytes"] > 1_000 * 800
    assert config["most_excess"] == 5_000
    first, second = (finding.sentence for finding in leak_findings(graph))
    assert first.startswith("1,000 objects of type __main__.Rate have more references than exist and keep ")
    assert second.startswith("An object of type dict has 5,000 references more than exist")


CLEAN = {
    "numpy": """
        import numpy
        arrays = [numpy.arange(i) for i in range(2_000)]
        views = [each[:] for each in arrays]
        records = [numpy.dtype([("a", "i4"), ("b%d" % i, "f8")]) for i in range(2_000)]
        boxes = numpy.array([[i] for i in range(2_000)] + [None], dtype=object)
        """,
    "polars": """
        import polars
        series = [polars.Series([i, 2]) for i in range(1_000)]
        tables = [polars.DataFrame({"a": each}) for each in series]
        """,
    "lz4, markupsafe, yaml": """
        import lz4.frame, markupsafe, yaml
        packers = [lz4.frame.LZ4FrameCompressor() for i in range(2_000)]
        texts = [markupsafe.Markup("x%d" % i) for i in range(2_000)]
        lines = yaml.load("\\n".join("- [%d, {b: c}]" % i for i in range(2_000)), yaml.CSafeLoader)
        """,
    "zmq, psutil": """
        import psutil, zmq
        context = zmq.Context()
        polled = [zmq.Poller() for i in range(2_000)]
        processes = [psutil.Process() for i in range(2_000)]
        infos = [each.memory_info() for each in processes]
        """,
    "the standard library": """
        import array, asyncio, collections, contextvars, ctypes, datetime, functools, itertools, operator, re, sqlite3
        import ssl, struct, threading, weakref
        import xml.etree.ElementTree as tree
        every = [[i] for i in range(1_000)]
        queues = [collections.deque(each) for each in every]
        weak = [weakref.ref(each) for each in queues]
        bound = [functools.partial(len, each) for each in every]
        steps = [zip(iter(each), itertools.chain(each, each)) for each in every]
        zones = [datetime.timezone(datetime.timedelta(minutes=i)) for i in range(1_000)]
        times = [datetime.datetime(2020, 1, 1, tzinfo=each) for each in zones]
        words = [re.compile("a%d" % i) for i in range(1_000)]
        nodes = tree.fromstring("<a>" + "<b c='1'/>" * 2_000 + "</a>")
        variables = [contextvars.ContextVar("x%d" % i) for i in range(1_000)]
        tokens = [variable.set(each) for variable, each in zip(variables, every)]
        contexts = [contextvars.copy_context() for i in range(1_000)]
        numbers = [ctypes.c_int(i) for i in range(1_000)] + [array.array("i", [i]) for i in range(1_000)]
        local = [threading.local() for i in range(1_000)]
        for each in local: each.rows = []
        keys = [{i: i}.keys() for i in range(1_000)]
        slices = [slice(each) for each in every] + [range(i * 1_000) for i in range(1_000)]
        views = [memoryview(bytearray(9)) for i in range(1_000)]
        getters = [operator.itemgetter(i + 1_000) for i in range(1_000)] + [struct.Struct("i") for i in range(1_000)]
        gone = [(x for x in each) for each in every]
        database = sqlite3.connect(":memory:")
        cursors = [database.cursor() for i in range(1_000)]
        """,
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_extensions_raise_no_alarm(tmp_path: Path, name: str) -> None:
    (graph,) = looked_at(tmp_path, f"{textwrap.dedent(CLEAN[name])}\nprobing.snapshot()")
    rows = over_referenced(graph)
    assert rows.filter("is_suspect").is_empty(), rows.filter("is_suspect").to_dicts()
    assert rows.filter(pl.col("type") != "type")["n_held"].max() < 400
    assert leak_findings(graph) == []
