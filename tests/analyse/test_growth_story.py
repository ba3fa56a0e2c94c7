"""What speaks for each class of growth and against it?"""

from __future__ import annotations

import pytest

from diagtools.analyse.growth import growth
from diagtools.analyse.growth_story import slope_text
from diagtools.analyse.growth_verdict import Slope
from tests.support.growth_series import CLASSES, made

KIB = 1024.0


@pytest.mark.parametrize(
    ("slope", "text"),
    [
        (Slope(bytes_per_unit=84 * KIB, low=82 * KIB, high=86 * KIB, unit="item"), "84.0 ± 2.00 KiB an item"),
        (
            Slope(bytes_per_unit=2048 * KIB, low=2047 * KIB, high=2049 * KIB, unit="s"),
            "2.00 MiB ± 1.00 KiB a second",
        ),
        (
            Slope(bytes_per_unit=8.0, low=7.0, high=9.0, unit="size_bytes"),
            "8.00 ± 1.00 KiB a KiB of size_bytes",
        ),
        (Slope(bytes_per_unit=KIB, low=0.0, high=2 * KIB, unit="chunks"), "1.00 ± 1.00 KiB a unit of chunks"),
    ],
)
def test_a_slope_is_said_with_its_interval_and_its_unit(slope: Slope, text: str) -> None:
    assert slope_text(slope) == text


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ("flat", "Memory does not grow with items"),
        ("leak", "Memory leaks: "),
        ("step", "and is level otherwise: "),
        ("outliers", "made memory grow by"),
        ("plateau", "and came to a plateau"),
        ("spike", "more than is usual and gave it back at item"),
        ("feature-proportional", "Memory grows with the"),
    ],
)
def test_each_class_has_its_sentence(truth: str, words: str) -> None:
    assert words in growth(made(truth, 600_010).items).sentence


@pytest.mark.parametrize("truth", CLASSES)
def test_what_was_found_has_something_for_it_and_every_other_something_against_it(truth: str) -> None:
    found = growth(made(truth, 600_011).items)
    rows = {row["growth_class"]: row for row in found.evidence.to_dicts()}
    assert rows[str(found.growth_class)]["for"]
    others = [row for name, row in rows.items() if name != str(found.growth_class)]
    assert all(row["against"] or row["growth_class"] == "flat" for row in others)


def test_secrets_in_names_are_not_told() -> None:
    items = made("step", 600_010).items
    found = growth(items.with_columns(item=items["item"] + "?token=ghp_0123456789abcdefghijABCDEFGHIJ012345"))
    assert "ghp_" not in found.sentence + str(found.evidence["for"].to_list())
