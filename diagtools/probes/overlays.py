"""Did the packages of an overlay, which stands first on the path, come from there?"""

# No "from __future__": it would be an import of the program.

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from typing import Any


def watch(asked: str, after: "Any", notes: "Any") -> None:
    """Note of each module whence it came; asked is ``MODULE,…:FOLDER``."""
    modules, _, folder = asked.partition(":")
    for name in modules.split(","):
        after.tell(name, _noting(folder, notes))


def _noting(folder: str, notes: "Any") -> "Callable[[ModuleSpec], None]":
    def note(spec: "ModuleSpec") -> None:
        places = [spec.origin or "", *(spec.submodule_search_locations or ())]
        is_from_there = any(place.startswith(folder + "/") for place in places)
        notes.write("brought" if is_from_there else "shadowed", f"{spec.name} {places[0]}")

    return note
