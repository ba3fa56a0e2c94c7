"""What has a model answered, to which inputs, and which model was it?  One JSON file a model, made to be committed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diagtools.errors import DamagedError, NoDataError, UsageError
from diagtools.pytest_plugin.models.recorded_values import Json

FORMAT = 1
HINT = "record it with the real model: pytest --diag-models=real"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedIdentity:
    """Which model answered?  Version and hash are empty where they are not known."""

    model: str
    version: str
    sha256: str


@dataclass(slots=True, kw_only=True)
class Recording:
    """The answers of one model: by the hash of method and input; ``values`` are attributes that are not called."""

    identity: RecordedIdentity
    answers: dict[str, Json] = field(default_factory=dict)
    values: dict[str, Json] = field(default_factory=dict)


def read_recording(path: Path) -> Recording:
    """What is recorded there?  Raises ``NoDataError`` where nothing is, ``DamagedError`` where it is not readable."""
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        if text["format"] != FORMAT:
            raise UsageError(
                f"'{path.name}' has format {text['format']!r}, this version reads {FORMAT}.", hint=HINT
            )
        model = {name: str(text["model"][name]) for name in ("model", "version", "sha256")}
        return Recording(
            identity=RecordedIdentity(**model),
            answers=_mapping(text["answers"]),
            values=_mapping(text["values"]),
        )
    except FileNotFoundError:
        raise NoDataError(f"There is no recording '{path.name}' in '{path.parent}'.", hint=HINT) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"The recording '{path}' cannot be read: {error}.", hint=HINT) from error


def add_to_recording(path: Path, new: Recording) -> None:
    """Adds answers to what is recorded there already, of the same model; other processes may do so at the same time.

    Answers of another model are not kept beside those of this one.  A reader sees the file as it was or as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.parent):
        try:
            old = read_recording(path)
        except (DamagedError, NoDataError, UsageError):
            old = new
        if old.identity != new.identity:
            old = new
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_text(
            _text(new.identity, {**old.answers, **new.answers}, {**old.values, **new.values}),
            encoding="utf-8",
        )
        partial.replace(path)


def check_identity(recorded: RecordedIdentity, declared: RecordedIdentity, path: Path) -> None:
    """Raises ``UsageError`` where the recording is of another model, version or file than the one declared."""
    for what in ("model", "version", "sha256"):
        one, other = getattr(recorded, what), getattr(declared, what)
        if one != other and (other or what != "sha256"):
            raise UsageError(
                f"The recording '{path.name}' is of another model: its {what} is {one[:64]!r}, declared is {other!r}.",
                hint=HINT,
            )


def _text(identity: RecordedIdentity, answers: Mapping[str, Json], values: Mapping[str, Json]) -> str:
    """One line an answer, sorted: a difference in a review shows which answers have changed."""
    head = {"model": identity.model, "version": identity.version, "sha256": identity.sha256}
    parts = [f'"format": {FORMAT}', f'"model": {json.dumps(head)}']
    for name, rows in (("values", values), ("answers", answers)):
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(rows[key])}" for key in sorted(rows))
        parts.append(f'"{name}": {{\n{lines}\n}}' if rows else f'"{name}": {{}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _mapping(value: Any) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} where answers were expected")
    return value


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time, as long as all of them are on Linux or macOS."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
