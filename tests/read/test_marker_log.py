"""Which lines of ``markers.log`` are whole?  What a run makes of them is in ``test_markers``."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diagtools.read.marker_log import parse_log, text_of
from tests.support.runs import begin, end, escaped


def test_whole_lines_are_markers_in_their_order() -> None:
    log = parse_log(begin(0.0, "a.py", features="size_bytes=3.0") + b"\n" + end(1.0, "a.py", status="failed"))
    assert [(m.edge, m.name, m.status, m.features) for m in log.markers] == [
        ("begin", "a.py", None, (("size_bytes", 3.0),)),
        ("end", "a.py", "failed", ()),
    ]
    assert log.n_damaged == 0


def test_a_torn_line_is_counted_and_costs_no_other() -> None:
    log = parse_log(begin(0.0, "a.py") + begin(0.5, "torn")[:-12] + b"\n" + end(1.0, "a.py"))
    assert ([m.edge for m in log.markers], log.n_damaged) == (["begin", "end"], 1)


def test_nothing_is_no_log_and_no_damage() -> None:
    assert parse_log(b"").n_damaged == 0
    assert parse_log(b"").markers == ()


def test_memory_that_no_machine_has_is_not_known() -> None:
    sizes = (0, 4096, 2**48, 2**48 + 1, 2**63 - 1)
    log = parse_log(b"".join(begin(0.0, "a.py", rss=size) for size in sizes))
    assert [m.rss_bytes for m in log.markers] == [None, 4096, 2**48, None, None]
    assert log.n_damaged == 0


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_is_what_was_written(text: str) -> None:
    assert text_of(escaped(text.encode())) == text
