"""Confidence intervals for shares and for differences between two models asked the same."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from triage.confidence import BoolArray

_Z = NormalDist().inv_cdf(0.975)  # two-sided 95%


class Interval(NamedTuple):
    """A share or a difference, with what holds the true one 95 times in 100."""

    value: float
    low: float
    high: float


def wilson(right: int, n: int, *, at_once: int = 1) -> Interval:
    """Give a share of tickets with its 95% interval.

    Parameters
    ----------
    at_once : intervals that shall hold all together 95 times in 100 (Bonferroni)

    Notes
    -----
    Wilson, JASA 22, 1927: keeps its promise for few tickets and shares near 0 or 1 as well.
    """
    if not n:
        return Interval(0.0, 0.0, 1.0)
    share = right / n
    z = NormalDist().inv_cdf(1 - 0.025 / at_once)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n * n))
    return Interval(share, float(max(middle - reach, 0.0)), float(min(middle + reach, 1.0)))


def paired_difference(first: BoolArray, second: BoolArray) -> Interval:
    """Give how much more often the first model is right than the second, on the same tickets.

    Notes
    -----
    Normal approximation over the tickets that the two answer differently (McNemar,
    Psychometrika 12, 1947), one such ticket added either way so that none is no certainty.
    """
    n = len(first)
    if not n:
        return Interval(0.0, -1.0, 1.0)
    gained, lost = int((first & ~second).sum()), int((second & ~first).sum())
    value = (gained - lost) / n
    reach = _Z * np.sqrt(max(gained + lost + 2 - (gained - lost) ** 2 / n, 0.0)) / n
    return Interval(value, float(value - reach), float(value + reach))
