"""Does a variant of a command print what the command prints as it is?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from diagtools.analyse.outputs import difference, is_repeatable, varies
from diagtools.redact import redact_text
from diagtools.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """``same`` says of each variant whether its output and exit status are those of the command as it is.

    Null where that cannot be told: it was killed, or runs of the command itself differ among themselves.  ``changed``
    names the first difference of those that differ.
    """

    same: Mapping[str, bool | None]
    changed: Mapping[str, str]

    @classmethod
    def of(
        cls,
        baseline: Sequence[Run],
        variants: Mapping[str, Sequence[Run]],
        *,
        usual_status: int,
        secrets: Sequence[str] = (),
    ) -> Outputs:
        """Compare stdout, but for words in which the plain runs differ among themselves, durations and addresses."""
        ended = [run for run in baseline if run.death is None]
        usual = [_printed(run) for run in ended]
        if len({run.exit_status for run in ended}) > 1:  # it fails at times as it is
            return cls(same=dict.fromkeys(variants), changed={})
        if not usual or not is_repeatable(usual):
            usual = []
        is_steady = bool(usual) and not varies(usual)
        same: dict[str, bool | None] = {}
        changed = {}
        for name, runs in variants.items():
            of_variant = [run for run in runs if run.death is None]
            found = next(filter(None, (_difference(usual, run, usual_status) for run in of_variant)), "")
            same[name] = False if found else (True if of_variant and is_steady else None)
            if found:
                changed[name] = redact_text(without(found, secrets))
        return cls(same=same, changed=changed)


def without(text: str, secrets: Sequence[str]) -> str:
    """The text, where these values are not shown."""
    for secret in secrets:
        text = text.replace(secret, "[redacted]")
    return text


def _printed(run: Run) -> list[str]:
    """In the order of the file: times of lines are those of samples."""
    return run.logs.filter(pl.col("stream") == "stdout")["line"].to_list()


def _difference(usual: Sequence[Sequence[str]], run: Run, usual_status: int) -> str:
    if run.exit_status != usual_status:
        return f"it exits with {run.exit_status}, was {usual_status}"
    found = difference(usual, _printed(run)) if usual else None
    return str(found) if found else ""
