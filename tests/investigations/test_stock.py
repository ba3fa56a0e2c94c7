"""Stock theories on real programs: what they would mend they do, and what has no part in it is not applied."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.investigations.ab import AbCase
from diagtools.investigations.stock import stock
from diagtools.values import Target, Verdict

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim, arenas and fork of Linux")


def tried(kind: str, target: Target, metric: str, folder: Path) -> dict[str, tuple[Verdict, bool]]:
    """The verdict on each theory, and whether it was applied."""
    case = AbCase(target, stock(kind), metrics=[metric], folder=folder / "runs")
    case.try_quickly(2)
    return {effect.hypothesis.variant: (effect.verdict, effect.applied) for effect in case.effects}


@pytest.mark.slow
def test_an_allocator_that_keeps_what_was_freed(tmp_path: Path) -> None:
    """What remains lies in malloc's arenas: only giving it back helps by much; no Arrow pool is there at all."""
    words = ["reports", "--requests", "12", "--scale", "10", "--idle", "0.5"]
    target = Target(argv=(sys.executable, "-m", "workloads.leaky", *words))
    found = tried("allocator", target, "kept:requests", tmp_path)
    assert found["malloc_trim"] == (Verdict.CONFIRMED, True)
    assert found["large blocks mapped"][0] is not Verdict.CONFIRMED
    assert found["Arrow's pool off"] == (Verdict.INCONCLUSIVE, False)


def test_a_cache_that_fills(tmp_path: Path) -> None:
    code = (
        "import functools, time\n"
        "@functools.lru_cache(None)\n"
        "def page(n): return b'x' * 1_000_000\n"
        "for n in range(60):\n"
        "    page(n); time.sleep(0.03)\n"
    )
    found = tried("caches", Target(argv=(sys.executable, "-c", code)), "peak", tmp_path)
    assert found["caches cleared often"] == (Verdict.CONFIRMED, True)


def test_garbage_that_waits_for_the_collector(tmp_path: Path) -> None:
    code = (
        "import gc, time\n"
        "gc.disable()\n"
        "for n in range(60):\n"
        "    held = [b'x' * 1_000_000]; held.append(held); time.sleep(0.03)\n"
    )
    found = tried("gc", Target(argv=(sys.executable, "-c", code)), "peak", tmp_path)
    assert found["gc.collect often"] == (Verdict.CONFIRMED, True)
    assert found["gc.freeze before fork"] == (Verdict.INCONCLUSIVE, False)


def test_workers_that_each_have_a_copy(tmp_path: Path) -> None:
    (tmp_path / "pool.py").write_text(
        "import time\n"
        "from multiprocessing import Pool\n"
        "def work(n):\n"
        "    held = b'x' * 30_000_000\n"
        "    time.sleep(0.4)\n"
        "    return len(held)\n"
        "if __name__ == '__main__':\n"
        "    with Pool(4) as pool:\n"
        "        print(sum(pool.map(work, range(4), chunksize=1)))\n"
    )
    found = tried("workers", Target(argv=(sys.executable, "pool.py"), cwd=tmp_path), "peak", tmp_path)
    assert found["one process in pools"] == (Verdict.CONFIRMED, True)
