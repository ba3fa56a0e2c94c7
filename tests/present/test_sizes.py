"""Sizes in their unit, in Python and in Vega."""

from __future__ import annotations

from xml.etree import ElementTree

import altair as alt
import polars as pl
import pytest
import vl_convert

from diagtools.present.sizes import (
    fitting_step,
    share_expression,
    share_text,
    signed_expression,
    signed_text,
    size_expression,
    size_text,
)
from diagtools.profile import Unit

SIZES = (0, 1, 2, 999, 1000, 1023, 1024, 5000, 10_239, 102_400, 1_047_000, 2**20, 3 * 2**30, 5 * 10**9)


def in_vega(*expressions: str) -> list[str]:
    """What Vega makes of these expressions, each on its own."""
    data = pl.DataFrame({"at": list(range(len(expressions)))})
    choice = "".join(f"datum.at == {at} ? {one} : " for at, one in enumerate(expressions))
    chart = (
        alt.Chart(data)
        .transform_calculate(said=f"{choice}''")
        .mark_text()
        .encode(text="said:N", y=alt.Y("at:O", axis=None))
    )
    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[]))
    texts = [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]
    return texts[: len(expressions)]


@pytest.mark.parametrize(
    ("size", "unit", "wanted"),
    [
        (3 * 2**20, Unit.BYTES, "3.00 MiB"),
        (350, Unit.NS, "350 ns"),
        (12_345, Unit.NS, "12.3 µs"),
        (999_600, Unit.NS, "1.00 ms"),
        (2_500_000_000, Unit.NS, "2.50 s"),
        (125 * 10**9, Unit.NS, "2 min 05 s"),
        (-3_000, Unit.NS, "−3.00 µs"),
        (1, Unit.SAMPLES, "1 sample"),
        (1204, Unit.SAMPLES, "1,204 samples"),
    ],
)
def test_a_size_as_a_person_reads_it(size, unit, wanted) -> None:
    assert size_text(size, unit) == wanted


def test_a_change_has_a_sign() -> None:
    assert [signed_text(size, "samples") for size in (3, 0, -1)] == ["+3 samples", "±0 samples", "−1 sample"]


@pytest.mark.parametrize("unit", list(Unit))
def test_vega_says_the_same(unit) -> None:
    assert in_vega(*(size_expression(str(size), unit) for size in SIZES)) == [
        size_text(size, unit) for size in SIZES
    ]


def test_vega_says_the_same_of_changes_and_shares() -> None:
    changes = [-5000, 0, 7]
    assert in_vega(*(signed_expression(f"({size})", Unit.BYTES) for size in changes)) == [
        signed_text(size, Unit.BYTES) for size in changes
    ]
    parts = [0, 12, 160_000, 1_000_000]
    assert in_vega(*(share_expression(str(part), 10**6) for part in parts)) == [
        "0 %",
        "0.0012 %",
        "16 %",
        "100 %",
    ]
    assert [share_text(part, 10**6) for part in parts] == ["0 %", "0.0012 %", "16 %", "100 %"]


def test_the_unit_that_fits() -> None:
    assert [fitting_step(size, Unit.BYTES).name for size in (5, 5000, 2**25, 2**35)] == [
        "B",
        "KiB",
        "MiB",
        "GiB",
    ]
