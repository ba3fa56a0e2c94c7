"""How does the indexer say what it is working on, whether or not anything listens?

The one place that knows of diagtools. Where it is not installed, the markers do nothing.
"""

from types import TracebackType
from typing import Protocol, Self


class Span(Protocol):
    """What can be said about a phase or an item between its begin and its end?"""

    def note(self, **features: float) -> None:
        """Which features became known after the begin?"""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...


class _Marks(Protocol):
    """What do we use of `diagtools.mark`?"""

    def phase(self, name: str, /) -> Span: ...

    def item(self, name: str, /, **features: float) -> Span: ...

    def event(self, name: str, /, **features: float) -> None: ...


class _Silent:
    """What stands in for a marker when nothing listens?"""

    def note(self, **features: float) -> None:
        """Nobody listens: the features go nowhere."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        return None


def _find_marks() -> _Marks | None:
    try:
        from diagtools import mark
    except ImportError:
        return None
    return mark


_marks = _find_marks()


def phase(name: str) -> Span:
    """Which stage of the run begins now?"""
    return _marks.phase(name) if _marks else _Silent()


def item(name: str, **features: float) -> Span:
    """Which unit of work begins now?"""
    return _marks.item(name, **features) if _marks else _Silent()


def event(name: str, **features: float) -> None:
    """What has just become known?"""
    if _marks:
        _marks.event(name, **features)
