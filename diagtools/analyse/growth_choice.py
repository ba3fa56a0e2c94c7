"""Which of the shapes of growth do the levels show, and how sure is that?

Shapes are compared by Schwarz's criterion (BIC, 1978), which weighs the squares that are left against the number of
parameters.  Plain Python, standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log

from diagtools.analyse.growth_models import LEAST_ERROR_BYTES, Followed, GrowthClass, Model, models
from diagtools.analyse.least_squares import Column, correlation_of_neighbours

_LEAST_ERROR = 0.003  #: of the range, as ``LEAST_ERROR_BYTES``


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The best model of each class that has one, and how much of the belief it gets: the shares sum to 1.

    ``inconclusive`` stands for growth that slows down and does not end.
    """

    models: Mapping[GrowthClass, Model]
    shares: Mapping[GrowthClass, float]

    @property
    def best(self) -> GrowthClass:
        """Which class gets most?"""
        return max(self.shares, key=lambda one: self.shares[one])


def weighed(levels: Column, positions: Column, features: Mapping[str, Followed]) -> Weighed:
    """Which class of growth do these levels show, and how sure is that?

    ``levels`` are bytes after each item, ``positions`` how many items (or seconds) that was.  At least five levels.
    """
    fitted = list(models(levels, positions, features))
    floor = LEAST_ERROR_BYTES + _LEAST_ERROR * (max(levels) - min(levels))
    first = min(fitted, key=lambda model: _criterion(model, len(levels), floor, len(features)))
    residuals = [level - value for level, value in zip(levels, first.values, strict=True)]
    r = correlation_of_neighbours(residuals)
    n_telling = max(len(levels) * (1 - r) / (1 + r), 4.0)  # neighbours that go together tell less
    best: dict[GrowthClass, tuple[float, Model]] = {}
    for model in fitted:
        criterion = _criterion(model, n_telling, floor, len(features))
        if model.growth_class not in best or criterion < best[model.growth_class][0]:
            best[model.growth_class] = criterion, model
    lowest = min(criterion for criterion, _ in best.values())
    beliefs = {one: exp(-(criterion - lowest) / 2) for one, (criterion, _) in best.items()}
    whole = sum(beliefs.values())
    return Weighed(
        models={one: model for one, (_, model) in best.items()},
        shares={one: belief / whole for one, belief in beliefs.items()},
    )


def _criterion(model: Model, n: float, floor: float, n_features: int) -> float:
    error = model.sse / len(model.values) + floor**2
    of_choice = 2 * log(2 * n_features) if model.feature else 0.0  # the best of many features fits by chance
    return n * log(error) + model.n_parameters * log(n) + of_choice
