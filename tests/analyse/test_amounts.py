"""How is a value of a metric written?"""

import pytest

from diagtools.analyse.amounts import amount, plain

MIB = 2**20


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        ("peak_rss_bytes", 412 * MIB, "412 MiB"),
        ("kept_bytes", -3 * MIB, "−3.00 MiB"),
        ("duration_s", 1.94, "1.9 s"),
        ("call_s", 0.00025, "0.25 ms"),
        ("duration_s", 0.0, "0 ms"),
        ("miss_share", 0.35, "35 %"),
        ("n_rows", 1271, "1,271"),
        ("score", -0.25, "−0.25"),
    ],
)
def test_the_name_says_the_unit(metric, value, said):
    assert amount(metric, value) == said


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("peak_rss_bytes", "peak RSS"),
        ("duration_s", "duration"),
        ("kept_bytes", "kept"),
        ("n_rows", "n rows"),
        ("kept:load_bytes", "memory kept by 'load'"),
        ("printed:rows", "'rows'"),
        ("printed:size_bytes", "'size'"),
    ],
)
def test_a_metric_has_a_name_for_sentences(metric, said):
    assert plain(metric) == said
