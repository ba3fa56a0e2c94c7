"""Which caches of functools does the program have, and which of them are filling up to their limit?

They are found among the objects of the collector, asked by ``cache_info`` and never kept: what nobody else holds may
go.  What is remembered is the size of each, by its address.
"""

# No "from __future__": it would be an import of the program.

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Iterator
    from typing import Any

UNLIMITED = -1


class Caches:
    """What was in each cache as the stage began."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        #: Names of the caches with a limit that grew in the last stage and are not full yet.
        self.filling: frozenset[str] = frozenset()
        self._to_clear: frozenset[int] = frozenset()

    def begin(self) -> None:
        """A stage begins."""
        self._sizes = {id(cache): cache.cache_info().currsize for cache in _found()}

    def end(self) -> "list[tuple[str, int, int, int]]":
        """A stage has ended: name, entries before and now, and the limit of each cache that has more than before.

        Those that were being cleared stay what they were.
        """
        rows, filling = [], {}
        for cache in _found():
            info = cache.cache_info()
            before = self._sizes.get(id(cache), 0)
            most = UNLIMITED if info.maxsize is None else info.maxsize
            if id(cache) in self._to_clear or info.currsize > before:
                rows.append((_name(cache), before, info.currsize, most))
            if before < info.currsize < most:
                filling[id(cache)] = _name(cache)
        if not self._to_clear:
            self._to_clear, self.filling = frozenset(filling), frozenset(filling.values())
        return rows

    def clear(self) -> None:
        """Empty those that were filling."""
        for cache in _found():
            if id(cache) in self._to_clear:
                cache.cache_clear()


def _found() -> "Iterator[Any]":
    functools = sys.modules.get("functools")
    kind = getattr(functools, "_lru_cache_wrapper", None)
    if not isinstance(kind, type):  # a Python without the C version
        return iter(())
    return iter([each for each in gc.get_objects() if type(each) is kind])


def _name(cache: "Any") -> str:
    return f"{getattr(cache, '__module__', '')}.{getattr(cache, '__qualname__', '')}"
