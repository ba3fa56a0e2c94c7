"""The sentences of an import investigation say what was measured, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from diagtools import frames
from diagtools.analyse.import_story import (
    cost_findings,
    dearest_foreign,
    fixed_finding,
    own_package,
    process_findings,
    steps,
    together_finding,
    tried_effect,
)
from diagtools.analyse.imports import by_package
from diagtools.analyse.laziness import Output, Verdict, Verification
from diagtools.values import Verdict as Judgement

PROGRAM = "<program>"
MIB = 2**20

SAVED = Verification(
    verdict=Verdict.SAVES,
    predicted_anon_bytes=10 * MIB,
    plain_anon_bytes=40 * MIB,
    lazy_anon_bytes=30 * MIB,
    saved_anon_bytes=10 * MIB,
    low_anon_bytes=9 * MIB,
    high_anon_bytes=11 * MIB,
    saved_wall_s=1.0,
    saved_cpu_s=1.0,
    n_modules=3,
    n_pairs=2,
    n_lazy=1,
    n_unended=0,
    forced=(),
    error="",
    output=Output.NOT_ASKED,
)


@dataclass(frozen=True, kw_only=True)
class Tried:
    where: str = "shop/a.py:3"
    name: str = "shop/a.py:3 imports heavy"
    clause: str = "shop/a.py:3 imports heavy"
    predicted_anon_bytes: int = 10 * MIB
    result: Verification | None = SAVED
    verdict: str = "saves"
    why: str = ""


def imports(*rows):
    """IMPORTS of (module, importer, MiB itself, MiB with all)."""
    filled = [(PROGRAM, None, 0, 0), *rows]
    columns = {name: [0.0 if name.endswith("_s") else 0] * len(filled) for name in frames.IMPORTS.columns}
    columns |= {
        "order": list(range(len(filled))),
        "module": [row[0] for row in filled],
        "importer": [row[1] for row in filled],
        "status": ["ok"] * len(filled),
        "self_anon_bytes": [row[2] * MIB for row in filled],
        "total_anon_bytes": [row[3] * MIB for row in filled],
    }
    return frames.IMPORTS.from_columns(columns)


SHOP = imports(
    ("json", PROGRAM, 1, 1),
    ("shop", PROGRAM, 2, 32),
    ("heavy", "shop", 30, 30),
    ("shop.config", PROGRAM, 7, 7),
)


def test_the_cost_is_told_with_the_share_of_its_own_code() -> None:
    whole, own = cost_findings("import shop.config", SHOP, (40 * MIB, 40 * MIB), 3)
    assert whole.sentence.startswith(
        "In a fresh interpreter 'import shop.config' costs 40.0 MiB of memory of its own, "
    )
    assert own.sentence == "The code of 'shop' itself takes 9.00 MiB of that, 22 %."
    (spread, _) = cost_findings("x", SHOP, (39 * MIB, 41 * MIB), 3)
    assert "(39.0 MiB to 41.0 MiB in 3 runs)" in spread.sentence


def test_a_process_is_told_with_its_dearest_import() -> None:
    whole, first = process_findings("pytest", SHOP)
    assert whole.value == 40 * MIB
    assert first.sentence == "32.0 MiB of that, 80 %, came with one import: shop."


def test_steps_add_up_and_small_ones_go_with_the_next() -> None:
    found = steps(SHOP, 5 * MIB)
    assert found.select("after", "so_far_bytes").rows() == [
        ("the interpreter", 5 * MIB),
        ("json", 6 * MIB),
        ("shop", 38 * MIB),
        ("shop.config", 45 * MIB),
    ]
    assert found["own_bytes"].sum() == 45 * MIB
    small = imports(("json", PROGRAM, 0, 0), ("shop", PROGRAM, 100, 100), ("late", PROGRAM, 1, 1))
    assert steps(small, 0)["after"].to_list() == ["the interpreter", "shop", "late"]
    assert steps(small, 0)["n_modules"].sum() == 3


def test_packages_are_told_apart() -> None:
    assert own_package(SHOP) == "shop"
    assert own_package(imports(("json", PROGRAM, 1, 1))) is None
    assert dearest_foreign(by_package(SHOP), "shop") == "heavy"
    assert dearest_foreign(by_package(imports(("json", PROGRAM, 1, 1))), None) is None


def test_what_saves_is_confirmed_with_its_range() -> None:
    effect = tried_effect(Tried())
    assert effect.verdict is Judgement.CONFIRMED
    assert (effect.change_share, effect.low_share, effect.high_share) == (-0.25, -0.275, -0.225)
    assert effect.reason == "predicted 10.0 MiB, measured 10.0 MiB: saves."


@pytest.mark.parametrize(
    ("verdict", "judged"),
    [
        (Verdict.PARTLY, Judgement.CONFIRMED),
        (Verdict.FORCED, Judgement.REFUTED),
        (Verdict.BREAKS, Judgement.REFUTED),
    ],
)
def test_what_saves_nothing_is_refuted(verdict: Verdict, judged: Judgement) -> None:
    tried = Tried(result=replace(SAVED, verdict=verdict), verdict=str(verdict), why="b.py:4")
    effect = tried_effect(tried)
    assert effect.verdict is judged
    assert "b.py:4" in effect.reason


def test_what_may_not_be_lazy_is_refuted_without_figures() -> None:
    effect = tried_effect(Tried(result=None, verdict="not allowed", why="a star import"))
    assert (effect.verdict, effect.change_share, effect.baseline_value) == (Judgement.REFUTED, None, None)
    assert effect.reason == "predicted 10.0 MiB, not measured: a star import."


def test_nothing_is_called_saved_but_for_what_it_is() -> None:
    """Unused names, or a command that does the same."""
    assert "while what is imported there is unused" in str(together_finding(SAVED, 2, None))
    same = str(together_finding(replace(SAVED, output=Output.SAME), 2, "pytest"))
    assert same.endswith("its exit status and what it prints are the same.")
    unknown = str(together_finding(replace(SAVED, output=Output.NOT_COMPARABLE), 2, "pytest"))
    assert unknown.endswith("what it prints is another in each run.")


@pytest.mark.parametrize(
    ("output", "error", "said"),
    [
        (
            Output.DIFFERENT,
            "line 1 of its output is 'b', was 'a'",
            "but line 1 of its output is 'b', was 'a'.",
        ),
        (Output.SAME, "exit status 3", "but it ends with exit status 3."),
    ],
)
def test_a_command_that_does_something_else_is_told_so(output: Output, error: str, said: str) -> None:
    result = replace(SAVED, verdict=Verdict.BREAKS, output=output, error=error)
    assert str(together_finding(result, 1, "pytest")).endswith(said)


@pytest.mark.parametrize(
    ("after", "same", "said"),
    [
        (10, None, "Mended: 10.0 MiB instead of 40.0 MiB (−75 %)."),
        (10, True, "Mended: 10.0 MiB instead of 40.0 MiB (−75 %); it prints the same."),
        (50, False, "Mended: 50.0 MiB instead of 40.0 MiB; but it does not print the same."),
    ],
)
def test_a_mend_is_told_with_both_figures(after: int, same: bool | None, said: str) -> None:
    assert str(fixed_finding("Mended", 40 * MIB, after * MIB, same_output=same)) == said
