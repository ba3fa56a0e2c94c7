"""Which objects does this process hold, how large is each, and what does each refer to?

Six columns of numbers, filled by C functions only (``map`` over ``id``, ``type``, ``sys.getrefcount``,
``gc.get_referents``): 5 million objects take seconds.  No method of an object's own is called that is written in
Python, no ``__class__``, ``__len__``, ``__repr__``, ``__eq__`` or ``__hash__``.  An object that the collector does not
track (numbers, texts, bytes, tuples of those) is met through what refers to it, perhaps more than once: the reader
takes the first row of an address.  Addresses are not resolved here: an index would take as much as the program.
"""

# No "from __future__": it would be an import of the program.

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any

#: Of this many objects the references are looked at together.
BLOCK = 1 << 15
#: Untracked containers that are this large are remembered, so that they are written once.
LARGE = 16
#: Column and type code, in the order in which the sections of the file stand.
COLUMNS = (("address", "Q"), ("type", "I"), ("size", "I"), ("count", "I"), ("degree", "I"), ("edge", "Q"))
#: What a column of 4 bytes holds at most: of a larger size a line of its own tells; such a count is nobody's.
MOST = (1 << 32) - 1
#: A reference count that nobody knows; and from where on one means that the object lives forever.
UNKNOWN, IMMORTAL = 0, 1 << 28


