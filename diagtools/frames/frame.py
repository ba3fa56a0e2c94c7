"""What a declared frame is: its columns in order, with dtypes and units."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from diagtools.errors import DamagedError

FEATURES = pl.List(pl.Struct({"name": pl.String, "value": pl.Float64}))
INT = pl.Int64()
FLOAT = pl.Float64()
TEXT = pl.String()
FLAG = pl.Boolean()


@dataclass(frozen=True, slots=True)
class Frame:
    """The declared shape of one frame: its name and its columns in order."""

    name: str
    columns: dict[str, pl.DataType]

    def empty(self) -> pl.DataFrame:
        """A frame of this shape without rows."""
        return pl.DataFrame(schema=self.columns)

    def from_columns(self, columns: dict[str, list[object]]) -> pl.DataFrame:
        """A frame of this shape from one list a column, in any order."""
        return self.check(pl.DataFrame(columns, schema=self.columns))

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The same frame, if it has exactly these columns and dtypes; raises ``DamagedError``."""
        if dict(frame.schema) == dict(pl.Schema(self.columns)):
            return frame
        found = {name: str(dtype) for name, dtype in frame.schema.items()}
        wanted = {name: str(dtype) for name, dtype in self.columns.items()}
        odd = sorted(set(found.items()) ^ set(wanted.items()))
        raise DamagedError(f"A {self.name} frame has other columns than declared: {odd}.")
