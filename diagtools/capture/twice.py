"""A command is run plain, for its memory, and once more under a tracker, for where it allocates."""

from __future__ import annotations

import dataclasses
import signal
from dataclasses import dataclass
from pathlib import Path

from diagtools.capture import tracking
from diagtools.capture.runner import Captured, Streams, capture
from diagtools.errors import DiagtoolsError, UsageError
from diagtools.values import Target

#: The folder within the run's own: a whole run too.
TRACKED = "tracked"
_STOPPED_BY_USER = (128 + signal.SIGINT, 128 + signal.SIGQUIT)
_QUIET = Streams()


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedTwice:
    """The plain run, and the tracked one within its folder; ``tracked`` is null where that was not to be had."""

    plain: Captured
    tracked: Captured | None
    why_not: str = ""


def capture_twice(
    target: Target, folder: Path | None = None, *, hz: float = 100.0, streams: Streams = _QUIET
) -> CapturedTwice:
    """Runs the target without its tracker into ``folder``, and then with it into ``folder/tracked``.

    The output of the second run is only kept.  It does not run where the user stopped the first; where it fails, the
    first run stands and ``why_not`` says the rest.  Raises what ``capture`` does for the first run.
    """
    check_twice(target)
    plain = capture(dataclasses.replace(target, tracking=None), folder, hz=hz, streams=streams)
    if plain.exit_status in _STOPPED_BY_USER:
        return CapturedTwice(
            plain=plain, tracked=None, why_not="The first run was stopped, so there is no second one."
        )
    silent = Streams(interactive=streams.interactive)
    try:
        alone = dataclasses.replace(target, snapshots=None)
        tracked = capture(alone, plain.folder / TRACKED, hz=hz, streams=silent)
    except DiagtoolsError as error:
        return CapturedTwice(plain=plain, tracked=None, why_not=f"The second run failed: {error}")
    return CapturedTwice(plain=plain, tracked=tracked)


def check_twice(target: Target) -> None:
    """Raises ``UsageError`` without a tracker, and ``UnavailableError`` where it is known not to be there."""
    if target.tracking is None:
        raise UsageError("Running twice needs a tracker for the second run.", hint="--twice --memray")
    tracking.check(target)
