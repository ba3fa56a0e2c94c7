"""Under which memory limit did a run stand, by what its recorder noted?"""

import pytest

from diagtools.analyse.limits import limit_noted
from diagtools.values import Enforcer, Limit


@pytest.mark.parametrize(
    ("number", "enforcer"), [(0, Enforcer.WATCHDOG), (1, Enforcer.CGROUP), (2, Enforcer.RLIMIT_AS)]
)
def test_a_noted_cap_names_its_enforcer(build, number, enforcer):
    events = build.events((0.0, "started", 10_000_000), (0.0, "cap", 400, number), (1.0, "ended", 137))
    assert limit_noted(events) == Limit(memory_bytes=400, enforcer=enforcer)


@pytest.mark.parametrize("cap", [(), (None, 0), (0, 0), (400, None), (400, 3), (400, -1)])
def test_what_was_not_noted_is_no_limit(build, cap):
    assert limit_noted(build.events((0.0, "started"), *([(0.0, "cap", *cap)] if cap else []))) is None


def test_without_events_there_is_no_limit(build):
    assert limit_noted(build.events()) is None
