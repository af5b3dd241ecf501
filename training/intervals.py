"""Confidence intervals for shares and for differences between two models asked the same."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from triage.confidence import BoolArray
from triage.figures.intervals import share_interval

_Z = NormalDist().inv_cdf(0.975)  # two-sided 95%


class Interval(NamedTuple):
    """A share or a difference, with what holds the true one 95 times in 100."""

    value: float
    low: float
    high: float


def wilson(right: int, n: int, *, at_once: int = 1) -> Interval:
    """Give a share of tickets with its 95% interval; see `triage.figures.intervals`."""
    return Interval(right / n if n else 0.0, *share_interval(right, n, at_once=at_once))


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
