"""How sure each step of a path is: the probability that the right label lies at or below it."""

from collections.abc import Sequence

import numpy as np

from triage.confidence import Calibration, fit_temperature
from triage.hierarchy import FloatArray, IndexArray, Level, levels_of

LevelCalibrations = tuple[Calibration | None, ...]
"""How the levels above the labels themselves are calibrated; None where there is but one node."""


def fit_levels(
    labels: Sequence[str], probabilities: FloatArray, true_index: IndexArray
) -> LevelCalibrations:
    """Calibrate the levels above the labels on tickets the model had not seen.

    Parameters
    ----------
    probabilities : ndarray of shape (n_tickets, n_labels)
    true_index : ndarray of shape (n_tickets,), column of the right label

    Notes
    -----
    The plain sum of a node's labels is too timid: probability that is spread over a hundred labels
    for want of knowledge ends up in all nodes. Calibrated, the error of the topmost level fell to
    half and less (docs/benchmarks.md).
    """
    return tuple(
        fit_temperature(_scores(level, probabilities), level.node_of[true_index])
        if len(level.nodes) > 1
        else None
        for level in levels_of(labels)[:-1]
    )


def path_confidence(
    levels: Sequence[Level],
    calibrations: LevelCalibrations,
    probabilities: FloatArray,
    chosen: IndexArray,
) -> FloatArray:
    """Say how sure each step of the chosen paths is.

    Parameters
    ----------
    calibrations : what `fit_levels` gives; without any, a node has the sum of its labels
    probabilities : ndarray of shape (n_tickets, n_labels)
    chosen : ndarray of shape (n_tickets,), column of the label chosen

    Returns
    -------
    ndarray of shape (n_tickets, n_levels), never rising from the top down; the last column is the
    probability of the label itself
    """
    rows = np.arange(len(chosen))
    confidence = np.empty((len(chosen), len(levels)))
    for place, level in enumerate(levels):
        calibration = calibrations[place] if place < len(calibrations) else None
        shares = (
            calibration(_scores(level, probabilities)) if calibration else level.sums(probabilities)
        )
        confidence[:, place] = shares[rows, level.node_of[chosen]]
    # Each level is calibrated by itself; yet a step is at least as sure as what lies below it.
    return np.maximum.accumulate(confidence[:, ::-1], axis=1)[:, ::-1]


def _scores(level: Level, probabilities: FloatArray) -> FloatArray:
    """Score nodes as the walk down does, see `triage.hierarchy.walk_down`."""
    return np.asarray(np.log(level.sums(probabilities**2) + 1e-12))
