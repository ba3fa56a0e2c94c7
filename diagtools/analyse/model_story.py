"""What do the ways of loading a model say, in sentences whose every number comes from their frames?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from diagtools.analyse.model_answers import SAME
from diagtools.analyse.model_figures import Figure, per_input_bytes
from diagtools.units import format_bytes, format_seconds, format_share
from diagtools.values import Finding

_MATTERS = 0.05  # of the larger one: less is not told as a difference
_LEAST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The median of one figure of one way over its rounds, and its range."""

    way: str
    value: float
    low: float
    high: float
    n_rounds: int

    def is_below(self, other: Span) -> bool:
        """Is it less by an amount that matters, in every round?"""
        return self.high < other.low and other.value - self.value > _MATTERS * abs(other.value)


class Spreads:
    """Looks figures up in MODEL_SPREADS."""

    def __init__(self, spreads: pl.DataFrame) -> None:
        self.frame = spreads
        self._known = {
            (row["way"], row["figure"]): Span(
                way=row["way"],
                value=row["value"],
                low=row["low_value"],
                high=row["high_value"],
                n_rounds=row["n_rounds"],
            )
            for row in spreads.iter_rows(named=True)
        }
        self.ways = spreads["way"].unique(maintain_order=True).to_list()

    def get(self, way: str, figure: Figure) -> Span | None:
        """This figure of this way; null where it was not measured."""
        return self._known.get((way, figure))

    def ranked(self, figure: Figure) -> list[Span]:
        """All ways that have this figure, the lowest first."""
        found = [span for way in self.ways if (span := self.get(way, figure)) is not None]
        return sorted(found, key=lambda span: span.value)


def model_findings(spreads: pl.DataFrame, batches: pl.DataFrame, answers: pl.DataFrame) -> list[Finding]:
    """What the ways of loading say: memory, copies, time, a second load, what comes back, sharing, batches, answers.

    The frames are MODEL_SPREADS, MODEL_BATCHES and MODEL_ANSWERS.
    """
    known = Spreads(spreads)
    return [
        *_steady(known),
        *_copies(known),
        *_ready(known),
        *_second(known),
        *_given_back(known),
        *_shared(known),
        *_forked(known),
        *_activation(batches),
        *_kept(batches),
        *_answers(answers),
    ]


def loading_headline(spreads: pl.DataFrame) -> str:
    """The main thing about memory while loading, short enough for the title of a chart."""
    ranked = Spreads(spreads).ranked(Figure.PEAK_BYTES)
    if not ranked:
        return "Nothing was measured while the model was loaded"
    least, most = ranked[0], ranked[-1]
    if len(ranked) == 1:
        return f"Loading '{most.way}' takes up to {format_bytes(most.value)}"
    if not least.is_below(most):
        return f"All ways take about as much while they load: up to {format_bytes(most.value)}"
    return (
        f"Loading '{most.way}' takes up to {format_bytes(most.value)}, "
        f"{most.value / least.value:.1f} times as much as '{least.way}'"
    )


def batch_headline(batches: pl.DataFrame) -> str:
    """How much a further input of a batch asks for."""
    slopes = per_input_bytes(batches)
    if not slopes:
        return "No way was run with batches"
    low, high = min(slopes.values()), max(slopes.values())
    if high - low <= _MATTERS * high:
        return f"Each further input of a batch asks for {format_bytes(high)}"
    most = max(slopes, key=lambda way: slopes[way])
    whose = f", most with '{most}'" if _is_clear(batches, most) else ""
    return f"Each further input of a batch asks for {format_bytes(low)} to {format_bytes(high)}{whose}"


def _is_clear(batches: pl.DataFrame, most: str) -> bool:
    """Did the largest batch of this way ask for more than that of every other one, in every round?"""
    tops = batches.sort("n_inputs").group_by("way", maintain_order=True).last()
    of_most, others = tops.filter(pl.col("way") == most), tops.filter(pl.col("way") != most)
    return others.filter(pl.col("high_bytes") >= of_most["low_bytes"][0]).is_empty()


def sharing_headline(spreads: pl.DataFrame) -> str:
    """Which way adds least for a second process that loads for itself?"""
    ranked = Spreads(spreads).ranked(Figure.APART_ADDED_BYTES)
    if not ranked:
        return "No two processes were looked at"
    least, most = ranked[0], ranked[-1]
    if len(ranked) == 1 or not least.is_below(most):
        return f"A second process that loads for itself adds about {format_bytes(most.value)}"
    return (
        f"A second process that loads for itself adds {format_bytes(most.value)} with '{most.way}', "
        f"{format_bytes(least.value)} with '{least.way}'"
    )


# --- the sentences -----------------------------------------------------------------------------------


