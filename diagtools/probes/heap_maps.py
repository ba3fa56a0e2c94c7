"""Which mappings does a process have, and what of each is resident?  The text of ``/proc/PID/smaps`` as rows.

Used inside the target for a snapshot of itself, and outside for one of a process that runs.
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Sequence
    from typing import Any

#: What a row is; sizes are in bytes.  ``flags`` are the kernel's two-letter words (``nr``: no swap was reserved).
FIELDS = (
    "start",
    "end",
    "perms",
    "offset",
    "device",
    "inode",
    "name",
    "rss",
    "anonymous",
    "shared_clean",
    "shared_dirty",
    "private_clean",
    "private_dirty",
    "huge",
    "swap",
    "flags",
)
START, END, PERMS, OFFSET, DEVICE, INODE, NAME, RSS, ANONYMOUS = range(9)
FLAGS = len(FIELDS) - 1

_SIZES = {
    b"Rss": RSS,
    b"Anonymous": ANONYMOUS,
    b"Shared_Clean": FIELDS.index("shared_clean"),
    b"Shared_Dirty": FIELDS.index("shared_dirty"),
    b"Private_Clean": FIELDS.index("private_clean"),
    b"Private_Dirty": FIELDS.index("private_dirty"),
    b"AnonHugePages": FIELDS.index("huge"),
    b"Swap": FIELDS.index("swap"),
}
_HIGHEST = 1 << 63  # what lies above is the kernel's own (vsyscall)
_MEMORY_FILE_SYSTEMS = (b"tmpfs", b"ramfs", b"devtmpfs", b"hugetlbfs")


def read(pid: "int | str" = "self") -> bytes:
    """The text of a process's smaps, in as few reads as it takes.  Raises ``OSError``."""
    fd = os.open("/proc/%s/smaps" % pid, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces: list[bytes] = []
        while True:
            piece = os.read(fd, 1 << 20)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
    finally:
        os.close(fd)


def rows(text: bytes) -> "list[list[int | str]]":
    """One row a mapping, in order of its address.  Raises ``ValueError`` where it is no such text."""
    found: list[list[int | str]] = []
    row: list[int | str] = []
    for line in text.split(b"\n"):
        if b"A" <= line[:1] <= b"Z":
            name, _, value = line.partition(b":")
            at = _SIZES.get(name)
            if at is not None:
                row[at] = int(value.split()[0]) << 10
            elif name == b"VmFlags":
                row[FLAGS] = value.strip().decode("ascii", "replace")
        elif line:
            row = _row(line)
            if row[END] <= _HIGHEST:  # type: ignore[operator]
                found.append(row)
    return found


def _row(line: bytes) -> "list[int | str]":
    extent, perms, offset, device, inode, *name = line.split(None, 5)
    start, _, end = extent.partition(b"-")
    row: list[int | str] = [0] * len(FIELDS)
    row[START], row[END], row[OFFSET] = int(start, 16), int(end, 16), int(offset, 16)
    row[PERMS], row[DEVICE], row[INODE] = perms.decode("ascii"), device.decode("ascii"), int(inode)
    row[NAME] = name[0].decode("utf-8", "backslashreplace") if name else ""
    row[FLAGS] = ""
    return row


def memory_devices(pid: "int | str" = "self") -> "list[str]":
    """Which devices (as smaps writes them) are file systems that lie in memory?  Their files are no cache."""
    try:
        with open("/proc/%s/mountinfo" % pid, "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return []
    found = set()
    for line in lines:
        fields, _, kind = line.partition(b" - ")
        if kind.split(b" ", 1)[0] in _MEMORY_FILE_SYSTEMS:
            major, _, minor = fields.split()[2].partition(b":")
            found.add("%02x:%02x" % (int(major), int(minor)))
    return sorted(found)


def rss_bytes(pid: "int | str" = "self") -> int:
    """What the process holds by the kernel's running count, which may lag a little behind what smaps sums to."""
    with open("/proc/%s/statm" % pid, "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def zeroed(calls: "Any", files: "Sequence[int]", page: int) -> "list[tuple[int, int]]":
    """Where does memory lie that is zero at first?  ``files``: where each program or library begins in memory (ELF)."""
    found = []
    heads = calls.read(files, 1024)
    for number, start in enumerate(files):
        head = heads[number * 1024 : number * 1024 + 1024]
        if head[:6] != b"\x7fELF\x02\x01":
            continue
        table, size, count = _word(head, 32, 8), _word(head, 54, 2), _word(head, 56, 2)
        parts = [head[table + size * n : table + size * (n + 1)] for n in range(count)]
        loads = [part for part in parts if len(part) == size >= 56 and _word(part, 0, 4) == 1]
        if not loads:
            continue
        shift = start - _word(loads[0], 16, 8) // page * page
        for part in loads:
            address = shift + _word(part, 16, 8)
            begin = -(-(address + _word(part, 32, 8)) // page) * page
            end = -(-(address + _word(part, 40, 8)) // page) * page
            if end > begin:
                found.append((begin, end))
    return found


def _word(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
