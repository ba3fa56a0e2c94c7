"""The script that runs a notebook cell in a process of its own."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from diagtools.errors import UsageError

_STARTER = Path(__file__).with_name("cell_process.py")
_SCRIPT = """\
_own = {{"__name__": "diagtools.cell", "__file__": {own_file!a}}}
exec(compile({starter!a}, {own_file!a}, "exec"), _own)
_own["start"](globals(), {label!a}, {text!a}, {given})
"""
_OWN_FILE = "<diagtools>"
#: Not `python SCRIPT`: the frame that every stack begins with would have another name in each run.
_RUN = (
    "import sys; _script = sys.argv.pop(1); _file = open(_script, 'rb'); _text = _file.read(); _file.close(); "
    f"exec(compile(_text, '{_OWN_FILE}', 'exec'))"
)
_SHELL_ONLY = "get_ipython()"


def label_of(name: str) -> str:
    """What do tracebacks and captures call this cell?  No path: the same in every run and on every machine."""
    return f"cell {name}"


def script(name: str, text: str, given: Mapping[str, object]) -> str:
    """Which script runs this text with these variables?  Any CPython from 3.9 on runs it."""
    literals = [f"{key!a}: {_literal(key, value)}" for key, value in given.items()]
    return _SCRIPT.format(
        own_file=_OWN_FILE,
        starter=_STARTER.read_text(encoding="utf-8"),
        label=label_of(name),
        text=text,
        given=f"{{{', '.join(literals)}}}",
    )


def command(python: str, path: Path) -> tuple[str, ...]:
    """Which command runs the script at this path?"""
    return (python, "-c", _RUN, str(path))


def plain_python(cell: str, transform: Callable[[str], str]) -> str:
    """The cell's text, unchanged where it is Python; without prompts or an indent of the whole where it then is.

    What is no Python either way is left to the interpreter that runs it: it may know more, and says where the error
    is.  Raises ``UsageError`` where the cell needs IPython.
    """
    if _is_python(cell):
        return cell
    changed = transform(cell)
    if not _is_python(changed):
        return cell
    if changed.count(_SHELL_ONLY) > cell.count(_SHELL_ONLY):
        raise UsageError(
            f"The cell uses IPython's syntax: {_first_changed(cell, changed)!r}; it runs in a plain Python process.",
            hint="put that line into a cell before this one, or write it in Python (subprocess.run for !).",
        )
    return changed


def _is_python(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are said once, where it runs
        try:
            compile(text, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return False
    return True


def _first_changed(before: str, after: str) -> str:
    kept = set(after.splitlines())
    return next((line.strip() for line in before.splitlines() if line.strip() and line not in kept), "")


def _literal(name: str, value: object) -> str:
    """How is this value written in Python?  Raises ``UsageError`` for what JSON does not know either."""
    try:
        return _written(name, value)
    except RecursionError as error:
        raise UsageError(
            f"-p {name}: it contains itself, or is too deep.", hint="pass a part of it."
        ) from error


def _written(name: str, value: object) -> str:
    if isinstance(value, PurePath):
        return ascii(str(value))
    if type(value) is float and not math.isfinite(value):
        return f"float({str(value)!a})"
    if value is None or type(value) in (bool, int, float, str):
        return ascii(value)
    if type(value) is list:
        return f"[{', '.join(_written(name, each) for each in value)}]"
    if type(value) is dict and all(type(key) is str for key in value):
        return f"{{{', '.join(f'{key!a}: {_written(name, each)}' for key, each in value.items())}}}"
    raise UsageError(
        f"-p {name}: {_what(value)} cannot be passed to another process.",
        hint="pass None, bool, int, float, str, paths, lists and dicts (str keys) of them; make the rest in the cell.",
    )


def _what(value: object) -> str:
    if type(value) is dict:
        key = next(key for key in value if type(key) is not str)
        return f"a dict with the key {key!r} ({type(key).__name__})"
    kind = type(value)
    home = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"a value of type {home}{kind.__qualname__}"
