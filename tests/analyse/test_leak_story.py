"""What a counter says in a clause."""

from __future__ import annotations

import pytest

from diagtools.analyse.leak_courses import Course
from diagtools.analyse.leak_story import per_call_words, told
from diagtools.analyse.leaks import RULES


def test_the_figures_of_a_rise() -> None:
    said = told("c_bytes", Course.RISING, 112.0, 2 << 20, 3 << 20, 5600)
    assert said == "what malloc has handed out rises by 112 B a call (2.00 MiB → 3.00 MiB in 5,600 calls)"


@pytest.mark.parametrize("counter", RULES)
@pytest.mark.parametrize("course", [one for one in Course if one is not Course.UNKNOWN])
def test_every_counter_has_words_for_every_course(counter: str, course: Course) -> None:
    said = told(counter, course, 1.0, 10, 20, 100)
    assert said.startswith(("what ", "the number", "address space", "private memory"))


def test_counts_are_no_bytes() -> None:
    assert per_call_words("n_blocks", 1.0) == "1.00 a call"
    assert per_call_words("n_blocks", 1234.5) == "1,234 a call"
    assert per_call_words("c_bytes", 2048) == "2.00 KiB a call"
