"""Experiments with real commands: interleaving, outcomes, and verdicts that follow the planted cause."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from diagtools.errors import NoDataError, UsageError
from diagtools.investigations.experiment import BASELINE, Experiment, LeftOut, Variant
from diagtools.investigations.record import record
from diagtools.values import Changes, Hypothesis, Limit, Outcome, Patch, Target, Verdict

LIMIT = Limit.parse("200 MB")
PROGRAM = "import sys, time; kept = bytearray(int(sys.argv[1]) << 20); time.sleep(0.1)"


def _target(mebibytes: int) -> Target:
    return Target(argv=(sys.executable, "-c", PROGRAM, str(mebibytes)), limit=LIMIT)


def _experiment(folder: Path, *, as_it_is: int, with_change: int) -> Experiment:
    return Experiment(
        baseline=_target(as_it_is),
        variants=[Variant(name="smaller", change="less memory", target=_target(with_change))],
        hypotheses=[
            Hypothesis(
                name="too large", suspicion="The buffer is too large.", change="shrink it", variant="smaller"
            )
        ],
        folder=folder,
    )


@pytest.mark.parametrize(
    ("as_it_is", "with_change", "verdict"),
    [
        (400, 20, Verdict.CONFIRMED),
        (400, 390, Verdict.REFUTED),
        (120, 40, Verdict.CONFIRMED),
        (60, 60, Verdict.REFUTED),
        (60, 400, Verdict.REFUTED),
    ],
)
def test_verdict_follows_the_planted_cause(
    tmp_path: Path, as_it_is: int, with_change: int, verdict: Verdict
) -> None:
    """Killed and rescued, killed all the same, shrunk, unchanged, made worse."""
    experiment = _experiment(tmp_path, as_it_is=as_it_is, with_change=with_change)
    experiment.run(rounds=2)
    assert [effect.verdict for effect in experiment.effects] == [verdict]


def test_each_round_runs_every_variant_once(tmp_path: Path) -> None:
    """A run already made counts as the first round's baseline; every run has a folder of its own."""
    experiment = _experiment(tmp_path, as_it_is=30, with_change=20)
    experiment.run(rounds=3, known=record(_target(30), folder=tmp_path / "known"))
    by_round = {pair: [t.variant for t in experiment.trials if t.pair == pair] for pair in range(3)}
    assert all(sorted(names) == [BASELINE, "smaller"] for names in by_round.values())
    assert len({trial.run.path for trial in experiment.trials}) == 6
    assert experiment.runs_of(BASELINE)[0].path.name == "known"


def test_a_kill_is_an_outcome(tmp_path: Path) -> None:
    """A killed run has a row of its own, with the limit as a lower bound of its peak."""
    experiment = _experiment(tmp_path, as_it_is=400, with_change=20)
    experiment.run(rounds=1)
    peaks = experiment.pairs.filter(experiment.pairs["metric"] == "peak_rss_bytes")
    rows = {row["variant"]: row for row in peaks.iter_rows(named=True)}
    assert rows[BASELINE]["outcome"] == Outcome.KILLED
    assert rows[BASELINE]["value"] >= LIMIT.memory_bytes
    assert rows["smaller"]["outcome"] == Outcome.FINISHED


def test_a_failing_command_proves_nothing(tmp_path: Path) -> None:
    """A variant that exits with an error is neither finished nor killed: inconclusive."""
    broken = Target(argv=(sys.executable, "-c", "raise SystemExit(3)"), limit=LIMIT)
    experiment = Experiment(
        baseline=_target(400),
        variants=[Variant(name="broken", change="breaks", target=broken)],
        hypotheses=[Hypothesis(name="h", suspicion="S.", change="c", variant="broken")],
        folder=tmp_path,
    )
    experiment.run(rounds=1)
    assert experiment.effects[0].verdict is Verdict.INCONCLUSIVE


def test_no_effects_before_the_first_round(tmp_path: Path) -> None:
    """Asking too early is a clear error."""
    with pytest.raises(NoDataError, match="no runs yet"):
        _ = _experiment(tmp_path, as_it_is=1, with_change=1).effects


def test_the_first_round_is_whole_and_later_ones_fit_the_time(tmp_path: Path) -> None:
    """Without time left, each variant still runs once, and no more."""
    experiment = _experiment(tmp_path, as_it_is=30, with_change=20)
    experiment.run(rounds=3, within_s=0.0)
    assert sorted(trial.variant for trial in experiment.trials) == [BASELINE, "smaller"]
    assert [str(finding) for finding in experiment.rounds_left_out("5 minutes")] == [
        "Round 2 of 3 was not run: it would have taken longer than the 5 minutes given.",
        "Round 3 of 3 was not run: it would have taken longer than the 5 minutes given.",
    ]


