"""The HTML page of a report of memray: which values does it hold?

What a report shows lies in it as JSON, each value on a line of its own within one script.  The lines are looked for as
bytes; nothing is executed.  Reports carry no version and no checksum: what they say twice is compared.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from diagtools.errors import DamagedError, UsageError
from diagtools.read.profiles import export_json
from diagtools.read.profiles.export_file import content_of

_SCRIPT = b'<script type="text/javascript">'
_DATA = b"const packed_data ="
_TITLE = b"<title>memray - "
_TITLES = re.compile(r"(?:inverted )?(?:(?:temporal )?flamegraph|table) report(?: \(memory leaks\))?")
_LONGEST_TITLE = 200
_AGAIN = "write it again: memray flamegraph -f CAPTURE"
_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_BINARY_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one report holds, each value as its JSON says, not yet checked.

    ``peak`` is the high-water mark of the whole capture as the page words it, rounded; empty where it says none.
    ``ended_ms`` is when tracking ended, in milliseconds of the day's clock, null where it is not told.
    """

    name: str
    title: str
    data: Any
    merge_threads: bool
    is_inverted: bool
    memory_records: Any
    peak: str
    ended_ms: int | None

    @property
    def is_of_leaks(self) -> bool:
        """Does it show what was never freed?"""
        return self.title.endswith("(memory leaks)")


def page_of(path: Path) -> Page:
    """Which values does this report hold?"""
    content = content_of(path)
    title = _title(content, path.name)
    data, start, after = _data(content, path.name)
    head = content[:start]  # the rest may hold any text, that of source lines
    return Page(
        name=path.name,
        title=title,
        data=data,
        merge_threads=_constant(content, b"merge_threads", after, path.name) is not False,
        is_inverted=_constant(content, b"inverted", after, path.name) is True,
        memory_records=_constant(content, b"memory_records", after, path.name),
        peak=_between(head, b"Peak memory usage: ", b"<br>"),
        ended_ms=_milliseconds(_between(head, b'<span id="stats-end-time">', b"</span>")),
    )


def in_memrays_words(size: int) -> tuple[str, str]:
    """How does memray write this size on its page?  ``5557810`` as ``5.6 MB`` (1.20) or ``5.3 MiB`` (1.11 to 1.17)."""
    return _in_words(size, 1000, _UNITS), _in_words(size, 1024, _BINARY_UNITS)


def _in_words(size: int, base: int, units: tuple[str, ...]) -> str:
    """As the filter of Jinja that memray uses."""
    if size < base:
        return "1 Byte" if size == 1 else f"{size} Bytes"
    exponent = next((at for at in range(1, len(units)) if size < base ** (at + 1)), len(units))
    return f"{size / base**exponent:.1f} {units[exponent - 1]}"


def plain(text: str) -> str:
    """The same text without the escapes of HTML."""
    return html.unescape(text) if "&" in text else text


def _title(content: bytes, name: str) -> str:
    at = content.find(_TITLE, 0, 64 << 10)
    if at < 0:
        raise UsageError(
            f"'{name}' is not a report of memray.",
            hint="name the HTML of `memray flamegraph` or `memray table`.",
        )
    end = content.find(b"</title>", at, at + _LONGEST_TITLE)
    if end < 0:
        raise _cut(name, "its title does not end")
    title = content[at + len(_TITLE) : end].decode("utf-8", "replace")
    if not _TITLES.fullmatch(title):
        raise _cut(name, f"{title[:60]!r} is the title of no report that is known")
    return title


def _data(content: bytes, name: str) -> tuple[Any, int, int]:
    """The report's data, where its line begins and where it ends.

    A command line on the page may look alike, but opens no script.
    """
    at = content.find(_DATA)
    while at >= 0 and not content[max(0, at - 200) : at].rstrip().endswith(_SCRIPT):
        at = content.find(_DATA, at + 1)
    if at < 0:
        raise _cut(name, "it holds no data")
    value, end = _value(content, at + len(_DATA), name)
    return value, at, end


def _constant(content: bytes, constant: bytes, after: int, name: str) -> Any:
    start = b"const " + constant + b" ="
    at = content.find(start, after)
    if at < 0:
        raise _cut(name, f"it does not say {constant.decode()}")
    return _value(content, at + len(start), name)[0]


def _value(content: bytes, at: int, name: str) -> tuple[Any, int]:
    end = content.find(b"\n", at)
    line = content[at:end].strip() if end >= 0 else b""
    if not line.endswith(b";"):
        raise _cut(name, "a line of its data does not end")
    return export_json.parsed(line[:-1], f"The data of '{name}'"), end


def _between(content: bytes, start: bytes, end: bytes) -> str:
    """The text between the last of ``start`` and the next of ``end``, if that is near."""
    at = content.rfind(start)  # the last one: a command line stands before it
    if at < 0:
        return ""
    found = content[at + len(start) : at + len(start) + _LONGEST_TITLE].partition(end)
    return found[0].decode("utf-8", "replace").strip() if found[1] else ""


def _milliseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1000)


def _cut(name: str, why: str) -> DamagedError:
    return DamagedError(f"'{name}' is cut off or changed: {why}.", hint=_AGAIN)
