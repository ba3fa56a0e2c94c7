"""What does C code keep for the program where no variable leads to: context variables, threads' own data, signals?

Each is asked with functions of the interpreter itself.  Where nothing can be asked, nothing is said: functions for the
end of the process (``atexit``, until 3.13) and the values an expression has at hand while it is worked out.
"""

# No "from __future__": it would be an import of the program.

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from typing import Any

_MODULE, _DICT = type(sys), dict
_BUILTIN: "Any" = type(len)
_type_name = type.__dict__["__qualname__"].__get__
#: What a context keeps its variables in; contexts that differ in little share most of it.
_TRIE = ("hamt", "hamt_bitmap_node", "hamt_array_node", "hamt_collision_node")
_MOST_CONTEXTS, _MOST_COPIES = 20_000, 2_000  # whose variables are looked at; a copy has the trie of another
_MOST_THREADS = 2_000  # with data of their own in one ``threading.local``


class Roots:
    """Names what is kept so: calls ``names.name`` and ``names.mark``."""

    def __init__(self, names: "Any") -> None:
        self._names = names
        self._seen: set[int] = set()
        self._n_left = [_MOST_CONTEXTS, _MOST_COPIES]

    def signals(self) -> None:
        """What is called when a signal comes."""
        module = sys.modules.get("_signal")
        known = vars(module) if type(module) is _MODULE else {}
        ask: Any = known.get("getsignal")
        if type(ask) is not _BUILTIN:
            return
        for name, number in list(known.items()):
            if type(name) is str and name.startswith("SIG") and name[3:4] != "_" and type(number) is int:
                handler = ask(number)
                if gc.is_tracked(handler) and type(handler) is not _BUILTIN:
                    self._names.name(None, handler, "signal", name)

    def context(self, one: "Any") -> None:
        """The variables of a context, which hang in its trie."""
        self._names.mark(one, "context")
        n_fresh = len(self._seen)
        self._mark_tries(one)
        is_copy = len(self._seen) == n_fresh
        self._n_left[is_copy] -= 1
        if self._n_left[is_copy] < 0:
            return
        for variable, value in type(one).__dict__["items"](one):
            key = type(variable).__dict__["name"].__get__(variable)
            if type(key) is str:
                self._names.name(one, value, "context", key)

    def _mark_tries(self, one: "Any") -> None:
        waiting = [one]
        while waiting:
            for inner in gc.get_referents(waiting.pop()):
                if _type_name(type(inner)) in _TRIE and id(inner) not in self._seen:
                    self._seen.add(id(inner))
                    self._names.mark(inner, "context")
                    waiting.append(inner)

    def thread_local(self, one: "Any") -> None:
        """The attributes that each thread has in it: a dict a thread, in a dict by weak references."""
        for by_thread in gc.get_referents(one):
            if type(by_thread) is not _DICT or any(type(key) is str for key in by_thread):
                continue
            self._names.name(one, by_thread, "dict", "")
            for own, _ in zip(list(by_thread.values()), range(_MOST_THREADS)):
                if type(own) is _DICT:
                    self._names.name(one, own, "dict", "")
                    self._attributes(own)

    def _attributes(self, own: "dict[Any, Any]") -> None:
        for key, value in list(own.items()):
            if type(key) is str:
                self._names.name(own, value, "attribute", key)
