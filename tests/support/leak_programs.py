"""Which functions of ``tests/support/leaky`` leak, at which line, and which do not?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

_FOLDER = Path(__file__).parent / "leaky"
_MARK = re.compile(r"# <- ([a-z0-9_ ]+)$")
_OF_THE_HELD_OUT = ("LEAKS", "BOUNDED")
#: memray does not see ``malloc`` and ``mmap`` that are called by their address, as ctypes calls those of the C library.
BY_ADDRESS = ("c_malloc", "c_malloc_64", "c_malloc_large", "c_calloc", "c_every_10th_call", "mappings_of_c")


def leaking() -> dict[str, list[str]]:
    """Each target that leaks, and the lines (``leaks.py:12``) that ask for what it leaves."""
    found: dict[str, list[str]] = {}
    for module in ("leaks", "async_leaks"):
        for number, line in enumerate(_text(module).splitlines(), 1):
            match = _MARK.search(line)
            names = match[1].split() if match else []
            for name in names:
                found.setdefault(_target(module, name), []).append(f"{module}.py:{number}")
    return found


def bounded() -> list[str]:
    """Each target that comes to an end with what it keeps."""
    found = [_target("bounded", name) for name in _functions("bounded")]
    leaks = leaking()
    other = [_target("async_leaks", name) for name in _functions("async_leaks")]
    return [*found, *(target for target in other if target not in leaks)]


def held_out() -> tuple[list[str], list[str]]:
    """The same of those that were written after the rules were fixed: leaking, bounded."""
    tree = ast.parse(_text("held_out"))
    named = {
        node.targets[0].id: [_target("held_out", name.id) for name in node.value.elts]  # type: ignore[attr-defined]
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in _OF_THE_HELD_OUT
    }
    return named["LEAKS"], named["BOUNDED"]


def _functions(module: str) -> list[str]:
    nodes = ast.parse(_text(module)).body
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [name for name in names if not name.startswith("_")]


def _target(module: str, name: str) -> str:
    return f"tests.support.leaky.{module}:{name}"


def _text(module: str) -> str:
    return (_FOLDER / f"{module}.py").read_text()
