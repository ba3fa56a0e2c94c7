"""The advice on a verified statement: of an import or of a command, readable or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from diagtools.investigations.import_advice import advice_for, advice_json, advice_on
from diagtools.investigations.import_suspects import Suspect
from diagtools.investigations.import_verify import Verified
from tests.support.imports import Used


@dataclass(frozen=True)
class Result:
    """What the advice asks of a verification."""

    forced: tuple[Used, ...]
    verdict: str = "forced"
    n_lazy: int = 1


def forced_in(file: Path, line: int, function: str) -> Verified:
    file.write_text("import heavy\n\n\ndef f():\n    return heavy.b\n")
    suspect = Suspect(
        file=str(file), lines=(1,), imports=(), predicted_anon_bytes=1, n_modules=2, is_file=False
    )
    used = Used("heavy", str(file), line, function)
    return Verified(suspect=suspect, result=cast(Any, Result((used,))))


def test_of_a_command_its_work_is_not_to_be_mended(tmp_path: Path) -> None:
    one = forced_in(tmp_path / "m.py", 5, "f")
    assert "needs it for its work" in advice_on(one, is_command=True).first[0]
    assert "needs it for its work" in advice_for(one, is_command=True)
    said = advice_json(one, is_command=True)
    assert said is not None
    assert "needs it for its work" in said["first"][0]
    assert "call it later" in advice_for(one)


@pytest.mark.parametrize("file", ["<frozen os>", "/usr/lib/python3.0/gone.py"])
def test_a_part_of_python_without_its_source_is_said_to_be_one(file: str) -> None:
    suspect = Suspect(file=file, lines=(1,), imports=(), predicted_anon_bytes=1, n_modules=2, is_file=False)
    said = advice_for(Verified(suspect=suspect, result=None))
    assert said.endswith("Part of Python: leave it, or avoid who imports it.")
    assert "no advice" not in said


def test_a_pseudo_file_has_no_hint_to_list_it() -> None:
    suspect = Suspect(
        file="<string>", lines=(1,), imports=(), predicted_anon_bytes=1, n_modules=2, is_file=False
    )
    said = advice_for(Verified(suspect=suspect, result=None))
    assert said == "<string>:1: no advice. This is code without a file (`-c`, exec): nothing to edit there."
