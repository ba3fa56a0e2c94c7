"""What do lazy imports really save, and who prevents it?"""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagtools.analyse.laziness import Output, Verdict, verify
from diagtools.errors import NoDataError

MB = 10**6


@dataclass(frozen=True, kw_only=True)
class Use:
    module: str = "pkg"
    name: str = "heavy"
    cut_file: str = "pkg.py"
    cut_line: int = 1
    file: str = "pkg.py"
    line: int = 9
    function: str = "<module>"


@dataclass(frozen=True, kw_only=True)
class Run:
    anon_bytes: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    n_modules: int = 0
    error: str = ""
    is_whole: bool = True
    n_lazy: int = 0
    n_unended: int = 0
    printed: tuple[str, ...] | None = None
    forced: tuple[Use, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pair:
    plain: Run
    lazy: Run


def pair(saved, *forced, error="", plain_error=""):
    return Pair(
        plain=Run(anon_bytes=100 * MB, wall_s=2.0, cpu_s=1.5, n_modules=30, error=plain_error),
        lazy=Run(
            anon_bytes=round((100 - saved) * MB),
            wall_s=1.0,
            cpu_s=1.0,
            n_modules=10,
            n_lazy=1,
            forced=forced,
            error=error,
        ),
    )


def test_the_median_of_the_pairs_is_what_was_saved():
    found = verify([pair(19), pair(22), pair(20)], 20 * MB)
    assert (found.saved_anon_bytes, found.low_anon_bytes, found.high_anon_bytes) == (
        20 * MB,
        19 * MB,
        22 * MB,
    )
    assert (found.saved_wall_s, found.saved_cpu_s, found.n_modules) == (1.0, 0.5, 20)
    assert (found.verdict, found.n_pairs, found.n_lazy, found.forced) == (Verdict.SAVES, 3, 1, ())


@pytest.mark.parametrize(
    ("predicted", "saved", "uses", "verdict"),
    [
        (20, 20, (), "saves"),
        (20, 19, (), "saves"),  # 5 %
        (20, 18.9, (), "partly"),
        (20, 25, (), "saves"),  # more than was predicted
        (4, 3.7, (), "saves"),  # 0.3 MB
        (4, 3.69, (), "partly"),
        (20, 20, (Use(),), "partly"),
        (20, 2, (Use(),), "partly"),
        (20, 1.99, (Use(),), "forced"),
        (20, 0, (Use(),), "forced"),
        (20, 0, (), "forced"),  # it came by another way
        (20, -1, (), "forced"),
        (1, 0.31, (Use(),), "partly"),
        (1, 0.29, (Use(),), "forced"),
        (0.2, 0.1, (), "saves"),
        (0.2, 0, (), "forced"),  # below the noise, nothing is no saving
    ],
)
def test_a_verdict_is_of_the_saving_and_of_who_forced_it(predicted, saved, uses, verdict):
    assert verify([pair(saved, *uses)], round(predicted * MB)).verdict == verdict


def test_each_place_is_named_once_in_order():
    one, other = Use(line=3), Use(line=4)
    assert verify([pair(0, one, other), pair(0, other, one)], 20 * MB).forced == (one, other)


def test_a_program_that_ends_otherwise_is_no_saving():
    found = verify([pair(20), pair(20, error="NameError")], 20 * MB)
    assert (found.verdict, found.error) == (Verdict.BREAKS, "NameError")
    found = verify([pair(20, plain_error="ImportError")], 20 * MB)
    assert (found.verdict, found.error) == (Verdict.BREAKS, "no ImportError")
    found = verify([pair(20, error="OSError", plain_error="OSError")], 20 * MB)
    assert (found.verdict, found.error) == (Verdict.SAVES, "")


def test_runs_without_an_end_cannot_be_compared():
    ended = Run(error="no end", is_whole=False)
    found = verify([Pair(plain=ended, lazy=ended)], 0)
    assert (found.verdict, found.error) == (Verdict.BREAKS, "no end")


def test_without_a_pair_there_is_no_answer():
    with pytest.raises(NoDataError, match="no pair"):
        verify([], 20 * MB)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=7), st.integers(0, 100))
def test_the_saving_lies_in_its_range_and_changes_its_sign_with_the_runs(savings, predicted):
    pairs = [pair(saved) for saved in savings]
    found = verify(pairs, predicted * MB)
    back = verify([replace(one, plain=one.lazy, lazy=one.plain) for one in pairs], predicted * MB)
    assert found.low_anon_bytes <= found.saved_anon_bytes <= found.high_anon_bytes
    assert found.saved_anon_bytes == -back.saved_anon_bytes
    assert (found.low_anon_bytes, found.high_anon_bytes) == (-back.high_anon_bytes, -back.low_anon_bytes)


def printing(plain, lazy):
    """A pair that saves 20 MB, and what its runs printed."""
    one = pair(20)
    return Pair(plain=replace(one.plain, printed=plain), lazy=replace(one.lazy, printed=lazy))


def test_a_command_that_prints_something_else_breaks():
    same = verify([printing(("7 passed",), ("7 passed",))], 20 * MB, compare_output=True)
    assert (same.verdict, same.output, same.error) == (Verdict.SAVES, Output.SAME, "")
    other = verify([printing(("7 passed",), ("6 passed",))], 20 * MB, compare_output=True)
    assert (other.verdict, other.output) == (Verdict.BREAKS, Output.DIFFERENT)
    assert other.error == "line 1 of its output is '6 passed', was '7 passed'"


@pytest.mark.parametrize(
    "pairs",
    [
        [printing(("one",), ("one",)), printing(("one", "two"), ("one", "two"))],
        [printing(None, ("one",))],
        [printing(("one",), None)],
    ],
    ids=["another in each run", "plain unknown", "lazy unknown"],
)
def test_output_that_cannot_be_compared_is_said_and_breaks_nothing(pairs):
    found = verify(pairs, 20 * MB, compare_output=True)
    assert (found.verdict, found.output) == (Verdict.SAVES, Output.NOT_COMPARABLE)


def test_output_is_compared_only_where_that_is_asked_for():
    found = verify([printing(("one",), ("two",))], 20 * MB)
    assert (found.verdict, found.output) == (Verdict.SAVES, Output.NOT_ASKED)
