"""What rises and what flattens, drawn."""

from __future__ import annotations

import pytest

from diagtools.analyse.leaks import leak_verdict
from diagtools.errors import NoDataError
from diagtools.frames import LEAK_READINGS
from diagtools.present.charts.leaks import leak_chart
from tests.support.leak_runs import log, rising

CURVES = {
    "leak": {"python": rising(64), "blocks": rising(1)},
    "clean": {},
    "filling": {"c": lambda n: 300 * min(n, 1500)},
    "mapped": {"mapped": rising(8192), "rss": rising(8192)},
    "cleared": {"c": lambda n: 300 * n if n < 2800 else 10**6, "clearing": True},
}


@pytest.mark.parametrize("name", CURVES)
def test_every_course_is_drawn_under_the_verdict(name: str, drawn, title_of) -> None:
    made = log(**CURVES[name])
    chart = leak_chart(made, leak_verdict(made), target="app:handle")
    drawn(chart)
    assert title_of(chart).startswith("app:handle ")


def test_each_panel_says_what_its_counter_does(words) -> None:
    made = log(**CURVES["leak"])
    said = " ".join(words(leak_chart(made, leak_verdict(made), target="app:handle")))
    assert "rising: 64 B a call" in said
    assert "rising: 1.00 a call" in said
    assert "malloc: bytes in use" in said
    assert "other address space" not in said  # it is level


def test_where_caches_were_being_cleared_is_said_and_tinted(words, rows_of) -> None:
    made = log(**CURVES["cleared"])
    chart = leak_chart(made, leak_verdict(made), target="app:handle")
    assert "tinted: caches with a limit were being cleared" in " ".join(words(chart))
    assert any(row.get("until") == 5600 for row in rows_of(chart))


def test_nothing_to_draw() -> None:
    made = log(readings=LEAK_READINGS.empty(), n_calls=0)
    with pytest.raises(NoDataError, match="nothing was counted"):
        leak_chart(made, leak_verdict(made), target="app:handle")
