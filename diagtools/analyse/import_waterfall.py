"""When was each module imported, and how did the memory rise meanwhile?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from diagtools import frames
from diagtools.analyse.imports import PROGRAM
from diagtools.analyse.reduce import reduce_timeline

_LEAST_SHARE = 0.005
#: So many of the dearest modules are kept in any case: a program may have nothing but small ones.
_AT_LEAST = 8
_NS = 1e9


@dataclass(slots=True, kw_only=True)
class _Span:
    """When one import ran; ``depth`` is the row it is drawn in."""

    module: str
    tid: int
    begin_ns: int
    end_ns: int
    depth: int = 0
    is_within: bool = False  # the same module was really executed within this import


def import_waterfall(
    events: pl.DataFrame, imports: pl.DataFrame, *, least_share: float = _LEAST_SHARE
) -> pl.DataFrame:
    """From when to when was each module imported, and by whom?

    ``events`` is IMPORT_EVENTS, ``imports`` the IMPORTS of the same events; the result is IMPORT_WATERFALL in order of
    begin, the program first.  Kept is what took ``least_share`` of the whole time or memory with all it imported, and
    the few that took most themselves.  No two bars of a row overlap, and those of one thread stand within the one that
    imported them.
    """
    if events.is_empty() or imports.is_empty():
        return frames.IMPORT_WATERFALL.empty()
    start_ns, end_ns = events["t_ns"][0], events["t_ns"][-1]
    program = _Span(module=PROGRAM, tid=0, begin_ns=start_ns, end_ns=end_ns)
    spans = [program, *(span for span in _spans(events) if not span.is_within)]
    times = pl.DataFrame({"module": [span.module for span in spans], "span": range(len(spans))})
    costs = _numbered(times).join(_numbered(imports), on=["module", "nth"], maintain_order="left")
    kept = {row["span"]: row for row in costs.filter(_is_worth(costs, least_share)).iter_rows(named=True)}
    _stack([span for number, span in enumerate(spans) if number in kept and number])
    rows = sorted(kept, key=lambda number: (spans[number].depth > 0, spans[number].begin_ns, number))
    own = ("self_wall_s", "total_wall_s", "self_anon_bytes", "total_anon_bytes", "status")
    return frames.IMPORT_WATERFALL.from_columns(
        {
            "module": [spans[number].module for number in rows],
            "package": [spans[number].module.partition(".")[0] for number in rows],
            "depth": [spans[number].depth for number in rows],
            "begin_s": [(spans[number].begin_ns - start_ns) / _NS for number in rows],
            "end_s": [(spans[number].end_ns - start_ns) / _NS for number in rows],
            **{name: [kept[number][name] for number in rows] for name in own},
        }
    )


def import_staircase(events: pl.DataFrame, *, n_buckets: int = 900) -> pl.DataFrame:
    """How did the anonymous memory rise over the imports?

    ``events`` is IMPORT_EVENTS; the result is IMPORT_STAIRCASE, at most two real rows for each of ``n_buckets`` pixels:
    the lowest and the highest, so that the peak survives.
    """
    since = events.select(
        t_s=(pl.col("t_ns") - pl.col("t_ns").first()) / _NS,
        anon_bytes=pl.col("anon_bytes") - pl.col("anon_bytes").first(),
    )
    return frames.IMPORT_STAIRCASE.check(reduce_timeline(since, n_buckets=n_buckets, value="anon_bytes"))


def _spans(events: pl.DataFrame) -> list[_Span]:
    """One span an import, in order of events; one that waited for its package begins when that was there."""
    last_ns = events["t_ns"][-1]
    stacks: dict[int, list[_Span]] = defaultdict(list)
    spans = []
    for kind, t_ns, tid, name in events.select("kind", "t_ns", "tid", "name").iter_rows():
        stack = stacks[tid]
        if kind == "begin":
            for outer in stack:
                outer.is_within = outer.is_within or outer.module == name
            stack.append(_Span(module=name, tid=tid, begin_ns=t_ns, end_ns=last_ns))
            spans.append(stack[-1])
        elif kind in ("end", "fail") and stack:
            ended = stack.pop()
            ended.end_ns = t_ns
            if stack and stack[-1].module.startswith(f"{ended.module}."):
                stack[-1].begin_ns = t_ns
    return spans


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """The n-th import of the same module: one that failed may be tried again."""
    return frame.with_columns(nth=pl.int_range(pl.len()).over("module"))


def _is_worth(costs: pl.DataFrame, least_share: float) -> pl.Series:
    whole = costs.row(0, named=True)  # the program
    worth = pl.col("module") == PROGRAM
    for measure in ("wall_s", "anon_bytes"):
        share = pl.col(f"total_{measure}") >= least_share * max(whole[f"total_{measure}"], 0)
        worth |= share & (pl.col(f"total_{measure}") > 0)
        worth |= pl.col(f"self_{measure}").rank("ordinal", descending=True) <= _AT_LEAST
    return costs.select(worth=worth)["worth"]


def _stack(spans: Iterable[_Span]) -> None:
    """Each span into the first free row below the open ones of its thread."""
    is_open: list[_Span] = []
    for span in sorted(spans, key=lambda one: (one.begin_ns, -one.end_ns)):
        is_open = [other for other in is_open if other.end_ns > span.begin_ns]
        span.depth = 1 + max((other.depth for other in is_open if other.tid == span.tid), default=0)
        taken = {other.depth for other in is_open}
        while span.depth in taken:
            span.depth += 1
        is_open.append(span)
