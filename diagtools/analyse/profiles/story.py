"""What does a profile, or the difference of two, say in a sentence?"""

from __future__ import annotations

from typing import Any

import polars as pl

from diagtools.analyse.profiles.certainty import ONE_RUN_EACH, WITHIN_NOISE
from diagtools.analyse.profiles.difference import Difference
from diagtools.analyse.profiles.sites import sites
from diagtools.profile import Profile, Unit
from diagtools.redact import redact_text
from diagtools.units import format_bytes, format_seconds, format_share
from diagtools.values import Finding

_WORTH_SAYING = 0.05  # of the whole, or of the change
_TOOK = {Unit.BYTES: "asked for", Unit.NS: "took", Unit.SAMPLES: "was running in"}


def profile_findings(profile: Profile, *, n: int = 2) -> list[Finding]:
    """Which functions asked for, or took, the most?  A sentence each, the largest first."""
    rows = sites(profile, "function").filter(pl.col("share") >= _WORTH_SAYING).head(n)
    return [
        Finding(
            sentence=f"{_place(row)} {_TOOK[profile.unit]} {formatted(row['self_size'], profile.unit)}, "
            f"{format_share(row['share'])} of the whole.",
            value=row["self_size"],
            unit=str(profile.unit),
            evidence=rows,
            validity=profile.validity,
        )
        for row in rows.to_dicts()
    ]


def difference_findings(difference: Difference, *, n: int = 2) -> list[Finding]:
    """What grew or shrank, where, and how sure is it?  The change of the total, then the largest changes in its sense.

    A sentence names a share of the change only where the place moved the way the total did.  Changes within the noise
    of the repeats are not told of.
    """
    findings = [_total(difference)]
    if not difference.is_one_program:
        return findings
    rows = difference.frame.filter(pl.col("certainty") != WITHIN_NOISE)
    if difference.delta:
        share = pl.col("delta_size") / difference.delta
        rows = rows.filter(share >= _WORTH_SAYING)
    return [*findings, *(_change(row, difference) for row in rows.head(n).to_dicts())]


def formatted(size: int, unit: Unit) -> str:
    """How does a person read this size?"""
    if unit is Unit.BYTES:
        return format_bytes(size)
    if unit is Unit.NS:
        return f"{'−' if size < 0 else ''}{format_seconds(abs(size) / 1e9)}"
    return f"{size:,} sample{'' if abs(size) == 1 else 's'}"


def _total(difference: Difference) -> Finding:
    before, after = (
        formatted(size, difference.unit) for size in (difference.before_total, difference.after_total)
    )
    by = formatted(abs(difference.delta), difference.unit)
    said = (
        f"The total {_verb(difference.delta)} by {by} ({before} → {after})."
        if difference.delta
        else f"The total is the same before and after: {after}."
    )
    sentence = " ".join([said, *difference.doubts])
    return Finding(
        sentence=sentence,
        value=difference.delta,
        unit=str(difference.unit),
        evidence=difference.frame,
        validity=difference.validity,
    )


def _change(row: dict[str, Any], difference: Difference) -> Finding:
    unit = difference.unit
    before, after = formatted(row["before_size"], unit), formatted(row["after_size"], unit)
    share = row["delta_size"] / difference.delta if difference.delta else None
    of_change = f", that is {format_share(share)} of the change" if share is not None and share <= 1 else ""
    sure = row["certainty"]
    how_sure = (
        "one run each"
        if sure == ONE_RUN_EACH
        else f"{sure}, {difference.n_before} + {difference.n_after} runs"
    )
    return Finding(
        sentence=f"{_place(row)} {_verb(row['delta_size'])} by {formatted(abs(row['delta_size']), unit)} "
        f"({before} → {after}){of_change} ({how_sure}).",
        value=row["delta_size"],
        unit=str(unit),
        evidence=difference.frame,
        validity=difference.validity,
    )


def _verb(delta: int) -> str:
    return "grew" if delta > 0 else "shrank"


def _place(row: dict[str, Any]) -> str:
    """``read_csv in polars/io/csv.py:123``; the key where it names no function."""
    key, function = row["key"], row["function"]
    path = key.removesuffix(f" {function}") if function else key
    return redact_text(f"{function} in {path}" if function and path != key else key)
