"""Programs whose objects are looked at: the probe is loaded into them as `boot` does it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from diagtools.frames import ObjectGraph
from diagtools.probes import boot
from diagtools.read.object_graph import read_object_graphs

_LOAD = """
import sys as _sys
def _instrument(folder={folder!r}, probes={probes!r}):
    def load(name):
        path, full = probes + "/" + name + ".py", "diagtools.probes." + name
        loader = _sys.modules["_frozen_importlib_external"].SourceFileLoader(full, path)
        module = type(_sys)(full)
        module.__file__ = path
        exec(loader.get_code(full), vars(module))
        return module
    return load("holders").instrument(folder, load)
_sys.take = _instrument().take
del _instrument, _sys
"""


def looked_at(
    folder: Path, program: str, *, python: str = sys.executable, **modules: str
) -> list[ObjectGraph]:
    """The snapshots of a program that calls ``snapshot(label)``; ``modules`` are files it can import."""
    run = run_of(folder, program, python=python, **modules)
    return read_object_graphs(run, None)


def run_of(folder: Path, program: str, *, python: str = sys.executable, **modules: str) -> Path:
    """The folder with the snapshots of that program."""
    run = folder / "run"
    run.mkdir(exist_ok=True)
    load = _LOAD.format(folder=str(run), probes=str(Path(boot.__file__).parent))
    (folder / "probing.py").write_text(load + _SNAPSHOT)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    (folder / "program.py").write_text("import probing\n" + textwrap.dedent(program))
    result = subprocess.run(
        [python, "program.py"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return run


_SNAPSHOT = """
import itertools, time
_count = itertools.count()
def snapshot(label="x"):
    import sys
    sys.take(next(_count), time.monotonic_ns(), "phase", "end", label.encode())
"""
