"""What does a profile, or the difference of two, say in a sentence?"""

import pytest

from diagtools.analyse.profiles.difference import difference
from diagtools.analyse.profiles.story import difference_findings, formatted, profile_findings
from diagtools.profile import Unit, View
from tests.analyse.profiles.made import LOAD, MAIN, READ, profile

MIB = 2**20


def _said(findings):
    return [finding.sentence for finding in findings]


def test_who_asked_for_the_most():
    whole = profile(([MAIN], 3 * MIB), ([MAIN, READ], 38 * MIB), ([LOAD], MIB // 2))
    assert _said(profile_findings(whole, n=3)) == [
        "read_csv in polars/io/csv.py asked for 38.0 MiB, 92 % of the whole.",
        "main in main.py asked for 3.00 MiB, 7.2 % of the whole.",
    ]


def test_what_grew_by_how_much_of_the_change():
    before = profile(([MAIN], 10 * MIB), ([MAIN, READ], 40 * MIB), ([LOAD], 9 * MIB))
    after = profile(([MAIN], 19 * MIB), ([MAIN, READ], 160 * MIB), ([LOAD], 9 * MIB))
    assert _said(difference_findings(difference([before], [after], "function"))) == [
        "The total grew by 129 MiB (59.0 MiB → 188 MiB).",
        "read_csv in polars/io/csv.py grew by 120 MiB (40.0 MiB → 160 MiB), that is 93 % of the change (one run each).",
        "main in main.py grew by 9.00 MiB (10.0 MiB → 19.0 MiB), that is 7.0 % of the change (one run each).",
    ]


def test_a_line_has_its_number_and_what_went_the_other_way_is_not_the_cause():
    before, after = profile(([MAIN], 10), ([READ], 90)), profile(([MAIN], 40), ([READ], 20))
    assert _said(difference_findings(difference([before] * 3, [after] * 3))) == [
        "The total shrank by 40 B (100 B → 60 B).",
        "read_csv in polars/io/csv.py:123 shrank by 70 B (90 B → 20 B) (certain, 3 + 3 runs).",
    ]


def test_noise_is_not_told_of():
    before = [profile(([MAIN], size)) for size in (10, 12, 30)]
    after = [profile(([MAIN], size)) for size in (11, 13, 29)]
    assert _said(difference_findings(difference(before, after))) == ["The total grew by 1 B (12 B → 13 B)."]


def test_places_of_two_programs_are_not_compared():
    other = profile(([("other", "/opt/other.py", 1)], 10))
    (only,) = difference_findings(difference([profile(([MAIN], 10))], [other]))
    assert only.sentence == (
        "The total is the same before and after: 10 B. "
        "The two sides have only 0% of their places in common: hardly one program."
    )


def test_what_moved_between_places_is_told_where_the_total_stayed():
    before, after = profile(([MAIN], 10), ([LOAD], 90)), profile(([MAIN], 90), ([LOAD], 10))
    assert _said(difference_findings(difference([before], [after]), n=1)) == [
        "The total is the same before and after: 100 B.",
        "load in data/load.py:20 shrank by 80 B (90 B → 10 B) (one run each).",
    ]


@pytest.mark.parametrize(
    ("size", "unit", "wanted"),
    [
        (2048, Unit.BYTES, "2.00 KiB"),
        (1_500_000_000, Unit.NS, "1.5 s"),
        (-20_000_000, Unit.NS, "−20 ms"),
        (1200, Unit.SAMPLES, "1,200 samples"),
        (1, Unit.SAMPLES, "1 sample"),
    ],
)
def test_sizes_in_each_unit(size, unit, wanted):
    assert formatted(size, unit) == wanted


def test_nothing_asked_for_says_nothing():
    assert profile_findings(profile(view=View.LEAKED)) == []


def test_time_is_taken_and_samples_are_seen():
    timed = profile(([MAIN], 1_500_000_000), unit=Unit.NS, view=View.CPU)
    assert _said(profile_findings(timed)) == ["main in main.py took 1.5 s, 100 % of the whole."]
    sampled = profile(([MAIN], 20), unit=Unit.SAMPLES, view=View.CPU)
    assert _said(profile_findings(sampled)) == [
        "main in main.py was running in 20 samples, 100 % of the whole."
    ]
