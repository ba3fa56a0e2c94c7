"""Which distributions bring a package?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diagtools.capture.installed import blocked


def test_the_distribution_of_another_name_is_found() -> None:
    assert blocked(["yaml"], sys.executable) == "yaml;PyYAML"
    assert blocked(["sqlalchemy"], sys.executable) == "sqlalchemy;SQLAlchemy"


def test_by_its_files_where_it_has_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "odd-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-name\nVersion: 1\n")
    (info / "RECORD").write_text("strange/__init__.py,,\nsingle.py,,\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert blocked(["strange", "single"], sys.executable) == "strange,single;odd-name"


def test_nothing_is_blocked_without_a_package_and_what_does_not_tell_knows_none() -> None:
    assert blocked([], sys.executable) == ""
    assert blocked(["yaml"], "/nope") == "yaml;"
