"""Will a command that is being recorded reach its limit?  Said on stderr once it is sure, and when that changes.

Runs inside the recorder: neither polars nor a frame is loaded.  How often it looks is for ``capture.watcher`` to say.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from pathlib import Path
from time import monotonic

from diagtools.analyse.forecast_models import FEWEST, Prediction, Work, predicted
from diagtools.analyse.forecast_peaks import peaks_of
from diagtools.analyse.forecast_story import Expected, forecast_sentence
from diagtools.analyse.item_features import features_of
from diagtools.errors import DiagtoolsError
from diagtools.investigations.live_items import Progress

_FIRST_S = 30.0  #: of a command without items: that it starts is no trend
_QUIET_S = 10.0  #: between two sentences
_MOST_SENTENCES = 5
_SURE_TWICE = 2  #: looks in a row say the same before it is said
_MOVED = 0.2  #: of where it was said to be
_FARTHEST = 8  #: times as many items as were seen, where nobody said how many there are
_MOST_ITEMS = 50_000
_NS = 1e9


class LiveForecast:
    """Follows one recording.  ``look`` is called again and again, by the recorder, and seldom answers.

    ``folder`` is the run's, which may still be empty; without a limit there is nothing to say.  The command may say
    how much is to come: see ``live_items.Progress``.
    """

    def __init__(
        self, folder: Path, limit_bytes: int | None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._progress = Progress(folder)
        self._n_sure = 0
        self._n_said = 0
        self._said_at: float | None = None
        self._said_s = -_QUIET_S

    def look(self) -> str | None:
        """What is there to say now?  Mostly nothing; never raises."""
        if self._limit_bytes is None or self._n_said >= _MOST_SENTENCES:
            return None
        try:
            self._progress.look()
            expected = self._expected(self._limit_bytes)
        except (OSError, ValueError, DiagtoolsError):
            return None
        return None if expected is None else self._said(expected, self._clock())

    def _said(self, expected: Expected, now_s: float) -> str | None:
        """The sentence, where it is sure and says something new."""
        if expected.passed:
            return None
        is_news = self._is_news(expected)
        self._n_sure = self._n_sure + 1 if expected.is_sure and is_news else 0
        if self._n_sure < _SURE_TWICE or now_s - self._said_s < _QUIET_S:
            return None
        self._n_said += 1
        self._n_sure = 0
        self._said_s = now_s
        self._said_at = expected.at
        return forecast_sentence(expected)

    def _is_news(self, expected: Expected) -> bool:
        if expected.at is None or self._said_at is None:
            return expected.at != self._said_at
        return abs(expected.at - self._said_at) > _MOVED * self._said_at

    def _expected(self, limit_bytes: int) -> Expected | None:
        n_items = len(self._progress.ended)
        if n_items > _MOST_ITEMS or self._progress.last is None:
            return None
        return self._by_item(limit_bytes) if self._progress.has_items else self._by_time(limit_bytes)

    def _by_item(self, limit_bytes: int) -> Expected | None:
        ended = self._progress.ended
        if len(ended) < FEWEST:
            return None
        job = self._progress.job
        n_told = int(min(job.get("n_items", 0.0), _MOST_ITEMS))
        n = max(n_told, len(ended)) if n_told else min(len(ended) * _FARTHEST, _MOST_ITEMS)
        features = features_of([item.features for item in ended]).values
        known = {
            name: [*values, *_to_come(values, n - len(ended), job, name)]
            for name, values in features.items()
            if n_told and f"total_{name}" in job
        }
        deviations = {name: _deviation(features[name]) for name in known}
        work = Work(n=n, n_seen=len(ended), features=known, deviations=deviations)
        peaks = peaks_of([item.peak_bytes for item in ended], [item.read_bytes for item in ended])
        found = predicted(peaks.fitted, work)
        if found is None:
            return None
        s_an_item = (ended[-1].end_ns - ended[0].end_ns) / _NS / (len(ended) - 1)
        return _told(found, limit_bytes, work, n_told=n_told, s_a_step=s_an_item)

    def _by_time(self, limit_bytes: int) -> Expected | None:
        levels = self._progress.levels
        if len(levels.highest) * levels.stretch_ns < _FIRST_S * _NS:
            return None
        seen = levels.highest[len(levels.highest) // 20 :]  # its imports are no trend
        work = Work(n=len(seen) * _FARTHEST, n_seen=len(seen), features={})
        found = predicted(seen, work)
        if found is None:
            return None
        first_s = (len(levels.highest) - len(seen)) * levels.stretch_ns / _NS
        return _told(found, limit_bytes, work, n_told=0, s_a_step=levels.stretch_ns / _NS, from_s=first_s)


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _to_come(seen: list[float], n: int, job: dict[str, float], name: str) -> list[float]:
    """The items to come, of which only the sum and the largest are known: the largest is put in their middle."""
    rest = max(job[f"total_{name}"] - sum(seen), 0.0)
    largest = job.get(f"largest_{name}", 0.0)
    if n <= 0:
        return []
    if largest <= max(seen) or n == 1:
        return [rest / n] * n
    others = max(rest - largest, 0.0) / (n - 1)
    return [*[others] * (n // 2), largest, *[others] * (n - n // 2 - 1)]


def _told(
    found: Prediction,
    limit_bytes: int,
    work: Work,
    *,
    n_told: int,
    s_a_step: float,
    from_s: float | None = None,
) -> Expected:
    """The prediction in items, or in seconds of the run where ``from_s`` says when the first stretch began."""
    reach = found.reach(limit_bytes)

    def place(number: int | None) -> float | None:
        if number is None or from_s is None:
            return number
        return from_s + number * s_a_step

    ahead = (values[work.n_seen :] for values in (found.values, found.lows, found.highs))
    needed = [max(values, default=0.0) for values in ahead]
    return Expected(
        limit_bytes=limit_bytes,
        at=place(reach.at),
        earliest=place(reach.earliest),
        latest=place(reach.latest),
        item=None,
        in_s=None if reach.at is None else (reach.at - work.n_seen) * s_a_step,
        needed_bytes=round(needed[0]) if n_told else None,
        low_bytes=round(needed[1]) if n_told else None,
        high_bytes=round(needed[2]) if n_told else None,
        n_items=n_told or None,
        of_items=from_s is None,
        is_sure=found.is_sure(limit_bytes),
        passed=False,
        terms=found.terms,
        far=found.far,
        knows_features=bool(work.features),
    )
