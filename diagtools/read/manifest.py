"""``run.json``: what was run, where, under which limits, and how it ended.  Standard library only.

Nothing in the file is trusted: a key of another type than declared is left out and said, a newer format is
refused, names of artefacts that lead out of the run folder are dropped.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diagtools.errors import DiagtoolsError, NotARunError
from diagtools.read.artefact import read_artefact
from diagtools.read.fields import Fields
from diagtools.read.header import FILES, read_header
from diagtools.values import Artefact, Enforcer, Limit, Manifest, State, Validity

NAME = "run.json"
FORMAT = 1
#: A manifest takes a few kilobytes; what is larger than this is something else.
_MAX_BYTES = 16 << 20


def read_manifest(folder: Path) -> Manifest:
    """What does ``run.json`` of this folder say?

    Half a run (records, but no or a broken ``run.json``) gives what the records' header tells, with a validity
    that says so.  Raises ``NotARunError`` where there is neither, and for a format that is too new.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise NotARunError(
            f"'{folder}' {what}, so it is no run.", hint="`diagtools runs` lists what was recorded."
        )
    try:
        raw = _load(folder)
    except _BrokenError as broken:
        return _half_a_run(folder, why=str(broken))
    if _is_newer(raw):
        raise _too_new(raw, folder)
    return _manifest(Fields(raw), folder)


def has_newer_format(folder: Path) -> bool:
    """Is this a run that only a newer diagtools reads?"""
    try:
        return _is_newer(_load(folder))
    except _BrokenError:
        return False


class _BrokenError(Exception):
    """``run.json`` is absent or not the JSON of an object; the text says why."""


def _load(folder: Path) -> dict[str, Any]:
    try:
        data = read_artefact(folder, NAME, max_bytes=_MAX_BYTES + 1)
    except DiagtoolsError as error:
        raise _BrokenError(error.message.rstrip(".")) from None
    if data is None:
        raise _BrokenError(f"there is no {NAME}")
    if len(data) > _MAX_BYTES:
        raise _BrokenError(f"{NAME} is larger than {_MAX_BYTES >> 20} MiB")
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError, so is a number of 5,000 digits
        raise _BrokenError(f"{NAME} is {'empty' if not data else 'not whole JSON'}") from None
    if not isinstance(raw, dict):
        raise _BrokenError(f"{NAME} does not hold an object")
    if "argv" not in raw and "format" not in raw:
        raise _BrokenError(f"{NAME} names neither a command nor a format")
    return raw


def _is_newer(raw: Mapping[str, Any]) -> bool:
    found = raw.get("format", FORMAT)
    return isinstance(found, (int, float)) and found > FORMAT


def _too_new(raw: Mapping[str, Any], folder: Path) -> NotARunError:
    writer = Fields(raw).texts("recorder").get("diagtools", "")
    by = f" (diagtools {writer} wrote it)" if writer else ""
    return NotARunError(
        f"The run '{folder.name}' has format {str(raw['format'])[:20]}{by}; this version reads up to {FORMAT}.",
        hint=f"pip install 'diagtools>={writer}'" if writer else "pip install --upgrade diagtools",
    )


def _manifest(fields: Fields, folder: Path) -> Manifest:
    manifest = Manifest(
        name=fields.text("name") or folder.name,
        state=fields.text("state") or "recording",
        argv=fields.text_list("argv"),
        cwd=fields.text("cwd"),
        env=fields.texts("env"),
        hz=fields.number("hz") or 0.0,
        backend=fields.text("backend"),
        recorder=fields.texts("recorder"),
        platform=fields.texts("platform"),
        git=fields.texts("git"),
        probes=fields.texts("probes"),
        limit=_limit(fields),
        items=fields.texts("items"),
        tracking=fields.texts("tracking"),
        snapshots=fields.texts("snapshots"),
        changes=fields.texts("changes"),
        start_ns=fields.whole("start_ns"),
        wall_ns=fields.whole("wall_ns"),
        started_at=fields.text("started_at"),
        duration_s=fields.number("duration_s"),
        exit_status=fields.whole("exit_status"),
        kernel_log=fields.text_list("kernel_log"),
        artefacts=_artefacts(fields),
        validity=_validity(fields),
        format=FORMAT,
    )
    odd = fields.odd()
    if not odd:
        return manifest
    doubt = Validity(what=NAME, state=State.TRUNCATED, note=f"left out, not as declared: {', '.join(odd)}")
    return dataclasses.replace(manifest, validity=(*manifest.validity, doubt))


def _limit(fields: Fields) -> Limit | None:
    inner = fields.inner("limit")
    if inner is None:
        return None
    size, enforcer = inner.whole("memory_bytes"), inner.text("enforcer") or Enforcer.WATCHDOG.value
    if not size or enforcer not in set(Enforcer):
        fields.reject("limit")
        return None
    return Limit(memory_bytes=size, enforcer=Enforcer(enforcer))


def _artefacts(fields: Fields) -> dict[str, Artefact]:
    found = {}
    for name, inner in fields.inner_by_name("artefacts"):
        size, digest = inner.whole("size_bytes"), inner.text("sha256")
        if size is None or len(digest) != 64:
            fields.reject(f"artefacts.{name}")
        else:
            found[name] = Artefact(size_bytes=size, sha256=digest)
    return found


def _validity(fields: Fields) -> tuple[Validity, ...]:
    found = []
    for inner in fields.inner_list("validity"):
        if inner.text("state") in set(State):
            state = State(inner.text("state"))
            found.append(Validity(what=inner.text("what"), state=state, note=inner.text("note")))
        else:
            fields.reject("validity")
    return tuple(found)


def _half_a_run(folder: Path, *, why: str) -> Manifest:
    if not any((folder / name).is_file() for name in FILES):
        raise NotARunError(
            f"'{folder}' is not a run: {why}, and nothing was recorded in it.",
            hint="pass a folder that `diagtools record` wrote; `diagtools runs` lists them.",
        )
    header = read_header(folder)
    wall_ns = header.wall_ns if header else None
    return Manifest(
        name=folder.name,
        state="recording",
        argv=(),
        cwd="",
        env={},
        hz=(header.hz if header else None) or 0.0,
        backend="",
        recorder={},
        platform={},
        git={},
        probes={},
        start_ns=header.start_ns if header else None,
        wall_ns=wall_ns,
        started_at=""
        if wall_ns is None
        else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_ns // 10**9)),
        validity=(
            Validity(
                what=NAME, state=State.TRUNCATED, note=f"{why}: command, limits and versions are unknown"
            ),
        ),
    )
