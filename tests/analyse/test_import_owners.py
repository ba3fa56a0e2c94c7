"""Whose file is it: can the reader of an advice change it?"""

from __future__ import annotations

import json

import pytest

from diagtools.analyse.import_owners import Owner, owner_of


@pytest.mark.parametrize(
    ("file", "owner"),
    [
        ("/home/me/shop/reports.py", Owner.READER),
        ("reports.py", Owner.READER),
        ("/v/lib/python3.11/site-packages/pack/fixes.py", Owner.PACKAGE),
        ("/usr/lib/python3/dist-packages/pack.py", Owner.PACKAGE),
        ("/usr/lib/python3.11/json/__init__.py", Owner.PYTHON),
        ("/uv/cpython-3.13/lib/python3.13t/inspect.py", Owner.PYTHON),
        ("/opt/lib/pypy3.10/inspect.py", Owner.PYTHON),
        ("<frozen importlib._bootstrap>", Owner.PYTHON),
        ("<frozen os>", Owner.PYTHON),
        ("<frozen shop>", Owner.NOBODY),
        ("<string>", Owner.NOBODY),
        ("<stdin>", Owner.NOBODY),
        ("<attrs generated init shop.Item>", Owner.NOBODY),
        ("/home/me/python3.11/tool.py", Owner.READER),
        ("/v/lib/python3.11/site-packages/lib/python3.11/x.py", Owner.PACKAGE),
        (json.__file__, Owner.PYTHON),
        (pytest.__file__, Owner.PACKAGE),
    ],
)
def test_a_file_is_told_by_its_path(file: str, owner: Owner) -> None:
    assert owner_of(file) is owner
