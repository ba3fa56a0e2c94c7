"""Which command line has a fresh interpreter execute probes, without importing them?

A probe comes compiled, in a file: what compiling takes and gives back, the first imports would find, and seem to cost a
MiB less.  The program's own folder stays first on the path, as under any ``python -c``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from diagtools.capture.child import compiled

_LOAD = (
    "names = {{'__name__': {name!r}}}; file = open(sys.argv.pop(1), 'rb'); "
    "exec(sys.modules['marshal'].load(file), names); file.close(); names[{function!r}]({argument})\n"
)
_SUFFIX = ".probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function of a compiled probe to call with this argument, or with all that is left of the command line."""

    probe: Path
    name: str
    function: str
    argument: str | None = None


def call(probe: ModuleType, folder: Path, python: str, function: str, argument: str | None = None) -> Call:
    """A call of a probe that is compiled into this folder."""
    source = Path(str(probe.__file__))
    place = folder.resolve() / f"{source.stem}{_SUFFIX}"
    place.write_bytes(compiled(source, python))
    return Call(probe=place, name=probe.__name__, function=function, argument=argument)


def interpreter_argv(python: str, calls: Sequence[Call], rest: Sequence[str]) -> list[str]:
    """The command line that makes these calls one after the other; the last takes the rest."""
    code, arguments = "import sys\n", []
    for one in calls:
        argument = "sys.argv[1:]" if one.argument is None else "sys.argv.pop(1)"
        code += _LOAD.format(name=one.name, function=one.function, argument=argument)
        arguments += [str(one.probe)] if one.argument is None else [str(one.probe), one.argument]
    return [python, "-c", code, *arguments, *rest]


def remove_probes(folder: Path) -> None:
    """They are no part of what was recorded."""
    for place in folder.glob(f"*{_SUFFIX}"):
        place.unlink()
