"""What are the attributes of instances called that stand near to something with a name?

They are read with C functions only: from the dict of an instance, a slot, or by ``object.__getattribute__`` where no
class knows the name.  ``__dict__`` is not asked for, but of a few from 3.13 on: asking makes one where there was none.
"""

# No "from __future__": it would be an import of the program.

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType
    from typing import Any

_MOST_INSTANCES = 50_000
_DEPTH = 4  # from a named object on
_MOST_ATTRIBUTES = 1_000
_FEW = 64  # of a container's elements
_MOST_ASKED = 256  # for ``__dict__``: about 100 bytes each in the program

_MODULE, _FUNCTION = type(gc), type(lambda: None)
_code_of = vars(_FUNCTION)["__code__"].__get__
_BUILTINS = vars(sys.modules["builtins"])
_MEMBER = type(vars(_FUNCTION)["__closure__"])
_GETTER = type(vars(_FUNCTION)["__code__"])
_DICT_SHOWS = sys.version_info >= (3, 13)


class _Missing:
    """Stands for a name that a class has not."""


_MISSING = _Missing()


class Attributes:
    """Names the attributes of instances: calls ``name(owner, target, how, name)`` for each."""

    def __init__(self, types: "ModuleType", name: "Callable[[Any, Any, str, str], None]") -> None:
        self._types, self._name = types, name
        self._candidates: dict[int, list[str]] = {}
        self._n_asked = 0

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
        referents = gc.get_referents(one)
        for names in referents if self._types.has_dict(each) else ():
            if type(names) is dict and 0 < len(names) <= _MOST_ATTRIBUTES and self.is_own_dict(one, names):
                self._name(one, names, "dict", "")
                yield from [(names, key, value) for key, value in names.items()]
                referents = []
        known = {id(each)}
        for key in self._candidates_of(each):
            try:
                value = object.__getattribute__(one, key)
            except AttributeError:  # has not got it
                continue
            known.add(id(value))
            yield one, key, value
        yield from self._others(one, [value for value in referents if id(value) not in known])

    def _others(self, one: "Any", unknown: "list[Any]") -> "Iterator[tuple[Any, str, Any]]":
        """From 3.13 on a few are asked for ``__dict__``, which then only shows the values that the instance has."""
        each = type(one)
        if not unknown or not _DICT_SHOWS or self._n_asked >= _MOST_ASKED or not self._types.has_dict(each):
            return
        getters: list[Any] = [self._types.names_of(base).get("__dict__") for base in self._types.mro_of(each)]
        getter: Any = next((found for found in getters if found is not None), None)
        if type(getter) is _GETTER:
            self._n_asked += 1
            for key, value in list(getter.__get__(one).items()):
                if type(key) is str and any(value is found for found in unknown):
                    yield one, key, value

    def is_own_dict(self, one: object, names: "dict[Any, Any]") -> bool:
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

    def of_function(self, one: "Any", names: "dict[Any, Any]") -> "dict[Any, Any] | None":
        """The attributes of a function, where it has any: not ``names``, its globals, and not the built-in ones."""
        dicts = [each for each in gc.get_referents(one) if type(each) is dict and each]
        found = [each for each in dicts if each is not names and each is not _BUILTINS]
        return next((each for each in found if self.is_own_dict(one, each)), None)

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
