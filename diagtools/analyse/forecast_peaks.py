"""Which peaks does a forecast go by, where items were too short for a sample?  Plain Python: the recorder asks too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagtools.analyse.forecast_models import FEWEST

_MOST_LEFT_OUT = 0.5  #: of the items may have no peak: the others then show where it leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The peaks of items in order: what was ``seen`` at least, and what a forecast is ``fitted`` to, null: neither.

    ``n_sampled`` and ``n_by_markers`` of the fitted peaks are what samples saw, and what markers read with
    ``asked_bytes`` on top: what the items with samples asked for, usually (null where that is not known).
    """

    seen: list[float | None]
    fitted: list[float | None]
    n_sampled: int
    n_by_markers: int
    asked_bytes: float | None

    @property
    def read_by(self) -> str:
        """Who read the fitted peaks: ``markers``, ``samples`` or ``markers and samples``?  Empty where nobody did."""
        counts = {"markers": self.n_by_markers, "samples": self.n_sampled}
        return " and ".join(who for who, n in counts.items() if n)


def peaks_of(sampled: Sequence[float | None], read: Sequence[float | None]) -> Peaks:
    """Which peaks did the items have?

    ``sampled`` are those that samples saw, ``read`` the higher of what an item's markers read at its begin and its
    end: it had that at least.  Where half the items were sampled, or more, and enough for a forecast, the fit leaves
    the others out: they are the quick ones, which may ask for less.  Where fewer were, quick items are the usual ones:
    they are taken to ask for as much beyond what they hold as the sampled ones (median).
    """
    pairs = [*zip(sampled, read, strict=True)]
    n_sampled = sum(peak is not None for peak, _ in pairs)
    seen = [_higher(peak, at_least) for peak, at_least in pairs]
    if n_sampled >= max((1 - _MOST_LEFT_OUT) * len(pairs), FEWEST):
        return Peaks(
            seen=seen,
            fitted=[None if peak is None else one for one, (peak, _) in zip(seen, pairs, strict=True)],
            n_sampled=n_sampled,
            n_by_markers=0,
            asked_bytes=None,
        )
    asked = _usually_asked(pairs)
    return Peaks(
        seen=seen,
        fitted=[
            one if one is None or peak is not None else one + (asked or 0.0)
            for one, (peak, _) in zip(seen, pairs, strict=True)
        ],
        n_sampled=n_sampled,
        n_by_markers=sum(one is not None for one in seen) - n_sampled,
        asked_bytes=asked,
    )


def _higher(peak: float | None, at_least: float | None) -> float | None:
    return max((one for one in (peak, at_least) if one is not None), default=None)


def _usually_asked(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    asked = sorted(
        max(peak - at_least, 0.0) for peak, at_least in pairs if peak is not None and at_least is not None
    )
    return asked[len(asked) // 2] if asked else None
