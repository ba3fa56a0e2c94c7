"""Renders reports in a pool of threads, each a little longer than the last, and remembers their last lines.

Each report is given up once it is rendered. What it leaves is in the arenas of the C library, one a thread: remembered
lines lie above megabytes of free memory.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import count

_THREADS = 4
_LINES, _MORE = 500, 5
_MONTH = 160
_NUMBERS = count()
_LAST: deque[bytes] = deque(maxlen=200)
_POOL = ThreadPoolExecutor(_THREADS)


def render(number: int, lines: int) -> int:
    """How long is this report?"""
    rendered = [b"x" * (600 + (number + line * 37) % 1_400) for line in range(lines)]
    _LAST.append(rendered[-1])
    return sum(map(len, rendered))


def serve(scale: int = 1) -> int:
    """How long are the reports of one more request, one a thread?"""
    numbers = [next(_NUMBERS) for _ in range(_THREADS)]
    jobs = [
        _POOL.submit(render, n, scale * (_LINES + _MORE * _LINES * (n % _MONTH) // _MONTH)) for n in numbers
    ]
    return sum(job.result() for job in jobs)
