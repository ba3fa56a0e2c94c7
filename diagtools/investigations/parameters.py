"""Parameters of an investigation come from a notebook's reader: they are checked at once."""

from __future__ import annotations

from diagtools.errors import UsageError


def whole(name: str, value: object) -> int:
    """This parameter, a whole number above zero.  Raises ``UsageError`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(
            f"{name}={value!r} is not a whole number above zero.", hint=f"{name}=1 is the least."
        )
    return value


def above_zero(name: str, value: object) -> float:
    """This parameter, a number above zero.  Raises ``UsageError`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise UsageError(f"{name}={value!r} is not a number above zero.", hint=f"for instance {name}=60.")
    return value
