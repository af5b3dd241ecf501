"""A calibrated linear classifier for one target: tier, category, or any other label."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any, Self

import joblib
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from triage.confidence import Calibration, fit_calibration

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]

MIN_TICKETS = 3
"""A label with fewer tickets is not learned: it could not even be cross-validated."""

_SEARCH_FOLDS = 2
_TELLING = 0.6  # best of 0.3, 0.6 and 1 on three data sets
_MAX_LOG_ODDS = 3.0
_WORTHWHILE_GAIN = 0.02  # accuracy plus macro-F1; half a point of each is chance on 5,000 tickets


class TicketClassifier(ClassifierMixin, BaseEstimator):
    """Linear support vector machine, one against the rest, with a cross-fitted calibration.

    Every ticket is scored once by a model that has not seen it or its near twins; the calibration
    is fitted on those scores, so that the probabilities of the final model, which learns from all
    tickets, are true on new ones. The same scores decide which ``C`` is used.

    Parameters
    ----------
    candidates : ascending values of C to choose from, by accuracy and macro-F1 out of fold; the
        middle one unless another is clearly better
    n_folds : folds of the cross-fit
    random_state : seed of the folds and of the solver
    n_jobs : processes that share the folds

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), object, sorted
    coef_ : float32 array of shape (n_features, n_classes); values representable as float16, so
        that the model in memory and the one in a bundle are the same
    intercept_ : float32 array of shape (n_classes,)
    calibration_ : Calibration, turns scores into probabilities
    C_ : the value chosen
    out_of_fold_ : probabilities of shape (n_tickets, n_classes), each from a model that had not
        seen the ticket; rows of labels that were not learned are scored too
    is_checked_ : bool array of shape (n_tickets,); False for a ticket whose label no other fold
        has, such as mails of one machine that are all near twins: nothing can be said about it
    too_few_ : dict of label -> count, for labels with fewer than `MIN_TICKETS` tickets
    """

    classes_: npt.NDArray[np.object_]
    coef_: npt.NDArray[np.float32]
    intercept_: npt.NDArray[np.float32]
    calibration_: Calibration
    C_: float
    out_of_fold_: FloatArray
    is_checked_: npt.NDArray[np.bool_]
    too_few_: dict[str, int]

    def __init__(
        self,
        *,
        candidates: tuple[float, ...] = (0.3, 1.0, 3.0),
        n_folds: int = 4,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.candidates = candidates
        self.n_folds = n_folds
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: sp.csr_matrix,
        y: npt.NDArray[np.object_],
        groups: IndexArray | None = None,
        on_step: Callable[[], None] | None = None,
    ) -> Self:
        """Fit on tickets and their labels.

        Parameters
        ----------
        X : csr_matrix of shape (n_tickets, n_features)
        y : ndarray of shape (n_tickets,), str labels
        groups : cluster of near twins of each ticket; a cluster is never split between folds
        on_step : called after each of the `n_steps` models fitted

        Raises
        ------
        ValueError : fewer than two labels have enough tickets
        """
        y = np.asarray(y, dtype=object)
        labels, counts = np.unique(y.astype(str), return_counts=True)
        learned = counts >= MIN_TICKETS
        if learned.sum() < 2:
            raise ValueError(f"two labels with {MIN_TICKETS} tickets each are needed to learn from")
        self.classes_ = labels[learned].astype(object)
        self.too_few_ = {
            str(label): int(count)
            for label, count in zip(labels[~learned], counts[~learned], strict=True)
        }
        index_of = {label: index for index, label in enumerate(self.classes_)}
        truth = np.array([index_of.get(label, -1) for label in y], dtype=np.int64)
        twins = np.arange(len(y)) if groups is None else groups
        folds = deal_folds(truth, twins, self.n_folds, self.random_state)

        scores = self._cross_fit(X, truth, folds, on_step or (lambda: None))
        known = np.flatnonzero(truth >= 0)
        self.is_checked_ = _is_checked(truth, folds)
        used = np.flatnonzero(self.is_checked_ & (truth >= 0))
        self.calibration_ = fit_calibration(scores[used], truth[used])
        self.out_of_fold_ = self.calibration_(scores)

        weights, intercept = fit_linear(X[known], truth[known], self.C_, self.random_state)
        # The last half step of precision is noise; see `coef_`.
        self.coef_ = np.ascontiguousarray(weights.T).astype(np.float16).astype(np.float32)
        self.intercept_ = intercept.astype(np.float32)
        (on_step or (lambda: None))()
        return self

    @property
    def n_steps(self) -> int:
        """Count the models that a fit makes."""
        searched = len(self.candidates) * _SEARCH_FOLDS if len(self.candidates) > 1 else 0
        return searched + self.n_folds - (_SEARCH_FOLDS if searched else 0) + 1

    def decision_function(self, X: sp.csr_matrix) -> FloatArray:
        """Score every class, shape (n_tickets, n_classes)."""
        check_is_fitted(self, "coef_")
        return np.asarray(X @ self.coef_ + self.intercept_, dtype=np.float64)

    def predict_proba(self, X: sp.csr_matrix) -> FloatArray:
        """Give the calibrated probability of every class, shape (n_tickets, n_classes)."""
        scores = self.decision_function(X)
        return self.calibration_(scores)

    def predict(self, X: sp.csr_matrix) -> npt.NDArray[np.object_]:
        """Give the most probable label of each ticket."""
        best = self.decision_function(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _cross_fit(
        self,
        X: sp.csr_matrix,
        truth: IndexArray,
        folds: IndexArray,
        on_step: Callable[[], None],
    ) -> FloatArray:
        searched = min(_SEARCH_FOLDS, self.n_folds) if len(self.candidates) > 1 else 0
        tasks = [(C, fold) for C in self.candidates for fold in range(searched)]
        found = dict(zip(tasks, self._score_folds(X, truth, folds, tasks, on_step), strict=True))
        tried = np.flatnonzero((folds < searched) & (truth >= 0))
        quality = (
            {C: _quality(truth[tried], _gather(found, C, folds, tried)) for C in self.candidates}
            if searched
            else {}
        )
        self.C_ = self._choose(quality)
        rest = [(self.C_, fold) for fold in range(searched, self.n_folds)]
        found |= zip(rest, self._score_folds(X, truth, folds, rest, on_step), strict=True)
        return _gather(found, self.C_, folds, np.arange(len(truth)))

    def _choose(self, quality: dict[float, float]) -> float:
        """Take the best C, but leave the middle one only for a gain that is not chance."""
        middle = self.candidates[len(self.candidates) // 2]
        best = max(quality, key=lambda C: (quality[C], -C), default=middle)
        gain = quality.get(best, 0.0) - quality.get(middle, 0.0)
        return best if gain > _WORTHWHILE_GAIN else middle

    def _score_folds(
        self,
        X: sp.csr_matrix,
        truth: IndexArray,
        folds: IndexArray,
        tasks: list[tuple[float, int]],
        on_step: Callable[[], None],
    ) -> list[FloatArray]:
        # Processes, not threads: the solver's random numbers are one global state.
        run = joblib.Parallel(n_jobs=self.n_jobs, return_as="generator")
        results: Iterable[FloatArray] = run(
            joblib.delayed(_score_fold)(
                X, truth, folds == fold, C, self.random_state, len(self.classes_)
            )
            for C, fold in tasks
        )
        scores = []
        for result in results:
            scores.append(result)
            on_step()
        return scores


def deal_folds(truth: IndexArray, groups: IndexArray, n_folds: int, seed: int) -> IndexArray:
    """Deal groups into folds, each label spread evenly, no group split.

    Returns
    -------
    ndarray of shape (n_tickets,), fold of each ticket, from 0 to ``n_folds`` - 1
    """
    _, first, member_of = np.unique(groups, return_index=True, return_inverse=True)
    shuffle = np.random.default_rng(seed).permutation(len(first))
    order = np.lexsort((shuffle, truth[first]))
    fold_of_group = np.empty(len(first), dtype=np.int64)
    fold_of_group[order] = np.arange(len(first)) % n_folds
    return fold_of_group[member_of]


def _is_checked(truth: IndexArray, folds: IndexArray) -> npt.NDArray[np.bool_]:
    """Tell which tickets were scored by a model that knew their label, or should miss it anyway."""
    is_checked = truth < 0
    for fold in np.unique(folds):
        inside = folds == fold
        is_checked |= inside & np.isin(truth, truth[~inside])
    # Where every label is one cluster of twins, what there is must do.
    return is_checked if (is_checked & (truth >= 0)).any() else np.ones_like(is_checked)


def _score_fold(
    X: sp.csr_matrix,
    truth: IndexArray,
    held_out: npt.NDArray[np.bool_],
    C: float,
    seed: int,
    n_classes: int,
) -> FloatArray:
    """Score the tickets held out by a model of the others; columns of unseen classes lowest."""
    train = np.flatnonzero(~held_out & (truth >= 0))
    test = X[np.flatnonzero(held_out)]
    present = np.unique(truth[train])
    if len(present) < 2:
        return np.zeros((test.shape[0], n_classes))
    weights, intercept = fit_linear(X[train], truth[train], C, seed)
    scores = np.asarray(test @ weights.T + intercept, dtype=np.float64)
    full = np.repeat(scores.min(axis=1, keepdims=True), n_classes, axis=1)
    full[:, present] = scores
    return full


def fit_linear(
    X: sp.csr_matrix, truth: IndexArray, C: float, seed: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Fit one against the rest; two classes get mirrored rows, so that every class has a score."""
    weights = _telling_weights(X, truth)
    # tol 0.1 costs no measurable accuracy (docs/benchmarks.md) and spares most of the passes.
    model = LinearSVC(C=C, tol=0.1, random_state=seed)
    with warnings.catch_warnings():
        # Many labels of few tickets are what a desk has; it is no sign of a regression target.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model.fit(X @ sp.diags(weights), truth)
    # Folded into the coefficients, the weights cost nothing when scoring.
    coefficients, intercept = model.coef_ * weights, model.intercept_
    if len(model.classes_) > 2:
        return coefficients, intercept
    return np.vstack([-coefficients, coefficients]), np.r_[-intercept, intercept]


