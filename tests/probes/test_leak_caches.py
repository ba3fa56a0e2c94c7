"""Which caches are filling up?"""

from __future__ import annotations

import functools

from diagtools.probes.leak_caches import UNLIMITED, Caches


@functools.lru_cache(maxsize=100)
def limited(key: int) -> int:
    return key


@functools.cache
def unlimited(key: int) -> int:
    return key


@functools.lru_cache(maxsize=5)
def full(key: int) -> int:
    return key


def _rows(caches: Caches) -> dict[str, tuple[int, ...]]:
    return {name.rpartition(".")[2]: sizes for name, *sizes in caches.end() if name.startswith(__name__)}


def test_what_grew_is_told_and_only_what_has_a_limit_is_cleared() -> None:
    for cache in (limited, unlimited, full):
        cache.cache_clear()
        cache(0)
    caches = Caches()
    caches.begin()
    for key in range(20):
        limited(key), unlimited(key), full(key)
    assert _rows(caches) == {"limited": [1, 20, 100], "unlimited": [1, 20, UNLIMITED], "full": [1, 5, 5]}
    assert f"{__name__}.limited" in caches.filling
    assert not {f"{__name__}.unlimited", f"{__name__}.full"} & caches.filling

    caches.begin()
    caches.clear()
    sizes = [cache.cache_info().currsize for cache in (limited, unlimited, full)]
    assert sizes == [0, 20, 5]
    assert _rows(caches)["limited"] == [20, 0, 100]


def test_a_cache_that_stays_is_none_of_them() -> None:
    limited.cache_clear()
    limited(1)
    caches = Caches()
    caches.begin()
    limited(1)
    assert "limited" not in _rows(caches)
    assert f"{__name__}.limited" not in caches.filling


def test_a_cache_that_nobody_else_holds_may_go() -> None:
    caches = Caches()
    temporary = functools.lru_cache(maxsize=10)(lambda key: key)
    gone = []
    temporary.__wrapped__.__dict__["mark"] = _Mark(gone)
    temporary(1)
    caches.begin()
    del temporary
    import gc

    gc.collect()
    caches.end()
    assert gone == ["gone"]


class _Mark:
    def __init__(self, gone: list[str]) -> None:
        self._gone = gone

    def __del__(self) -> None:
        self._gone.append("gone")