class Columns:
    """The objects that were seen so far, a row each, and the types they have."""

    def __init__(self, types: "ModuleType") -> None:
        from array import array
        from itertools import chain, filterfalse, islice  # extension modules, both

        self._chain, self._filterfalse, self._islice = chain.from_iterable, filterfalse, islice
        self._about = types
        self.columns = {name: array(code) for name, code in COLUMNS}
        self.types: list[type] = []
        #: Objects of kinds that have a name of their own, and the kind.
        self.special: list[tuple[str, object]] = []
        self.number_of: dict[int, int] = {}
        self._kinds: dict[int, str] = {}
        self._unsafe: dict[int, Any] = {}
        self._opened: dict[int, Callable[[Any], list[Any]]] = {}
        #: Objects of MOST bytes and more: address and size.
        self.giants: dict[int, int] = {}
        self._large: set[int] = set()
        self._in_list, self._in_values = _offsets()

    def add(self, objects: "list[Any]") -> None:
        """All these tracked objects, and what they lead to that is not tracked."""
        for start in range(0, len(objects), BLOCK):
            block = objects[start : start + BLOCK]
            self._rows(block, self._in_list)
            self._follow(block)

    def add_one(self, one: object, referents: "list[Any]", size: int) -> None:
        """One object whose references are known otherwise: a frame that is executed."""
        self._register([one], [id(type(one))])
        found = (id(one), self.number_of[id(type(one))], size, UNKNOWN, len(referents))
        for (name, _), value in zip(COLUMNS, found):
            self.columns[name].append(value)
        self.columns["edge"].extend(map(id, referents))
        self._untracked(self._filterfalse(gc.is_tracked, referents), holds_more=True)

    def add_unseen(self, near: "list[Any]") -> None:
        """What the collector has frozen is in none of its lists: it is found through what refers to it.

        ``near`` are objects that were added; what they refer to, and so on, is added.
        """
        known = set(self.columns["address"])
        waiting = self._frozen(near, known)
        while waiting:
            self._rows(waiting, -1)
            self._follow(waiting)
            waiting = self._frozen(waiting, known)

    def _frozen(self, objects: "list[Any]", known: "set[int]") -> "list[Any]":
        found: dict[int, Any] = {}
        for start in range(0, len(objects), BLOCK):
            lists = self._referents(objects[start : start + BLOCK])
            found.update(
                [(id(one), one) for one in self._chain(lists) if gc.is_tracked(one) and id(one) not in known]
            )
        known.update(found)
        return list(found.values())

    # --- rows ------------------------------------------------------------------------------------------

    def _rows(self, block: "list[Any]", held: int) -> None:
        columns = self.columns
        type_ids = list(map(id, map(type, block)))
        self._register(block, type_ids)
        columns["address"].extend(map(id, block))
        columns["type"].extend(map(self.number_of.__getitem__, type_ids))
        self._sizes(block, type_ids)
        counts = columns["count"]
        if held < 0:
            counts.extend([UNKNOWN] * len(block))
        else:
            n_before = len(counts)
            try:
                counts.extend(map((-held).__add__, map(sys.getrefcount, block)))
            except (
                OverflowError
            ):  # an object that lives forever; or one whose count is too low: a bug of C code
                del counts[n_before:]
                counts.extend([min(max(sys.getrefcount(one) - held - 1, 0), MOST) for one in block])
        if not self._kinds.keys().isdisjoint(type_ids):
            kinds = self._kinds
            found = [(kinds[t], one) for t, one in zip(type_ids, block) if t in kinds]
            self.special.extend(found)

    def _sizes(self, block: "list[Any]", type_ids: "list[int]") -> None:
        sizes = self.columns["size"]
        if self._unsafe.keys().isdisjoint(type_ids):
            n_before = len(sizes)
            try:
                sizes.extend(map(sys.getsizeof, block))
                return
            except Exception:  # noqa: BLE001 - an extension's own function for sizes failed: each by itself, then
                del sizes[n_before:]
        unsafe = self._unsafe
        exact = [_size(one, unsafe.get(t), self._about) for one, t in zip(block, type_ids)]
        self.giants.update({id(one): size for one, size in zip(block, exact) if size >= MOST})
        sizes.extend([min(size, MOST) for size in exact])

    def _register(self, block: "list[Any]", type_ids: "list[int]") -> None:
        """Number the types that are new; which of them have a Python function for their size?"""
        if self.number_of.keys() >= set(type_ids):
            return
        for each in map(type, block):
            if id(each) not in self.number_of:
                self.number_of[id(each)] = len(self.types)
                self.types.append(each)
                sizer = self._about.sizer(each)
                if sizer is not None:
                    self._unsafe[id(each)] = sizer
                kind = self._about.kind_of(each)
                if kind:
                    self._kinds[id(each)] = kind
                opened = self._about.opener(each)
                if opened is not None:
                    self._opened[id(each)] = opened

    # --- references ------------------------------------------------------------------------------------

    def _follow(self, block: "list[Any]") -> None:
        lists = self._referents(block)
        n_referents = sum(map(len, lists))
        self.columns["degree"].extend(map(len, lists))
        self.columns["edge"].extend(map(id, self._chain(lists)))
        fresh = self._filterfalse(gc.is_tracked, self._chain(lists))
        if (
            n_referents > 8 * BLOCK
        ):  # in pieces, while the lists are there: what refers to them cannot be counted
            self._untracked(fresh, holds_more=True)
        else:
            found = list(fresh)
            del lists, fresh
            self._untracked(found, holds_more=False)

    def _referents(self, block: "list[Any]") -> "list[list[Any]]":
        type_ids = list(map(id, map(type, block)))
        if self._opened.keys().isdisjoint(type_ids):
            return list(map(gc.get_referents, block))
        opened = self._opened
        places = [place for place, type_id in enumerate(type_ids) if type_id in opened]
        others = block[:]
        for place in places:
            others[place] = None
        lists = list(map(gc.get_referents, others))
        for place in places:
            lists[place] = opened[type_ids[place]](block[place])
        return lists

    def _untracked(self, fresh: "Iterable[Any]", *, holds_more: bool) -> None:
        """What is not tracked, in blocks, and what that leads to."""
        rest = iter(fresh)
        if isinstance(fresh, list):
            first = dict(zip(map(id, fresh), fresh))
            fresh.clear()
            self._wave(first, holds_more=holds_more)
            return
        while True:
            piece = list(self._islice(rest, BLOCK))
            if not piece:
                return
            self._wave(dict(zip(map(id, piece), piece)), holds_more=holds_more)

    def _wave(self, waiting: "dict[int, Any]", *, holds_more: bool) -> None:
        done: set[int] = set()
        while waiting:
            for seen in self._large.intersection(waiting):
                del waiting[seen]
            done.update(waiting)
            block = list(waiting.values())
            self._rows(block, -1 if holds_more else self._in_values)
            lists = self._referents(block)
            degrees = list(map(len, lists))
            self.columns["degree"].extend(degrees)
            self.columns["edge"].extend(map(id, self._chain(lists)))
            if max(degrees, default=0) >= LARGE:
                self._large.update([id(one) for one, n in zip(block, degrees) if n >= LARGE])
            fresh = list(self._filterfalse(gc.is_tracked, self._chain(lists)))
            waiting = dict(zip(map(id, fresh), fresh))
            del lists, block
            fresh.clear()
            for seen in done.intersection(waiting):
                del waiting[seen]


def _size(one: object, sizer: "Any", types: "ModuleType") -> int:
    """0 where nobody knows: a C function that fails."""
    try:
        if sizer is None:
            return sys.getsizeof(one)
        header = 16 if types.flags_of(type(one)) & types.HAS_GC else 0
        return int(sizer(one)) + header
    except Exception:  # noqa: BLE001 - a C function of an extension
        return 0


def _offsets() -> "tuple[int, int]":
    """How many references are ours while one is counted: of an object in two lists, and in a dict and a list."""
    kept = [object()]
    block = kept[:]
    in_list = next(map(sys.getrefcount, block))
    values = dict(zip(map(id, kept), kept))
    kept.clear()
    block = list(values.values())
    in_values = next(map(sys.getrefcount, block))
    return in_list, in_values
