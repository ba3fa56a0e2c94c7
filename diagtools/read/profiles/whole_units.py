"""Numbers with a fraction, as whole numbers that sum to the rounded sum."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from diagtools.errors import DamagedError
from diagtools.read.profiles.export_file import LARGEST

#: Digits enough to add up anything below 2⁶³ and its smallest fraction that matters without rounding.
EXACT = Context(prec=120)
_ONE = Decimal(1)


class RunningWhole:
    """Hands out whole numbers: each is what the rounded running sum grew by, so that they sum to the rounded sum."""

    def __init__(self, scale: int | Decimal = 1) -> None:
        self._scale = Decimal(scale)
        self._exact = Decimal(0)
        self.total = 0

    def add(self, value: Decimal | int | float) -> int:
        """How many whole units is this value (which is not negative)?"""
        exact = EXACT.multiply(Decimal(value), self._scale)
        if not 0 <= exact <= LARGEST:
            raise DamagedError(f"A weight of {str(value)[:30]} is negative or no measured number.")
        self._exact = EXACT.add(self._exact, exact)
        if self._exact > LARGEST:
            raise DamagedError("The weights sum to more than 2⁶³: no program used that.")
        before, self.total = self.total, int(self._exact.quantize(_ONE, ROUND_HALF_EVEN, context=EXACT))
        return self.total - before
