"""Do markers do nothing, quietly, where nothing listens?"""

import subprocess
import sys

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
    path = f"import sys; sys.path[:0] = {list(filter(None, sys.path))!r}"
    program = path + WITHOUT_DIAGTOOLS
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("passed through: late\n", "")
