"""A shell like a notebook's, in this process."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    """A shell with ``%%record``, whose runs go into a folder of the test."""
    from diagtools.notebook.record_cell import load

    monkeypatch.setenv("DIAGTOOLS_STORE", str(tmp_path / "runs"))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # the shell puts its own there
    for hook in ("displayhook", "excepthook"):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    made = InteractiveShell(config=config)
    load(made)
    yield made
    atexit.unregister(made.atexit_operations)
    made.atexit_operations()