def _steady(known: Spreads) -> Iterator[Finding]:
    ranked = known.ranked(Figure.ANON_BYTES)
    if not ranked:
        return
    least, most = ranked[0], ranked[-1]
    rss = known.get(least.way, Figure.STEADY_BYTES)
    whole = "" if rss is None else f" of its {format_bytes(rss.value)} RSS"
    if len(ranked) == 1 or not least.is_below(most):
        sentence = (
            f"'{least.way}' has {_told(least)}{whole} for itself once it has answered; the rest is pages of "
        )
        sentence += "files."
    else:
        sentence = (
            f"'{least.way}' has least memory for itself once it has answered: {_told(least)}{whole}, the rest is pages "
            f"of files; '{most.way}' has most: {_told(most)}."
        )
    yield _finding(known, sentence, least.value)


def _copies(known: Spreads) -> Iterator[Finding]:
    ranked = known.ranked(Figure.COPIES)
    if ranked:
        most = ranked[-1]
        rest = known.get(most.way, Figure.TRANSIENT_BYTES)
        gone = (
            f"; {_told(rest)} of that is gone once it has answered, and a limit must have room for it"
            if rest is not None and rest.value >= _LEAST_BYTES
            else ""
        )
        yield _finding(
            known,
            f"While '{most.way}' is loaded, memory rises by {most.value:.1f} times the size of the model{gone}.",
            most.value,
            "copies",
        )
    if len(ranked) > 1 and ranked[0].is_below(ranked[-1]):
        yield _finding(
            known,
            f"With '{ranked[0].way}' it rises by {ranked[0].value:.1f} times that size.",
            ranked[0].value,
            "copies",
        )


def _ready(known: Spreads) -> Iterator[Finding]:
    ranked = known.ranked(Figure.READY_S)
    if not ranked:
        return
    first, last = ranked[0], ranked[-1]
    if len(ranked) > 1 and first.is_below(last):
        sentence = (
            f"'{first.way}' has its first answer after {_told_s(first)}, '{last.way}' after {_told_s(last)}."
        )
    else:
        sentence = f"From the first import to the first answer: {_told_s(first)} with '{first.way}'" + (
            f", {_told_s(last)} with '{last.way}'; the runs do not tell them apart."
            if len(ranked) > 1
            else "."
        )
    yield _finding(known, sentence, first.value, "s")
    imports = [
        (span, ready)
        for span in known.ranked(Figure.IMPORT_S)
        if (ready := known.get(span.way, Figure.READY_S)) and span.value >= ready.value / 2
    ]
    if imports:
        span, ready = imports[-1]
        yield _finding(
            known,
            f"Of the {format_seconds(ready.value)} of '{span.way}', {format_seconds(span.value)} is importing.",
            span.value,
            "s",
        )


def _second(known: Spreads) -> Iterator[Finding]:
    ranked = known.ranked(Figure.SECOND_BYTES)
    if not ranked:
        return
    most, least = ranked[-1], ranked[0]
    first = known.get(most.way, Figure.LOADED_BYTES)
    beside = f", after {format_bytes(first.value)} for the first" if first is not None else ""
    sentence = f"Loaded a second time in the same process, '{most.way}' takes {_told(most)} more{beside}"
    if len(ranked) > 1 and least.is_below(most):
        sentence += f"; '{least.way}' takes {_told(least)} more"
    yield _finding(known, sentence + ": load once and pass it on.", most.value)


def _given_back(known: Spreads) -> Iterator[Finding]:
    """Of the way for which malloc_trim gives most back, or without it of the one that leaves most."""
    left = known.ranked(Figure.LEFT_BYTES)
    if not left:
        return
    trimmed = known.ranked(Figure.TRIMMED_BYTES)
    if left[-1].value < _LEAST_BYTES:
        sentence = "After the model is let go and collected, every way gives its memory back."
        yield _finding(known, sentence, left[-1].value)
        return
    is_kept = bool(trimmed) and trimmed[-1].value >= _LEAST_BYTES
    most = known.get(trimmed[-1].way, Figure.LEFT_BYTES) if is_kept else left[-1]
    if most is None:
        return
    sentence = (
        f"After both models of '{most.way}' are let go and collected, {_told(most)} more than before the load is still "
        "there"
    )
    if is_kept:
        sentence += (
            f"; malloc_trim gives {format_bytes(trimmed[-1].value)} back, which the C library had kept"
        )
    yield _finding(known, sentence + ".", most.value)


def _shared(known: Spreads) -> Iterator[Finding]:
    ranked = known.ranked(Figure.APART_ADDED_BYTES)
    if not ranked:
        return
    least, most = ranked[0], ranked[-1]
    sentence = f"A second process that loads for itself adds {_told(most)} with '{most.way}'"
    if len(ranked) > 1 and least.is_below(most):
        sentence += f", and {_told(least)} with '{least.way}'"
    yield _finding(known, sentence + " (each page counted once).", least.value)


