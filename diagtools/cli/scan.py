"""``diagtools scan``: what is in a corpus, what indexing it would cost, and which files would break a budget."""

from __future__ import annotations

import argparse
import json
import sys
import time

from diagtools.errors import BudgetBreached, DiagtoolsError, NoDataError, UsageError
from diagtools.investigations.scan import CorpusScan, scan
from diagtools.units import format_bytes

_EVERY_S = 0.5


def run(chosen: argparse.Namespace) -> int:
    """Prints what the folder holds; ``--png`` draws it too, and a breached budget is an error."""
    if chosen.png is not None and chosen.png.suffix.lower() != ".png":  # before a scan of minutes
        raise UsageError(f"'{chosen.png}' is not the name of a PNG.", hint="--png corpus.png")
    with _Meter() as meter:
        found = scan(
            chosen.folder,
            learn=chosen.learn,
            check=chosen.check,
            base=chosen.base,
            chunk_cost=chosen.chunk_cost,
            budget=chosen.budget,
            chunk_chars=chosen.chunk_chars,
            with_ignored=chosen.ignored,
            out=chosen.out,
            progress=meter.show,
        )
    if chosen.png is not None:
        from diagtools.investigations.pictures import draw

        draw(found.chart(), chosen.png)
    breach = _breach(found)
    if chosen.json:
        print(json.dumps(found.as_json() | {"breach": breach and _texts(breach)}))
        return breach.exit_status if breach else 0
    print(found.as_text())
    sys.stdout.flush()
    if breach:
        raise breach
    return 0


def _breach(found: CorpusScan) -> DiagtoolsError | None:
    """What of the budget was not kept, or could not be judged?"""
    try:
        found.check_budget()
    except (BudgetBreached, NoDataError) as error:
        return error
    return None


def _texts(error: DiagtoolsError) -> dict[str, str | None]:
    return {"kind": error.kind, "message": error.message, "hint": error.hint}


class _Meter:
    """One line on a terminal that says how far the scan is, and goes when it is done; nothing elsewhere."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()
        self._last_s = time.monotonic()

    def show(self, n_files: int, n_bytes: int) -> None:
        """Says it now and then."""
        if self._is_shown and time.monotonic() - self._last_s >= _EVERY_S:
            self._last_s = time.monotonic()
            print(
                f"\r{n_files:,} files, {format_bytes(n_bytes)} …\x1b[K", end="", file=sys.stderr, flush=True
            )

    def __enter__(self) -> _Meter:
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
