"""Programs that never heard of diagtools, run plainly or with the probes in them, under every CPython found here."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from diagtools.probes import boot
from diagtools.read.markers import read_markers

Row = dict[str, Any]


class Program:
    """A folder with a program and what it works on, to be run plainly or recorded."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.folder = folder
        self.run = folder / "run"
        self.run.mkdir()
        self.python = python

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def execute(self, *arguments: str, **added: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DIAGTOOLS_"))} | added
        command = [self.python, *arguments]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def record(
        self, *arguments: str, under: str | None = None, calls: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        absolute = under and str(self.folder / under)
        return self.execute(
            *arguments, **boot.environment({}, str(self.run), items_under=absolute, items_calls=calls)
        )

    def recorded(self, *arguments: str, under: str | None = None, calls: str | None = None) -> list[Row]:
        """The item markers and events of a program that ends well."""
        result = self.record(*arguments, under=under, calls=calls)
        assert (result.stderr, result.returncode) == ("", 0)
        return self.rows()

    def rows(self) -> list[Row]:
        rows = read_markers(self.run, None).frame.to_dicts()
        boots = [row for row in rows if row["kind"] == "boot"]
        assert [row["error"] for row in boots if row["status"] not in ("ok", None)] == []
        return [row for row in rows if row["kind"] not in ("boot", "exit")]


def told(rows: list[Row]) -> list[tuple[str, ...]]:
    return [
        (row["edge"], row["name"], *(text for text in (row["status"], row["error"]) if text)) for row in rows
    ]


def begun(rows: list[Row]) -> list[str]:
    return [row["name"] for row in rows if row["edge"] == "begin"]


def feature(row: Row) -> dict[str, float]:
    return {each["name"]: each["value"] for each in row["features"]}
