"""Which kind of capture or export is a file?  Told from how it begins, not from its name."""

from __future__ import annotations

import re
from pathlib import Path

from diagtools.errors import UsageError
from diagtools.profile import Source
from diagtools.read.profiles.export_file import beginning_of
from diagtools.read.profiles.foreign import refuse_foreign
from diagtools.read.profiles.memray_csv import HEADER

_MEMRAY = b"memray\0"
_LZ4 = b"\x04\x22\x4d\x18"
#: A frame of LZ4 begins with a few bytes of its own, then with what was packed, as it is.
_LZ4_HEAD = 32
_PSTATS = tuple(
    opening + key
    for opening in (b"{", b"\xfb")
    for key in (b"(\x03\0\0\0", b"\xa8\x03\0\0\0", b")\x03", b"\xa9\x03")
)
_SNAPSHOTS = re.compile(rb"start\t\d+\t\d+\t")
_FOLDED = re.compile(rb"[^\r\n]*[^\s] +-?\d+\r?$")
_N_LINES = 20
_LONG = 60_000
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<svg")
_KNOWN = (
    "read are: captures, flamegraphs, tables and csv of memray, speedscope JSON, folded stacks (py-spy record -f raw, "
    "austin, Fil), dumps of cProfile and recordings of diagtools."
)
_OTHER_JSON = (
    (
        b'"costs"',
        "what memray transform gprof2dot writes",
        "memray transform csv CAPTURE holds more, and is read.",
    ),
    (b'"traceEvents"', "a trace of events", "export it as speedscope JSON."),
    (b'"nbformat"', "a notebook", "name the capture that it was made from."),
)


def kind_of(path: Path) -> Source:
    """Which kind of file is it?

    Raises ``UsageError`` with what to do for what is no plain file or of no kind that is read, and ``DamagedError`` for
    an empty one.
    """
    beginning = beginning_of(path)
    if beginning.startswith(_MEMRAY) or (beginning.startswith(_LZ4) and _MEMRAY in beginning[:_LZ4_HEAD]):
        return Source.MEMRAY
    refuse_foreign(path.name, beginning)
    if _SNAPSHOTS.match(beginning):
        return Source.TRACEMALLOC
    if beginning.startswith(_PSTATS):
        return Source.PSTATS
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _is_folded(text):
        return Source.FOLDED
    if text[:10].lower().startswith(_PAGES):
        return _kind_of_page(path.name, text)
    if text.startswith((b"{", b"[")):
        return _kind_of_json(path.name, text)
    return _kind_of_lines(path.name, text)


def _is_folded(text: bytes) -> bool:
    """Do its first lines end with a count, but for comments?  A name of Python's may look like the tag of a page."""
    if b"\n" not in text and len(text) >= _LONG and b";" in text:  # one stack, longer than what was looked at
        return b"\0" not in text and not text.startswith((b"{", b"["))
    whole = text[: text.rfind(b"\n")] if b"\n" in text else text
    lines = [line for line in whole.split(b"\n") if line.strip() and not line.startswith(b"#")][:_N_LINES]
    if text.startswith(b"# austin:"):  # of another mode, or of nothing: the reader says so
        return True
    return bool(lines) and b"\0" not in text and all(_FOLDED.match(line) for line in lines)


def _kind_of_page(name: str, text: bytes) -> Source:
    _, found, title = text.partition(b"<title>memray - ")
    title = title.partition(b"</title>")[0]
    if found and title.endswith((b"table report", b"table report (memory leaks)")):
        return Source.MEMRAY_TABLE
    if found and b"flamegraph report" in title:
        return Source.MEMRAY_FLAMEGRAPH
    hint = "name the HTML of `memray flamegraph` or `memray table`."
    if b"svg" in text[:2000]:
        hint = "name the folded stacks it was drawn from; Fil keeps them beside it as peak-memory.prof."
    raise UsageError(f"'{name}' is a page, but not one of memray's reports.", hint=hint)


def _kind_of_json(name: str, text: bytes) -> Source:
    if b"speedscope" in text or (b'"shared"' in text and b'"frames"' in text) or b'"profiles"' in text:
        return Source.SPEEDSCOPE
    for mark, what, hint in _OTHER_JSON:
        if mark in text:
            raise UsageError(f"'{name}' is {what}: it is not read.", hint=hint)
    raise UsageError(f"'{name}' is JSON of a kind that is not known.", hint=_KNOWN)


def _kind_of_lines(name: str, text: bytes) -> Source:
    if text.startswith(HEADER.encode()):
        return Source.MEMRAY_CSV
    if b"\0" in text:
        raise UsageError(f"'{name}' is binary, of a kind that is not known.", hint=_KNOWN)
    raise UsageError(
        f"'{name}' is text, but not folded stacks: not every line ends with a count.", hint=_KNOWN
    )
