"""Theories that every investigation of memory asks about sooner or later, each with what it would mean.

A theory that the command has no part of (an Arrow pool where nothing imports pyarrow) is *not applied*, not refuted.
"""

from __future__ import annotations

import ctypes.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from diagtools.errors import UsageError
from diagtools.investigations.changes import Change, env, patch, together

ALL = "all"
_JEMALLOC_PLACES = (
    "/usr/lib*/*/libjemalloc.so.2",
    "/usr/lib*/libjemalloc.so.2",
    "/usr/local/lib/libjemalloc.so.2",
)

_TRIM = """
import ctypes
libc = ctypes.CDLL(None)
trim = libc.malloc_trim  # where there is none (musl, macOS), this fails and says so

def malloc_trim():
    trim(0)

every(0.1, malloc_trim)
"""
_COLLECT = """
import gc
every(0.2, gc.collect)
"""
_FREEZE = """
import gc

def freeze_first(fork):
    gc.collect()
    gc.freeze()
    return fork()

wrap("os:fork", freeze_first)
"""
_CLEAR = """
import functools
import gc
import sys

wrapper = type(functools.lru_cache(lambda: None))

def clear_caches():
    for found in gc.get_objects():
        if type(found) is wrapper:
            found.cache_clear()
    for name, clear in (("re", "purge"), ("linecache", "clearcache")):
        module = sys.modules.get(name)
        if module is not None:
            getattr(module, clear)()

every(0.5, clear_caches)
"""
_ONE_WORKER = """
def one_process(init, self, *args, **kwargs):
    return init(self, 1, *args[1:], **{name: value for name, value in kwargs.items() if name not in SIZES})

SIZES = ("max_workers", "processes")
wrap("concurrent.futures.process:ProcessPoolExecutor.__init__", one_process, optional=True)
wrap("multiprocessing.pool:Pool.__init__", one_process, optional=True)
"""
_IS_LOADED = """
with open("/proc/self/maps") as maps:
    if "libjemalloc" not in maps.read():
        raise RuntimeError("libjemalloc was not loaded")
"""
#: Does nothing but show, by being run, that the program has a part in the theory.
_WITNESS = "getattr(module, '__name__')"

_THREADS = (
    "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMEXPR_NUM_THREADS=1 BLIS_NUM_THREADS=1 "
    "VECLIB_MAXIMUM_THREADS=1 RAYON_NUM_THREADS=1 POLARS_MAX_THREADS=1"
).split()
_WORKERS = "WEB_CONCURRENCY=1 LOKY_MAX_CPU_COUNT=1 PYTEST_XDIST_AUTO_NUM_WORKERS=1 PYTHON_CPU_COUNT=1".split()


def _allocator() -> list[Change]:
    return [
        env(
            "MALLOC_ARENA_MAX=1",
            name="one malloc arena",
            meaning="each thread has an arena of glibc's, and what one freed no other can use",
        ),
        env(
            "MALLOC_MMAP_THRESHOLD_=65536",
            "MALLOC_TRIM_THRESHOLD_=65536",
            name="large blocks mapped",
            meaning="large blocks that were freed stay in glibc's heap: its threshold for mapping them grew with use",
        ),
        patch(
            _TRIM,
            name="malloc_trim",
            meaning="glibc keeps pages that nothing uses any more: what was freed was not given back",
        ),
        env(
            "PYTHONMALLOC=malloc",
            name="Python's allocator off",
            meaning="arenas of Python's own allocator are kept by a few objects each",
        ),
        _of_library(
            "Arrow's pool off",
            "pyarrow",
            "ARROW_DEFAULT_MEMORY_POOL=system",
            meaning="Arrow's memory pool keeps what was freed",
        ),
        _of_library(
            "polars' allocator gives back",
            "polars",
            "_RJEM_MALLOC_CONF=dirty_decay_ms:0,muzzy_decay_ms:0",
            "MIMALLOC_PURGE_DELAY=0",
            meaning="the allocator in polars keeps what was freed, for some time",
        ),
        *_jemalloc(),
    ]


def _of_library(name: str, module: str, *assignments: str, meaning: str) -> Change:
    """Environment variables that mean something only to a process that imports this module."""
    witness = patch(_WITNESS, name=f"{module} imported", when=module)
    both = together([env(*assignments), witness])
    return Change(name=name, apply=both.apply, meaning=meaning)


def _jemalloc() -> list[Change]:
    """Only where it is installed: another allocator tells whether the retention is glibc's."""
    found = next(
        (str(path) for place in _JEMALLOC_PLACES for path in sorted(Path("/").glob(place[1:]))), None
    )
    library = found or ctypes.util.find_library("jemalloc")
    if library is None:
        return []
    both = together([env(f"LD_PRELOAD={library}"), patch(_IS_LOADED, name="jemalloc loaded")])
    meaning = "glibc's allocator keeps or scatters what another one would not"
    return [Change(name="jemalloc", apply=both.apply, meaning=meaning)]


def _threads() -> list[Change]:
    meaning = "thread pools of numeric libraries hold memory for each thread"
    return [env(*_THREADS, name="one numeric thread", meaning=meaning)]


def _gc() -> list[Change]:
    return [
        patch(
            _COLLECT,
            name="gc.collect often",
            meaning="garbage in reference cycles waits for the collector",
        ),
        patch(
            _FREEZE,
            name="gc.freeze before fork",
            meaning="the collector writes into objects of forked processes, and their pages are copied",
        ),
    ]


def _caches() -> list[Change]:
    meaning = "caches of functions (lru_cache, re, linecache) hold it"
    return [patch(_CLEAR, name="caches cleared often", meaning=meaning)]


def _workers() -> list[Change]:
    meaning = "every worker process has its own copy"
    return [
        patch(_ONE_WORKER, name="one process in pools", meaning=meaning),
        env(*_WORKERS, name="one worker by its environment", meaning=meaning),
    ]


STOCK: Final[Mapping[str, Callable[[], list[Change]]]] = MappingProxyType(
    {
        "allocator": _allocator,
        "threads": _threads,
        "gc": _gc,
        "caches": _caches,
        "workers": _workers,
    }
)


def stock(name: str) -> list[Change]:
    """The theories of one kind, or ``all``.  Raises ``UsageError`` for an unknown kind."""
    if name == ALL:
        return [change for make in STOCK.values() for change in make()]
    if name not in STOCK:
        raise UsageError(f"There is no stock theory {name!r}.", hint=f"{', '.join(STOCK)}, or {ALL}.")
    return STOCK[name]()
