"""Why did a run end before its time, and how sure is that?"""

import pytest

from diagtools.analyse.death import death
from diagtools.values import Cause, Enforcer, Grade, Limit

MIB = 2**20
GIB = 2**30
TRACEBACK = [(9.9, "Traceback (most recent call last):"), (9.9, '  File "a.py", line 1, in <module>')]
ENDED = [(10.0, "closed")]


class Case:
    """The arguments of a death with what the test names changed; the last sample is 10 ms old."""

    def __init__(self, build):
        self.build = build

    def __call__(
        self,
        status,
        *,
        used=500 * MIB,
        limit=2 * GIB,
        enforcer=Enforcer.WATCHDOG,
        last_s=9.99,
        events=ENDED,
        system=(),
        logs=(),
        kernel_log=(),
    ):
        return death(
            exit_status=status,
            events=self.build.events(*events),
            limit=None if limit is None else Limit(memory_bytes=limit, enforcer=enforcer),
            tree=self.build.tree((0.0, MIB), (last_s, used)) if used is not None else self.build.tree(),
            system=self.build.system(*({"t_s": last_s, **row} for row in system)),
            logs=self.build.logs(*logs),
            kernel_log=kernel_log,
            end_s=10.0,
        )


@pytest.fixture
def die(build):
    return Case(build)


def _says(found, cause, grade, *texts):
    assert (found.cause, found.grade) == (cause, grade)
    for text in texts:
        assert any(text in line for line in found.evidence), found.evidence


# --- ends that are no deaths -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 2, 127, 200, 255])
def test_a_plain_exit_is_no_death(die, status):
    assert die(status) is None


def test_an_exit_with_another_exception_is_no_death(die):
    assert die(1, logs=[*TRACEBACK, (9.9, "ValueError: no")]) is None


def test_a_clean_end_after_a_signal_is_no_death(die):
    assert die(0, events=[(9.0, "signal", 15), *ENDED]) is None


def test_a_clean_end_is_no_death_whatever_the_counters_say(die):
    assert (
        die(0, events=[(5.0, "oom_kill", 1), *ENDED], kernel_log=["Out of memory: Killed process 7"]) is None
    )


def test_a_recording_that_was_stopped_is_no_death(die):
    assert die(None, events=[(0.0, "attached"), (9.0, "stopped"), *ENDED]) is None


def test_an_attached_process_that_went_away_without_a_sign_is_no_death(die):
    assert die(None, events=[(0.0, "attached"), *ENDED]) is None


# --- proven ------------------------------------------------------------------------------------------


def test_the_watchdog_is_proven_and_never_called_the_kernel(die):
    found = die(
        137, used=2 * GIB + MIB, events=[(9.5, "watchdog", 2 * GIB + 5 * MIB), (10.0, "ended", 137), *ENDED]
    )
    _says(found, Cause.WATCHDOG, Grade.PROVEN, "ended it at 2.00 GiB, 5.00 MiB above the limit of 2.00 GiB")
    assert "not the kernel" in found.evidence[0]
    assert found.t_s == 9.5
    assert found.last_sample_age_s == 0.0


def test_the_watchdog_comes_before_every_other_sign(die):
    events = [(9.5, "watchdog", 3 * GIB), (9.6, "oom_kill", 1), (9.0, "signal", 2), *ENDED]
    assert die(137, used=2 * GIB, events=events).cause is Cause.WATCHDOG


def test_a_race_with_the_watchdog_is_still_its_kill(die):
    _says(die(0, events=[(9.5, "watchdog", 3 * GIB), *ENDED]), Cause.WATCHDOG, Grade.PROVEN, "exit status 0")


@pytest.mark.parametrize("status", [137, 1])
def test_a_counter_that_rose_proves_the_cgroup(die, status):
    found = die(status, enforcer=Enforcer.CGROUP, events=[(9.9, "oom_kill", 2), *ENDED])
    _says(found, Cause.CGROUP_OOM, Grade.PROVEN, "2 OOM kills", f"exit status {status}")


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("Out of memory: Killed process 4711 (python) total-vm:9kB", Cause.KERNEL_OOM),
        ("Memory cgroup out of memory: Killed process 4711 (python)", Cause.CGROUP_OOM),
        ("oom-kill:constraint=CONSTRAINT_MEMCG,task=python,pid=4711", Cause.CGROUP_OOM),
        ("oom-kill:constraint=CONSTRAINT_NONE,task=python,pid=4711", Cause.KERNEL_OOM),
    ],
)
def test_the_kernels_log_proves_who_killed(die, line, cause):
    _says(die(137, kernel_log=[line]), cause, Grade.PROVEN, f"kernel log: {line}")


