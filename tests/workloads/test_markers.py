"""Do the markers tell a recorder what the indexer does, and nothing where none listens?"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from workloads.rag.models import Model

WITHOUT_DIAGTOOLS = """
import sys
sys.modules["diagtools"] = None
from workloads.rag import markers
with markers.phase("index"), markers.item("a.py", size_bytes=1) as item:
    item.note(chunks=2)
try:
    with markers.item("b.py"):
        raise TimeoutError("late")
except TimeoutError as error:
    print("passed through:", error)
"""


def test_without_diagtools_nothing_happens_and_errors_pass_through() -> None:
    program = f"import sys; sys.path[:0] = {list(filter(None, sys.path))!r}" + WITHOUT_DIAGTOOLS
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("passed through: late\n", "")


def features_of(marker: tuple[str, str, str]) -> dict[str, float]:
    pairs = (feature.split("=") for feature in marker[2].split(","))
    return {name: float(value) for name, value in pairs}


def test_a_recorder_sees_phases_items_features_and_failures(
    model: Model, tree: Callable[..., Path], tmp_path: Path
) -> None:
    large = "def large():\n" + "    value = 'of one long function'\n" * 12_000  # some 200 chunks
    root = tree({"a.py": "x = 1\n", "bad.py": b"\0", "slow.py": large})
    (run := tmp_path / "run").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "DIAGTOOLS_RUN": str(run)}
    command = [sys.executable, "-m", "workloads.rag", "index", "--folder", str(root), "--file-timeout", "1"]
    subprocess.run(
        [*command, "--threads", "1", "--batch", "8"], env=environment, check=True, capture_output=True
    )
    lines = [line.split("\t")[3:12] for line in (run / "markers.log").read_text().splitlines()]
    seen = {
        (kind, name, edge): (status, error, features)
        for kind, edge, _, _, _, status, name, error, features in lines
    }
    assert {name for kind, name, _ in seen if kind == "phase"} == {"load model", "index"}
    assert {name for kind, name, _ in seen if kind == "item"} == {"a.py", "bad.py", "slow.py"}
    assert features_of(seen["item", "a.py", "begin"]) == {"size_bytes": 6}
    assert features_of(seen["item", "a.py", "note"]) == {"chunks": 1, "longest_line": 5}
    assert seen["item", "a.py", "end"][:1] == ("ok",)
    status, error, _ = seen["item", "bad.py", "end"]
    assert (status, "binary: it holds NUL bytes" in error) == ("failed", True)
    status, error, _ = seen["item", "slow.py", "end"]
    assert (status, "embedding exceeded 1 s" in error) == ("timeout", True)
