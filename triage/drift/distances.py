"""How far what came in lies from what was usual: one number a signal."""

import numpy as np
import numpy.typing as npt

from triage.drift.profile import IntArray, Tally

FloatArray = npt.NDArray[np.float64]

TERMS = "terms"
NEW_TERMS = "new_terms"

LOWERED = ("confidence", "familiarity", "decision")
"""Signals that alarm when they fall, and only then."""


def measure(usual: Tally, window: Tally) -> dict[str, float]:
    """Measure every signal that both tallies have.

    Returns
    -------
    dict : `TERMS` by Jensen-Shannon divergence, `NEW_TERMS` by the word whose use rose most, the
        `LOWERED` by how many tickets fell (one-sided Kolmogorov-Smirnov), the others by population
        stability index
    """
    values = {TERMS: jensen_shannon(usual.terms, window.terms)}
    values[NEW_TERMS] = float(rises(usual, window).max(initial=0.0))
    for name, counts in window.binned.items():
        if name in usual.binned and counts.sum() and usual.binned[name].sum():
            distance = lowered if name in LOWERED else _stability_index
            values[name] = distance(usual.binned[name], counts)
    return values


def lowered(usual: IntArray, window: IntArray) -> float:
    """Give the greatest share of tickets that moved below an edge, 0 where none did.

    A model of the whole history is surer than those that were asked out of fold, whose confidences
    are what was usual: to be surer is no drift, and must not look like one.
    """
    below = np.cumsum(window) / window.sum() - np.cumsum(usual) / usual.sum()
    return float(max(below.max(), 0.0))


def _stability_index(usual: IntArray, window: IntArray) -> float:
    return float(stability_parts(usual, window).sum())


def stability_parts(usual: IntArray, window: IntArray) -> FloatArray:
    """Give what each bin adds to the population stability index.

    Half a ticket is added to each bin: what never occurred before is far, not infinitely far.
    """
    p = (usual + 0.5) / (usual.sum() + 0.5 * len(usual))
    q = (window + 0.5) / (window.sum() + 0.5 * len(window))
    return np.asarray((q - p) * np.log(q / p))


def jensen_shannon(usual: IntArray, window: IntArray) -> float:
    """Give the Jensen-Shannon divergence of two distributions in bits, 0 to 1."""
    if not usual.sum() or not window.sum():
        return 0.0
    p, q = usual / usual.sum(), window / window.sum()
    middle = (p + q) / 2
    return float((_divergence(p, middle) + _divergence(q, middle)) / 2)


def rises(usual: Tally, window: Tally) -> FloatArray:
    """Give for each bucket of words how much more runs have it now, in standard errors."""
    n_usual, n_window = max(usual.n_runs, 1), max(window.n_runs, 1)
    p, q = usual.risen / n_usual, window.risen / n_window
    # Half a run more on either side: a word of a single run proves nothing.
    pooled = (usual.risen + window.risen + 1) / (n_usual + n_window + 2)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n_usual + 1 / n_window))
    return np.asarray((q - p) / error)


def _divergence(p: FloatArray, q: FloatArray) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())
