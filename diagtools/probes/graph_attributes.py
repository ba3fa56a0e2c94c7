"""What are the attributes of instances called that stand near to something with a name?

They are read with C functions only: from the dict of an instance, a slot, or by ``object.__getattribute__`` where no
class knows the name.  ``__dict__`` is not asked for: asking makes one where there was none.
"""

# No "from __future__": it would be an import of the program.

import gc

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType
    from typing import Any

_MOST_INSTANCES = 50_000
_DEPTH = 4  # from a named object on
_MOST_ATTRIBUTES = 1_000
_FEW = 64  # of a container's elements

_MODULE, _FUNCTION = type(gc), type(lambda: None)
_code_of = vars(_FUNCTION)["__code__"].__get__
_MEMBER = type(vars(_FUNCTION)["__closure__"])


class _Missing:
    """Stands for a name that a class has not."""


_MISSING = _Missing()


class Attributes:
    """Names the attributes of instances: calls ``name(owner, target, how, name)`` for each."""

    def __init__(self, types: "ModuleType", name: "Callable[[Any, Any, str, str], None]") -> None:
        self._types, self._name = types, name
        self._candidates: dict[int, list[str]] = {}

    def name_near(self, near: "list[object]") -> None:
        """The attributes of instances that stand near to something with a name."""
        seen = set(map(id, near))
        n_left = _MOST_INSTANCES
        for _ in range(_DEPTH):
            following = []
            for one in near:
                for inner in self._inside(one):
                    if id(inner) not in seen and gc.is_tracked(inner) and n_left > 0:
                        seen.add(id(inner))
                        n_left -= 1
                        following.append(inner)
            near = following

    def _inside(self, one: "Any") -> "Iterable[Any]":
        each = type(one)
        if each is dict:
            return [value for value, _ in zip(one.values(), range(_FEW))]
        if each is list or each is tuple:
            return list(one[:_FEW])
        if each is _FUNCTION or each is _MODULE or self._types.is_class(each):
            return ()
        found = gc.get_referents(one)[:_FEW]
        if not self._types.is_heap_type(each):
            return found
        for owner, key, value in self._attributes(one):
            self._name(owner, value, "attribute", key)
            found.append(value)
        return found

    def _attributes(self, one: "Any") -> "Iterator[tuple[Any, str, Any]]":
        each = type(one)
        if self._types.has_dict(each):
            for names in gc.get_referents(one):
                if (
                    type(names) is dict
                    and 0 < len(names) <= _MOST_ATTRIBUTES
                    and self._is_own_dict(one, names)
                ):
                    self._name(one, names, "dict", "")
                    yield from [(names, key, value) for key, value in names.items()]
        for key in self._candidates_of(each):
            try:
                yield one, key, object.__getattribute__(one, key)
            except AttributeError:  # has not got it
                pass

    def _is_own_dict(self, one: object, names: "dict[Any, Any]") -> bool:
        """Are these its attributes, and not the value of one?  ``__dict__`` is not asked for: that might make it."""
        known = [self._types.names_of(base) for base in self._types.mro_of(type(one))]
        for key, value in names.items():
            if type(key) is not str:
                return False
            if not any(key in each for each in known):
                try:
                    if object.__getattribute__(one, key) is not value:
                        return False
                except AttributeError:
                    return False
        return True

    def _candidates_of(self, each: type) -> "list[str]":
        """Slots of these classes, and names in their code that no class knows: nothing but the instance answers."""
        found = self._candidates.get(id(each))
        if found is None:
            classes = [self._types.names_of(base) for base in self._types.mro_of(each)[:-1]]
            slots = {key for names in classes for key, value in names.items() if type(value) is _MEMBER}
            used: set[str] = set()
            for names in classes if self._types.has_dict(each) else ():
                for value in names.values():
                    if type(value) is _FUNCTION:
                        used.update(_code_of(value).co_names)
            known = {key for names in [*classes, object.__dict__] for key in names}
            plain = [
                key
                for key in slots
                if all(type(names.get(key, _MISSING)) in (_MEMBER, _Missing) for names in classes)
            ]
            found = self._candidates[id(each)] = plain + sorted(used - known)
        return found

    def own(self, one: object, key: str) -> "Any":
        """An attribute of the instance alone; nothing that its class would compute."""
        if any(key in self._types.names_of(base) for base in self._types.mro_of(type(one))):
            return None
        try:
            return object.__getattribute__(one, key)
        except AttributeError:
            return None
