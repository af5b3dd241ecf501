"""Numbers that are true: calibration, thresholds with a guarantee, prediction sets, metrics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit, logit, softmax
from sklearn.linear_model import LogisticRegression

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_N_BINS = 15  # equal-width bins of the expected calibration error, as the published figures use
_GRID = tuple(step / 20 for step in range(1, 21))  # shares of the tickets, surest first
_STARTS = (0.05, 0.2, 0.4)
_DELTA = 0.05  # chance that a promise does not hold
_OWN_THRESHOLD_MIN_TICKETS = 200
_TIMES_ERRORLESS = 2  # tickets for a threshold of its own, in those an errorless promise takes
_SET_MIN_TICKETS = 20  # below this a label's own quantile is noise, and the pooled one serves


@dataclass(frozen=True, slots=True)
class Calibration:
    """How decision scores become probabilities that are true.

    ``temperature`` widens or narrows the softmax of the scores. ``noise`` is the share of tickets
    whose label has nothing to do with their text (mistyped, closed under another name): without
    it a model is either too sure at the top or too timid below. ``evidence``
    weighs what speaks for the first label (see `_evidence_for_first`) and ``offsets`` hold how much
    more or less each class deserves to be believed than others with the same evidence; together
    they give the probability that the first label is right. Without them it is the softmax's.
    """

    temperature: float
    noise: float
    evidence: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Turn scores of shape (n_tickets, n_classes) into rows that add up to one."""
        shares = softmax(scores / self.temperature, axis=1)
        probabilities = np.asarray((1 - self.noise) * shares + self.noise / scores.shape[1])
        if not self.evidence:
            return probabilities
        evidence = _evidence_for_first(scores / self.temperature, probabilities)
        # Summed row by row: a matrix product's last digits depend on the rest of the batch.
        belief = (evidence * np.array(self.evidence)).sum(axis=1)
        belief += np.array(self.offsets)[scores.argmax(axis=1)]
        return _with_first(probabilities, expit(belief))


def fit_calibration(scores: FloatArray, true_index: npt.NDArray[np.int64]) -> Calibration:
    """Find the calibration that makes the right labels most likely.

    Parameters
    ----------
    scores : ndarray of shape (n_tickets, n_classes), from models that had not seen the tickets
    true_index : ndarray of shape (n_tickets,), column of the right class

    Notes
    -----
    Temperature scaling (Guo et al., On Calibration of Modern Neural Networks, 2017) with uniform
    label noise, then a logistic regression of "the first label is right" with an offset for each
    class, held to zero where there are few tickets. One temperature cannot serve tickets of every
    kind and class: with 40 labels and more it left the confidence 0.06 to 0.09 from the truth, the
    regression 0.01 to 0.02 (docs/benchmarks.md). It never changes which label comes first.
    """
    plain = fit_temperature(scores, true_index)
    probabilities = plain(scores)
    first = probabilities.argmax(axis=1)
    evidence, offsets = _fit_belief(
        _evidence_for_first(scores / plain.temperature, probabilities),
        first,
        first == true_index,
        scores.shape[1],
    )
    return Calibration(plain.temperature, plain.noise, evidence, offsets)


def calibrated_apart(
    scores: FloatArray,
    true_index: npt.NDArray[np.int64],
    is_used: BoolArray,
    folds: npt.NDArray[np.int64],
) -> FloatArray:
    """Give each ticket probabilities by a calibration that has not seen it.

    Thresholds set on tickets that the calibration was fitted on would promise too much: its offsets
    know how often each class was right among these very tickets.

    Parameters
    ----------
    scores : ndarray of shape (n_tickets, n_classes)
    true_index : ndarray of shape (n_tickets,), column of the right class
    is_used : ndarray of shape (n_tickets,), whether a calibration may be fitted on the ticket
    folds : ndarray of shape (n_tickets,); a fold is calibrated on the others, or on itself where
        they have nothing to be fitted on

    Returns
    -------
    ndarray of shape (n_tickets, n_classes)
    """
    probabilities = np.empty(scores.shape)
    for fold in np.unique(folds):
        own = folds == fold
        others = is_used & ~own
        fitted_on = others if others.any() else is_used
        calibration = fit_calibration(scores[fitted_on], true_index[fitted_on])
        probabilities[own] = calibration(scores[own])
    return probabilities


_OFFSET_STIFFNESS = 2.0  # offsets of about a half: a class is seldom believed less than that
_AS_THEY_ARE = np.array([0.0, 1.0, 0.0, 0.0, 0.0])  # weights that leave the first probability alone


