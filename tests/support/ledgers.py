"""Programs that hold a known amount of memory of a known kind, and what a ledger of them says."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from textwrap import dedent

import polars as pl

from diagtools.analyse.ledger import at_snapshot, ledger
from diagtools.probes import heap
from diagtools.read.ledger import LedgerFiles, read_ledgers

MIB = 2**20
PROBES = str(Path(heap.__file__).parent)

#: What loads the probe as the recorder does, and ``snapshot(label)``.
PRELUDE = f"""
import sys

def _probe(name):
    path = {PROBES!r} + "/" + name + ".py"
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader(name, path)
    module = type(sys)(name)
    module.__file__ = path
    exec(loader.get_code(name), vars(module))
    return module

_loaded = set(sys.modules)
_ledger = _probe("heap").instrument(sys.argv[1], _probe, trim="trim" in sys.argv)
_n = 0

def snapshot(label=""):
    global _n
    _ledger.take(_n, 1_000_000_000 * (_n + 1), "phase", "end", label.encode())
    _n += 1
"""


@dataclass(frozen=True)
class Taken:
    """The snapshots of a program, and the ledger of them."""

    files: LedgerFiles
    ledger: pl.DataFrame
    stdout: str
    folder: Path

    def of(self, label: str) -> pl.DataFrame:
        """The LEDGER of the snapshot with this label."""
        found = self.files.snapshots.filter(pl.col("label") == label)
        return at_snapshot(self.ledger, pid=found["pid"].item(), index=found["index"].item())

    def mib(self, label: str, *components: str) -> float:
        """What these components hold together."""
        return float(self.of(label).filter(pl.col("component").is_in(components))["bytes"].sum()) / MIB

    def grew_mib(self, before: str, after: str, *components: str) -> float:
        """By how much they grew."""
        return self.mib(after, *components) - self.mib(before, *components)

    def rss_mib(self, label: str) -> float:
        """The RSS then, as the kernel's mappings sum to."""
        found = self.files.snapshots.filter(pl.col("label") == label).row(0, named=True)
        mapped = at_snapshot(self.files.mappings, pid=found["pid"], index=found["index"])
        return float(mapped["rss_bytes"].sum()) / MIB


@cache
def taken(program: str, *arguments: str, python: str = sys.executable, **environment: str) -> Taken:
    """Runs a program that calls ``snapshot``, in a folder of its own, and reads what it wrote; once a session."""
    folder = Path(mkdtemp(prefix="diagtools-ledgers-"))
    run = folder / "run"
    run.mkdir()
    (folder / "program.py").write_text(PRELUDE + dedent(program))
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGTOOLS_", "PYTEST"))}
    done = subprocess.run(
        [python, "-W", "error", "program.py", str(run), *arguments],
        cwd=folder,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    files = read_ledgers(run, 0)
    found = ledger(files.snapshots, files.mappings, files.claims, files.pools)
    return Taken(files=files, ledger=found, stdout=done.stdout, folder=run)


def assert_explained(found: Taken, label: str) -> None:
    """The parts sum exactly to the RSS, and at most 2 % of it or 3 MB is unexplained."""
    rss = found.rss_mib(label)
    assert found.of(label)["bytes"].sum() == round(rss * MIB)
    assert found.of(label)["bytes"].min() >= 0
    assert found.mib(label, "unexplained") <= max(0.02 * rss, 3e6 / MIB)


ARRAYS = """
import numpy
snapshot("begin")
touched = numpy.ones(8 << 20)
snapshot("touched: 64 MiB")
untouched = numpy.empty(64 << 20)
snapshot("untouched")
partly = numpy.empty(32 << 20)
partly[: 4 << 20] = 1
snapshot("partly: 32 MiB of 256")
zeros = numpy.zeros(16 << 20)
zeros.sum()
snapshot("zeros that were read")
many = [numpy.ones(30_000) for _ in range(200)]
snapshot("many: 46 MiB")
"""

FRAGMENTED = """
snapshot("begin")
blocks = [bytes(2048) for _ in range(50_000)]
snapshot("blocks")
kept = blocks[::20]
del blocks
snapshot("blocks freed")
objects = [[n] for n in range(600_000)]
snapshot("objects")
some = objects[::50]
del objects
snapshot("objects freed")
"""

THREADS = """
import threading
snapshot("begin")
ready, end = threading.Barrier(7), threading.Event()
def hold():
    blocks = [bytes(3000) for _ in range(2000)]
    ready.wait()
    end.wait()
threads = [threading.Thread(target=hold) for _ in range(6)]
for each in threads: each.start()
ready.wait()
snapshot("threads")
end.set()
for each in threads: each.join()
"""

FILES = """
import mmap, os
def read(mapped):
    return sum(mapped[at] for at in range(0, len(mapped), 4096))
with open("data.bin", "wb") as file:
    file.write(b"x" * (48 << 20))
    file.flush()
    os.fsync(file.fileno())
snapshot("begin")
descriptor = os.open("data.bin", os.O_RDWR)
data = mmap.mmap(descriptor, 48 << 20, access=mmap.ACCESS_READ)
read(data)
snapshot("read: 48 MiB")
copy = mmap.mmap(descriptor, 48 << 20, access=mmap.ACCESS_COPY)
copy[: 16 << 20] = b"y" * (16 << 20)
snapshot("copied: 16 MiB")
shared = mmap.mmap(-1, 24 << 20)
shared.write(b"z" * (24 << 20))
snapshot("shared: 24 MiB")
raw = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
raw.write(b"z" * (64 << 20))
snapshot("raw: 64 MiB")
del raw, shared, copy, data
dirty = mmap.mmap(descriptor, 48 << 20)
dirty.write(b"q" * (48 << 20))
snapshot("unwritten: 48 MiB")
os.unlink("data.bin")
"""

POLARS = """
import polars
snapshot("begin")
frame = polars.DataFrame({"a": polars.int_range(8 << 20, dtype=polars.Int64, eager=True)})
snapshot("frame: 64 MiB")
print(frame.estimated_size())
"""

DEEP = """
import threading
snapshot("begin")
sys.setrecursionlimit(10**6)
nested = []
for _ in range(60_000):
    nested = [nested]
done, end = threading.Event(), threading.Event()
def descend():
    repr(nested)
    done.set()
    end.wait()
threading.stack_size(256 << 20)
thread = threading.Thread(target=descend)
thread.start()
done.wait()
snapshot("deep")
end.set()
thread.join()
while nested:
    nested = nested.pop()
"""

ARENA = """
import numpy, onnx, onnxruntime
from onnx import TensorProto, helper
shape = [16 << 20]
names = ["x", "a", "b", "y"]
nodes = [helper.make_node("Sin", [one], [other]) for one, other in zip(names, names[1:])]
values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
model = helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:]), ir_version=10,
                          opset_imports=[helper.make_opsetid("", 20)])
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
snapshot("begin")
given = numpy.ones(shape[0], dtype=numpy.float32)
session.run(None, {"x": given})
del given
snapshot("ran")
"""
