"""Whose are the pages of this process's anonymous memory, and which of them are there?

Said of each private anonymous mapping: how many of its pages are there (``/proc/self/pagemap``), and how many of those
belong to what can be told by its own header, which is read without touching a page that is not there:

``mmapped``   a block of glibc with a mapping of its own: the header at its first page says its size and IS_MMAPPED
``arena``     a heap of one of glibc's further arenas: it begins at a multiple of 64 MiB with its own description
``pool``      a pool of Python's allocator: its size class and the last place for a block, which follows from that
``bss``       memory of a library or the program that its file says is zero at first

A page of zeros that was only read is there as well, but counts for nothing in RSS.  It is shared, so how many of the
pages are this process's alone is told too.
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Sequence
    from typing import Any

#: What a claim is: which mapping, whose ("" for all of it), its bytes, pages that are there, and those not shared.
CLAIM = ("mapping", "kind", "size", "present", "own")

_BLOCK = 16384  # pages looked at in one go
_ARENA_ALIGN = 64 << 20  # HEAP_MAX_SIZE of glibc on 64 bits
_FIRST_BATCH, _LARGEST_BATCH = 32, 1024
_IS_MMAPPED = 2  # of the word with a block's size
_MMAPPED = bytes(
    1 if byte in (_IS_MMAPPED, 0xF0 + _IS_MMAPPED) else 0 for byte in range(256)
)  # its lowest byte
_LOOSE_MMAPPED = 1 << 20  # bytes of blocks that are gone again, such as our own
_MOST_STRETCHES = 256  # of pages in a row that are tried
_AHEAD = 16  # blocks of one size that are looked for at once
_POOLS_PER_ARENA = 64
_EVERY = 8  # places for a pool: of those looked at first, to find out whether there are any
_LOOSE = 256 << 10  # bytes in pools that may change meanwhile, or lie where nobody looks for them
_HEADER = 48  # bytes of a pool's header
_BLOCK_ALIGN, _MOST_CLASSES = 16, 32  # of Python's allocator on 64 bits


class Walk:
    """One look at the mappings.  ``calls`` is of `heap_calls`, ``pages`` the module `heap_pages`.

    What is to be found is known beforehand: ``mmapped_bytes`` of glibc's blocks, and the bytes ``in_pools`` of Python's
    (null: not known, so all is searched and counted; 0: none).  Where blocks follow each other and pools fill a
    stretch, a few reads find them all; every page is read only while some of them are missing.
    """

    def __init__(
        self,
        calls: "Any",
        pages: "Any",
        page: int,
        pool: int,
        *,
        mmapped_bytes: int,
        in_pools: "int | None",
    ) -> None:
        """Raises ``OSError`` where pagemap cannot be opened."""
        self._calls, self._pages, self._page = calls, pages, page
        # Where several pools lie in a page, which of them are there is not the kernel's to know.
        self._pool = pool if pool >= page else 0
        self._mmapped_bytes, self._in_pools = mmapped_bytes, in_pools
        self._pagemap = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        self._sizes = [(index + 1) * _BLOCK_ALIGN for index in range(_MOST_CLASSES)]
        self._rooms = [(pool - _HEADER) // size * size for size in self._sizes]
        #: Size class, and where in a pool of it the last block begins.
        self._classes = {(index, pool - size) for index, size in enumerate(self._sizes)}
        self._until, self._kind = 0, 0  # how far what was found last goes on, and what it is
        self._claims: dict[tuple[int, int], list[int]] = {}
        self._left: list[Any] = []
        #: Where that is not known, counted in the pools found: bytes of blocks in use, and of free ones beside them.
        self.pools = {"used_bytes": 0, "available_bytes": 0}
        #: Of the blocks of glibc found: how many, and their bytes.
        self.mmapped = [0, 0]

    def close(self) -> None:
        """Gives the descriptor back."""
        os.close(self._pagemap)

    def claims(self) -> "list[list[Any]]":
        """What was found, a row of CLAIM a mapping and kind."""
        names = ("", *self._pages.KINDS)
        return [[index, names[kind], *sizes] for (index, kind), sizes in sorted(self._claims.items())]

    def look(
        self, extents: "Sequence[tuple[int, int, int, bool]]", zeroed: "Sequence[tuple[int, int]]"
    ) -> None:
        """Claim what can be told of these mappings.

        ``extents``: index, start and end of each private anonymous mapping that can be written to, in order, and
        whether anything of it is there; ``zeroed``: start and end of what is zero at first of a library.
        """
        for (index, start, end, is_there), reach in zip(extents, _ends(extents)):
            if not is_there:
                continue  # it may be the rest of a block that begins before
            for at in range(start, end, _BLOCK * self._page):
                n = min(_BLOCK, (end - at) // self._page)
                block = self._read(index, at, n, reach)
                self._total(index, 0, block.count())
                self._claim(block, zeroed)
                self._add(block)
        self._look_closer()

    def _read(self, index: int, at: int, n: int, reach: int) -> "Any":
        flags = os.pread(self._pagemap, n * 8, at // self._page * 8)[7::8]
        if len(flags) < n:
            flags += bytes(n - len(flags))
        return self._pages.Block(index, at, n, reach, flags, self._page)

    def _claim(self, block: "Any", zeroed: "Sequence[tuple[int, int]]") -> None:
        block.mark(block.at, max(0, self._until - block.at), self._kind)  # what has begun before goes on here
        for start, end in zeroed:
            if start < block.end and block.at < end:
                block.mark(max(start, block.at), end - max(start, block.at), self._pages.BSS)
        if 1 not in block.there:
            return
        self._find_arenas(block)
        if self._mmapped_bytes:
            self._follow(block)
        block.is_sampled = self._in_pools is not None and not self._find_pools(block, _EVERY)
        if not block.is_sampled:
            self._find_pools(block, 1)
            if self._mmapped_bytes:
                self._follow(block)
        if 1 in block.free():
            self._left.append(block)

    def _look_closer(self) -> None:
        """Every page, as long as something is missing; what is older lies higher, as a rule."""
        for block in reversed(self._left):
            pools_are_missing = (self._in_pools or 0) - self._found(self._pages.POOL) > _LOOSE
            blocks_are_missing = self._mmapped_bytes - self.mmapped[1] > _LOOSE_MMAPPED
            if not pools_are_missing and not blocks_are_missing:
                return
            before = bytes(block.kinds)
            if pools_are_missing and block.is_sampled:
                self._find_pools(block, 1)
            if blocks_are_missing:
                self._find_mmapped(block)
            if block.kinds != before:
                self._add(block)
                self._go_on(block)

    def _found(self, kind: int) -> int:
        return sum([sizes[0] for (_, each), sizes in self._claims.items() if each == kind])

    def _go_on(self, block: "Any") -> None:
        """A block of glibc that was found late may reach into what follows."""
        for other in self._left:
            if block.end <= other.at < self._until and block.reach == other.reach:
                other.mark(other.at, self._until - other.at, self._pages.MMAPPED)
                self._add(other)

    # --- glibc's -----------------------------------------------------------------------------------------

    def _begin(self, block: "Any", start: int, size: int, kind: int) -> None:
        block.mark(start, size, kind)
        self._until, self._kind = start + size, kind

    def _find_arenas(self, block: "Any") -> None:
        for start in range(-(-block.at // _ARENA_ALIGN) * _ARENA_ALIGN, block.end, _ARENA_ALIGN):
            place = block.place(start)
            if block.there[place] and not block.kinds[place]:
                words = memoryview(self._calls.read((start,), 32)).cast("Q")
                if self._is_arena(start, block.reach, words):
                    self._begin(block, start, words[3], self._pages.ARENA)

    def _is_arena(self, start: int, reach: int, words: "memoryview") -> bool:
        owner, before, size, writable = words
        return (
            owner > 0
            and owner % _ARENA_ALIGN < 256
            and before % _ARENA_ALIGN == 0
            and 0 < size <= writable <= _ARENA_ALIGN
            and writable % self._page == 0
            and start + writable <= reach
        )

    def _follow(self, block: "Any") -> None:
        """Blocks that begin where a stretch of pages does that are nobody's so far, or where another one ends."""
        free = block.free()
        place = free.find(1)
        for _ in range(_MOST_STRETCHES):
            if place < 0:
                return
            start = block.at + place * self._page
            until = self._chain(block, start)
            place = block.place(until) if until > start else free.find(0, place)
            place = free.find(1, place) if place >= 0 else -1

    def _chain(self, block: "Any", start: int) -> int:
        """Where do the blocks end of which each begins where the one before ends?"""
        size = 0
        while block.is_nobodys(start):
            # Blocks of one size often follow each other.
            starts = block.there_of(range(start, block.end, size)[:_AHEAD] if size else (start,))
            found = dict(self._headers(starts, block.reach))
            if start not in found:
                return start
            while start in found and block.is_nobodys(start):
                size = found[start]
                self._take(block, start, size)
                start += size
        return start

    def _take(self, block: "Any", start: int, size: int) -> None:
        self.mmapped[0] += 1
        self.mmapped[1] += size
        self._begin(block, start, size, self._pages.MMAPPED)

    def _find_mmapped(self, block: "Any") -> None:
        free = block.free()
        place, batch = free.find(1), _FIRST_BATCH
        while place >= 0:
            end = min(block.n, place + batch)
            starts = list(self._calls.compress(block.pages()[place:end], free[place:end]))
            found = self._headers(starts, block.reach)
            until = 0
            for start, size in found:
                if start >= until:
                    self._take(block, start, size)
                    until = self._until
            end = max(end, min(block.n, block.place(until)))
            batch = _FIRST_BATCH if found else min(batch * 2, _LARGEST_BATCH)
            place = free.find(1, end)

    def _headers(self, starts: "Any", reach: int) -> "list[tuple[int, int]]":
        """Start and size of the blocks of glibc that begin at some of these pages.

        Up to 2.42 the header has the size of the mapping; from 2.43 on that without the header itself, and the word
        before may say that huge pages were asked for.
        """
        data = self._calls.read(starts, 16)
        marked = data[8::16].translate(_MMAPPED)
        found = []
        at = marked.find(1)
        while at >= 0:
            before, size = memoryview(data)[16 * at : 16 * at + 16].cast("Q")
            size -= _IS_MMAPPED
            if size % self._page:
                size, before = size + 16, before & ~1
            is_whole = size > 0 and size % self._page == 0 and not before
            if is_whole and starts[at] + size <= reach:
                found.append((starts[at], size))
            at = marked.find(1, at + 1)
        return found

    # --- Python's ----------------------------------------------------------------------------------------

    def _find_pools(self, block: "Any", every: int) -> bool:
        """Mark the pools, each ``every``-th place for one being looked at.  Is there any?"""
        if not self._pool or self._in_pools == 0:
            return False
        step, first = self._pool // self._page, -block.at % self._pool // self._page
        free = block.free()[first :: step * every]
        if 1 not in free:
            return False
        begin = block.at + first * self._page
        starts = list(self._calls.compress(range(begin, block.end, self._pool * every), free))
        fields = memoryview(self._calls.read(starts, _HEADER)).cast("I")
        classes, lasts = fields[9::12].tolist(), fields[11::12].tolist()
        known = self._classes
        hits = [place for place, pair in enumerate(zip(classes, lasts)) if pair in known]
        if every == 1:
            slots = list(self._calls.compress(range(len(free)), free))
            marks = bytearray(len(free))
            for place in hits:
                marks[slots[place]] = 1
            block.mark_steps(first, step, marks, self._pages.POOL)
            if self._in_pools is None:
                counts = fields[0::12].tolist()
                self._count_pools([counts[place] for place in hits], [classes[place] for place in hits])
        else:
            arenas = fields[8::12].tolist()
            self._mark_between(block, [(starts[place], arenas[place]) for place in hits])
        return bool(hits)

    def _mark_between(self, block: "Any", pools: "list[tuple[int, int]]") -> None:
        """What lies between two pools of one arena is that arena's too."""
        begin, last, of = 0, 0, -1
        for start, arena in [*pools, (0, -1)]:
            if arena != of or start + self._pool - begin > _POOLS_PER_ARENA * self._pool:
                if begin:
                    block.mark(begin, last + self._pool - begin, self._pages.POOL)
                begin, of = start, arena
            last = start

    def _count_pools(self, counts: "list[int]", classes: "list[int]") -> None:
        sizes, rooms = self._sizes, self._rooms
        used = sum([count * sizes[index] for count, index in zip(counts, classes)])
        room = sum([rooms[index] for count, index in zip(counts, classes) if count])
        self.pools["used_bytes"] += used
        self.pools["available_bytes"] += max(0, room - used)

    # --- what is there -----------------------------------------------------------------------------------

    def _add(self, block: "Any") -> None:
        """Count what was claimed of a block since it was counted last."""
        for kind, sizes in block.count_new().items():
            self._total(block.index, kind, sizes)

    def _total(self, index: int, kind: int, sizes: "tuple[int, int, int]") -> None:
        total = self._claims.setdefault((index, kind), [0, 0, 0])
        for place, size in enumerate(sizes):
            total[place] += size


def _ends(extents: "Sequence[tuple[int, int, int, bool]]") -> "list[int]":
    """How far does each reach, with those that follow it without a gap?  A block may lie in several of them."""
    ends: list[int] = []
    reach = start_after = 0
    for _, start, end, _ in reversed(extents):
        reach = reach if end == start_after else end
        start_after = start
        ends.append(reach)
    ends.reverse()
    return ends
