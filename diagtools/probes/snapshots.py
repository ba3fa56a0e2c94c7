r"""How is a snapshot of ``tracemalloc`` written, so that a kill loses at most the last one?

``allocations.<pid>.tracemalloc``, one line a fact, its fields separated by tabs, is only ever added to::

    start   t_ns pid python n_frames
    begin   index t_ns kind edge traced peak ours tracer label
    file    id name
    frame   id file line
    stack   id n_total frames
    site    stack domain size count
    end     index n_lines crc

``start`` opens the log; where another follows, what was written before may lack its end, and all ids and indices begin
anew.  A snapshot goes from ``begin`` to ``end`` and is written at once.  ``n_lines`` counts the lines between the two,
``crc`` is the CRC-32 of all bytes from ``begin`` up to ``end``, 8 hexadecimal digits: a snapshot without its end is
not believed, those before it are.  ``file``, ``frame`` and ``stack`` say what an id means; ids count from 0, and each
is said once, by the snapshot that needs it first.  ``frames`` are ids with commas between, innermost first;
``n_total`` is how deep the stack was, which may be more.  A ``site`` is what one stack holds in one ``domain`` (0:
Python's allocators): in bytes and in blocks.  The file ``<unknown>``, line 0, is what C code asked for where no Python
code ran.

Of a snapshot, ``index`` counts from 0; ``kind`` is one of KINDS and ``edge`` is ``begin``, ``end`` or nothing;
``label`` is the phase or item.  ``traced`` and ``peak`` are what `tracemalloc` says of the whole process, ``tracer`` is
what it takes for itself, all in bytes.  ``ours`` is what code of the recording holds, which is in no ``site``: with it
the sites sum to ``traced``, but for what changed while it was read.  Names are UTF-8 (odd bytes as they are:
``surrogateescape``) with ESCAPES; times are CLOCK_MONOTONIC.
"""

# No "from __future__": it would be an import of the program.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from typing import Any

LOG_GLOB = "allocations.*.tracemalloc"
KINDS = ("phase", "item", "interval", "cap", "exit")
#: The fields of each line, after the first, which says what it is.
FIELDS = {
    "start": ("t_ns", "pid", "python", "n_frames"),
    "begin": ("index", "t_ns", "kind", "edge", "traced", "peak", "ours", "tracer", "label"),
    "file": ("id", "name"),
    "frame": ("id", "file", "line"),
    "stack": ("id", "n_total", "frames"),
    "site": ("stack", "domain", "size", "count"),
    "end": ("index", "n_lines", "crc"),
}
ESCAPES = ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"))

_PROBES = os.path.dirname(os.path.abspath(__file__)) + os.sep
_INJECTED = os.path.join(_PROBES, "inject", "")
_MARK = os.path.join(os.path.dirname(os.path.dirname(_PROBES)), "mark.py")


class Log:
    """What has been written of this process, and what its ids mean."""

    def __init__(self, folder: str) -> None:
        import _tracemalloc
        from binascii import crc32  # extension modules, both

        self._folder, self._tracer, self._crc32 = folder, _tracemalloc, crc32
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a forked child, or after a write that failed: another log, or none of what the ids meant."""
        self._files: dict[str, int] = {}
        self._frames: dict[tuple[str, int], int] = {}
        self._stacks: dict[tuple[tuple[str, int], ...], int] = {}
        self._n_stacks = self._n_snapshots = 0

    def write(self, t_ns: int, kind: "tuple[str, str]", label: bytes) -> None:
        """Add a snapshot."""
        traced, peak = self._tracer.get_traced_memory()
        tracer = self._tracer.get_tracemalloc_memory()
        lines, ours = self._lines(self._tracer._get_traces())
        index = self._n_snapshots
        numbers = "\t".join(map(str, (*kind, traced, peak, ours, tracer)))
        head = f"begin\t{index}\t{t_ns}\t{numbers}\t".encode() + label + b"\n"
        body = head + "".join(lines).encode("utf-8", "surrogateescape")
        end = b"end\t%d\t%d\t%08x\n" % (index, len(lines), self._crc32(body))
        try:
            self._append(t_ns, body + end)
        except OSError:
            self.begin_anew()
            raise
        self._n_snapshots += 1

    def _lines(self, traces: "Any") -> "tuple[list[str], int]":
        lines: list[str] = []
        ours = 0
        for domain, by_stack in _grouped(traces).items():
            for stack, (n_total, *sizes) in by_stack.items():
                place = self._stack(stack, n_total, lines)
                if place < 0:
                    ours += sum(sizes)
                else:
                    lines.append(f"site\t{place}\t{domain}\t{sum(sizes)}\t{len(sizes)}\n")
        return lines, ours

    def _stack(self, stack: "tuple[tuple[str, int], ...]", n_total: int, lines: "list[str]") -> int:
        """Its id, which ``lines`` say where it is new; -1 for one of ours."""
        found = self._stacks.get(stack)
        if found is not None:
            return found
        if any(_is_ours(file) for file, _ in stack):
            found = -1
        else:
            found, self._n_stacks = self._n_stacks, self._n_stacks + 1
            frames = ",".join([str(self._frame(frame, lines)) for frame in stack])
            lines.append(f"stack\t{found}\t{n_total}\t{frames}\n")
        self._stacks[stack] = found
        return found

    def _frame(self, frame: "tuple[str, int]", lines: "list[str]") -> int:
        found = self._frames.get(frame)
        if found is None:
            name, line = frame
            file = self._files.get(name)
            if file is None:
                file = self._files[name] = len(self._files)
                lines.append(f"file\t{file}\t{_escaped(name)}\n")
            found = self._frames[frame] = len(self._frames)
            lines.append(f"frame\t{found}\t{file}\t{line}\n")
        return found

    def _append(self, t_ns: int, data: bytes) -> None:
        path = os.path.join(self._folder, LOG_GLOB.replace("*", str(os.getpid())))
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            if self._n_snapshots == 0:
                version = sys.version.split()[0]
                limit = self._tracer.get_traceback_limit()
                start = f"start\t{t_ns}\t{os.getpid()}\t{version}\t{limit}\n"
                data = start.encode() + data
            if size and os.pread(fd, 1, size - 1) != b"\n":
                data = b"\n" + data
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)


def _grouped(traces: "Any") -> "dict[int, dict[Any, list[int]]]":
    """By domain and stack: how deep that was, and the size of each block.

    Each allocation of ours is traced as well, which takes longer than all else: four million blocks were summed up in
    a minute, and are sorted like this in one second.  So nothing new is made for a block: its size is there already,
    a list grows seldom, and a number that is added to would be another number.
    """
    by_domain: dict[int, dict[Any, list[int]]] = {}
    for domain, size, stack, n_total in traces:
        by_stack = by_domain.get(domain)
        if by_stack is None:
            by_stack = by_domain[domain] = {}
        sizes = by_stack.get(stack)
        if sizes is None:
            sizes = by_stack[stack] = [n_total]
        sizes.append(size)
    return by_domain


def _is_ours(file: str) -> bool:
    return (file.startswith(_PROBES) and not file.startswith(_INJECTED)) or file == _MARK


def _escaped(name: str) -> str:
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        raw = name.encode("utf-8", "backslashreplace")
    for plain, escaped in ESCAPES:
        raw = raw.replace(plain, escaped)
    return raw.decode("utf-8", "surrogateescape")
