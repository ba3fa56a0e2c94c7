"""Does a variant of a command print what the command prints as it is?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from diagtools.analyse.outputs import difference, is_repeatable
from diagtools.redact import redact_text
from diagtools.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """``same`` says of each variant whether its output and exit status are those of the command as it is.

    Null where that cannot be told: it was killed, or runs of the command itself print another number of lines each
    time.  ``changed`` names the first difference of those that differ.
    """

    same: Mapping[str, bool | None]
    changed: Mapping[str, str]

    @classmethod
    def of(
        cls, baseline: Sequence[Run], variants: Mapping[str, Sequence[Run]], *, usual_status: int
    ) -> Outputs:
        """Compare stdout, but for words in which the plain runs differ among themselves, durations and addresses."""
        usual = [_printed(run) for run in baseline if run.death is None]
        if not usual or not is_repeatable(usual):
            usual = []
        same: dict[str, bool | None] = {}
        changed = {}
        for name, runs in variants.items():
            ended = [run for run in runs if run.death is None]
            found = next(filter(None, (_difference(usual, run, usual_status) for run in ended)), "")
            same[name] = not found if ended and (usual or found) else None
            if found:
                changed[name] = redact_text(found)
        return cls(same=same, changed=changed)


def _printed(run: Run) -> list[str]:
    """In the order of the file: times of lines are those of samples."""
    return run.logs.filter(pl.col("stream") == "stdout")["line"].to_list()


def _difference(usual: Sequence[Sequence[str]], run: Run, usual_status: int) -> str:
    if run.exit_status != usual_status:
        return f"it exits with {run.exit_status}, was {usual_status}"
    found = difference(usual, _printed(run)) if usual else None
    return str(found) if found else ""
