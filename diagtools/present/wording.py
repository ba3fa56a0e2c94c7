"""The words that charts, tables, text and notebooks share, so that one fact is said in one way."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from diagtools.present.names import file_name, shortened
from diagtools.units import format_bytes, format_seconds, format_share
from diagtools.values import Cause, Death, Effect, Grade, Verdict

_ENDED = MappingProxyType(
    {
        Cause.WATCHDOG: "killed by the watchdog",
        Cause.CGROUP_OOM: "killed by the kernel at its cgroup's limit",
        Cause.KERNEL_OOM: "killed by the kernel's OOM killer",
        Cause.MEMORY_ERROR: "ended by a MemoryError",
        Cause.SIGNAL: "killed by a signal",
        Cause.UNKNOWN: "ended for an unknown reason",
    }
)
_LIKELY = "probably "
_NAME_LENGTH = 48

#: A shape for each verdict that says the same as its colour.
SIGNS: Final = MappingProxyType({Verdict.CONFIRMED: "✔", Verdict.REFUTED: "✘", Verdict.INCONCLUSIVE: "?"})


def how_it_ended(death: Death) -> str:
    """What ended the run, as sure as it is known?  ``probably killed by the kernel's OOM killer``."""
    doubt = _LIKELY if death.grade is Grade.LIKELY and death.cause is not Cause.UNKNOWN else ""
    return doubt + _ENDED[death.cause]


def where_it_ended(death: Death, at_bytes: int | None, item_in_flight: str | None) -> str:
    """How, at what size and in which item did the run end?  ``killed by the watchdog at 2.00 GiB in a.js``."""
    size = f" at {format_bytes(at_bytes)}" if at_bytes is not None else ""
    item = f" in {shortened(file_name(item_in_flight), _NAME_LENGTH)}" if item_in_flight else ""
    return how_it_ended(death) + size + item


def of_limit(n_bytes: int, limit_bytes: int | None) -> str:
    """How large is this, alone and beside the limit?  ``661 MiB (32 % of the limit)``."""
    if not limit_bytes:
        return format_bytes(n_bytes)
    return f"{format_bytes(n_bytes)} ({format_share(n_bytes / limit_bytes)} of the limit)"


def measured(metric: str, value: float | None, *, is_bound: bool = False) -> str:
    """A metric's value with its unit, which its name says; ``≥`` where a kill cut it short."""
    if value is None:
        return "not measured"
    return ("≥ " if is_bound else "") + _in_unit(metric, value)


def _in_unit(metric: str, value: float) -> str:
    if metric.endswith("_bytes"):
        return format_bytes(value)
    if metric.endswith("_s"):
        return format_seconds(value)
    if metric.endswith("share"):
        return format_share(value)
    return f"{value:,.4g}"


def change(effect: Effect) -> str:
    """What did the change do to the run and to the metric, in a few words?"""
    if effect.n_variant_killed and effect.n_baseline_killed:
        where = {
            True: "killed in the same item",
            False: "killed in another item",
            None: "killed all the same",
        }
        return where[effect.same_item]
    if effect.n_variant_killed:
        return "killed, unlike the baseline"
    if effect.change_share is None:
        return "not measured"
    return ("not killed, " if effect.rescued else "") + signed_change(effect)


def signed_change(effect: Effect) -> str:
    """The change of the metric as a share: ``−76 %``, and ``−76 % or more`` where the baseline was cut short.

    Between two lower bounds nothing is known of the size, and nothing is said of it.
    """
    if effect.change_share is None:
        return ""
    at_least = " or more" if effect.baseline_is_bound and effect.change_share < 0 else ""
    return signed_share(effect.change_share) + at_least


def signed_share(share: float) -> str:
    """A change as a share, with its sign: ``−76 %``, ``+3.1 %``."""
    sign = "−" if share < 0 else "+" if share > 0 else "±"
    return sign + format_share(abs(share))


def count(n: int, thing: str, things: str | None = None) -> str:
    """``1 file``, ``196 files``, ``1,271 chunks``."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"