def test_other_lines_of_the_kernel_prove_nothing(die):
    assert die(137, kernel_log=["python[4711]: segfault at 0"]).grade is Grade.UNKNOWN


@pytest.mark.parametrize(("status", "name"), [(130, "SIGINT"), (143, "SIGTERM"), (129, "SIGHUP")])
def test_a_forwarded_signal_is_proven(die, status, name):
    found = die(status, used=2 * GIB, events=[(8.0, "signal", status - 128), *ENDED])
    _says(found, Cause.SIGNAL, Grade.PROVEN, f"{name} was forwarded by the recorder", "2.0 s before the end")


@pytest.mark.parametrize("status", [143, 137])
def test_a_lost_recorder_explains_the_end_of_the_target(die, status):
    found = die(None, used=2 * GIB, events=[(9.0, "recorder_died"), (10.0, "ended", status), *ENDED])
    _says(found, Cause.SIGNAL, Grade.PROVEN, "the recorder itself was gone", f"exit status {status}")


def test_a_target_that_ended_by_itself_after_its_recorder_was_lost(die):
    found = die(None, events=[(9.0, "recorder_died"), (10.0, "ended", 3), *ENDED])
    _says(found, Cause.SIGNAL, Grade.LIKELY, "exit status 3")


def test_a_memory_error_under_an_address_space_limit_is_proven(die):
    found = die(1, enforcer=Enforcer.RLIMIT_AS, logs=[*TRACEBACK, (9.9, "MemoryError")])
    _says(found, Cause.MEMORY_ERROR, Grade.PROVEN, "the last exception: MemoryError", "RLIMIT_AS")


# --- likely ------------------------------------------------------------------------------------------


def test_a_sigkill_near_the_cgroups_limit_is_likely_the_cgroup(die):
    found = die(137, used=GIB, enforcer=Enforcer.CGROUP, system=[{"cgroup_bytes": int(1.96 * GIB)}])
    _says(found, Cause.CGROUP_OOM, Grade.LIKELY, "98 % of the limit of 2.00 GiB", "10 ms old")


def test_without_the_cgroups_usage_that_of_the_tree_counts(die):
    assert die(137, used=int(1.96 * GIB), enforcer=Enforcer.CGROUP).cause is Cause.CGROUP_OOM


@pytest.mark.parametrize(("share", "cause"), [(0.949, Cause.UNKNOWN), (0.951, Cause.CGROUP_OOM)])
def test_near_begins_at_95_percent(die, share, cause):
    assert die(137, used=int(share * 2 * GIB), enforcer=Enforcer.CGROUP).cause is cause


def test_the_watchdog_is_likely_only_where_its_recording_was_cut(die):
    _says(die(137, used=2 * GIB, events=[]), Cause.WATCHDOG, Grade.LIKELY, "the recording was cut")
    closed = die(137, used=2 * GIB)
    _says(closed, Cause.UNKNOWN, Grade.UNKNOWN, "137 is not OOM", "nothing that enforces this limit")


def test_usage_counts_the_highest_of_the_last_half_second(die, build):
    """A dying process gives its memory back piece by piece."""
    found = death(
        exit_status=137,
        events=build.events(*ENDED),
        limit=Limit(memory_bytes=2 * GIB, enforcer=Enforcer.CGROUP),
        tree=build.tree((9.0, GIB), (9.8, 2 * GIB), (9.99, 300 * MIB)),
        system=build.system(),
        logs=build.logs(),
        kernel_log=[],
        end_s=10.0,
    )
    assert found.cause is Cause.CGROUP_OOM


def test_a_stale_sample_says_nothing_of_the_end(die):
    found = die(137, used=2 * GIB, enforcer=Enforcer.CGROUP, last_s=7.0)
    _says(found, Cause.UNKNOWN, Grade.UNKNOWN, "the last sample is 3.0 s old", "is not known")
    assert found.last_sample_age_s == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("available", "used", "cause"),
    [
        (60 * MIB, 900 * MIB, Cause.KERNEL_OOM),
        (60 * MIB, 100 * MIB, Cause.UNKNOWN),  # too small to be the one the kernel picks
        (500 * MIB, 9000 * MIB, Cause.UNKNOWN),
    ],
)
def test_a_machine_out_of_memory_likely_killed_a_large_tree(die, available, used, cause):
    found = die(137, limit=None, used=used, system=[{"available_bytes": available}])
    grade = Grade.LIKELY if cause is Cause.KERNEL_OOM else Grade.UNKNOWN
    _says(found, cause, grade, f"{available // MIB}")


