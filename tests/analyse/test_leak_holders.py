"""Who keeps what the calls left behind?"""

from __future__ import annotations

from diagtools.analyse.holders.over_referenced import MOST_HELD
from diagtools.analyse.leak_holders import leak_holders, unheld
from tests.analyse.holders.made import graph
from tests.support.objects import looked_at

KIB = 1 << 10


def test_who_gained_most_of_what_was_left() -> None:
    before = graph("da db", sizes={"a": 100, "b": 100})
    after = graph("da db ax by", sizes={"a": 100, "b": 100, "x": 90 * KIB, "y": 10 * KIB})
    found = leak_holders(before, after, 100 * KIB)
    assert found.select("root", "delta_bytes").rows() == [
        ("app.a", 90 * KIB + 100),
        ("app.b", 10 * KIB + 100),
    ]  # what is small has no row of its own before


def test_what_is_little_of_it_is_not_named() -> None:
    before = graph("da db", sizes={"a": 100, "b": 100})
    after = graph("da db ax by", sizes={"x": 90 * KIB, "y": KIB})
    assert leak_holders(before, after, 100 * KIB)["root"].to_list() == ["app.a"]
    assert leak_holders(before, before, 100 * KIB).is_empty()


def test_references_that_nobody_has_are_told_once_they_are_new(tmp_path) -> None:
    program = f"""
        import ctypes
        from probing import snapshot
        snapshot("before")
        for n in range({MOST_HELD + 100}):
            made = [n, n]
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))
        del made
        snapshot("after")
    """
    before, after = looked_at(tmp_path, program)
    assert any("type list have more references than exist" in str(one) for one in unheld(before, after))
    assert unheld(after, after) == []
