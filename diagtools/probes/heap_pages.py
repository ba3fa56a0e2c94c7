"""Some pages of a mapping: which of them are there, and whose are they as far as is known?

A byte a page, and whole stretches at once: a loop over the pages would take a hundred times as long.
"""

# No "from __future__": it would be an import of the program.

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Iterable

KINDS = ("mmapped", "arena", "pool", "bss")
MMAPPED, ARENA, POOL, BSS = 1, 2, 3, 4

# Of the highest byte of an entry of pagemap: bit 63, there; bit 56, mapped by this process alone.
_PRESENT = bytes(1 if byte & 0x80 else 0 for byte in range(256))
_OWN = bytes(1 if byte & 0x80 and byte & 1 else 0 for byte in range(256))
_TIMES = [bytes([0, kind]) + bytes(254) for kind in range(5)]
_FULL = b"\xff" + bytes(255)  # what is not 0 becomes 0, and 0 all bits
_ONLY = [bytes(1 if byte == kind else 0 for byte in range(256)) for kind in range(5)]


class Block:
    """Some pages of one mapping: which are there, and whose they are as far as is known."""

    def __init__(self, index: int, at: int, n: int, reach: int, flags: bytes, page: int) -> None:
        self.index, self.at, self.n, self.reach, self.flags = index, at, n, reach, flags
        self.end = at + n * page
        self.there = flags.translate(_PRESENT)
        self.kinds = bytearray(n)
        self.is_sampled = False  # were only some of the places for a pool looked at, in vain?
        self._page = page
        self._counted = bytes(n)

    def place(self, address: int) -> int:
        """Which page is that?"""
        return (address - self.at) // self._page

    def pages(self) -> range:
        """Where each page begins."""
        return range(self.at, self.end, self._page)

    def is_nobodys(self, address: int) -> bool:
        """Is that page in the block, and not claimed so far?"""
        return address < self.end and not self.kinds[self.place(address)]

    def there_of(self, addresses: "Iterable[int]") -> "list[int]":
        """Those of them whose page is there."""
        return [address for address in addresses if self.there[self.place(address)]]

    def free(self) -> bytes:
        """1 for each page that is there and nobody's so far."""
        return _both(self.there, self.kinds.translate(_ONLY[0]))

    def mark(self, start: int, size: int, kind: int) -> None:
        """From there on so many bytes are of this kind, as far as the block goes."""
        first = self.place(start)
        last = min(self.n, first + size // self._page)
        if last > first:
            self.kinds[first:last] = bytes([kind]) * (last - first)

    def mark_steps(self, first: int, step: int, marks: bytearray, kind: int) -> None:
        """From the page ``first`` on each ``step`` pages are of this kind, or nothing new is known of them."""
        for page in range(first, first + step):
            kinds = self.kinds[page::step]
            n = min(len(kinds), len(marks))
            new = _either(kinds[:n], marks[:n].translate(_TIMES[kind]))
            self.kinds[page : page + n * step : step] = new

    def count(self) -> "tuple[int, int, int]":
        """Bytes of all pages, how many are there, and how many of those are this process's own."""
        return self.n * self._page, self.there.count(1), self.flags.translate(_OWN).count(1)

    def count_new(self) -> "dict[int, tuple[int, int, int]]":
        """The same by kind, of the pages that were claimed since this was asked last."""
        new = _both(self.kinds, self._counted.translate(_FULL))
        self._counted = bytes(self.kinds)
        own, found = self.flags.translate(_OWN), {}
        for kind in set(new) - {0}:
            mask = new.translate(_ONLY[kind])
            there, alone = _both(self.there, mask).count(1), _both(own, mask).count(1)
            found[kind] = (mask.count(1) * self._page, there, alone)
        return found


def _both(one: "bytes | bytearray", other: "bytes | bytearray") -> bytes:
    """The bits that both have, byte by byte: as two large numbers, since a loop would take a hundred times as long."""
    both = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return both.to_bytes(len(one), "little")


def _either(one: "bytes | bytearray", other: "bytes | bytearray") -> bytes:
    """The bits that either has."""
    either = int.from_bytes(one, "little") | int.from_bytes(other, "little")
    return either.to_bytes(len(one), "little")
