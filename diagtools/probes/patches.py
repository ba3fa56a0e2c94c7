"""How would the program run in another world?  Changes that are put into it before its first line.

Runs in the process under study, on any CPython from 3.9 on, and imports nothing that a bare interpreter has not loaded.
"""

# No "from __future__": it would be an import.

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from typing import Any

#: Frames of a file of this name are cut from tracebacks of failing imports.
_IMPORT_FILE = "<frozen importlib._bootstrap>"

_FIND_SPEC = """
def _find_spec(name, path, target=None):
    if name in blocked or name.startswith(below):
        refused(name)
        return None
    return find_spec(name, path, target)
"""

_FIND_DISTRIBUTIONS = """
def find_distributions(*arguments, **named):
    for found in find(*arguments, **named):
        name = found.metadata["Name"] or ""
        if name.lower().replace("-", "_").replace(".", "_") not in folded:
            yield found
"""


def block(asked: str, refused: "Callable[[str], None]" = lambda name: None) -> None:
    """From here on these are not installed: ``PACKAGE,…;DISTRIBUTION,…``.

    No finder finds them: ``import`` raises ``ModuleNotFoundError``, ``importlib.util.find_spec`` answers None, and
    ``importlib.metadata`` knows no distribution of these names or a package's, whatever its capitals, ``-`` and ``.``.
    ``refused`` is told whenever one of them was looked for.
    """
    first, _, second = asked.partition(";")
    packages = first.split(",")
    distributions_asked = [*packages, *second.split(",")]
    system: Any = sys.modules["_frozen_importlib"]
    external: Any = sys.modules["_frozen_importlib_external"]
    names: dict[str, Any] = {
        "blocked": frozenset(packages),
        "below": tuple([name + "." for name in packages]),
        "find_spec": system._find_spec,
        "refused": refused,
    }
    exec(compile(_FIND_SPEC, _IMPORT_FILE, "exec"), names)
    users: list[Any] = [system, sys.modules.get("importlib.util")]
    for module in users:
        if module is not None:
            module._find_spec = names["_find_spec"]
    folded = frozenset([name.lower().replace("-", "_").replace(".", "_") for name in distributions_asked])
    distributions = {"folded": folded, "find": external.PathFinder.find_distributions}
    exec(compile(_FIND_DISTRIBUTIONS, _IMPORT_FILE, "exec"), distributions)
    external.PathFinder.find_distributions = staticmethod(distributions["find_distributions"])
    for name in [each for each in sys.modules if each in packages or each.startswith(names["below"])]:
        del sys.modules[name]  # something of it was loaded before us
