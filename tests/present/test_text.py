"""What a terminal shows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from diagtools.present.text import case_summary, run_summary, wants_colour
from diagtools.values import Cause, Death, Ending, Finding, Grade, State, Validity, Verdict

MIB = 2**20
DEATH = Death(
    cause=Cause.WATCHDOG, grade=Grade.PROVEN, evidence=("the watchdog of diagtools ended it at 2.00 GiB",)
)


def summary(**known: object) -> str:
    return run_summary(name="run-7", **known)  # type: ignore[arg-type]


def test_a_killed_run_says_so_first(contributors_of) -> None:
    said = summary(
        argv=("python", "-m", "app", "--token", "s3cr3t"),
        death=DEATH,
        exit_status=137,
        peak_bytes=2048 * MIB,
        limit_bytes=2048 * MIB,
        duration_s=22.0,
        item_in_flight="static/extension.js",
        by_item=contributors_of(*((f"f{n}.py", 90 - n, n) for n in range(9))),
        by_folder=contributors_of(("static", 90, 9)),
        unattributed_bytes=3 * MIB,
        last_log_lines=["Function 'k' too large, using fixed chunking"],
        findings=[Finding(sentence="Generated files asked for 97 %.")],
        validity=[
            Validity(what="timeline", state=State.TRUNCATED, note="cut"),
            Validity(what="x", state=State.COMPLETE),
        ],
    )
    lines = said.splitlines()
    assert lines[:2] == ["run-7", "$ python -m app --token '[redacted]'"]
    assert lines[3] == "Killed by the watchdog in extension.js (proven)"
    for part in (
        "peak         2.00 GiB (100 % of the limit)",
        "in flight    static/extension.js",
        "evidence     • the watchdog of diagtools ended it at 2.00 GiB",
        "  and 4 more",
        "Growth while no item was in flight: 3.00 MiB",
        "  | Function 'k' too large, using fixed chunking",
        "  • Generated files asked for 97 %.",
        "  • timeline: truncated (cut)",
    ):
        assert part in said
    assert "x: complete" not in said


def test_what_follows_stands_before_the_tables(contributors_of) -> None:
    said = summary(
        exit_status=0,
        by_item=contributors_of(("a.py", 9, 9)),
        last_log_lines=["bye"],
        findings=[Finding(sentence="It is a cache.")],
    )
    headings = ("exit status", "Findings", "Who asked for memory", "Last log lines")
    places = [said.index(heading) for heading in headings]
    assert places == sorted(places)


def test_memory_given_back_outside_the_items_is_no_negative_growth(contributors_of) -> None:
    said = summary(by_item=contributors_of(("a.py", 9, 9)), unattributed_bytes=-260 * MIB)
    assert "Given back while no item was in flight: 260 MiB" in said


def test_other_ends_have_other_words() -> None:
    assert "\nFinished\n" in summary(exit_status=0)
    assert "\nFailed with exit status 3\n" in summary(exit_status=3)
    assert "\nThe recording ended before the program did\n" in summary()
    assert "\nEnded, its exit status was not seen\n" in summary(ending=Ending.ENDED)
    assert "\nThe recording was stopped, the program went on\n" in summary(ending=Ending.WENT_ON)
    assert "\nFinished\n" in summary(exit_status=0, ending=Ending.ENDED)


def test_nothing_known_is_said_to_be_unknown() -> None:
    said = summary()
    assert "peak         not measured" in said
    assert "lasted       not known" in said
    assert "limit        none" in said


def test_a_peak_that_counts_shared_memory_n_times_is_not_compared_with_the_limit() -> None:
    shared = [Validity(what="tree", state=State.SHARED_N_TIMES)]
    assert "of the limit" not in summary(peak_bytes=9 * MIB, limit_bytes=3 * MIB, validity=shared)


def test_what_a_target_printed_cannot_steer_the_terminal(hostile) -> None:
    said = summary(
        argv=(hostile,),
        item_in_flight=hostile,
        last_log_lines=["\x1b]0;owned\x07\x1b[2J", "a\tb", "password=hunter2"],
    )
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "hunter2" not in said
    assert "  | a    b" in said


def test_no_line_is_wider_than_a_hundred_columns(contributors_of) -> None:
    said = summary(
        argv=["x" * 300],
        death=Death(cause=Cause.SIGNAL, grade=Grade.PROVEN, evidence=("word " * 90,)),
        item_in_flight="d/" * 90 + "f.py",
        by_item=contributors_of(("deep/" * 60 + "f.py", 1, 1)),
        last_log_lines=["y" * 500],
        findings=[Finding(sentence="long " * 99)],
        validity=[Validity(what="w", state=State.CLAMPED, note="why " * 60)],
    )
    assert max(map(len, said.splitlines())) <= 100


def test_colour_only_where_it_is_asked_for() -> None:
    assert "\x1b[31mKilled by the watchdog (proven)\x1b[0m" in summary(death=DEATH, colour=True)
    assert "\x1b" not in summary(death=DEATH)


@pytest.mark.parametrize(
    ("is_tty", "env", "wanted"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_a_stream_takes_colour(is_tty: bool, env: dict[str, str], wanted: bool) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: is_tty  # type: ignore[method-assign]
    assert wants_colour(stream, env) is wanted


def test_a_case_in_ten_lines(effect_of) -> None:
    said = case_summary(
        question="What kills it?",
        effects=[
            effect_of("the arena hoards memory", Verdict.REFUTED, 2048, 2050),
            effect_of("batches are unbounded", Verdict.CONFIRMED, 2048, 512),
        ],
        findings=[Finding(sentence=f"finding {n} " + "and more " * 20) for n in range(9)],
        paths=[Path("postmortems/case.html")],
    )
    lines = said.splitlines()
    assert len(lines) == 10
    assert max(map(len, lines)) <= 100
    assert (
        lines[1] == "✘ refuted      the arena hoards memory: ≥ 2.00 GiB → ≥ 2.00 GiB, killed in the same item"
    )
    assert lines[2] == "✔ confirmed    batches are unbounded: ≥ 2.00 GiB → 512 MiB, not killed, −75 % or more"
    assert lines[8] == "• and 4 more findings, in the notebook"
    assert lines[9] == "→ postmortems/case.html"


def test_a_case_with_little_to_say_is_shorter() -> None:
    assert case_summary(question="Why?", findings=[Finding(sentence="So.")]).splitlines() == ["Why?", "• So."]
    assert case_summary(question="Why?") == "Why?"


def test_a_secret_in_an_items_name_is_redacted(contributors_of) -> None:
    name = "password=hunter2inname.txt"
    assert "hunter2" not in summary(by_item=contributors_of((name, 9, 9)), item_in_flight=name)
