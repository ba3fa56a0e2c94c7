"""Work that a process with tests leaves to one of its own: what that imports is not for this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PATIENCE_S = 600.0


def run_aside(module: str, *words: str, patience_s: float = _PATIENCE_S) -> str:
    """What does this module print, run with these words?  Raises ``OSError`` where it cannot be run or fails."""
    command = [sys.executable, "-P", "-m", module, *words]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=patience_s, env=plain_environment()
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{module} took longer than {patience_s:g} s") from error
    if told.returncode != 0:
        raise OSError(_last_line(told.stdout, told.stderr) or f"exit status {told.returncode}")
    return told.stdout


def plain_environment() -> dict[str, str]:
    """The environment without what records or changes the processes of this session."""
    root = str(Path(__file__).parents[2])
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("DIAGTOOLS_", "COV_CORE_"))
    }
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH"))))}


def _last_line(*texts: str) -> str:
    lines: Sequence[str] = [line for text in texts for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
