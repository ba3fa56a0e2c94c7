"""Where does the program hold memory?  Snapshots of ``tracemalloc``, on any CPython from 3.9 on, without memray.

It sees what Python's allocators and numpy hold, and the last N frames of each stack by file and line.  What is asked
for is ``tracemalloc`` and any of these words, with blanks between::

    n_frames=N  every_s=SECONDS  cap=BYTES

`moments` says when a snapshot is taken, `snapshots` how it is written.  Each takes some four times the memory that
`tracemalloc` itself does (180 bytes a block, measured), for a moment.
"""

# No "from __future__": it would be an import of the program.

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is not imported into the program
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

DEFAULT_FRAMES = 10

_SNAPSHOT_PER_TRACER = 4  # bytes for a snapshot, per byte of tracemalloc's own


def instrument(folder: str, load: "Callable[[str], ModuleType]", *, n_frames: str = "") -> "Tracing":
    """What takes the snapshots; all allocations of this process are traced from here on."""
    tracing = Tracing(load("snapshots").Log(folder))
    tracing.start(int(n_frames or DEFAULT_FRAMES), load("tracker_notes").Notes(folder))
    return tracing


class Tracing:
    """tracemalloc, as an instrument of ``moments``."""

    name = "tracemalloc"

    def __init__(self, log: "Any") -> None:
        import _tracemalloc

        self._tracer, self._log = _tracemalloc, log

    def start(self, n_frames: int, notes: "Any") -> None:
        """Trace, unless the program does."""
        if self._tracer.is_tracing():
            notes.write("second", "tracemalloc was tracing before the program's first line")
        else:
            self._tracer.start(n_frames)

    def take(self, _: int, t_ns: int, kind: str, edge: str, label: bytes) -> None:
        """Write a snapshot; the log counts them itself."""
        self._log.write(t_ns, (kind, edge), label)

    def needs_bytes(self) -> int:
        """What a snapshot takes for a moment."""
        return int(self._tracer.get_tracemalloc_memory()) * _SNAPSHOT_PER_TRACER

    def held_bytes(self) -> int:
        """What is traced: asked for in 0.1 µs."""
        return int(self._tracer.get_traced_memory()[0])

    def is_ready(self) -> bool:
        """Does it trace?"""
        return bool(self._tracer.is_tracing())

    def begin_anew(self) -> None:
        """In a forked child."""
        self._log.begin_anew()
