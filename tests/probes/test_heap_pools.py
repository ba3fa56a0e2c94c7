"""Counters of pools: asked where they are the library's own, otherwise left alone."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from diagtools.probes.heap_pools import pools


def test_nothing_is_asked_where_no_library_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pyarrow.lib", raising=False)
    missing: list[str] = []
    assert (pools(missing), missing) == ([], [])


def test_a_function_of_python_in_their_place_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def replaced() -> None:
        raise AssertionError("code of the program was run")

    library = ModuleType("pyarrow.lib")
    library.default_memory_pool = replaced  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyarrow.lib", library)
    missing: list[str] = []
    assert (pools(missing), missing) == ([], [])


def test_what_cannot_be_asked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType("pyarrow.lib")
    library.default_memory_pool = int  # type: ignore[attr-defined]  # of C, but no pool
    monkeypatch.setitem(sys.modules, "pyarrow.lib", library)
    missing: list[str] = []
    assert pools(missing) == []
    assert missing == ["pyarrow: AttributeError: 'int' object has no attribute 'backend_name'"]


def test_pyarrow_counts_what_it_has_handed_out() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    kept = pyarrow.array(range(1_000_000))
    missing: list[str] = []
    found = pools(missing)
    assert missing == []
    assert [pool["is_default"] for pool in found] == [True, *[False] * (len(found) - 1)]
    assert found[0]["held_bytes"] == pyarrow.total_allocated_bytes() >= kept.nbytes
