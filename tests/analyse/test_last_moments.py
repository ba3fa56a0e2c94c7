"""What was known of a run in the moments before it ended?"""

import pytest

from diagtools.analyse.last_moments import last_moments
from diagtools.values import Enforcer, Limit

MIB = 2**20


def _moments(build, *, status=137, events=(), limit=None, tree=(), system=(), kernel_log=()):
    return last_moments(
        exit_status=status,
        events=build.events(*events),
        limit=limit,
        tree=build.tree(*tree),
        system=build.system(*system),
        kernel_log=kernel_log,
        end_s=10.0,
    )


@pytest.mark.parametrize(
    ("status", "signal", "words"),
    [
        (None, None, "nobody saw the exit status"),
        (1, None, "exit status 1"),
        (137, 9, "exit status 137: ended by SIGKILL"),
        (255, None, "exit status 255"),
    ],
)
def test_an_exit_status_is_a_signal_where_it_can_be_one(build, status, signal, words):
    moments = _moments(build, status=status)
    assert (moments.signal, moments.ending()) == (signal, words)


def test_the_highest_and_the_lowest_of_the_last_half_second(build):
    system = [
        {"t_s": t, "cgroup_bytes": c, "available_bytes": a}
        for t, c, a in ((9.0, 9, 1), (9.6, 7, 6), (9.8, 5, 8))
    ]
    moments = _moments(build, tree=[(9.0, 99), (9.5, 30), (9.9, 10)], system=system)
    assert (moments.used_bytes, moments.cgroup_bytes, moments.available_bytes) == (30, 7, 6)


def test_the_end_is_when_the_watchdog_struck_or_the_sampler_saw_it(build):
    assert _moments(build).t_s == 10.0
    assert _moments(build, events=[(9.0, "ended", 137)]).t_s == 9.0
    assert _moments(build, events=[(9.0, "ended", 137), (8.0, "watchdog", 5)]).t_s == 8.0


def test_a_sample_after_the_end_has_no_age(build):
    assert _moments(build, tree=[(10.2, 5)]).last_sample_age_s == 0.0


def test_signals_are_told_in_order_and_the_kernels_lines_redacted(build):
    moments = _moments(
        build,
        events=[(5.0, "signal", 15), (4.0, "signal", 2)],
        kernel_log=["Killed process 7 (/home/joe/x) ", "eth0 up"],
    )
    assert [sent.signal for sent in moments.forwarded] == [2, 15]
    assert moments.kernel_lines == ("Killed process 7 (~/x)",)


def test_a_cgroup_limit_compares_the_cgroups_usage(build):
    limit = Limit(memory_bytes=100, enforcer=Enforcer.CGROUP)
    near = {"tree": [(9.9, 40)], "system": [{"t_s": 9.9, "cgroup_bytes": 90}]}
    assert _moments(build, limit=limit, **near).nearest_bytes == 90
    assert _moments(build, limit=Limit(memory_bytes=100), **near).nearest_bytes == 40


def test_the_tree_is_sampled_more_often_than_its_cgroup(build):
    limit = Limit(memory_bytes=100, enforcer=Enforcer.CGROUP)
    late = {"tree": [(9.9, 96)], "system": [{"t_s": 9.8, "cgroup_bytes": 60}]}
    assert _moments(build, limit=limit, **late).nearest_bytes == 96
