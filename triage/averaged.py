"""A head learned part by part, for histories whose matrix would not fit into memory."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.linear_model import SGDClassifier

from triage.classifier import MIN_TICKETS, TicketClassifier
from triage.confidence import calibrated_apart, fit_calibration
from triage.linear import LinearSettings, label_weights

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]

# C: 1, 2 and 4 differ by chance only on training parts of three data sets.
_SETTINGS = LinearSettings(C=2.0)


class AveragedLearner:
    """Learn one target as `TicketClassifier` does, but from parts, none of which is kept.

    The same linear support vector machines, found by stochastic gradient descent (Bottou,
    Stochastic Gradient Descent Tricks, 2012) instead of coordinate descent. Each part is learned
    a few times over, in random order. What stands after each part, from the second pass on, is
    averaged (Polyak & Juditsky, 1992): averaging after each ticket costs twice the time and gains
    nothing. On training parts of real histories it is within a point of coordinate descent with 2
    and 7 labels, and one to two points less accurate with 48 that have few tickets each
    (docs/benchmarks.md).

    Parameters
    ----------
    y : ndarray of shape (n_tickets,), str labels, None where a ticket has none
    learned : ndarray of shape (n_learned,), the tickets it will learn from
    n_features : columns of the parts
    random_state : seed of the order within a part
    n_jobs : threads that share the labels; the result is the same for any number
    """

    def __init__(
        self,
        y: npt.NDArray[np.object_],
        learned: IndexArray,
        n_features: int,
        *,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        is_labelled = np.array([label is not None for label in y], dtype=bool)
        labels, counts = np.unique(y[is_labelled].astype(str), return_counts=True)
        is_frequent = counts >= MIN_TICKETS
        if is_frequent.sum() < 2:
            raise ValueError(f"two labels with {MIN_TICKETS} tickets each are needed to learn from")
        self.classes = labels[is_frequent].astype(object)
        self.too_few = {
            str(label): int(count)
            for label, count in zip(labels[~is_frequent], counts[~is_frequent], strict=True)
        }
        index_of = {label: index for index, label in enumerate(self.classes)}
        self.truth = np.array([index_of.get(label, -1) for label in y], dtype=np.int64)
        self._rows = np.flatnonzero(is_labelled)
        own = self.truth[learned]
        self._learned = own[own >= 0]
        self._n_seen = self._n_averaged = 0
        self._random_state = random_state
        self._n_jobs = n_jobs
        self._model: SGDClassifier | None = None
        # Two classes share one row, mirrored.
        n_rows = len(self.classes) if len(self.classes) > 2 else 1
        self._coef_sum = np.zeros((n_rows, n_features), dtype=np.float32)
        self._intercept_sum = np.zeros(n_rows)

    def learn(self, X: sp.csr_matrix, rows: IndexArray) -> None:
        """Learn from a part of the tickets once."""
        X, truth = self._learnable(X, rows)
        if not len(truth):
            return
        model = self._model or self._begin()
        model.partial_fit(X, truth, classes=np.arange(len(self.classes)))
        if self._n_seen >= len(self._learned):  # the first pass starts too far off
            self._coef_sum += model.coef_
            self._intercept_sum += model.intercept_
            self._n_averaged += 1
        self._n_seen += len(truth)

    def _begin(self) -> SGDClassifier:
        known = self.truth[self.truth >= 0]
        # By all tickets, learned or not: as strict for each ticket as a model of all of them, or
        # the scores that a model is calibrated on would be smaller than its own.
        self._model = SGDClassifier(
            loss="hinge",
            alpha=1 / (_SETTINGS.C * len(known)),
            class_weight=label_weights(known, _SETTINGS),
            random_state=self._random_state,
            n_jobs=self._n_jobs,
        )
        return self._model

    def scores(self, X: sp.csr_matrix) -> FloatArray:
        """Score every class, shape (n_rows, n_classes): all alike where nothing was learned."""
        if self._model is None:
            return np.zeros((X.shape[0], len(self.classes)))
        coefficients, intercept = self._linear()
        # Column by column, so that each coefficient is fetched from memory once.
        return np.asarray(X.tocsc() @ coefficients + intercept, dtype=np.float64)

    def classifier(
        self, earlier: "AveragedLearner", checked: IndexArray, scores: FloatArray
    ) -> TicketClassifier:
        """Make the head of what was learned, calibrated on what an earlier model did not know.

        Parameters
        ----------
        earlier : learned the same labels from part of the tickets
        checked : ndarray of shape (n_checked,), labelled tickets that ``earlier`` did not see
        scores : ndarray of shape (n_checked, n_classes), what ``earlier`` says of them

        Returns
        -------
        TicketClassifier : fitted; `out_of_fold_` is zero for tickets that `is_checked_` tells
            were not asked about
        """
        truth = self.truth[checked]
        can_check = (truth < 0) | np.isin(truth, earlier._learned)
        if not (can_check & (truth >= 0)).any():
            can_check[:] = True  # what there is must do
        is_used = can_check & (truth >= 0)
        fitted = TicketClassifier(settings=_SETTINGS, random_state=self._random_state)
        fitted.classes_ = self.classes
        fitted.too_few_ = self.too_few
        fitted.calibration_ = fit_calibration(scores[is_used], truth[is_used])
        places = np.searchsorted(self._rows, checked)
        fitted.out_of_fold_ = np.zeros((len(self._rows), len(self.classes)))
        # Two halves, for near twins among the newest tickets lie close together.
        halves = (np.arange(len(checked)) >= len(checked) // 2).astype(np.int64)
        fitted.out_of_fold_[places] = calibrated_apart(scores, truth, is_used, halves)
        fitted.is_checked_ = np.zeros(len(self._rows), dtype=bool)
        fitted.is_checked_[places] = can_check
        coefficients, intercept = self._linear()
        fitted.coef_ = np.ascontiguousarray(coefficients).astype(np.float16).astype(np.float32)
        fitted.intercept_ = intercept.astype(np.float32)
        return fitted

    def _learnable(
        self, X: sp.csr_matrix, rows: IndexArray
    ) -> tuple[sp.csr_matrix, npt.NDArray[np.int64]]:
        truth = self.truth[rows]
        known = np.flatnonzero(truth >= 0)
        return (X, truth) if len(known) == len(rows) else (X[known], truth[known])

    def _linear(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        """Coefficients of shape (n_features, n_classes), and intercepts."""
        if self._model is None:
            raise ValueError("nothing was learned yet")
        if self._n_averaged:
            coefficients = self._coef_sum / self._n_averaged
            intercept = self._intercept_sum / self._n_averaged
        else:
            coefficients, intercept = self._model.coef_, self._model.intercept_
        coefficients = coefficients.T
        if len(self.classes) == 2:
            coefficients = np.hstack([-coefficients, coefficients])
            intercept = np.r_[-intercept, intercept]
        return coefficients.astype(np.float32), intercept
