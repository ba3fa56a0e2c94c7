"""What do lazy imports really save, and who prevents it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Protocol

from diagtools.analyse.outputs import Difference, difference, is_repeatable
from diagtools.errors import NoDataError

_TOLERANCE_SHARE = 0.05
_NOISE_BYTES = 300_000
_WORTH_SHARE = 0.10


class Verdict(StrEnum):
    """What became of a predicted saving."""

    SAVES = "saves"
    PARTLY = "partly"
    FORCED = "forced"
    BREAKS = "breaks"
    NOT_TESTED = "not tested"


class Output(StrEnum):
    """Did the program print the same both ways?"""

    NOT_ASKED = "not asked"
    SAME = "the same"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not comparable: too long, or another in each run"


class Use(Protocol):
    """The place where a lazy name was used."""

    @property
    def module(self) -> str:
        """Where the lazy name stands."""

    @property
    def name(self) -> str:
        """The lazy name."""

    @property
    def cut_file(self) -> str:
        """The file of its import statement."""

    @property
    def cut_line(self) -> int:
        """The line of its import statement."""

    @property
    def file(self) -> str:
        """The file of the code that used it."""

    @property
    def line(self) -> int:
        """The line of the code that used it."""

    @property
    def function(self) -> str:
        """The function that used it, ``<module>`` outside of one."""


class Run(Protocol):
    """What one process cost."""

    @property
    def anon_bytes(self) -> int:
        """Anonymous memory."""

    @property
    def wall_s(self) -> float:
        """Wall-clock time."""

    @property
    def cpu_s(self) -> float:
        """CPU time."""

    @property
    def n_modules(self) -> int:
        """Modules that were loaded."""

    @property
    def error(self) -> str:
        """The type of the exception that ended it, or empty."""

    @property
    def is_whole(self) -> bool:
        """Did it get to its end?"""

    @property
    def n_lazy(self) -> int:
        """Chosen statements that were reached and made lazy."""

    @property
    def n_unended(self) -> int:
        """Processes of which nobody saw the end."""

    @property
    def printed(self) -> Sequence[str] | None:
        """What it printed, a line each; null where that is not known."""

    @property
    def forced(self) -> Sequence[Use]:
        """Which lazy names were used after all."""


class Pair(Protocol):
    """Two processes that ran one after the other."""

    @property
    def plain(self) -> Run:
        """As the program is."""

    @property
    def lazy(self) -> Run:
        """With the chosen statements lazy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a predicted saving came to: medians over the pairs, of plain minus lazy; ``low`` to ``high`` its range.

    ``plain_anon_bytes`` and ``lazy_anon_bytes`` are what the runs held, medians too.

    The saving is one while the names are unused: ``forced`` lists who used them, each place once.  ``error`` is how
    the lazy runs ended, or what they printed, where the plain ones did not (``BREAKS``).  Where nobody forced anything
    and yet nothing is saved, the modules came by another way, or no statement was reached (``n_lazy`` is 0).
    """

    verdict: Verdict
    predicted_anon_bytes: int
    plain_anon_bytes: int
    lazy_anon_bytes: int
    saved_anon_bytes: int
    low_anon_bytes: int
    high_anon_bytes: int
    saved_wall_s: float
    saved_cpu_s: float
    n_modules: int
    n_pairs: int
    n_lazy: int
    n_unended: int
    forced: tuple[Use, ...]
    error: str
    output: Output


def verify(
    pairs: Sequence[Pair],
    predicted_anon_bytes: int,
    *,
    compare_output: bool = False,
    is_laziness: bool = True,
) -> Verification:
    """How much anonymous memory do the lazy imports really save, and does that keep what was predicted?

    ``saves``: nothing was forced, and the saving is not below the prediction by more than 5 % or 0.3 MB.  ``partly``:
    less than that, or something was forced, but a tenth of the prediction and 0.3 MB are left.  ``breaks``: the
    program ends differently, prints something else (where ``compare_output`` is asked for), or nobody saw its end.
    ``not tested``: no chosen statement was reached (where ``is_laziness``; the pairs may differ in something else).
    ``forced``: the rest.  Raises ``NoDataError`` without a pair.
    """
    if not pairs:
        raise NoDataError(
            "There is no pair of runs to compare.", hint="every chosen statement may have been refused."
        )
    savings = [pair.plain.anon_bytes - pair.lazy.anon_bytes for pair in pairs]
    saved = round(median(savings))
    forced = tuple(dict.fromkeys(use for pair in pairs for use in pair.lazy.forced))
    error = _new_error(pairs)
    output, other = _compared(pairs) if compare_output else (Output.NOT_ASKED, None)
    error = error or (str(other) if other else "")
    n_lazy = max(pair.lazy.n_lazy for pair in pairs)
    verdict = _verdict(saved, predicted_anon_bytes, is_forced=bool(forced))
    if is_laziness and not n_lazy:
        verdict = Verdict.NOT_TESTED
    return Verification(
        verdict=Verdict.BREAKS if error else verdict,
        predicted_anon_bytes=predicted_anon_bytes,
        plain_anon_bytes=round(median(pair.plain.anon_bytes for pair in pairs)),
        lazy_anon_bytes=round(median(pair.lazy.anon_bytes for pair in pairs)),
        saved_anon_bytes=saved,
        low_anon_bytes=min(savings),
        high_anon_bytes=max(savings),
        saved_wall_s=median(pair.plain.wall_s - pair.lazy.wall_s for pair in pairs),
        saved_cpu_s=median(pair.plain.cpu_s - pair.lazy.cpu_s for pair in pairs),
        n_modules=round(median(pair.plain.n_modules - pair.lazy.n_modules for pair in pairs)),
        n_pairs=len(pairs),
        n_lazy=n_lazy,
        n_unended=max(max(pair.plain.n_unended, pair.lazy.n_unended) for pair in pairs),
        forced=forced,
        error=error,
        output=output,
    )


def _compared(pairs: Sequence[Pair]) -> tuple[Output, Difference | None]:
    """Did the lazy runs print the same, and what did the first print that did not?"""
    plain = [pair.plain.printed for pair in pairs if pair.plain.printed is not None]
    lazy = [pair.lazy.printed for pair in pairs if pair.lazy.printed is not None]
    if len(plain) < len(pairs) or len(lazy) < len(pairs) or not is_repeatable(plain):
        return Output.NOT_COMPARABLE, None
    other = next((found for lines in lazy if (found := difference(plain, lines)) is not None), None)
    return (Output.SAME if other is None else Output.DIFFERENT), other


def _verdict(saved: int, predicted: int, *, is_forced: bool) -> Verdict:
    enough = predicted - max(_TOLERANCE_SHARE * predicted, _NOISE_BYTES)
    is_worth = saved > 0 and saved >= _WORTH_SHARE * predicted
    if not is_forced and is_worth and saved >= enough:
        return Verdict.SAVES
    return Verdict.PARTLY if is_worth and saved >= _NOISE_BYTES else Verdict.FORCED


def _new_error(pairs: Sequence[Pair]) -> str:
    """How a lazy run ended otherwise than the plain one before it; without an end there is nothing to compare."""
    for pair in pairs:
        if pair.lazy.error != pair.plain.error:
            return pair.lazy.error or f"no {pair.plain.error}"
        if not pair.lazy.is_whole:
            return pair.lazy.error
    return ""
