"""Is what a session took what is normal for its tests?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diagtools.pytest_plugin.options import Expected
from diagtools.read.suite_tests import SuiteCosts, TestCost

#: A figure on record is a round one, and peaks vary from machine to machine.
TOLERANCE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """What was expected, and what a process held at most while such a test ran (bytes; null: there was none)."""

    expected: Expected
    highest: int | None
    test: str

    @property
    def is_above(self) -> bool:
        """Is it more, by more than a tenth?"""
        return self.highest is not None and self.highest > self.expected.size * (1 + TOLERANCE)


def normal(expected: Sequence[Expected], costs: SuiteCosts, root: Path) -> list[Normal]:
    """What did the tests below each folder, or with each marker, take?"""
    return [_normal(one, costs.tests, root) for one in expected]


def _normal(expected: Expected, tests: Sequence[TestCost], root: Path) -> Normal:
    is_path = (root / expected.name).exists()
    ran = (
        test for test in tests if any(phase.phase == "call" for phase in test.phases) or test.ended is None
    )
    mine = [test for test in ran if _belongs(test, expected.name, is_path=is_path)]
    top = max(mine, key=lambda test: test.peak or 0, default=None)
    return Normal(expected=expected, highest=top.peak if top else None, test=top.begun.test if top else "")


def _belongs(test: TestCost, name: str, *, is_path: bool) -> bool:
    if not is_path:
        return name in test.begun.markers.split(",")
    path = Path(test.begun.test.split("::")[0])
    return name == "." or path.is_relative_to(name)
