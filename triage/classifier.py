"""A calibrated linear classifier for one target: tier, category, or any other label."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Self

import joblib
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from triage.confidence import Calibration, calibrated_apart, fit_calibration
from triage.linear import LinearSettings, fit_linear

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]

MIN_TICKETS = 3
"""A label with fewer tickets is not learned: it could not even be cross-validated."""

_DEFAULTS = LinearSettings()


class TicketClassifier(ClassifierMixin, BaseEstimator):
    """Linear support vector machine, one against the rest, with a cross-fitted calibration.

    Every ticket is scored once by a model that has not seen it or its near twins; the calibration
    is fitted on those scores, so that the probabilities of the final model, which learns from all
    tickets, are true on new ones.

    Parameters
    ----------
    settings : how the machines are fitted
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
    out_of_fold_ : probabilities of shape (n_tickets, n_classes), each from a model and a
        calibration that had not seen the ticket; rows of labels that were not learned are scored
        too
    is_checked_ : bool array of shape (n_tickets,); False for a ticket whose label no other fold
        has, such as mails of one machine that are all near twins: nothing can be said about it
    too_few_ : dict of label -> count, for labels with fewer than `MIN_TICKETS` tickets
    """

    classes_: npt.NDArray[np.object_]
    coef_: npt.NDArray[np.float32]
    intercept_: npt.NDArray[np.float32]
    calibration_: Calibration
    out_of_fold_: FloatArray
    is_checked_: npt.NDArray[np.bool_]
    too_few_: dict[str, int]

    def __init__(
        self,
        *,
        settings: LinearSettings = _DEFAULTS,
        n_folds: int = 4,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.settings = settings
        self.n_folds = n_folds
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: sp.csr_matrix,
        y: npt.NDArray[np.object_],
        groups: IndexArray | None = None,
        column_weights: npt.NDArray[np.float32] | None = None,
        on_step: Callable[[], None] | None = None,
        ticket_weights: FloatArray | None = None,
    ) -> Self:
        """Fit on tickets and their labels.

        Parameters
        ----------
        X : csr_matrix of shape (n_tickets, n_features)
        y : ndarray of shape (n_tickets,), str labels
        groups : cluster of near twins of each ticket; a cluster is never split between folds
        column_weights : array of shape (n_features,), how much each column counts
        on_step : called after each of the `n_steps` models fitted
        ticket_weights : array of shape (n_tickets,), how much each ticket counts in learning; the
            calibration counts all alike

        Raises
        ------
        ValueError : fewer than two labels have enough tickets
        """
        report = on_step or (lambda: None)
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

        scores = self._cross_fit(X, truth, folds, column_weights, ticket_weights, report)
        known = np.flatnonzero(truth >= 0)
        self.is_checked_ = _is_checked(truth, folds)
        is_used = self.is_checked_ & (truth >= 0)
        self.calibration_ = fit_calibration(scores[is_used], truth[is_used])
        self.out_of_fold_ = calibrated_apart(scores, truth, is_used, folds)

        weights, intercept = fit_linear(
            X[known],
            truth[known],
            self.settings,
            self.random_state,
            column_weights,
            None if ticket_weights is None else ticket_weights[known],
        )
        # The last half step of precision is noise; see `coef_`.
        self.coef_ = np.ascontiguousarray(weights.T).astype(np.float16).astype(np.float32)
        self.intercept_ = intercept.astype(np.float32)
        report()
        return self

    @property
    def n_steps(self) -> int:
        """Count the models that a fit makes."""
        return self.n_folds + 1

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
        column_weights: npt.NDArray[np.float32] | None,
        ticket_weights: FloatArray | None,
        on_step: Callable[[], None],
    ) -> FloatArray:
        # As strict for each ticket as the final model is, which has more of them: otherwise its
        # scores are larger than those it is calibrated on, and it is too sure.
        settings = replace(self.settings, C=self.settings.C * self.n_folds / (self.n_folds - 1))
        # Processes, not threads: the solver's random numbers are one global state.
        run = joblib.Parallel(n_jobs=self.n_jobs, return_as="generator")
        results: Iterable[FloatArray] = run(
            joblib.delayed(score_held_out)(
                X,
                truth,
                folds == fold,
                len(self.classes_),
                settings,
                self.random_state,
                column_weights,
                ticket_weights,
            )
            for fold in range(self.n_folds)
        )
        scores = np.empty((len(truth), len(self.classes_)))
        for fold, result in enumerate(results):
            scores[folds == fold] = result
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


def score_held_out(
    X: sp.csr_matrix,
    truth: IndexArray,
    held_out: npt.NDArray[np.bool_],
    n_classes: int,
    settings: LinearSettings,
    seed: int,
    column_weights: npt.NDArray[np.float32] | None,
    ticket_weights: FloatArray | None = None,
) -> FloatArray:
    """Score the tickets held out by a model of the others; columns of unseen classes lowest."""
    train = np.flatnonzero(~held_out & (truth >= 0))
    test = X[np.flatnonzero(held_out)]
    present = np.unique(truth[train])
    if len(present) < 2:
        return np.zeros((test.shape[0], n_classes))
    weights, intercept = fit_linear(
        X[train],
        truth[train],
        settings,
        seed,
        column_weights,
        None if ticket_weights is None else ticket_weights[train],
    )
    scores = np.asarray(test @ weights.T + intercept, dtype=np.float64)
    full = np.repeat(scores.min(axis=1, keepdims=True), n_classes, axis=1)
    full[:, present] = scores
    return full
