"""Values of a JSON object that may hold anything: each of the declared type, or left out and remembered as odd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diagtools.read.artefact import is_inside

_LARGEST = 2**63 - 1
_N_SHOWN = 5


class Fields:
    """The values of one JSON object, by name."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._odd: list[str] = []

    def odd(self) -> tuple[str, ...]:
        """Which names did not hold what was asked for?  The first few, shortened."""
        names = [name if len(name) <= 40 else f"{name[:39]}…" for name in dict.fromkeys(self._odd)]
        more = len(names) - _N_SHOWN
        return (*names[:_N_SHOWN], *([f"{more} more"] if more > 0 else []))

    def reject(self, name: str) -> None:
        """Remembers that this name does not hold what it should."""
        self._odd.append(clean(name))

    def text(self, name: str) -> str:
        """The text of that name, or an empty one."""
        value = self._get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return clean(value)
        self.reject(name)
        return ""

    def whole(self, name: str) -> int | None:
        """The whole number of that name: not negative and below 2⁶³."""
        value = self._get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
            return value
        self.reject(name)
        return None

    def number(self, name: str) -> float | None:
        """The finite number of that name: not negative."""
        value = self._get(name)
        if value is None:
            return None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
            return float(value)  # NaN and infinities fail the comparison
        self.reject(name)
        return None

    def texts(self, name: str) -> dict[str, str]:
        """The object of that name, as texts by name; its values of other types are left out."""
        inner = self.inner(name)
        if inner is None:
            return {}
        found = {clean(key): value for key, value in inner._raw.items() if isinstance(value, str)}
        if len(found) < len(inner._raw):
            self.reject(name)
        return {key: clean(value) for key, value in found.items()}

    def text_list(self, name: str) -> tuple[str, ...]:
        """The list of texts of that name."""
        values = self._list(name)
        if all(isinstance(value, str) for value in values):
            return tuple(clean(value) for value in values)
        self.reject(name)
        return ()

    def inner(self, name: str) -> Fields | None:
        """The object of that name."""
        value = self._get(name)
        if value is None:
            return None
        if isinstance(value, dict):
            return Fields(value)
        self.reject(name)
        return None

    def inner_list(self, name: str) -> Iterator[Fields]:
        """The objects in the list of that name."""
        for value in self._list(name):
            if isinstance(value, dict):
                yield Fields(value)
            else:
                self.reject(name)

    def inner_by_name(self, name: str) -> Iterator[tuple[str, Fields]]:
        """The objects in the object of that name whose own names are names of files inside a folder."""
        inner = self.inner(name)
        for key in inner._raw if inner else ():
            fields = inner.inner(key) if inner and is_inside(key) else None
            if fields is None:
                self.reject(f"{name}.{key}")
            else:
                yield clean(key), fields

    def _get(self, name: str) -> Any:
        return self._raw.get(name)

    def _list(self, name: str) -> list[Any]:
        value = self._get(name)
        if value is None or isinstance(value, list):
            return value or []
        self.reject(name)
        return []


def clean(text: str) -> str:
    """The same text with ``?`` for halves of surrogate pairs, which no frame and no terminal takes."""
    return text.encode("utf-8", "replace").decode()
