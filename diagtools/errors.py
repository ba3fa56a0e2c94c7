"""Every error that diagtools raises on purpose.

::

    DiagtoolsError
    ├── UsageError          the request makes no sense as written            exit 2
    │   └── NotARunError    the path given is not a run folder, or a newer one
    ├── StartError          the command could not be started                 exit 126 or 127
    ├── RecorderError       diagtools itself failed while recording          exit 125
    ├── DamagedError        an artefact is broken beyond what can be read
    ├── NoDataError         data was expected and there is none
    ├── UnavailableError    this machine or installation cannot do that
    ├── LimitExceeded       a block of one's own code passed its limit
    └── BudgetBreached      a measured metric is above its budget            exit 1

A message is a fact with its values, then the cause where it is known; the hint names something to run.
"""

from __future__ import annotations


class DiagtoolsError(Exception):
    """The base of all deliberate errors: ``message`` (fact and cause) and ``hint`` (what to do)."""

    kind = "error"
    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message if hint is None else f"{message} Hint: {hint}")


class UsageError(DiagtoolsError):
    """The request makes no sense as written."""

    kind = "usage"
    exit_status = 2


class NotARunError(UsageError):
    """The path is not a run folder of a format that this version reads."""

    kind = "not-a-run"


class StartError(DiagtoolsError):
    """The command could not be started; ``exit_status`` is 127 (not found) or 126 (not executable)."""

    kind = "start"

    def __init__(self, message: str, *, exit_status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_status = exit_status


class RecorderError(DiagtoolsError):
    """diagtools itself failed while recording; what was recorded until then is kept."""

    kind = "recorder"
    exit_status = 125


class DamagedError(DiagtoolsError):
    """An artefact is broken beyond what can be read without guessing."""

    kind = "damaged"


class NoDataError(DiagtoolsError):
    """Data was expected and there is none."""

    kind = "no-data"


class UnavailableError(DiagtoolsError):
    """This machine or installation cannot do what was asked."""

    kind = "unavailable"


class LimitExceeded(DiagtoolsError):
    """A block of one's own code passed the limit that was set for it."""

    kind = "limit"


class BudgetBreached(DiagtoolsError):
    """A measured metric is above its budget."""

    kind = "budget"
