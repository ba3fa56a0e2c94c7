"""What does a counter of a leak check say in a clause?"""

from __future__ import annotations

from diagtools.analyse.leak_courses import Course
from diagtools.units import format_bytes

_WHAT = {
    "c_bytes": "what malloc has handed out",
    "python_bytes": "what Python's allocator has handed out",
    "n_blocks": "the number of Python's blocks",
    "mapped_bytes": "address space of neither malloc nor Python",
    "n_objects": "the number of objects of the collector",
    "n_threads": "the number of threads",
    "n_fds": "the number of open files",
    "anon_bytes": "private memory (part of the RSS)",
}


def told(counter: str, course: str, per_call: float, first: int, last: int, n_calls: int) -> str:
    """What did this counter do, in a clause: by how much a call, and from where to where?"""
    what, change = _WHAT[counter], f"{_amount(counter, first)} → {_amount(counter, last)}"
    words = {
        Course.LEVEL: f"{what} stays at {_amount(counter, last)}",
        Course.RISING: f"{what} rises by {per_call_words(counter, per_call)} ({change} in {n_calls:,} calls)",
        Course.FILLING: f"{what} rose and comes to an end ({change})",
        Course.SWINGING: f"{what} comes and goes between bounds ({change})",
        Course.UNCLEAR: f"{what} moves without a clear course ({change})",
    }
    return words[Course(course)]


def per_call_words(counter: str, per_call: float) -> str:
    """``64 B a call``, ``1.0 a call``."""
    if counter.endswith("_bytes"):
        return f"{format_bytes(per_call)} a call"
    return f"{per_call:,.2f} a call" if per_call < 10 else f"{per_call:,.0f} a call"


def _amount(counter: str, value: int) -> str:
    return format_bytes(value) if counter.endswith("_bytes") else f"{value:,}"
