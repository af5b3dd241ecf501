"""Numbers that are true: calibration, thresholds with a guarantee, prediction sets, metrics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logit, softmax
from sklearn.linear_model import LogisticRegression

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_N_BINS = 15  # equal-width bins of the expected calibration error, as the published figures use
_GRID_STEPS = 10  # few steps: each step further down is a further test on the same tickets
_SET_MIN_TICKETS = 20  # below this a label's own quantile is noise, and the pooled one serves


def fit_temperature(scores: FloatArray, true_index: npt.NDArray[np.int64]) -> float:
    """Find the temperature that makes softmax(scores / temperature) most likely to be right.

    Parameters
    ----------
    scores : ndarray of shape (n_tickets, n_classes), from models that had not seen the tickets
    true_index : ndarray of shape (n_tickets,), column of the right class

    Notes
    -----
    Guo et al., On Calibration of Modern Neural Networks, 2017. One parameter: it cannot overfit
    a rare class, and it never changes which label comes first.
    """
    rows = np.arange(len(scores))

    def negative_log_likelihood(log_temperature: float) -> float:
        shares = log_softmax(scores / math.exp(log_temperature), axis=1)
        return -float(shares[rows, true_index].mean())

    found = minimize_scalar(
        negative_log_likelihood, bounds=(-5.0, 3.0), method="bounded", options={"xatol": 1e-4}
    )
    return math.exp(float(found.x))


def class_probabilities(scores: FloatArray, temperature: float) -> FloatArray:
    """Turn decision scores into probabilities that add up to one."""
    return np.asarray(softmax(scores / temperature, axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class JointConfidence:
    """Probability that several targets are right together, from each one's confidence.

    Two promises of 95% are only 90% together, and their errors go hand in hand: so the joint
    probability is calibrated on tickets, not multiplied.
    """

    weights: tuple[float, ...]
    intercept: float

    def __call__(self, confidences: FloatArray) -> FloatArray:
        """Compute it for an array of shape (n_tickets, n_targets)."""
        evidence = _logits(confidences) @ np.asarray(self.weights) + self.intercept
        return np.asarray(1 / (1 + np.exp(-evidence)), dtype=np.float64)


def fit_joint(confidences: FloatArray, all_right: BoolArray) -> JointConfidence:
    """Calibrate the joint confidence on tickets the models had not seen.

    Parameters
    ----------
    confidences : ndarray of shape (n_tickets, n_targets), each target's top confidence
    all_right : ndarray of shape (n_tickets,), whether every target's top label was right
    """
    if all_right.all() or not all_right.any():
        # Nothing to tell right from wrong by: trust the product of the single confidences.
        rate = (all_right.sum() + 1) / (len(all_right) + 2)
        return JointConfidence((0.0,) * confidences.shape[1], float(logit(rate)))
    model = LogisticRegression(C=10.0).fit(_logits(confidences), all_right)
    return JointConfidence(tuple(float(w) for w in model.coef_[0]), float(model.intercept_[0]))


def _logits(confidences: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(confidences, 1e-4, 1 - 1e-4)), dtype=np.float64)


def lower_bound(right: int, total: int, delta: float) -> float:
    """Bound a precision from below with confidence 1 - delta.

    Notes
    -----
    One-sided exact binomial bound (Clopper & Pearson, Biometrika 26, 1934).
    """
    return 0.0 if right == 0 else float(stats.beta.ppf(delta, right, total - right + 1))


def tickets_for_promise(target: float, delta: float = 0.05) -> int:
    """Count the errorless tickets without which no threshold can promise ``target``."""
    return math.ceil(math.log(delta) / math.log(target))


def precision_threshold(
    confidence: FloatArray, correct: BoolArray, target: float, *, delta: float = 0.05
) -> float | None:
    """Find the lowest confidence from which on suggestions keep a promised precision.

    Parameters
    ----------
    confidence : ndarray of shape (n_tickets,), in [0, 1], of tickets unseen by the model
    correct : ndarray of shape (n_tickets,), bool
    target : promised precision, in (0, 1)
    delta : chance that the true precision is below ``target`` all the same

    Returns
    -------
    float in [0, 1], or None when these tickets support no such promise

    Raises
    ------
    ValueError : arrays of different length, or a target outside (0, 1)

    Notes
    -----
    Fixed-sequence testing from the surest tickets downwards: as long as each step's exact bound
    holds, the next is tested at the full ``delta``; the first that fails ends it (Bauer,
    Statistics in Medicine 10, 1991).
    """
    if len(confidence) != len(correct):
        raise ValueError(f"{len(confidence)} confidences but {len(correct)} outcomes")
    if not 0 < target < 1:
        raise ValueError(f"target must lie between 0 and 1, got {target}")
    needed = tickets_for_promise(target, delta)
    if len(confidence) < needed:
        return None
    order = np.argsort(-confidence, kind="stable")
    ranked, right = confidence[order], np.cumsum(correct[order])
    first = max(needed / len(ranked), 1 / _GRID_STEPS)
    best: float | None = None
    for share in np.linspace(first, 1.0, _GRID_STEPS):
        threshold = ranked[min(math.ceil(share * len(ranked)), len(ranked)) - 1]
        total = int(np.searchsorted(-ranked, -threshold, side="right"))
        if lower_bound(int(right[total - 1]), total, delta) < target:
            break
        best = float(threshold)
    return best


def label_thresholds(
    labels: Sequence[str],
    predicted: npt.NDArray[np.int64],
    confidence: FloatArray,
    correct: BoolArray,
    target: float,
) -> dict[str, float | None]:
    """Find each label's threshold; labels with few tickets share one, found on them pooled.

    Returns
    -------
    dict of label -> threshold; None marks a label that may be suggested but never routed
    """
    enough = 2 * tickets_for_promise(target)
    counts = np.bincount(predicted, minlength=len(labels))
    pooled = counts[predicted] < enough
    shared = precision_threshold(confidence[pooled], correct[pooled], target)
    thresholds: dict[str, float | None] = {}
    for index, label in enumerate(labels):
        if counts[index] < enough:
            thresholds[label] = shared
        else:
            own = predicted == index
            thresholds[label] = precision_threshold(confidence[own], correct[own], target)
    return thresholds


def set_cutoffs(
    probabilities: FloatArray, true_index: npt.NDArray[np.int64], coverage: float = 0.9
) -> FloatArray:
    """Find the probability from which on a label belongs to the prediction set.

    Returns
    -------
    ndarray of shape (n_classes,); the set of labels above holds the right one with ``coverage``,
    label by label where there are 20 tickets, over all tickets for the rest

    Notes
    -----
    Least ambiguous set-valued classifiers (Sadinle, Lei & Wasserman, JASA 114, 2019).
    """
    of_truth = probabilities[np.arange(len(true_index)), true_index]
    cutoffs = np.full(probabilities.shape[1], _lower_quantile(of_truth, 1 - coverage))
    for index in range(probabilities.shape[1]):
        own = of_truth[true_index == index]
        if len(own) >= _SET_MIN_TICKETS:
            cutoffs[index] = _lower_quantile(own, 1 - coverage)
    return cutoffs


def _lower_quantile(values: FloatArray, share: float) -> float:
    # Rounded down to an observed value: never less coverage than stated.
    rank = max(math.floor(share * (len(values) + 1)) - 1, 0)
    return float(np.sort(values)[rank]) if len(values) else 0.0


def expected_calibration_error(confidence: FloatArray, correct: BoolArray) -> float:
    """Average distance between confidence and accuracy, over 15 equal-width bins."""
    if not len(confidence):
        return 0.0
    bins = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    gaps = np.bincount(bins, confidence - correct, minlength=_N_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def coverage_at(confidence: FloatArray, correct: BoolArray, precision: float) -> float:
    """Largest share of tickets, by falling confidence, that is right at least that often."""
    if not len(confidence):
        return 0.0
    right = np.cumsum(correct[np.argsort(-confidence, kind="stable")])
    totals = np.arange(1, len(right) + 1)
    good = np.flatnonzero(right / totals >= precision)
    return float(totals[good[-1]] / len(right)) if len(good) else 0.0
