"""How does memory grow: a leak, in proportion to the input, in steps, up to a plateau, or not at all?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from diagtools import frames
from diagtools.analyse.growth_curve import Curve, curve_by_item, curve_by_time
from diagtools.analyse.growth_models import GrowthClass
from diagtools.analyse.growth_story import evidence_rows, growth_sentence
from diagtools.analyse.growth_verdict import Judgement, judged
from diagtools.values import Finding, Validity

By = Literal["item", "time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Which class of growth, with the evidence for and against each, and how many bytes a unit.

    ``bytes_per_unit`` with its 95 % interval is of the fitted growth a ``unit`` (``item``, ``s`` or a feature's name,
    of its running maximum where ``of_maximum``); null where nothing grows evenly.  ``rise_bytes`` is what the fitted
    class adds up to, null where nothing could be fitted; ``warm_up_bytes`` what the first item, or the first
    moments, added before.  ``levels_from`` says who read the levels: ``markers``, ``samples`` or ``markers and
    samples``.  ``evidence`` is GROWTH_EVIDENCE, ``curve`` GROWTH_CURVE.  ``ledger_confirms``: did a ledger find what
    grew free inside an allocator (null: none was asked)?
    """

    growth_class: GrowthClass
    sentence: str
    by: By
    n_points: int
    rise_bytes: float | None
    warm_up_bytes: float | None
    bytes_per_unit: float | None
    low_bytes_per_unit: float | None
    high_bytes_per_unit: float | None
    unit: str
    of_maximum: bool
    levels_from: str
    evidence: pl.DataFrame = field(compare=False, repr=False)
    curve: pl.DataFrame = field(compare=False, repr=False)
    ledger_confirms: bool | None = None
    validity: tuple[Validity, ...] = ()


def growth(recorded: pl.DataFrame, *, by: By = "item", ledger_confirms: bool | None = None) -> Growth:
    """How does memory grow with the items, or with time, and what speaks for and against it?

    ``recorded`` is ITEMS for ``by="item"``, TREE for ``by="time"``.  What the first item (the first twentieth of the
    time) adds is warm-up and stands apart.  ``inconclusive`` are: fewer than 20 items; a warm-up that is most of the
    growth, with nothing after it; growth of items of which no feature that varies is known, where it could be in
    proportion to the input as well as a leak or outliers; items that add very different amounts, unexplained;
    growth that slows down and does not end; and shapes of which none fits, or none clearly best.
    Raises ``DamagedError`` for a frame of another shape.
    """
    is_by_item = by == "item"
    declared, curve_of = (frames.ITEMS, curve_by_item) if is_by_item else (frames.TREE, curve_by_time)
    curve = curve_of(declared.check(recorded))
    found = judged(curve)
    slope, model = found.slope, found.model
    return Growth(
        growth_class=found.growth_class,
        sentence=growth_sentence(found, curve),
        by=by,
        n_points=curve.n_items,
        rise_bytes=None if model is None else model.rise_bytes,
        warm_up_bytes=curve.warm_up_bytes if curve.levels else None,
        bytes_per_unit=slope.bytes_per_unit if slope else None,
        low_bytes_per_unit=slope.low if slope else None,
        high_bytes_per_unit=slope.high if slope else None,
        unit=slope.unit if slope else curve.unit,
        of_maximum=bool(slope and model and model.of_maximum),
        levels_from=curve.levels_from,
        evidence=frames.GROWTH_EVIDENCE.from_columns(evidence_rows(found, curve)),
        curve=_drawn(curve, found),
        ledger_confirms=ledger_confirms,
        validity=curve.validity,
    )


def growth_findings(found: Growth) -> list[Finding]:
    """What is there to say of how memory grows?  Fragmentation only where a ledger confirms it."""
    is_even = found.bytes_per_unit is not None
    claim = Finding(
        sentence=found.sentence,
        value=found.bytes_per_unit if is_even else found.rise_bytes,
        unit=f"B/{found.unit}" if is_even else "B",
        evidence=found.evidence,
        validity=found.validity,
    )
    grows = found.growth_class not in (GrowthClass.FLAT, GrowthClass.SPIKE)
    if not grows or not found.ledger_confirms:
        return [claim]
    sentence = (
        "The ledger confirms fragmentation: what grew is free inside the allocators and was not given back; "
        "no object holds it."
    )
    return [claim, Finding(sentence=sentence, evidence=found.evidence)]


def growth_json(found: Growth) -> dict[str, Any]:
    """The growth for scripts: what ``show --json`` has as ``growth``."""
    return {
        "class": str(found.growth_class),
        "evidence": found.evidence.rename({"growth_class": "class"}).to_dicts(),
        "sentence": found.sentence,
        "by": found.by,
        "bytes_per_unit": found.bytes_per_unit,
        "low_bytes_per_unit": found.low_bytes_per_unit,
        "high_bytes_per_unit": found.high_bytes_per_unit,
        "unit": found.unit,
        "levels_from": found.levels_from,
        "rise_bytes": None if found.rise_bytes is None else round(found.rise_bytes),
        "warm_up_bytes": None if found.warm_up_bytes is None else round(found.warm_up_bytes),
        "ledger_confirms": found.ledger_confirms,
        "validity": [str(one) for one in found.validity],
    }


def _drawn(curve: Curve, found: Judgement) -> pl.DataFrame:
    fits = found.model is not None and found.growth_class is not GrowthClass.INCONCLUSIVE
    return frames.GROWTH_CURVE.from_columns(
        {
            "at": [*curve.positions],
            "level_bytes": [round(level) for level in curve.levels],
            "source": [*curve.sources],
            "highest_bytes": [
                None if asked is None else round(level + asked)
                for level, asked in zip(curve.levels, curve.asked, strict=True)
            ],
            "fitted_bytes": [round(value) for value in found.model.values]
            if found.model is not None and fits
            else [None] * len(curve.levels),
        }
    )