def _telling_weights(X: sp.csr_matrix, truth: IndexArray) -> npt.NDArray[np.float32]:
    """Weigh each column by how well its presence alone tells the labels apart.

    Regularisation then holds back the columns that say nothing. The weight is the capped log odds
    of presence, averaged over the labels by their shares, mixed with a constant (after Wang &
    Manning, Baselines and Bigrams, 2012); gains on every data set are in docs/benchmarks.md.

    Returns
    -------
    float32 array of shape (n_features,), mean 1 unless no column says anything
    """
    _, index, counts = np.unique(truth, return_inverse=True, return_counts=True)
    rows = np.arange(len(truth))
    members = sp.csr_matrix((np.ones(len(truth), np.float32), (index, rows)))
    present = sp.csr_matrix((np.ones_like(X.data), X.indices, X.indptr), shape=X.shape)
    total = np.asarray(present.sum(axis=0), dtype=np.float32).ravel()
    inside = (row.toarray().ravel() for row in members @ present)
    return weights_of_presence(inside, total, counts)


def weights_of_presence(
    inside: Iterable[npt.NDArray[np.float32]],
    total: npt.NDArray[np.float32],
    counts: IndexArray,
) -> npt.NDArray[np.float32]:
    """Weigh columns by the number of tickets that have them: of each label, and in total.

    Parameters
    ----------
    inside : for each label, an array of shape (n_features,)
    total : array of shape (n_features,)
    counts : ndarray of shape (n_labels,), tickets of each label
    """
    n_tickets = int(counts.sum())
    telling = np.zeros(len(total), dtype=np.float32)
    for row, count in zip(inside, counts, strict=True):
        own = (row + 1) / (count + 2)
        other = (total - row + 1) / (n_tickets - count + 2)
        telling += np.minimum(np.abs(np.log(own / other)), _MAX_LOG_ODDS) * (count / n_tickets)
    mean = float(telling.mean()) or 1.0  # every column in every ticket: nothing tells anything
    return ((1 - _TELLING) + _TELLING * telling / mean).astype(np.float32)


def _gather(
    found: dict[tuple[float, int], FloatArray], C: float, folds: IndexArray, rows: IndexArray
) -> FloatArray:
    n_classes = next(iter(found.values())).shape[1]
    scores = np.empty((len(folds), n_classes))
    for (candidate, fold), result in found.items():
        if candidate == C:
            scores[folds == fold] = result
    return scores[rows]


def _quality(truth: IndexArray, scores: FloatArray) -> float:
    predicted = scores.argmax(axis=1)
    macro_f1 = f1_score(truth, predicted, average="macro", zero_division=0.0)
    return float(np.mean(truth == predicted) + macro_f1)
