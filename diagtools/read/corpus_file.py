"""A corpus as a Parquet file, written while it streams by."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from diagtools import frames
from diagtools.errors import UsageError

_ROWS_OF_A_PART = 16_384


class CorpusWriter:
    """Gathers CORPUS batch by batch and leaves one Parquet file; nothing of it where the block failed.

    Parts go into a folder beside the file, and are joined without being held in memory at once.  Raises ``UsageError``
    where the file cannot be written.
    """

    def __init__(self, file: Path) -> None:
        if file.suffix != ".parquet":
            raise UsageError(
                f"'{file}' is not the name of a Parquet file.",
                hint=f"--out {file.with_suffix('.parquet').name}",
            )
        self._file = file
        self._pending = frames.CORPUS.empty()
        self._n_parts = 0

    def __enter__(self) -> Self:
        try:
            self._parts = Path(tempfile.mkdtemp(prefix=f".{self._file.name}.", dir=self._file.parent))
        except OSError as error:
            raise self._not_written(error) from error
        return self

    def write(self, corpus: pl.DataFrame) -> None:
        """Adds a batch."""
        self._pending = pl.concat([self._pending, corpus])
        if self._pending.height >= _ROWS_OF_A_PART:
            self._flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                joined = self._parts / "joined"
                parts = pl.scan_parquet(self._parts / "*.part", low_memory=True)
                parts.sink_parquet(joined, row_group_size=_ROWS_OF_A_PART)
                joined.replace(self._file)
        except OSError as failure:
            raise self._not_written(failure) from failure
        finally:
            shutil.rmtree(self._parts, ignore_errors=True)

    def _flush(self) -> None:
        try:
            self._pending.write_parquet(self._parts / f"{self._n_parts:06}.part")
        except OSError as error:
            raise self._not_written(error) from error
        self._n_parts += 1
        self._pending = frames.CORPUS.empty()

    def _not_written(self, error: OSError) -> UsageError:
        return UsageError(
            f"'{self._file}' cannot be written: {error.strerror or error}.",
            hint="name a file in a folder that takes one.",
        )