def _forked(known: Spreads) -> Iterator[Finding]:
    """The way for which loading before the fork saves most."""
    pairs = [
        (fork, apart)
        for fork in known.ranked(Figure.FORK_TOGETHER_BYTES)
        if (apart := known.get(fork.way, Figure.APART_TOGETHER_BYTES)) is not None
    ]
    saving = [(fork, apart) for fork, apart in pairs if fork.is_below(apart)]
    if saving:
        fork, apart = max(saving, key=lambda pair: pair[1].value - pair[0].value)
        share = (apart.value - fork.value) / apart.value
        yield _finding(
            known,
            f"Two processes of '{fork.way}' take {_told(apart)} together where each loads after the fork, and "
            f"{_told(fork)} where the fork comes after the load: {format_share(share)} less.",
            apart.value - fork.value,
        )
    elif pairs:
        yield _finding(
            known,
            "Whether the fork comes before or after the load makes no difference that the runs show.",
            0,
        )


def _activation(batches: pl.DataFrame) -> Iterator[Finding]:
    slopes = per_input_bytes(batches)
    if not slopes:
        return
    most = max(slopes, key=lambda way: slopes[way])
    top = batches.filter(pl.col("way") == most).sort("n_inputs").row(-1, named=True)
    span = Span(
        way=most,
        value=top["activation_bytes"],
        low=top["low_bytes"],
        high=top["high_bytes"],
        n_rounds=top["n_rounds"],
    )
    yield Finding(
        sentence=f"Each further input of a batch asks for {format_bytes(slopes[most])} with '{most}': "
        f"{_told(span)} above a single input for {top['n_inputs']} of them.",
        value=slopes[most],
        unit="B",
        evidence=batches,
    )


def _kept(batches: pl.DataFrame) -> Iterator[Finding]:
    """What of that is still there after the inference?"""
    if batches.is_empty():
        return
    largest = batches.sort("n_inputs").group_by("way", maintain_order=True).last()
    rows = [row for row in largest.to_dicts() if row["activation_bytes"] >= _LEAST_BYTES]
    shares = sorted(rows, key=lambda row: row["kept_bytes"] / row["activation_bytes"])
    if not shares:
        return
    sentence = f"After the largest batch {_kept_words(shares[-1])}"
    if len(shares) > 1 and shares[0]["kept_bytes"] < shares[-1]["kept_bytes"] * (1 - _MATTERS):
        sentence += f"; {_kept_words(shares[0])}"
    yield Finding(sentence=sentence + ".", value=shares[-1]["kept_bytes"], unit="B", evidence=batches)


def _kept_words(row: dict[str, Any]) -> str:
    share = max(0.0, row["kept_bytes"] / row["activation_bytes"])
    return f"'{row['way']}' keeps {format_share(share)} of it ({format_bytes(max(0, row['kept_bytes']))})"


def _answers(answers: pl.DataFrame) -> Iterator[Finding]:
    known = answers.filter(pl.col("largest_difference").is_not_null())
    if known.height < 2:  # the reference alone
        return
    reference = known["way"][0]
    others = known.slice(1)
    same = others.filter(pl.col("largest_difference") <= SAME)
    if not same.is_empty():
        whose = (
            "All other ways answer"
            if same.height == others.height > 1
            else f"{_listed(same['way'].to_list())} answer"
        )
        if same.height == 1:
            whose += "s"
        yield Finding(
            sentence=f"{whose} as '{reference}' does: no number differs by more than "
            f"{max(same['largest_difference']):.1e}.",
            evidence=answers,
        )
    for row in others.filter(pl.col("largest_difference") > SAME).iter_rows(named=True):
        cosine = row["least_cosine"]
        alike = "" if cosine is None else f", and the least cosine of two answers is {cosine:.3f}"
        yield Finding(
            sentence=f"'{row['way']}' does not answer as '{reference}' does: numbers differ by up to "
            f"{row['largest_difference']:.2g}{alike}.",
            value=cosine,
            evidence=answers,
        )


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _told(span: Span) -> str:
    return _with_range(span, format_bytes)


def _told_s(span: Span) -> str:
    return _with_range(span, format_seconds)


def _with_range(span: Span, words: Any) -> str:
    low, high = words(span.low), words(span.high)
    return str(words(span.value)) + (f" ({low} to {high})" if span.n_rounds > 1 and low != high else "")


def _finding(known: Spreads, sentence: str, value: float, unit: str = "B") -> Finding:
    return Finding(sentence=sentence, value=value, unit=unit, evidence=known.frame)
