"""Why could a function not be called as often as a leak check needs?"""

from __future__ import annotations

import re

from diagtools.errors import NoDataError, UsageError
from diagtools.frames import LeakFailure, LeakLog
from diagtools.redact import redact_text
from diagtools.run import Run

_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<function>\S+)')
_OURS = "/diagtools/probes/"
_WRAP = "wrap it in a function without arguments that calls it."
_JUDGED_STAGES = 2

_SAID = {
    "missing": ("cannot be found: {text}", "see how the function is written; methods need an object."),
    "uncallable": ("is a {text}, which cannot be called", "name a function."),
    "arguments": ("takes arguments: {text}", _WRAP),
    "generator": (
        "is a generator function: calling it runs nothing of it",
        "wrap it: def check(): list(generator())",
    ),
    "exited": ("ended the program ({text})", "a function that is checked must return."),
}


def check_came_through(run: Run, log: LeakLog, *, timeout_s: float) -> LeakLog:
    """The log, where it can be judged; raises ``UsageError`` where the function could not be called so often.

    Where the process ended before the check did, two stages are enough to say at least that it is inconclusive.
    Raises ``NoDataError`` where a change came to nothing: the verdict would be on the function as it is.
    """
    if log.failure is not None:
        raise _error(log.target, log.failure)
    for one in run.changes:
        if not one.is_applied:
            raise NoDataError(
                f"'{one.change}' was not applied: {one.why}.", hint="leave it out, or name what there is."
            )
    if log.is_ended:
        return log
    if log.readings["stage"].n_unique() > _JUDGED_STAGES:
        return log
    after = f"after {log.n_calls:,} calls" if log.n_calls else "in one of its first calls"
    if (run.duration_s or 0.0) >= timeout_s:
        place = _hanging_at(run)
        raise UsageError(
            f"{log.target} did not come back within {timeout_s:g} s, {after}{place}.",
            hint="more time: --timeout 1200; or check a smaller piece of work.",
        )
    raise UsageError(
        f"{log.target} ended the process {after}, with exit status {run.exit_status}.",
        hint=f"a function that is checked must return; see diagtools show {run.path}",
    )


def _error(target: str, failure: LeakFailure) -> UsageError:
    at = f" (at {failure.place})" if failure.place else ""
    if failure.kind == "import":
        module = target.partition(":")[0]
        return UsageError(
            f"Module {module!r} cannot be imported: {redact_text(failure.text)}{at}.",
            hint="run it where `python -m` would find the module, or with --python of its environment.",
        )
    if failure.kind == "raised":
        when = "at its first call" if failure.n_calls == 0 else f"in call {failure.n_calls + 1:,}"
        return UsageError(
            f"{target} raised {when}: {redact_text(failure.text)}{at}.",
            hint="a function that is checked must come through every call: catch what is expected.",
        )
    said, hint = _SAID.get(failure.kind, ("could not be called: {text}", _WRAP))
    return UsageError(f"{target} {said.format(text=redact_text(failure.text))}.", hint=hint)


def _hanging_at(run: Run) -> str:
    """Where the interpreter said that it stood as it was ended: the innermost line that is not ours."""
    lines = [str(line) for line in run.logs["line"]] if not run.logs.is_empty() else []
    for line in lines:
        match = _LINE.search(line)
        if match and _OURS not in match["file"]:
            return f": it stood at {match['file']}:{match['line']} in {match['function']}"
    return ""
