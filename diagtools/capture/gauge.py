"""One quantity of this process, and its peak over blocks that overlap in any way: nested, in threads, in tasks.

The kernel and tracemalloc keep one peak each for the whole process, which every block that begins resets.  So before
a reset, and when a block ends, the peak until then is folded into every block that is open: a reset within one never
hides a peak from another.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How much is held now, and how much at most since the last reset."""

    now_bytes: int
    peak_bytes: int


class Meter(Protocol):
    """What one quantity of this process is read from.  It never raises: what cannot be read is null."""

    note: str

    def read(self) -> Level | None:
        """What is the level, as far as it is known?"""

    def reset(self) -> None:
        """From here on the peak begins anew."""

    def stop(self) -> None:
        """No block is open any more."""


class Span:
    """One quantity over one block; null where it is unknown."""

    __slots__ = ("__weakref__", "begin", "end", "is_forked", "is_lost", "note", "peak")

    def __init__(self) -> None:
        self.begin: int | None = None
        self.end: int | None = None
        self.peak = 0
        self.is_lost = self.is_forked = False
        self.note = ""

    def see(self, level: Level | None) -> None:
        """Takes in the level of now; a peak that a reset erased unseen is lost for good."""
        self.end = level.now_bytes if level and not self.is_lost else None
        if level is not None:
            self.peak = max(self.peak, level.peak_bytes)

    @property
    def delta(self) -> int | None:
        """End minus begin."""
        return None if self.end is None or self.begin is None else self.end - self.begin

    @property
    def demand(self) -> int | None:
        """Peak minus begin."""
        return None if self.end is None or self.begin is None else self.peak - self.begin


class Gauge:
    """One quantity of this process for all blocks that are open: the peak of each is that of its own lifetime.

    A block that is dropped without being left (an interrupt as it was entered) is forgotten.
    """

    def __init__(self) -> None:
        self._meter: Meter | None = None
        self._spans: weakref.WeakSet[Span] = weakref.WeakSet()
        self.lock = threading.RLock()  # a signal handler may enter a block of its own meanwhile

    def ready(self, choose: Callable[[], Meter]) -> Meter:
        """The meter, which the first block chooses and thereby starts."""
        with self.lock:
            self._meter = self._meter or choose()
            return self._meter

    def enter(self, span: Span, choose: Callable[[], Meter]) -> None:
        """From here on the peak is this span's too."""
        with self.lock:
            meter = self.ready(choose)
            self._forget_unseen(self.fold())
            meter.reset()
            level = meter.read()
            span.note, span.is_lost = meter.note, level is None
            if level is not None:
                span.begin = span.peak = level.now_bytes
            self._spans.add(span)

    def look(self, span: Span) -> None:
        """Brings a span that is open up to date."""
        with self.lock:
            span.see(self.fold())

    def leave(self, span: Span) -> None:
        """Closes a span; the meter runs on until it may rest."""
        with self.lock:
            span.see(self.fold())
            self._spans.discard(span)

    def rest(self) -> None:
        """Stops the meter where no span is open."""
        with self.lock:
            if not self._spans and self._meter is not None:
                meter, self._meter = self._meter, None
                meter.stop()

    def fold(self) -> Level | None:
        """Gives the peak since the last reset to every open span."""
        level = self._meter.read() if self._meter is not None else None
        if level is not None:
            for span in self._spans:
                span.peak = max(span.peak, level.peak_bytes)
        return level

    def in_child(self) -> None:
        """After a fork, in the child: the lock is held by the thread that forked."""
        for span in self._spans:
            span.is_forked = True
        self.lock.release()

    def before_fork(self) -> None:
        """The kernel begins a new mark for the child."""
        self.lock.acquire()
        self.fold()

    def _forget_unseen(self, level: Level | None) -> None:
        for span in self._spans if level is None else ():
            span.is_lost = True