def test_a_memory_error_at_the_end_is_likely(die):
    line = "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8.00 GiB"
    _says(die(1, logs=[*TRACEBACK, (9.9, line)]), Cause.MEMORY_ERROR, Grade.LIKELY, line)


@pytest.mark.parametrize("enforcer", [Enforcer.WATCHDOG, Enforcer.RLIMIT_AS])
def test_what_was_raised_from_a_memory_error_is_likely(die, enforcer):
    link = (9.9, "The above exception was the direct cause of the following exception:")
    logs = [*TRACEBACK, (9.9, "MemoryError"), link, *TRACEBACK, (9.9, "RuntimeError: no batch")]
    found = die(1, enforcer=enforcer, logs=logs)
    _says(found, Cause.MEMORY_ERROR, Grade.LIKELY, "RuntimeError: no batch", "raised from: MemoryError")


def test_a_full_graphics_card_is_no_death_for_memory(die):
    assert die(1, logs=[*TRACEBACK, (9.9, "torch.OutOfMemoryError: CUDA out of memory.")]) is None


@pytest.mark.parametrize(
    "line", ["  what():  std::bad_alloc", "memory allocation of 8589934592 bytes failed"]
)
def test_native_code_that_aborts_for_want_of_memory_is_likely(die, line):
    _says(die(134, logs=[(9.9, line)]), Cause.MEMORY_ERROR, Grade.LIKELY, line.strip(), "SIGABRT")


def test_an_exit_after_a_forwarded_signal_is_likely_due_to_it(die):
    found = die(2, events=[(9.0, "signal", 2), *ENDED])
    _says(found, Cause.SIGNAL, Grade.LIKELY, "SIGINT was forwarded", "ended by itself")


# --- the signal is all that is known -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "name", "not_known"),
    [
        (139, "SIGSEGV", "native code"),
        (143, "SIGTERM", "an operator, a scheduler or a timeout"),
        (134, "SIGABRT", "gave up"),
        (135, "SIGBUS", "mapped file"),
        (130, "SIGINT", "who sent it is not known"),
    ],
)
def test_another_signal_is_proven_and_its_reason_is_not(die, status, name, not_known):
    _says(die(status), Cause.SIGNAL, Grade.PROVEN, f"{name} ended it", not_known)


def test_a_crash_under_an_address_space_limit_says_so(die):
    _says(die(139, enforcer=Enforcer.RLIMIT_AS), Cause.SIGNAL, Grade.PROVEN, "address space was limited")


def test_137_alone_is_not_oom(die):
    found = die(137, limit=None, system=[{"available_bytes": 3 * GIB}])
    _says(found, Cause.UNKNOWN, Grade.UNKNOWN, "137 is not OOM", "3.00 GiB available", "no limit was set")


def test_a_signal_forwarded_before_a_sigkill_is_told(die):
    found = die(137, events=[(7.0, "signal", 15), *ENDED])
    _says(found, Cause.UNKNOWN, Grade.UNKNOWN, "SIGTERM forwarded by the recorder 3.0 s before the end")


# --- little is known ---------------------------------------------------------------------------------


def test_without_an_exit_status_the_cause_is_unknown(die):
    found = die(None, events=[], logs=[*TRACEBACK, (9.9, "ValueError: token=abc")])
    _says(
        found,
        Cause.UNKNOWN,
        Grade.UNKNOWN,
        "the recording has no end",
        "nobody saw the exit status",
        "500 MiB",
    )
    assert "the last exception: ValueError: token=[redacted]" in found.evidence


def test_the_samplers_note_stands_in_for_a_missing_exit_status(die):
    assert die(None, events=[(9.9, "ended", 0), *ENDED]) is None
    _says(die(None, events=[(9.9, "ended", 139), *ENDED]), Cause.SIGNAL, Grade.PROVEN, "SIGSEGV")


def test_a_target_that_died_before_its_first_sample(die):
    found = die(139, used=None)
    _says(found, Cause.SIGNAL, Grade.PROVEN, "there is no sample")
    assert found.last_sample_age_s is None
