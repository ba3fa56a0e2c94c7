"""Profiles as tables and words: places, callers, allocators, and what two captures differ in.

Shown alike in a terminal and in a notebook.  Paths are named from their package on, secrets are redacted, every name
is on one line.  Source lines are shown only where they are handed in: nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from diagtools.present import tables
from diagtools.present.names import printable, shortened
from diagtools.present.sizes import share_text, signed_text, size_text
from diagtools.present.tables import Column, Table
from diagtools.present.wording import count
from diagtools.profile import Profile, Unit, View
from diagtools.redact import redact_text
from diagtools.values import Validity

_NAME, _SOURCE = 52, 60

#: How sure a change is, in words that say what was seen.
CERTAINTIES: Mapping[str, str] = {
    "certain": "certain: beyond what the runs differ among themselves",
    "likely": "likely: most of the runs show it",
    "within noise": "within noise: the runs of one side differ as much",
    "one run each": "one run each: not known whether another would show it",
}
#: Source lines by file and line, as a frame names them.
Sources = Mapping[tuple[str, int], str]


def sites_table(
    sites: pl.DataFrame, *, n: int = 20, title: str | None = None, sources: Sources | None = None
) -> Table:
    """Which places held how much?

    ``sites`` is SITES.  What a place asked for itself, its share of the whole, and what it held with all it called;
    a total that is not known is ``—``.  With ``sources`` each line of code stands beside its place.
    """
    unit = _unit(sites)
    shown = sites.with_columns(code=_code(sites, "line", sources)) if sources is not None else sites
    columns = {
        "key": _place(),
        "self_size": _size("itself", unit),
        "share": tables.share("share"),
        "total_size": _size("with calls", unit),
        "self_n": tables.count(_counted(unit)),
        **({"code": _source()} if sources is not None else {}),
    }
    return Table(shown, columns, title=title, n=n)


def calls_table(calls: pl.DataFrame, *, n: int = 20, title: str | None = None) -> Table:
    """Who called a place, what did it call, and how much passed between the two?  ``calls`` is CALLS."""
    unit = _unit(calls)
    columns = {
        "side": tables.text("", n_characters=12),
        "key": _place(),
        "size": _size("size", unit),
        "n_allocations": tables.count(_counted(unit)),
    }
    return Table(calls, columns, title=title, n=n)


def allocators_table(allocators: pl.DataFrame, *, n: int = 20, title: str | None = None) -> Table:
    """Which allocators handed out how much?

    ``allocators`` is ALLOCATORS.  Mappings are called that: what of one nobody touched takes no memory.
    """
    unit = _unit(allocators)
    named = pl.when(pl.col("is_mapping")).then(pl.format("{} (mapping)", "allocator")).otherwise("allocator")
    columns = {
        "allocator": Column(
            heading="allocator", words=lambda name: printable(name) or "not known", is_number=False
        ),
        "size": _size("size", unit),
        "share": tables.share("share"),
        "n_allocations": tables.count(_counted(unit)),
    }
    return Table(allocators.with_columns(allocator=named), columns, title=title, n=n)


def difference_table(
    difference: pl.DataFrame,
    *,
    before_total: int | None = None,
    after_total: int | None = None,
    n: int = 20,
    title: str | None = None,
    sources: Sources | None = None,
) -> Table:
    """Which places grew or shrank, the largest change first, and how sure is that?

    ``difference`` is DIFFERENCE; places without a change are counted below.  ``sources`` are the lines of the capture
    after, or before where a place is gone.
    """
    unit = _unit(difference)
    changed = _changed(difference)
    if sources is not None:
        line = pl.when(pl.col("line_after") > 0).then("line_after").otherwise("line_before")
        changed = changed.with_columns(code=_code(changed.with_columns(line=line), "line", sources))
    columns = {
        "key": _place(),
        "before_size": _size("before", unit),
        "after_size": _size("after", unit),
        "delta_size": Column(heading="change", words=lambda size: signed_text(size, unit)),
        "certainty": tables.text("how sure", n_characters=16),
        **({"code": _source()} if sources is not None else {}),
    }
    said = title or difference_words(difference, before_total=before_total, after_total=after_total)
    alike = difference.height - changed.height
    note = f"{count(alike, 'place')} unchanged" if alike else None
    return Table(changed, columns, title=said, note=note, n=n)


def difference_words(
    difference: pl.DataFrame, *, before_total: int | None = None, after_total: int | None = None
) -> str:
    """How much did the whole change, and which place most, in one sentence?

    DIFFERENCE has only the places that changed: without the totals of both sides nothing is said of them.
    """
    unit, delta = _unit(difference), int(difference["delta_size"].sum())
    whole = f"{signed_text(delta, unit)} altogether"
    if before_total is not None and after_total is not None:
        both = f"{size_text(before_total, unit)} before, {size_text(after_total, unit)} after"
        whole = f"{both} ({signed_text(after_total - before_total, unit)})"
    changed = _changed(difference)
    if changed.is_empty():
        return f"{whole}; no place changed"
    most = changed.row(0, named=True)
    moved = "grew" if most["delta_size"] > 0 else "shrank"
    change = f"{signed_text(most['delta_size'], unit)} ({most['certainty']})"
    return f"{whole}; {shown_place(most['key'])} {moved} most: {change}"


def certainty_words(certainty: str) -> str:
    """What does this certainty mean, in a sentence?  Any other word is itself."""
    return CERTAINTIES.get(certainty, printable(certainty))


def compare_json(
    difference: pl.DataFrame,
    *,
    before_total: int | None = None,
    after_total: int | None = None,
    validity: Sequence[Validity] = (),
    unit: str | None = None,
) -> dict[str, Any]:
    """What did two captures differ in, in the shape of the contract in DESIGN?

    ``difference`` is DIFFERENCE; places that did not change are left out, the largest change stands first.  Where the
    captures count no bytes, the keys end in the unit they count (``before_ns``).  A total that is not given is null:
    DIFFERENCE has only the places that changed, which do not sum to it.
    """
    unit = unit or _unit(difference)
    return {
        "unit": unit,
        f"before_{unit}": before_total,
        f"after_{unit}": after_total,
        f"delta_{unit}": int(difference["delta_size"].sum()),
        "sites": [_site(row, unit) for row in _changed(difference).iter_rows(named=True)],
        "validity": _validity(validity),
    }


def _site(row: dict[str, Any], unit: str) -> dict[str, Any]:
    return {
        "function": _said(row["function"]),
        "file": _said(row["file"]),
        "line": row["line_after"] or row["line_before"] or None,
        "line_before": row["line_before"] or None,
        "line_after": row["line_after"] or None,
        "module": _said(row["module"]),
        "package": _said(row["package"]),
        f"before_{unit}": row["before_size"],
        f"after_{unit}": row["after_size"],
        f"delta_{unit}": row["delta_size"],
        f"low_{unit}": row["low_size"],
        f"high_{unit}": row["high_size"],
        "certainty": row["certainty"],
    }


def profile_json(profile: Profile, sites: pl.DataFrame) -> dict[str, Any]:
    """What does a profile say, for scripts?  ``sites`` is SITES by line; keys end in the unit: ``compare_json``."""
    unit = str(profile.unit)
    return {
        "name": shown_place(profile.name),
        "source": str(profile.source),
        "view": str(profile.view),
        "unit": unit,
        f"total_{unit}": profile.total,
        "sites": [
            {
                "function": _said(row["function"]),
                "file": _said(row["file"]),
                "line": row["line"] or None,
                "module": _said(row["module"]),
                "package": _said(row["package"]),
                "origin": row["origin"],
                f"self_{unit}": row["self_size"],
                f"total_{unit}": row["total_size"],
                "n": row["self_n"],
                "share": row["share"],
            }
            for row in sites.iter_rows(named=True)
        ],
        "validity": _validity(profile.validity),
    }


def _validity(validity: Sequence[Validity]) -> list[dict[str, str]]:
    return [{"what": one.what, "state": str(one.state), "note": redact_text(one.note)} for one in validity]


def profile_words(profile: Profile, sites: pl.DataFrame | None = None) -> str:
    """What does a profile say altogether, in one sentence?  With SITES, also which place held most itself."""
    view = f"{profile.view}, {profile.source}"
    n_processes = profile.allocations["pid"].drop_nulls().n_unique()
    if profile.view is View.PEAK and n_processes > 1:
        view = f"the peaks of {n_processes} processes, each at its own time, summed; {profile.source}"
    whole = f"{shown_place(profile.name)}: {size_text(profile.total, profile.unit)} ({view})"
    if sites is None or sites.is_empty():
        return whole
    most = sites.sort("self_size", "key", descending=[True, False]).row(0, named=True)
    share = share_text(most["self_size"], profile.total)
    return (
        f"{whole}; most in {shown_place(most['key'])}: {size_text(most['self_size'], profile.unit)}, {share}"
    )


def shown_place(key: str) -> str:
    """A place or a name as it is shown: one line, no secret, packages from their own folder on, folders left out."""
    return _fitted(printable(redact_text(key)), _NAME)


def _fitted(key: str, n_characters: int) -> str:
    """``path:line function`` in so many characters: folders in the middle go first, the function's end last."""
    path, space, function = key.partition(" ")
    if len(key) <= n_characters or not space or "/" not in path:
        return shortened(key, n_characters)
    function = shortened(function, max(n_characters // 2, n_characters - len(path) - 1))
    return f"{shortened(path, max(n_characters - len(function) - 1, 8))} {function}"


def _place() -> Column:
    return Column(heading="place", words=shown_place, is_number=False)


def _size(heading: str, unit: str) -> Column:
    return Column(heading=heading, words=lambda size: size_text(size, unit))


def _source() -> Column:
    return tables.text("code", n_characters=_SOURCE)


def _counted(unit: str) -> str:
    return {Unit.BYTES.value: "allocations", Unit.NS.value: "calls"}.get(unit, "records")


def _unit(frame: pl.DataFrame) -> str:
    return str(frame["unit"][0]) if frame.height else Unit.BYTES.value


def _code(frame: pl.DataFrame, line: str, sources: Sources) -> pl.Series:
    rows = frame.select("file", line).iter_rows()
    return pl.Series("code", [_source_line(sources, file, number) for file, number in rows], dtype=pl.String)


def _source_line(sources: Sources, file: str | None, line: int | None) -> str | None:
    text = sources.get((file, line)) if file is not None and line is not None else None
    return None if text is None else text.strip()


def _ranked(difference: pl.DataFrame) -> pl.DataFrame:
    return difference.sort(pl.col("delta_size").abs(), "key", descending=[True, False])


def _changed(difference: pl.DataFrame) -> pl.DataFrame:
    return _ranked(difference.filter((pl.col("delta_size") != 0) | (pl.col("before_n") != pl.col("after_n"))))


def _said(text: str | None) -> str | None:
    return None if text is None else printable(redact_text(text))
