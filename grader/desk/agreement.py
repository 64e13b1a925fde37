"""How well markers agree, from the answers that two of them have read."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from grader.desk.grades import Standing
from grader.desk.scoring import STEP
from grader.desk.seconds import Second

CONFIDENCE = 0.95
FEW = 2  # pairs below which no figure is given


@dataclass(frozen=True)
class Pair:
    """Two readings of one answer.

    Attributes:
        first: how it stands in the gradebook.
        first_points: what the first marker gave, before anything was settled.
        second: what the second marker gave.
    """

    first: Standing
    first_points: float
    second: Second

    @property
    def difference(self) -> float:
        """How much more the second one gave."""
        return round(self.second.points - self.first_points, 6)


@dataclass(frozen=True)
class Agreement:
    """How two readings of a question compare.

    Attributes:
        pairs: how many answers were read twice.
        same: how many got the same points.
        kappa: Cohen's kappa with quadratic weights; None where it is not defined.
        mean: of the differences, second less first; None without a pair.
        low, high: the 95% interval of the mean; None for fewer than two pairs.
    """

    pairs: int
    same: int
    kappa: float | None
    mean: float | None
    low: float | None
    high: float | None


def agreement(pairs: Sequence[Pair], worth: float) -> Agreement:
    """Compare two readings.

    Args:
        pairs: answers that were read twice.
        worth: the most points.
    """
    differences = [pair.difference for pair in pairs]
    low, high = _interval(differences)
    return Agreement(
        len(pairs),
        sum(not difference for difference in differences),
        _kappa(pairs, worth),
        statistics.fmean(differences) if differences else None,
        low,
        high,
    )


def _kappa(pairs: Sequence[Pair], worth: float) -> float | None:
    """Cohen's kappa with quadratic weights.

    scikit-learn weights by the rank of labels, so all possible numbers of points are named; and it takes
    whole numbers only, so points are counted in steps.
    """
    from sklearn.metrics import cohen_kappa_score  # half a second, and only for this page

    if len(pairs) < FEW:
        return None
    first, second = (
        [round(points / STEP) for points in given]
        for given in ([pair.first_points for pair in pairs], [pair.second.points for pair in pairs])
    )
    if len({*first, *second}) < 2:  # everybody got the same: no chance to disagree
        return None
    labels = list(range(round(worth / STEP) + 1))
    value = float(cohen_kappa_score(first, second, weights="quadratic", labels=labels))
    return value if math.isfinite(value) else None


def _interval(differences: Sequence[float]) -> tuple[float | None, float | None]:
    """Student's interval of the mean."""
    from scipy.stats import t

    if len(differences) < FEW:
        return None, None
    mean, spread = statistics.fmean(differences), statistics.stdev(differences)
    if not spread:
        return mean, mean
    low, high = t.interval(
        CONFIDENCE, len(differences) - 1, loc=mean, scale=spread / math.sqrt(len(differences))
    )
    return float(low), float(high)