def _evidence_for_first(scores: FloatArray, probabilities: FloatArray) -> FloatArray:
    """Say what speaks for each ticket's first label, shape (n_tickets, 5).

    A constant; the logit of its probability; the log of its lead over the second; its score; the
    score's lead.
    """
    first, second = _two_largest(probabilities)
    score, next_score = _two_largest(scores)
    clipped = np.clip(first, 1e-4, 1 - 1e-4)
    lead = np.log(first / np.maximum(second, 1e-6))
    return np.column_stack([np.ones(len(first)), logit(clipped), lead, score, score - next_score])


def _two_largest(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    largest = np.partition(values, -2, axis=1)[:, -2:]
    return largest[:, 1], largest[:, 0]


def _with_first(probabilities: FloatArray, confidence: FloatArray) -> FloatArray:
    """Give each row's largest value a new one, and share what is left as before."""
    first, second = _two_largest(probabilities)
    rest = np.maximum(1 - first, 1e-12)
    # The first stays the first, if by a hair.
    confidence = np.maximum(confidence, second / (second + rest) + 1e-6)
    scaled = probabilities * ((1 - confidence) / rest)[:, np.newaxis]
    scaled[np.arange(len(scaled)), probabilities.argmax(axis=1)] = confidence
    return scaled


def _fit_belief(
    evidence: FloatArray, first: npt.NDArray[np.int64], is_right: BoolArray, n_classes: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Fit the logistic regression, held to the softmax where little is known."""
    # However right or wrong the tickets seen, the next may be otherwise (Platt, 1999).
    n_right, n_wrong = int(is_right.sum()), int((~is_right).sum())
    wanted = np.where(is_right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    n_weights = evidence.shape[1]
    at_rest = np.concatenate([_AS_THEY_ARE, np.zeros(n_classes)])
    stiffness = np.repeat([1.0, _OFFSET_STIFFNESS], [n_weights, n_classes])

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        weights, offsets = parameters[:n_weights], parameters[n_weights:]
        belief = evidence @ weights + offsets[first]
        away = parameters - at_rest
        pull = expit(belief) - wanted
        gradient = np.concatenate([pull @ evidence, np.bincount(first, pull, n_classes)])
        value = (np.logaddexp(0, belief) - wanted * belief).sum() + (stiffness * away**2).sum()
        return float(value), gradient + 2 * stiffness * away

    found = minimize(loss, at_rest, jac=True, method="L-BFGS-B").x.tolist()
    return tuple(found[:n_weights]), tuple(found[n_weights:])


def fit_temperature(scores: FloatArray, true_index: npt.NDArray[np.int64]) -> Calibration:
    """Find temperature and noise alone: enough for a few nodes of many tickets each.

    Parameters are those of `fit_calibration`.
    """
    rows = np.arange(len(scores))
    n_tickets, n_classes = scores.shape
    # However right the tickets seen, the next may be wrong (Laplace's rule of succession).
    least_noise = n_classes / ((n_classes - 1) * (n_tickets + 2))

    def calibration_of(parameters: FloatArray) -> Calibration:
        log_temperature, noise_logit = np.clip(parameters, [-5.0, -12.0], [3.0, 0.0])
        noise = max(float(expit(noise_logit)), min(least_noise, 0.5))
        return Calibration(math.exp(log_temperature), noise)

    def negative_log_likelihood(parameters: FloatArray) -> float:
        calibration = calibration_of(parameters)
        return -float(np.log(calibration(scores)[rows, true_index] + 1e-12).mean())

    found = minimize(
        negative_log_likelihood,
        x0=np.array([-0.7, -4.0]),  # near what every data set we measured ends at
        method="Nelder-Mead",
        options={"xatol": 1e-3, "fatol": 1e-7},
    )
    return calibration_of(found.x)


@dataclass(frozen=True, slots=True)
class JointConfidence:
    """Probability that several targets are right together, from each one's confidence.

    Two promises of 95% are only 90% together, and their errors go hand in hand: so the product
    of the confidences is calibrated on tickets. It is never above the least sure target.
    """

    slope: float
    intercept: float

    def __call__(self, confidences: FloatArray) -> FloatArray:
        """Compute it for an array of shape (n_tickets, n_targets)."""
        joint = expit(self.slope * _evidence(confidences) + self.intercept)
        return np.asarray(np.minimum(joint, confidences.min(axis=1)), dtype=np.float64)


def fit_joint(confidences: FloatArray, all_right: BoolArray) -> JointConfidence:
    """Calibrate the joint confidence on tickets the models had not seen.

    Parameters
    ----------
    confidences : ndarray of shape (n_tickets, n_targets), each target's top confidence
    all_right : ndarray of shape (n_tickets,), whether every target's top label was right
    """
    if all_right.all() or not all_right.any():
        # Nothing to tell right from wrong by.
        rate = (all_right.sum() + 1) / (len(all_right) + 2)
        return JointConfidence(0.0, float(logit(rate)))
    evidence = _evidence(confidences)[:, np.newaxis]
    model = LogisticRegression(C=100.0).fit(evidence, all_right)
    return JointConfidence(max(float(model.coef_[0, 0]), 0.0), float(model.intercept_[0]))


def _evidence(confidences: FloatArray) -> FloatArray:
    product = confidences.prod(axis=1)
    return np.asarray(logit(np.clip(product, 1e-4, 1 - 1e-4)), dtype=np.float64)


def lower_bound(right: int, total: int, delta: float) -> float:
    """Bound a precision from below with confidence 1 - delta.

    Notes
    -----
    One-sided exact binomial bound (Clopper & Pearson, Biometrika 26, 1934).
    """
    return 0.0 if right == 0 else float(stats.beta.ppf(delta, right, total - right + 1))


def tickets_for_promise(target: float, delta: float) -> int:
    """Count the errorless tickets without which no threshold can promise ``target``."""
    return math.ceil(math.log(delta) / math.log(target))


def precision_threshold(
    confidence: FloatArray, correct: BoolArray, target: float, *, delta: float = _DELTA
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
    Fixed-sequence testing downwards from a few starting points that share ``delta``: from each,
    as long as a step's exact bound holds, the next lower one is tested at the same level; the
    first that fails ends it (Bauer, Statistics in Medicine 10, 1991; Angelopoulos et al., Learn
    then Test, 2021). The surest tickets alone are no good start where labels are noisy.
    """
    if len(confidence) != len(correct):
        raise ValueError(f"{len(confidence)} confidences but {len(correct)} outcomes")
    if not 0 < target < 1:
        raise ValueError(f"target must lie between 0 and 1, got {target}")
    order = np.argsort(-confidence, kind="stable")
    ranked, right = confidence[order], np.cumsum(correct[order])
    level = delta / len(_STARTS)
    fewest = tickets_for_promise(target, level)

    totals = [_tickets_from(ranked, share) for share in _GRID]
    best: float | None = None
    for start in _STARTS:
        for share, total in zip(_GRID, totals, strict=True):
            if share < start or total < fewest:
                continue
            if lower_bound(int(right[total - 1]), total, level) < target:
                break
            threshold = float(ranked[total - 1])
            best = threshold if best is None else min(best, threshold)
    return best


def _tickets_from(ranked: FloatArray, share: float) -> int:
    """Count the tickets at or above the confidence that ``share`` of the tickets reach."""
    if not len(ranked):
        return 0
    threshold = ranked[max(math.ceil(share * len(ranked)), 1) - 1]
    return int(np.searchsorted(-ranked, -threshold, side="right"))


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
    errorless = tickets_for_promise(target, _DELTA / len(_STARTS))
    enough = max(_OWN_THRESHOLD_MIN_TICKETS, _TIMES_ERRORLESS * errorless)
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
    label by label where there are 20 tickets, over the tickets of the others together

    Notes
    -----
    Least ambiguous set-valued classifiers (Sadinle, Lei & Wasserman, JASA 114, 2019).
    """
    of_truth = probabilities[np.arange(len(true_index)), true_index]
    counts = np.bincount(true_index, minlength=probabilities.shape[1])
    # The labels with many tickets would lend the others a cutoff that is too high for them.
    pooled = of_truth[counts[true_index] < _SET_MIN_TICKETS]
    cutoffs = np.full(probabilities.shape[1], _lower_quantile(pooled, 1 - coverage))
    for index in np.flatnonzero(counts >= _SET_MIN_TICKETS):
        cutoffs[index] = _lower_quantile(of_truth[true_index == index], 1 - coverage)
    return cutoffs


def _lower_quantile(values: FloatArray, share: float) -> float:
    # Rounded down to an observed value, or to 0: never less coverage than stated.
    rank = math.floor(share * (len(values) + 1) + 1e-9)
    return float(np.sort(values)[rank - 1]) if rank else 0.0


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
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(correct[order])
    totals = np.arange(1, len(right) + 1)
    # Tickets of equal confidence are answered all or none.
    ends_tie = np.append(np.diff(confidence[order]) != 0, True)
    good = np.flatnonzero(ends_tie & (right / totals >= precision))
    return float(totals[good[-1]] / len(right)) if len(good) else 0.0
