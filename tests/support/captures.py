"""Real memray captures of small programs, made once a session."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

HELD = 5 << 20  # bytes that KNOWN holds at its peak, in one piece

KNOWN = f"""
import json, os, signal, sys

def parse():
    return [json.loads('[1, 2, {{"a": [1, 2, 3]}}]') for _ in range(3000)]

def hold():
    return bytearray({HELD})

dropped = [bytearray(1000) for _ in range(3000)]
parsed = parse()
del dropped
held = hold()
if "kill" in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@cache
def capture(*options: str, program: str = KNOWN, arguments: tuple[str, ...] = ()) -> Path:
    """A capture of a program made with `memray run`, in a folder of its own; the file is not to be changed."""
    folder = Path(mkdtemp(prefix="diagtools-captures-"))
    (folder / "program.py").write_text(textwrap.dedent(program))
    made = folder / "capture.bin"
    subprocess.run(
        [sys.executable, "-m", "memray", "run", "-q", *options, "-o", made, "program.py", *arguments],
        cwd=folder,
        check="kill" not in arguments,
        capture_output=True,
    )
    return made
