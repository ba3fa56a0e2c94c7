"""Reads memray captures, all processes of a run as one profile; keeps the result beside them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diagtools.errors import DamagedError, DiagtoolsError, NoDataError, UnavailableError, UsageError
from diagtools.profile import Profile, View
from diagtools.read.profiles.capture_evidence import sha256_of
from diagtools.read.profiles.memray_records import NATIVE_LEAST_SHARE
from diagtools.read.profiles.stored import SUFFIX, origin_of, read_stored

VIEWS = (View.PEAK, View.LEAKED, View.TEMPORARY)

_PACKAGE = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv[1]); from diagtools.read.profiles.memray_worker import main; main()"
_KINDS: dict[str, type[DiagtoolsError]] = {
    error.kind: error for error in (DamagedError, NoDataError, UnavailableError, UsageError)
}


def read_memray(
    captures: Sequence[Path],
    *,
    view: View = View.PEAK,
    over_time: bool = False,
    native: bool = True,
    pids: Sequence[int | None] = (),
    zero_ms: int | None = None,
    known: Mapping[str, str] | None = None,
    name: str = "",
    store: Path | None = None,
) -> Profile:
    """What was live at the peak (or leaked, or was temporary) in these processes?

    ``captures`` are the files of one run.  ``over_time`` adds LIFETIMES, at the price of one more pass.  ``native`` is
    false to leave out native frames.  ``pids`` name the processes where the captures do not; ``zero_ms`` is the
    time of day, in ms, at second 0 (default: the begin of each).  ``known`` has the SHA-256 of captures, by name, as
    their recorder closed them: without it, a flipped bit that leaves a record its form is not seen.

    The result is kept as Parquet in ``store`` (by default beside the first capture, where that can be written) and read
    from there while the captures are the same.

    memray reads in a process of its own.  Raises ``DamagedError``, ``UnavailableError``, ``UsageError`` and
    ``NoDataError``; what is doubtful and can be read is in the validity.
    """
    if not captures:
        raise NoDataError("There is no memray capture to read.", hint="diagtools record --memray -- CMD")
    if view not in VIEWS:
        raise UsageError(f"A memray capture has no {str(view)!r} view.", hint=f"one of: {', '.join(VIEWS)}.")
    known = dict(known or {})
    origin = _origin(captures, view, over_time=over_time, native=native, zero_ms=zero_ms, known=known)
    kept = store or captures[0].with_name(
        f"{captures[0].name}.{stored_label(view, over_time=over_time)}{SUFFIX}"
    )
    if origin_of(kept) == origin:
        with contextlib.suppress(DamagedError):  # it is made again
            return read_stored(kept)
    request = {
        "captures": [
            [str(path), pid] for path, pid in zip(captures, pids or [None] * len(captures), strict=True)
        ],
        "view": view,
        "over_time": over_time,
        "native": native,
        "zero_ms": zero_ms,
        "known": known,
        "name": name or captures[0].name,
        "origin": origin,
    }
    return _made(request, kept)


def _made(request: Mapping[str, Any], kept: Path) -> Profile:
    with tempfile.TemporaryDirectory(prefix="diagtools-") as folder:
        out = Path(folder) / "profile.parquet"
        _work({**request, "out": str(out)})
        profile = read_stored(out)
        with contextlib.suppress(OSError):  # a folder that nobody may write to: it is read again next time
            _move(out, kept)
        return profile


def _move(out: Path, kept: Path) -> None:
    temporary = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(out.read_bytes())
        temporary.replace(kept)
    finally:
        temporary.unlink(missing_ok=True)


def _work(request: Mapping[str, Any]) -> None:
    """Lets the worker read; raises the error that it answers with."""
    command = [sys.executable, "-P", "-c", _START, str(_PACKAGE)]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise _crashed(request["name"], done) from None
    if "error" in answer:
        error = answer["error"]
        raise _KINDS.get(error["kind"], DamagedError)(error["message"], hint=error["hint"])


def _crashed(name: str, done: subprocess.CompletedProcess[str]) -> DamagedError:
    if done.returncode < 0:
        how = f"was ended by {signal.Signals(-done.returncode).name}"
    else:
        how = f"failed: {done.stderr.strip().splitlines()[-1][:300] if done.stderr.strip() else 'no answer'}"
    return DamagedError(
        f"memray's reader {how} on '{name}': the capture is damaged.",
        hint="record it again; a capture in a run folder is checked with `diagtools show RUN`.",
    )


def _origin(captures: Sequence[Path], view: View, **options: object) -> dict[str, str]:
    digests = " ".join(f"{path.name}:{sha256_of(path)}" for path in captures)
    return {
        "captures": hashlib.sha256(digests.encode("utf-8", "surrogateescape")).hexdigest(),
        "asked": json.dumps({"view": view, "least": NATIVE_LEAST_SHARE, **options}, sort_keys=True),
    }


def stored_label(view: View, *, over_time: bool) -> str:
    """What tells the kept profiles of one capture apart?"""
    return f"{view}-over-time" if over_time else str(view)
