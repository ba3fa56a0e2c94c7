"""Which uses of the names of an import statement are uses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.import_place import Kind
from tests.support.imports import place_of, uses_of


def test_each_use_is_told_by_line_and_kind(tmp_path: Path) -> None:
    place = place_of(
        tmp_path,
        """
        from heavy import H

        __all__ = ["H"]


        @H.wrap
        def f(a=H, b: H = 1) -> "list[H]":
            x: H = a
            return H(x)


        class A(H):
            field: H
            other = H

            def method(self):
                def inner():
                    return [H for _ in range(3)]

                return inner


        g = lambda: H
        y = {h: H for h in H}
        del H
        """,
    )
    assert uses_of(place) == [
        (3, Kind.EXPORTED),
        (6, Kind.DECORATOR),
        (7, Kind.ANNOTATION),
        (7, Kind.ANNOTATION),
        (7, Kind.DEFAULT),
        (8, Kind.ANNOTATION),
        (9, Kind.FUNCTION),
        (12, Kind.BASE),
        (13, Kind.ANNOTATION),
        (14, Kind.CLASS_BODY),
        (18, Kind.FUNCTION),
        (23, Kind.LAMBDA),
        (24, Kind.MODULE),
        (25, Kind.DELETED),
    ]
    waits = {use.line: use.waits for use in place.uses if use.kind is Kind.ANNOTATION and use.line != 7}
    assert waits == {8: True, 13: False}, "a local annotation is never evaluated, one of a class is"
    quoted = {use.waits for use in place.uses if use.kind is Kind.ANNOTATION and use.line == 7}
    assert quoted == {True, False}, "one in quotes waits"
    functions = {use.line: use.function.name for use in place.uses if use.function}
    assert functions == {9: "f", 18: "A.method.inner"}


def test_with_the_future_import_every_annotation_waits(tmp_path: Path) -> None:
    place = place_of(tmp_path, "from __future__ import annotations\nimport heavy\nx: heavy.A = 1\n")
    assert place.has_future_annotations
    assert [(use.kind, use.waits) for use in place.uses] == [(Kind.ANNOTATION, True)]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_types_that_are_evaluated_when_asked_for_wait(tmp_path: Path) -> None:
    place = place_of(tmp_path, "import heavy\ntype X = heavy.A\ndef f[T: heavy.B](x: T): ...\n")
    assert [(use.kind, use.waits) for use in place.uses] == [(Kind.ANNOTATION, True)] * 2


def test_what_asks_for_type_checking_is_a_use(tmp_path: Path) -> None:
    text = "import typing as t  # here\nif t.TYPE_CHECKING:\n    x = t.Any\n"
    place = place_of(tmp_path, text)
    assert [(use.line, use.kind, use.waits) for use in place.uses] == [
        (2, Kind.MODULE, False),
        (3, Kind.ANNOTATION, True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "def f(heavy): return heavy\n",
        "def f(*heavy): return heavy\n",
        "def f():\n    heavy = 1\n    return heavy\n",
        "def f():\n    import heavy\n    return heavy\n",
        "def f():\n    for heavy in x:\n        print(heavy)\n",
        "def f():\n    with x as heavy:\n        print(heavy)\n",
        "def f():\n    try:\n        pass\n    except E as heavy:\n        print(heavy)\n",
        "def f():\n    print((heavy := 1), heavy)\n",
        "def f():\n    print([heavy := x for x in y], heavy)\n",
        "def f(heavy):\n    def g():\n        return heavy\n    return g\n",
        "def f(heavy):\n    def g():\n        nonlocal heavy\n        heavy = 1\n    return g\n",
        "f = lambda heavy: heavy\n",
        "f = [heavy for heavy in x]\n",
        "def f(x):\n    match x:\n        case {'a': heavy}:\n            return heavy\n",
        "def f():\n    class heavy: pass\n    return heavy\n",
        "x.heavy = y.heavy(heavy=1)\n",
    ],
)
def test_another_name_that_is_called_the_same_is_no_use(tmp_path: Path, text: str) -> None:
    assert place_of(tmp_path, "import heavy\n" + text).uses == ()


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    heavy = 1\n    def f(self):\n        return heavy\n",
        "def f():\n    global heavy\n    return heavy\n",
        "def f():\n    return [x for x in heavy]\n",
        "def f():\n    def g(heavy): pass\n    return heavy\n",
        "def f():\n    [heavy for heavy in x]\n    return heavy\n",
        "async def f():\n    await heavy.x()\n",
    ],
)
def test_what_only_looks_shadowed_is_a_use(tmp_path: Path, text: str) -> None:
    assert {use.kind for use in place_of(tmp_path, "import heavy\n" + text).uses} == {Kind.FUNCTION}


@pytest.mark.parametrize(
    "text",
    [
        "heavy = 1\n",
        "def f():\n    global heavy\n    heavy = 1\n",
        "def heavy(): ...\n",
        "import x as heavy\n",
    ],
)
def test_what_binds_the_name_otherwise_is_told(tmp_path: Path, text: str) -> None:
    assert len(place_of(tmp_path, "import heavy\n" + text).others) == 1


def test_of_a_dotted_import_only_its_own_part_is_a_use_where_the_rest_comes_by_another(
    tmp_path: Path,
) -> None:
    text = (
        "import sci\nimport sci.stats  # here\ndef f():\n    sci.x()\n    sci.stats.mode()\n    return sci\n"
    )
    assert [use.line for use in place_of(tmp_path, text).uses] == [5, 6]
    alone = "import sci.stats  # here\ndef f():\n    sci.x()\n"
    assert [use.line for use in place_of(tmp_path, alone).uses] == [3]


def test_a_long_sum_is_no_obstacle(tmp_path: Path) -> None:
    """Python parses it: it is nested deeper than calls of ours could be."""
    place = place_of(tmp_path, "import heavy\nx = " + " + ".join(["heavy"] * 1500) + "\n")
    assert uses_of(place) == [(2, Kind.MODULE)]


def test_a_long_chain_of_elif_is_no_obstacle(tmp_path: Path) -> None:
    chain = "".join(f"elif x == {n}:\n    y = heavy\n" for n in range(900))
    place = place_of(
        tmp_path,
        f"import heavy\ndef f(x):\n    if x:\n        pass\n{chain}".replace("elif", "    elif").replace(
            "    y =", "        y ="
        ),
    )
    assert len(place.uses) == 900
