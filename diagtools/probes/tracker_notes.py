r"""What happened to the trackers of a command's processes?

``allocations.notes``, one line a note of any process, its fields separated by tabs::

    t_ns pid kind place text crc

``t_ns`` is CLOCK_MONOTONIC, ``kind`` one of KINDS, ``place`` the line of the program that brought it about
(``file:line``) or nothing.  Text and place are UTF-8 with ESCAPES; ``crc`` is the CRC-32 of everything before the last
tab, 8 hexadecimal digits.  A line that was torn is ended by the next writer::

    begun      the allocations of this process are tracked from here on; the text is the tracker and its version
    closed     its capture was closed well
    absent     there is no memray in this interpreter; the text is its path
    failed     the tracker could not be started; the text says why
    second     the program has a tracker of its own, or wanted one
    profiler   the program installed a profiler: memray's stacks are not right from here on; the text is which
    forked     the text is the pid of a child that was forked, whose allocations are not tracked
    greenlet   the program uses greenlets, which memray follows as an experiment
    stopped    the program stopped the tracker itself
    skipped    a snapshot was not taken; the text says why
    taken      a snapshot was; the text is ``name: index duration_ns``, and it ended when this was written
"""

# No "from __future__": it would be an import of the program.

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import FrameType

NAME = "allocations.notes"
KINDS = "begun closed absent failed second profiler forked greenlet stopped skipped taken".split()
ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"))
_MOST_BYTES = 2000


class Notes:
    """Writes the notes of one process and of those that it forks; nothing here raises into the program."""

    def __init__(self, folder: str, name: str = NAME) -> None:
        from binascii import crc32  # an extension module
        from time import monotonic_ns

        self._path = os.path.join(folder, name)
        self._crc32, self._now_ns = crc32, monotonic_ns
        self._said: set[tuple[int, str]] = set()

    def write(self, kind: str, text: str = "", place: str = "") -> None:
        """Write one note; at once, for a program may be about to end."""
        try:
            fields = b"\t".join(escaped(field)[:_MOST_BYTES] for field in (kind, place, text))
            line = b"%d\t%d\t%b" % (self._now_ns(), os.getpid(), fields)
            fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                size = os.fstat(fd).st_size
                is_torn = size and os.pread(fd, 1, size - 1) != b"\n"
                os.write(fd, b"%b%b\t%08x\n" % (b"\n" if is_torn else b"", line, self._crc32(line)))
            finally:
                os.close(fd)
        except Exception:  # noqa: BLE001 - a full disk, a removed folder
            pass

    def write_once(self, kind: str, text: str = "", place: str = "") -> None:
        """The same, but only the first of its kind in each process."""
        if (os.getpid(), kind) not in self._said:
            self._said.add((os.getpid(), kind))
            self.write(kind, text, place)

    def once_each(self, kind: str) -> "Callable[[str], None]":
        """What writes a note of this kind, but only the first of each text in each process."""
        said: set[tuple[int, str]] = set()

        def write(text: str) -> None:
            if (os.getpid(), text) not in said:
                said.add((os.getpid(), text))
                self.write(kind, text)

        return write

    def place_of(self, frame: "FrameType | None") -> str:
        """Where does the program stand?"""
        return place_of(frame)


def escaped(text: str) -> bytes:
    """A text as it stands in a line."""
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        raw = text.encode("utf-8", "backslashreplace")
    for plain, other in ESCAPES:
        raw = raw.replace(plain, other)
    return raw


def place_of(frame: "FrameType | None") -> str:
    """Where does the program stand?  The innermost frame that is neither the import system's nor memray's, if any."""
    innermost = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
    while frame is not None:
        file = frame.f_code.co_filename
        is_ours = file.startswith(("<frozen ", os.path.dirname(os.path.abspath(__file__))))
        if not is_ours and "/memray/" not in file:
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return innermost