def test_a_round_that_is_not_whole_says_what_is_missing(tmp_path: Path) -> None:
    """A short variant may still fit where a long one does not."""
    experiment = _experiment(tmp_path, as_it_is=30, with_change=20)
    experiment.run(rounds=2)
    assert experiment.rounds_left_out("1 minute") == []
    experiment.left_out = [LeftOut(pair=1, variant="smaller")]
    assert str(experiment.rounds_left_out("1 minute")[0]) == (
        "Round 2 of 2 was run for 1 of 2 variants only, without 'smaller': that would have taken longer than the "
        "1 minute given."
    )


def _ab(
    folder: Path, baseline: Target, metrics: tuple[str, ...] = ("peak",), **variants: Target
) -> Experiment:
    """An experiment whose hypotheses are that each variant lowers each metric."""
    return Experiment(
        baseline=baseline,
        variants=[Variant(name=name, change=name, target=target) for name, target in variants.items()],
        metrics=metrics,
        folder=folder,
    )


def _python(code: str, changes: Changes | None = None) -> Target:
    return Target(argv=(sys.executable, "-c", code), changes=changes)


def test_without_hypotheses_each_variant_is_one_by_each_metric(tmp_path: Path) -> None:
    code = "kept = bytearray({} << 20); print('rows =', {}); print('size: {} MB')"
    experiment = _ab(
        tmp_path,
        _python(code.format(80, 8, 80)),
        ("peak", "printed:rows", "printed:size"),
        less=_python(code.format(20, 2, 20)),
    )
    experiment.run(rounds=3)
    found = {effect.hypothesis.metric: effect for effect in experiment.effects}
    assert {metric: effect.verdict for metric, effect in found.items()} == {
        "peak_rss_bytes": Verdict.CONFIRMED,
        "printed:rows": Verdict.CONFIRMED,
        "printed:size_bytes": Verdict.CONFIRMED,
    }
    assert found["printed:size_bytes"].variant_value == 20e6


def test_a_metric_that_the_command_does_not_print_is_an_error_at_once(tmp_path: Path) -> None:
    experiment = _ab(tmp_path, _python("print('lines = 3')"), ("printed:rows",), same=_python("pass"))
    with pytest.raises(NoDataError, match="no number under that name") as raised:
        experiment.run(rounds=3)
    assert raised.value.hint == "it printed lines."
    assert len(experiment.trials) <= 1


def test_a_variant_that_does_not_print_it_is_inconclusive(tmp_path: Path) -> None:
    experiment = _ab(tmp_path, _python("print('rows = 3')"), ("printed:rows",), silent=_python("pass"))
    experiment.run(rounds=2)
    assert [effect.verdict for effect in experiment.effects] == [Verdict.INCONCLUSIVE]


def test_a_patch_that_never_ran_proves_nothing_and_is_tried_once(tmp_path: Path) -> None:
    """Although its runs take less, by their other code."""
    patch = Patch(name="fix.py", code="replace('nowhere:x', 1)")
    less = _python("pass", Changes(patches=(patch,)))
    experiment = _ab(tmp_path, _python("kept = bytearray(80 << 20)"), patched=less)
    experiment.run(rounds=3)
    effect = experiment.effects[0]
    assert effect.verdict is Verdict.INCONCLUSIVE
    assert not effect.applied
    assert "fix.py: nowhere was never imported" in effect.reason
    assert len(experiment.runs_of("patched")) == 1
    assert len(experiment.runs_of(BASELINE)) == 3


def test_a_variant_that_cannot_start_does_not_stop_the_others(tmp_path: Path) -> None:
    big = _python("kept = bytearray(80 << 20)")
    experiment = _ab(
        tmp_path,
        big,
        missing=Target(argv=("no-such-command-at-all",)),
        less=_python("kept = bytearray(20 << 20)"),
    )
    experiment.run(rounds=2)
    verdicts = {effect.hypothesis.variant: effect.verdict for effect in experiment.effects}
    assert verdicts == {"missing": Verdict.INCONCLUSIVE, "less": Verdict.CONFIRMED}
    assert "no-such-command-at-all" in experiment.cannot_run["missing"]


def test_a_mend_that_changes_the_answer_is_told(tmp_path: Path) -> None:
    code = "kept = bytearray({} << 20); print('the answer is', {})"
    experiment = _ab(
        tmp_path,
        _python(code.format(80, 42)),
        same=_python(code.format(20, 42)),
        other=_python(code.format(20, 41)),
    )
    experiment.run(rounds=2)
    found = {effect.hypothesis.variant: effect for effect in experiment.effects}
    assert found["same"].same_output is True
    assert found["other"].same_output is False
    assert found["other"].verdict is Verdict.CONFIRMED
    assert "'the answer is 41', was 'the answer is 42'" in found["other"].reason


