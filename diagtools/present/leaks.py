"""What came of a leak check, for a terminal and for scripts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from diagtools.analyse.leak_courses import Course
from diagtools.analyse.leaks import Leaking, LeakVerdict
from diagtools.frames import LeakLog
from diagtools.present import tables
from diagtools.present.tables import Table
from diagtools.redact import redact_path, redact_text
from diagtools.units import format_seconds
from diagtools.values import Finding, Validity

_WIDTH = 100
_N_SITES, _N_FRAMES, _N_HOLDERS = 5, 30, 5

_HEADLINES = {
    Leaking.LEAK: "leaks",
    Leaking.CLEAN: "does not leak",
    Leaking.BOUNDED: "does not leak, it fills up to a bound",
    Leaking.INCONCLUSIVE: "could not be judged",
}


def headline(target: str, found: LeakVerdict) -> str:
    """The verdict in one line: ``app:handle leaks 104 B a call``."""
    amount = "" if found.bytes_per_call is None else f" {found.bytes_per_call:,.0f} B a call"
    return f"{target} {_HEADLINES[found.verdict]}{amount}"


def counters_table(counters: pl.DataFrame) -> Table:
    """What did each counter do?  ``counters`` is LEAK_COUNTERS."""
    words = pl.struct("counter", "per_call").map_elements(
        lambda row: _per_call(row["counter"], row["per_call"]), return_dtype=pl.String
    )
    shown = counters.with_columns(
        a_call=words, by=pl.when("is_witness").then(pl.lit("witness")).otherwise(pl.lit(""))
    )
    return Table(
        shown,
        {
            "counter": tables.text("counter"),
            "course": tables.text("what it does"),
            "a_call": tables.Column(heading="a call", words=str),
            "first": tables.count("before"),
            "last": tables.count("after"),
            "by": tables.text(""),
        },
    )


def sites_table(sites: pl.DataFrame, *, n: int = _N_SITES) -> Table:
    """Which lines asked for what was left?  ``sites`` is LEAK_SITES."""
    return Table(
        sites,
        {
            "place": tables.text("asked for at", n_characters=70),
            "function": tables.text("in", n_characters=30),
            "bytes_per_call": tables.Column(heading="B a call", words=lambda value: f"{value:,.1f}"),
            "share": tables.share("share"),
            "n_allocations": tables.count("blocks"),
        },
        n=n,
    )


def leak_holders_table(holders: pl.DataFrame, *, n: int = _N_HOLDERS) -> Table:
    """Who keeps what was left?  ``holders`` is HOLDER_GROWTH."""
    together = pl.concat_list(pl.concat_list("root"), "shared_with").list.join(" + ")
    return Table(
        holders.with_columns(root=together, more_n=pl.col("after_n") - pl.col("before_n")),
        {
            "root": tables.text("kept by", n_characters=60),
            "kind": tables.text("what that is", n_characters=20),
            "delta_bytes": tables.size("more"),
            "more_n": tables.count("objects"),
            "path": tables.text("down to", n_characters=70),
        },
        n=n,
    )


def leak_text(
    target: str,
    log: LeakLog,
    found: LeakVerdict,
    *,
    sites: pl.DataFrame,
    holders: pl.DataFrame,
    unheld: Sequence[Finding] = (),
    validity: Sequence[Validity] = (),
) -> str:
    """The verdict first, then why, what the counters did, who asked for it and who keeps it."""
    parts = [
        f"{headline(target, found)}.",
        _filled(f"{found.reason} {_calls(log, found)}"),
        str(counters_table(found.counters)),
        *_asked(sites, found),
        *_kept(holders, unheld, found),
        *(_filled(f"Note: {one}") for one in validity),
    ]
    return redact_text("\n\n".join(parts))


def leak_json(
    target: str,
    log: LeakLog,
    found: LeakVerdict,
    *,
    sites: pl.DataFrame,
    holders: pl.DataFrame,
    unheld: Sequence[Finding] = (),
    validity: Sequence[Validity] = (),
) -> dict[str, Any]:
    """For scripts, in the shape of the contract in DESIGN; texts are redacted."""
    return {
        "target": redact_text(target),
        "verdict": str(found.verdict),
        "bytes_per_call": found.bytes_per_call,
        "calls": found.n_calls,
        "reason": redact_text(found.reason),
        "is_native": found.is_native,
        "python": log.python,
        "counters": {row["counter"]: _counter_json(row) for row in found.counters.iter_rows(named=True)},
        "caches": found.caches.to_dicts(),
        "sites": [_site_json(row) for row in sites.iter_rows(named=True)],
        "holders": [_holder_json(row) for row in holders.iter_rows(named=True)],
        "unheld": [redact_text(str(one)) for one in unheld],
        "validity": [
            {"what": one.what, "state": str(one.state), "note": redact_text(one.note)} for one in validity
        ],
    }


def _calls(log: LeakLog, found: LeakVerdict) -> str:
    each = "" if log.call_s is None else f", {_duration(log.call_s)} each"
    how = "awaited" if log.is_async else "called"
    return f"It was {how} {found.n_calls:,} times{each}, by Python {log.python}."


def _duration(seconds: float) -> str:
    return format_seconds(seconds) if seconds >= 1e-3 else f"{seconds * 1e6:,.1f} µs"


def _asked(sites: pl.DataFrame, found: LeakVerdict) -> Iterator[str]:
    if sites.is_empty():
        return
    kind = " C code took it, or it grows in place." if found.is_native else ""
    yield f"Who asked for what is left.{kind}\n{sites_table(sites)}"
    stack = sites["stack"][0].to_list()
    more = [f"  … {len(stack) - _N_FRAMES} frames further out"] if len(stack) > _N_FRAMES else []
    frames = [f"  {frame}" for frame in stack[-_N_FRAMES:]]
    yield "\n".join(["The stack of the first, outermost frame first:", *more, *frames])


def _kept(holders: pl.DataFrame, unheld: Sequence[Finding], found: LeakVerdict) -> Iterator[str]:
    if not holders.is_empty():
        yield f"Who keeps more than before.\n{leak_holders_table(holders)}"
    elif found.is_native and not unheld:
        yield "No Python object keeps more than before: C code does."
    yield from (_filled(str(one)) for one in unheld)


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _per_call(counter: str, per_call: float | None) -> str:
    if per_call is None:
        return tables.UNKNOWN
    if counter.endswith("_bytes"):
        return f"{per_call:+,.0f} B"
    return f"{per_call:+,.2f}"


def _counter_json(row: dict[str, Any]) -> dict[str, Any]:
    known = {name: row[name] for name in ("course", "per_call", "first", "last", "is_witness")}
    return {**known, "is_rising": row["course"] == Course.RISING}


def _site_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "file": redact_path(row["file"]),
        "place": redact_text(row["place"]),
        "stack": [redact_text(frame) for frame in row["stack"]],
    }


def _holder_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        **{name: redact_text(row[name]) for name in ("root", "path", "type")},
        "shared_with": [redact_text(name) for name in row["shared_with"]],
    }
