"""Which test suite is studied, and which of its suspects can be taken away from outside?"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from diagtools.errors import UnavailableError, UsageError
from diagtools.investigations import changes
from diagtools.investigations.changes import Change
from diagtools.investigations.import_without import check_packages
from diagtools.values import Target

_HINT = "switches='lazy twin: APP_LAZY=1; thin fixtures: FIXTURES=thin'"

#: A package that runs when something of it is first used, not when it is imported: what a mended ``import`` in the
#: functions that need it would do, also where the import stands in a ``try``.
_DEFERRED = """
import sys

NAMES = %r

class Waiting(type(sys)):
    def __getattr__(self, name):
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)  # whoever looks through sys.modules uses nothing
        loader = self.__spec__.loader.own
        self.__class__ = type(sys)
        self.__spec__.loader = self.__loader__ = loader
        loader.exec_module(self)
        return getattr(self, name)

class Later:
    def __init__(self, own):
        self.own = own

    def create_module(self, spec):
        return Waiting(spec.name)

    def exec_module(self, module):
        pass

    def __getattr__(self, name):
        return getattr(self.own, name)

class Deferring:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in NAMES or target is not None:  # one that is loaded again runs again
            return None
        for finder in sys.meta_path:
            spec = None if finder is Deferring else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = Later(spec.loader)
                return spec
        return None

sys.meta_path.insert(0, Deferring)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A command that runs tests, what can be taken away from it, and what can be added to be measured.

    ``suspects`` are tried each alone and all at once; ``mocks_off`` runs it without its session mocks, ``light`` runs
    its light part only, without the heavy fixtures; null where nobody said how.  ``budget`` is what its worker may hold
    once every suspect is taken away, empty for none.
    """

    target: Target
    suspects: tuple[Change, ...]
    mocks_off: Change | None
    light: Change | None
    budget: str = ""


def known_suite(*, workers: int) -> Suite:
    """The suite of the knowledge base, which comes with diagtools.

    Raises ``UnavailableError`` where workers are wanted and pytest-xdist is not installed.
    """
    spec = find_spec("workloads.knowledge.tests")
    folder = Path(spec.origin or ".").parent if spec else Path()
    place = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    # Plugins that happen to be installed are no part of the story: only those it needs.
    plugins = [("-p", "diagtools"), *([("-p", "xdist.plugin")] if workers else [])]
    words = [sys.executable, "-m", "pytest", "-q", *(word for pair in plugins for word in pair), str(place)]
    target = Target(argv=_with_workers(words, workers), env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    lazy = changes.env(
        "KNOWLEDGE_TWIN=lazy",
        name="lazy twin",
        meaning="the package imports all of itself when a part of it is asked for",
    )
    thin = changes.env(
        "KNOWLEDGE_FIXTURES=thin",
        name="thin fixtures",
        meaning="the fixtures import the package, and nothing else in this process does",
    )
    return Suite(
        target=target,
        suspects=(lazy, thin, deferred("polars")),
        mocks_off=changes.env("KNOWLEDGE_MOCKS=off", name="without the session mocks"),
        light=changes.together([thin, changes.arguments(f"--ignore={place / 'skills'}")]),
        budget="150 MB",
    )


def suite_of(
    command: str, *, workers: int, switches: str = "", defer: str = "", mocks_off: str = "", light: str = ""
) -> Suite:
    """The suite of a command line, and its suspects as a notebook's reader names them.

    ``switches`` are variables that take a suspect away (``"lazy twin: APP_LAZY=1; thin fixtures: FIXTURES=thin"``),
    ``defer`` packages that can wait (``"polars, torch"``), ``mocks_off`` a variable that turns session mocks off,
    ``light`` words that select the light tests.  Raises ``UsageError`` for what is none of that.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"suite={command!r} is no command line: {error}.", hint="suite='python -m pytest tests'"
        ) from error
    packages = [name.strip() for name in defer.split(",") if name.strip()]
    return Suite(
        target=Target(argv=_with_workers(words, workers)),
        suspects=(*_switched(switches), *(deferred(name) for name in packages)),
        mocks_off=changes.env(*mocks_off.split(), name="without the session mocks") if mocks_off else None,
        light=changes.arguments(light) if light else None,
    )


def measured(target: Target) -> Target:
    """The same, with the memory of each test."""
    return replace(target, argv=(*target.argv, "--diag"))


def deferred(package: str) -> Change:
    """This package runs when it is first used, not when it is imported.  Raises ``UsageError`` for what is none."""
    check_packages([package])
    return changes.patch(
        _DEFERRED % ((package,),),
        name=f"{package} deferred",
        meaning=f"{package} is loaded by an import at the top, and no test uses it",
    )


def _with_workers(words: Sequence[str], workers: int) -> tuple[str, ...]:
    if workers and find_spec("xdist") is None:
        raise UnavailableError(
            "pytest-xdist is not installed: there are no workers.",
            hint="pip install pytest-xdist, or workers=0",
        )
    return (*words, "-n", str(workers)) if workers else tuple(words)


def _switched(text: str) -> list[Change]:
    found = []
    for part in filter(None, map(str.strip, text.split(";"))):
        name, colon, assignments = part.partition(":")
        if not colon or not assignments.strip():
            raise UsageError(f"{part!r} is no switch: it has no name, or no variable.", hint=_HINT)
        found.append(
            changes.env(
                *shlex.split(assignments),
                name=name.strip(),
                meaning=f"what '{name.strip()}' takes away costs memory",
            )
        )
    return found
