"""Writes ``run.json``: once when a recording begins, and whole when it is closed.

What only the closing needs is imported then: until it runs, the target waits.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from diagtools import __version__
from diagtools.capture import snapshots, tracking
from diagtools.probes import records
from diagtools.redact import redact_argv, redact_env, redact_folder
from diagtools.values import Artefact, Manifest, Target

NAME = "run.json"
_PACKAGES = ("polars", "altair", "psutil", "memray", "jupyterlab")
_GIT_PATIENCE_S = 5


def begun(folder: Path, target: Target | None, *, pid: int | None, hz: float, backend: str) -> Manifest:
    """What is known of a run before its target starts; ``pid`` is that of an attached process."""
    limit = target.limit if target else None
    machine = os.uname()
    return Manifest(
        name=folder.name,
        state="recording",
        argv=redact_argv(target.argv) if target else ("attached", str(pid)),
        cwd=redact_folder(target.cwd or _working_folder()) if target else "",
        env=redact_env({**os.environ, **(target.env if target else {})}),
        hz=hz,
        backend=backend,
        recorder={"python": ".".join(map(str, sys.version_info[:3])), "diagtools": __version__},
        platform={
            "system": machine.sysname,
            "release": machine.release,
            "machine": machine.machine,
            "n_cpus": str(os.cpu_count()),
        },
        git={},
        probes={"sampler": str(records.VERSION)},
        limit=limit,
        items=_items(target),
        tracking=tracking.described(target.tracking) if target and target.tracking else {},
        snapshots=snapshots.described(target.snapshots) if target and target.snapshots else {},
        changes=_changes(target),
        started_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )


def closed(manifest: Manifest, folder: Path, **changes: object) -> Manifest:
    """The same manifest of a run that has ended, with its artefacts' checksums and what ``changes`` adds."""
    return dataclasses.replace(
        manifest,
        state="finished",
        recorder={**manifest.recorder, **_versions()},
        artefacts=_artefacts(folder),
        **changes,  # type: ignore[arg-type]  # replace() checks the names
    )


def write(manifest: Manifest, folder: Path) -> None:
    """Writes ``run.json`` whole or not at all.  Raises ``OSError`` on a full disk."""
    temporary = folder / f"{NAME}.tmp"
    try:
        text = json.dumps(_plain(manifest), indent=1, ensure_ascii=True)
        temporary.touch(mode=0o600)
        temporary.write_text(text + "\n", encoding="ascii")
        temporary.replace(folder / NAME)
    finally:
        temporary.unlink(missing_ok=True)


def git_revision(folder: Path | None) -> dict[str, str]:
    """Which revision stands in the target's working folder?  Nothing is written there, not even git's index."""
    import subprocess

    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        answer = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=_GIT_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {"revision": answer.stdout.strip()} if answer.returncode == 0 else {}


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, str):  # bytes that are no UTF-8 are shown as \udcff: lone surrogates are no JSON
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed under us
        return Path()


def _items(target: Target | None) -> dict[str, str]:
    source = target.items if target else None
    if source is None:
        return {}
    calls = {"calls": source.calls} if source.calls else {}
    under = {"opened_under": redact_folder(source.opened_under)} if source.opened_under else {}
    return {**calls, **under}


def _changes(target: Target | None) -> dict[str, str]:
    if target is None or target.changes is None:
        return {}
    from diagtools.capture.applied import described  # here: other targets wait for what this imports

    return described(target.changes)


def _artefacts(folder: Path) -> dict[str, Artefact]:
    import hashlib

    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and path.name not in (NAME, f"{NAME}.tmp"):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                found[path.name] = Artefact(size_bytes=file.tell(), sha256=digest)
    return found


def _versions() -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