def test_a_command_that_prints_something_else_each_time_is_not_compared(tmp_path: Path) -> None:
    chance = _python("import os\nfor _ in range(os.getpid() % 97): print(1)")
    experiment = _ab(tmp_path, chance, same=chance)
    experiment.run(rounds=3)
    assert experiment.effects[0].same_output is None


def test_a_status_above_zero_is_no_failure_where_it_is_the_usual_one(tmp_path: Path) -> None:
    """A suite with a failing test ends with 1, with the change and without."""
    code = "kept = bytearray({} << 20); raise SystemExit(1)"
    experiment = _ab(tmp_path, _python(code.format(80)), less=_python(code.format(20)))
    experiment.run(rounds=2)
    assert experiment.effects[0].verdict is Verdict.CONFIRMED


def test_another_status_is_another_answer(tmp_path: Path) -> None:
    experiment = _ab(tmp_path, _python("kept = bytearray(80 << 20)"), fails=_python("raise SystemExit(3)"))
    experiment.run(rounds=2)
    effect = experiment.effects[0]
    assert effect.verdict is Verdict.INCONCLUSIVE
    assert effect.same_output is False


def test_each_run_may_have_an_empty_folder_of_its_own(tmp_path: Path) -> None:
    """A command that finds what an earlier run left behaves otherwise; a script beside it is still found."""
    (tmp_path / "job.py").write_text(
        "import os, here\nprint(sorted(os.listdir('.')), here.NAME)\nopen('left', 'w').close()\n"
    )
    (tmp_path / "here.py").write_text("NAME = 'here'\n")
    job = Target(argv=(sys.executable, "job.py"), cwd=tmp_path)
    experiment = Experiment(
        baseline=job,
        variants=[Variant(name="same", change="same", target=job)],
        folder=tmp_path / "runs",
        in_fresh_folder=True,
    )
    experiment.run(rounds=2)
    assert [run.last_log_lines() for run in experiment.runs_of(BASELINE)] == [["[] here"], ["[] here"]]
    assert not (tmp_path / "left").exists()


def test_two_variants_of_one_name_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="same name"):
        Experiment(
            baseline=_python("pass"),
            variants=[Variant(name="a", change="a", target=_python("pass"))] * 2,
            folder=tmp_path,
        )


def test_a_second_call_adds_rounds(tmp_path: Path) -> None:
    experiment = _ab(tmp_path, _python("pass"), same=_python("pass"))
    experiment.run(rounds=1)
    experiment.run(rounds=2)
    assert sorted({trial.pair for trial in experiment.trials}) == [0, 1, 2]
    assert len(experiment.runs_of("same")) == 3


def test_the_state_of_the_machine_stands_beside_each_run(tmp_path: Path) -> None:
    experiment = _ab(tmp_path, _python("pass"), same=_python("pass"))
    experiment.run(rounds=1)
    noted = set(experiment.pairs.drop_nulls("value")["metric"])
    assert {"condition_load", "condition_page_cache_bytes", "read_bytes"} <= noted


def test_what_makes_a_change_takes_the_same_memory_in_the_program_as_it_is(tmp_path: Path) -> None:
    """A patch that changes nothing changes nothing: the means are in every run, and so are files that are compiled."""
    (tmp_path / "library.py").write_text(
        "import decimal\nkept = b'x' * (30 << 20)\n\ndef used():\n    pass\n"
    )
    (tmp_path / "program.py").write_text("import library\nlibrary.used()\n")
    plain = Target(argv=(sys.executable, "program.py"), cwd=tmp_path)
    patch = Patch(name="same", code="replace('library:used', lambda: None)")
    lazy = (f"{tmp_path}/library.py:1",)
    experiment = _ab(
        tmp_path / "runs",
        plain,
        patched=replace(plain, changes=Changes(patches=(patch,))),
        lazy=replace(plain, changes=Changes(lazy=lazy)),
    )
    assert experiment.variants[BASELINE].target.changes == Changes(eager=lazy)
    experiment.run(rounds=3)
    found = {effect.hypothesis.variant: effect for effect in experiment.effects}
    same, less = found["patched"].change_share, found["lazy"].change_share
    assert same is not None and abs(same) < 0.02  # noqa: PT018 - null is another failure
    assert less is not None and -0.05 < less < 0  # noqa: PT018


def test_variables_alone_need_no_means(tmp_path: Path) -> None:
    plain = _python("pass")
    experiment = _ab(tmp_path, plain, other=replace(plain, env={"A": "1"}))
    assert [variant.target.changes for variant in experiment.variants.values()] == [None, None]
