"""``models.log`` and ``models.output``, as ``probes.models`` writes them: what loading a model took in one process."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from diagtools.errors import DamagedError, NoDataError
from diagtools.frames.models import MODEL_PHASES, MODEL_PROCESSES, ModelAnswer, ModelFailure, ModelLog
from diagtools.probes import model_readings as probe
from diagtools.probes.models import FAILURES
from diagtools.read.artefact import name_of, read_artefact
from diagtools.values import State, Validity

_NS = 1e9
_MOST_BYTES = 1 << 20
_MOST_LINES = 10_000
_LARGEST = 2**62
_VALUE_BYTES = 8
_PLAIN = {escaped: plain for plain, escaped in probe.ESCAPES}
_ESCAPED = re.compile(b"|".join(re.escape(escaped) for escaped in _PLAIN))
_NUMBER = re.compile(rb"-1|[0-9]{1,19}")
_HINT = "record it again: diagtools investigate model-loading"

_Line = dict[str, int | str]


def read_models(folder: Path) -> ModelLog:
    """What did loading a model take in this run?

    A line that is not whole is left out, and said.  Raises ``NoDataError`` where there is no such log, ``DamagedError``
    where its beginning is not whole.
    """
    data = read_artefact(folder, probe.NAME, max_bytes=_MOST_BYTES)
    if data is None:
        raise NoDataError(f"'{folder.name}' loaded no model that was measured.", hint=_HINT)
    lines: dict[str, list[_Line]] = {kind: [] for kind in probe.FIELDS}
    n_damaged = 0
    for raw in data.split(b"\n", _MOST_LINES)[:_MOST_LINES]:
        line = _parsed(raw)
        if line is not None:
            lines[str(line["line"])].append(line)
        elif raw:
            n_damaged += 1
    if not lines["start"]:
        raise DamagedError(
            f"'{probe.NAME}' in '{folder.name}' does not begin as such a log does: it is not believed.",
            hint=_HINT,
        )
    start = lines["start"][0]
    answer, doubt = _answer(folder, lines["output"])
    return ModelLog(
        mode=str(start["mode"]),
        loader=str(start["loader"]),
        infer=str(start["infer"]),
        python=str(start["python"]),
        is_ended=bool(lines["end"] or lines["failed"]),
        failure=next(map(_failure, lines["failed"]), None),
        phases=_phases(lines["phase"]),
        processes=_processes(lines["process"]),
        answer=answer,
        validity=(*_doubts(n_damaged), *doubt),
    )


def _phases(rows: list[_Line]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {
        "phase": [row["name"] for row in rows],
        "wall_s": [int(row["wall_ns"]) / _NS for row in rows],
        "cpu_s": [int(row["cpu_ns"]) / _NS for row in rows],
    }
    names = {
        "n_inputs": "n_inputs",
        "rss_before_bytes": "rss_before",
        "peak_bytes": "peak",
        "rss_after_bytes": "rss_after",
        "anon_bytes": "anon_after",
        "file_bytes": "file_after",
        "shmem_bytes": "shmem_after",
    }
    return MODEL_PHASES.from_columns({**columns, **_known(rows, names)})


def _processes(rows: list[_Line]) -> pl.DataFrame:
    names = {
        "rss_bytes": "rss",
        "pss_bytes": "pss",
        "private_bytes": "private",
        "alone_bytes": "alone",
    }
    return MODEL_PROCESSES.from_columns({"role": [row["role"] for row in rows], **_known(rows, names)})


def _known(rows: list[_Line], names: dict[str, str]) -> dict[str, list[object]]:
    return {
        column: [None if row[name] == probe.UNKNOWN else row[name] for row in rows]
        for column, name in names.items()
    }


def _answer(folder: Path, told: list[_Line]) -> tuple[ModelAnswer | None, tuple[Validity, ...]]:
    """What the model answered, where it is as long as was said; else that it is not."""
    if not told:
        return None, ()
    n_rows, n_columns = int(told[0]["n_rows"]), int(told[0]["n_columns"])
    n_values = n_rows * n_columns
    data = None
    if 0 < n_values <= probe.MOST_VALUES:
        data = read_artefact(folder, probe.OUTPUT, max_bytes=n_values * _VALUE_BYTES + 1)
    if data is None or len(data) != n_values * _VALUE_BYTES:
        note = f"not the {n_rows:,} × {n_columns:,} numbers that the log tells of: not compared"
        return None, (Validity(what=probe.OUTPUT, state=State.TRUNCATED, note=note),)
    values = pl.Series("value", struct.unpack(f"<{n_values}d", data), dtype=pl.Float64)
    return ModelAnswer(n_rows=n_rows, n_columns=n_columns, values=values), ()


def _failure(line: _Line) -> ModelFailure:
    kind = str(line["kind"])
    return ModelFailure(
        phase=str(line["phase"]),
        kind=kind if kind in FAILURES else "raised",
        place=str(line["place"]),
        text=str(line["text"]),
    )


def _parsed(raw: bytes) -> _Line | None:
    """What a whole line says, by field; null for any other."""
    body, _, crc = raw.rpartition(b"\t")
    kind, *given = body.split(b"\t")
    name = kind.decode("ascii", "replace")
    names = probe.FIELDS.get(name)
    if names is None or len(given) != len(names) or crc != b"%08x" % zlib.crc32(body):
        return None
    found: _Line = {"line": name}
    for field, value in zip(names, given, strict=True):
        if field in probe.TEXTS:
            found[field] = name_of(_ESCAPED.sub(lambda match: _PLAIN[match[0]], value))
        elif _NUMBER.fullmatch(value) and int(value) <= _LARGEST:
            found[field] = int(value)
        else:
            return None
    return found


def _doubts(n_damaged: int) -> Iterator[Validity]:
    if n_damaged:
        note = f"{n_damaged} damaged line{'' if n_damaged == 1 else 's'} left out"
        yield Validity(what=probe.NAME, state=State.TRUNCATED, note=note)
