"""Means with intervals, and differences of contenders that were asked the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

_TESTED_TO_LEARNED = 0.2 / 0.8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and half the width of its 95% interval; None where one value tells no spread."""

    mean: float
    half_width: float | None


def mean_of(values: Sequence[float]) -> Estimate:
    """Estimate a mean, with Student's t interval."""
    n = len(values)
    mean = float(np.mean(values))
    if n < 2:
        return Estimate(mean, None)
    return Estimate(mean, float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)))


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Estimate the difference of two contenders over the same random splits.

    Notes
    -----
    Random splits of one data set share most of their tickets, so that the plain t interval is too
    narrow: the variance is corrected for that (Nadeau & Bengio, Inference for the Generalization
    Error, Machine Learning 52, 2003).
    """
    differences = np.asarray(ours) - np.asarray(theirs)
    n = len(differences)
    if n < 2:
        return Estimate(float(differences.mean()), None)
    error = np.std(differences, ddof=1) * np.sqrt(1 / n + _TESTED_TO_LEARNED)
    return Estimate(float(differences.mean()), float(stats.t.ppf(0.975, n - 1) * error))


def paired_by_ticket(ours: Sequence[int], theirs: Sequence[int]) -> Estimate:
    """Estimate the difference in accuracy on the tickets of one split, from what each got right."""
    differences = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return Estimate(float(differences.mean()), float(1.96 * error))
